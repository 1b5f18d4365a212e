"""What both kinds of connection share: messages off a stream, and an end that the other side can read."""

from __future__ import annotations

import os
import socket
from collections.abc import Callable
from contextlib import suppress
from math import inf
from typing import Final

import trio

from ..errors import Refused
from ..protocol import Heard, ServerConnection
from ..wire import Message, Piece
from .floor import Floor, Turn

RECEIVE_BYTES: Final = 128 * 1024  # what is in them is taken in one go, which others wait for
AT_ONCE: Final = 256  # messages, of those that are there
AT_ONCE_BYTES: Final = 64 * 1024  # about, of these
FLUSH_SECONDS: Final = 2.0  # for the last words on a connection

# A peer that is gone without a word is noticed by the kernel, however long a program on either side is busy.
# TCP_USER_TIMEOUT (ms) is for when something is sent that nobody acknowledges: the kernel then asks nothing else.
KEEPALIVE: Final = {
    "TCP_KEEPIDLE": 20, "TCP_KEEPALIVE": 20, "TCP_KEEPINTVL": 5, "TCP_KEEPCNT": 4, "TCP_USER_TIMEOUT": 120_000
}  # fmt: skip


class Incoming:
    """The messages on a stream, one by one or some at once."""

    def __init__(
        self, stream: trio.abc.ReceiveStream, connection: ServerConnection, stalled_seconds: float, floor: Floor
    ) -> None:
        self._stream = stream
        self._connection = connection
        self._stalled_seconds = stalled_seconds
        self.turn = Turn(floor)

    async def next(self) -> Message | Piece | None:
        """The next message, None at the end; waits while whole ones are there only to let others have their turn.

        Raises RemoteProtocolError or Refused on one that is not to be said now.
        """
        await self.turn.pause()
        while (message := self._connection.next_message()) is None:
            if not await self._read():
                return None
        return message

    async def some(self, most: int) -> list[Heard]:
        """As `next`: some of those that are there, none at the end."""
        await self.turn.pause()
        while not (heard := self._connection.take(min(most, AT_ONCE), AT_ONCE_BYTES)):
            if not await self._read():
                break
        return heard

    async def _read(self) -> bool:
        """Whether more came."""
        self.turn.end()
        data = await self._receive()
        await self.turn.begin()
        self._connection.receive_data(data)
        return len(data) > 0

    async def _receive(self) -> bytes | bytearray:
        """Whoever has said a part of a message is to go on: it takes memory until then."""
        if not self._connection.is_amid:
            return await self._stream.receive_some(RECEIVE_BYTES)
        with trio.move_on_after(self._stalled_seconds):
            return await self._stream.receive_some(RECEIVE_BYTES)
        raise Refused(f"the rest of a message did not come for {self._stalled_seconds:g} s", retry=True)


class Pacer:
    """Lets so many through in a second, and as many at once after a while without any."""

    def __init__(self, per_second: float) -> None:
        self._seconds = 1.0 / max(per_second, 1e-9)
        self.at_once = max(int(per_second / 1000), 1)  # that are counted together, as the clock takes its time, too
        self._counted = 0
        self._next = -inf

    def count(self, more: int) -> float:
        """Counts so many; for how many seconds to wait before the next."""
        self._counted += more
        if self._counted < self.at_once:
            return 0.0
        now = trio.current_time()
        self._next = max(self._next, now - 1.0) + self._seconds * self._counted
        self._counted = 0
        return self._next - now


def straight(stream: trio.abc.SendStream) -> Callable[[bytes], int]:
    """How to write at once what there is place for, without a task that waits: returns how many bytes that were."""

    def write(data: bytes) -> int:
        try:
            return os.write(stream.socket.fileno(), data)  # type: ignore[attr-defined]
        except OSError:  # full, or broken: whoever writes the rest finds out
            return 0

    # Only sockets take bytes as they are, and only on POSIX by such a call.
    return write if isinstance(stream, trio.SocketStream) and os.name == "posix" else lambda data: 0


async def send_parts(stream: trio.abc.SendStream, parts: list[bytes]) -> None:
    """All of them, joined only where the line takes no more at once. Nobody else may be writing to `stream`."""
    written = 0
    if isinstance(stream, trio.SocketStream) and hasattr(os, "writev"):
        with suppress(OSError):  # full, or broken
            written = os.writev(stream.socket.fileno(), parts)
        if written == sum(map(len, parts)):
            await trio.lowlevel.checkpoint()
            return
    await stream.send_all(memoryview(b"".join(parts))[written:])


def keep_alive(stream: trio.SocketStream) -> None:
    stream.socket.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    for name, value in KEEPALIVE.items():
        if hasattr(socket, name):
            stream.socket.setsockopt(socket.IPPROTO_TCP, getattr(socket, name), value)


async def linger(stream: trio.abc.HalfCloseableStream) -> None:
    """Ends our side and reads on for a while: closing at once would take the last words back."""
    with trio.move_on_after(FLUSH_SECONDS):
        await stream.send_eof()
        while await stream.receive_some(RECEIVE_BYTES):
            pass
