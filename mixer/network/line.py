"""One greeted connection to a broadcaster, from its client's side. trio, no bpy."""

from __future__ import annotations

import socket
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from hashlib import sha256
from typing import Final

import trio

from broadcaster import pins
from broadcaster.errors import RemoteProtocolError
from broadcaster.invitation import TLS
from broadcaster.protocol import ClientConnection
from broadcaster.wire import Message, Piece

from ..client import Server

AGENT: Final = "mixer"
GREETING_SECONDS: Final = 10.0
RECEIVE_BYTES: Final = 256 * 1024

# A broadcaster that is gone without a word is noticed by the kernel, however long Blender is busy.
# TCP_USER_TIMEOUT (ms) is for when something is sent that nobody acknowledges: the kernel then asks nothing else.
KEEPALIVE: Final = {
    "TCP_KEEPIDLE": 20, "TCP_KEEPALIVE": 20, "TCP_KEEPINTVL": 5, "TCP_KEEPCNT": 4, "TCP_USER_TIMEOUT": 40_000
}  # fmt: skip


@dataclass(slots=True)
class Traffic:
    """Bytes on the wire, over all connections of a client."""

    sent_bytes: int = 0
    received_bytes: int = 0


class Line:
    """Messages out and in. Everything raises OSError or trio.BrokenResourceError when the connection is lost."""

    def __init__(self, stream: trio.abc.Stream, traffic: Traffic) -> None:
        self._stream = stream
        self._traffic = traffic
        self._connection = ClientConnection()

    async def greet(self) -> None:
        await self.send_frames(self._connection.hello(AGENT))
        await self.receive()

    @property
    def payload(self) -> bytearray:
        """The latest message as it came."""
        return self._connection.payload

    async def ask(self, message: Message) -> Message:
        """Sends a message and returns the next that comes. Raises Refused and RemoteProtocolError."""
        await self.send_frames(self._connection.send(message))
        answer = await self.receive()
        if isinstance(answer, Piece):
            raise RemoteProtocolError("the broadcaster answers with a piece of a blob")
        return answer

    async def authorize(self, server: Server) -> None:
        """Says the server's secret, if it is known. Raises Refused if it is a wrong one."""
        if server.secret is not None:
            await self.ask({"type": "authorize", "secret": server.secret})

    async def send_frames(self, frames: bytes) -> None:
        self._traffic.sent_bytes += len(frames)
        await self._stream.send_all(frames)

    async def receive(self) -> Message | Piece:
        """The next message. Raises Refused, with the broadcaster's reason, and RemoteProtocolError."""
        while (message := self._connection.next_message()) is None:
            data = await self._stream.receive_some(RECEIVE_BYTES)
            if not data:
                raise trio.BrokenResourceError("the broadcaster hung up")
            self._traffic.received_bytes += len(data)
            self._connection.receive_data(data)
        return message


@asynccontextmanager
async def open_line(server: Server, traffic: Traffic) -> AsyncIterator[Line]:
    """Connects and greets; closes at the end.

    Raises also trio.TooSlowError, Refused and RemoteProtocolError.
    """
    computer = server.host.removeprefix(TLS).strip("[]")
    with trio.fail_after(GREETING_SECONDS):
        stream = await trio.open_tcp_stream(computer, server.port)  # trio itself sets TCP_NODELAY
    try:
        stream.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        for name, value in KEEPALIVE.items():
            if hasattr(socket, name):
                stream.setsockopt(socket.IPPROTO_TCP, getattr(socket, name), value)
        with trio.fail_after(GREETING_SECONDS):
            is_tls = server.host.startswith(TLS)
            line = Line(await _encrypt(stream, computer, server) if is_tls else stream, traffic)
            await line.greet()
        yield line
    finally:
        await trio.aclose_forcefully(stream)


async def _encrypt(stream: trio.SocketStream, computer: str, server: Server) -> trio.SSLStream[trio.SocketStream]:
    """Raises Refused if that server shows another certificate than the first time, or than an invitation names."""
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE  # it is known by its fingerprint instead
    encrypted = trio.SSLStream(stream, context, https_compatible=True)
    await encrypted.do_handshake()
    fingerprint = sha256(encrypted.getpeercert(binary_form=True) or b"").hexdigest()
    pins.check(f"{computer}:{server.port}", fingerprint, pins.default_file(), server.fingerprint)
    return encrypted


def list_rooms(server: Server, timeout_seconds: float) -> list[Message]:
    """What a broadcaster has: name, revision, members, entities, bytes of each room. Blocks.

    Raises OSError if none is there within that time, and MixerError if it does not answer as it should.
    """
    rooms: list[Message] = trio.run(_list_rooms, server, timeout_seconds)
    return rooms


async def _list_rooms(server: Server, timeout_seconds: float) -> list[Message]:
    try:
        with trio.fail_after(timeout_seconds):
            async with open_line(server, Traffic()) as line:
                await line.authorize(server)
                rooms: list[Message] = (await line.ask({"type": "rooms"}))["rooms"]
                return rooms
    except (trio.TooSlowError, trio.BrokenResourceError) as exc:
        raise OSError(f"no broadcaster answers at {server}") from exc
