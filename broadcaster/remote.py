"""A broadcaster as the command line sees it: blocking sockets, one request after another."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Iterable, Iterator
from hashlib import sha256
from types import TracebackType
from typing import Any, Final, NamedTuple, Self

from . import VERSION, pins, wire
from .document import Deltas, Record
from .errors import MixerError, Refused
from .protocol import ClientConnection, new_secret
from .wire import Assembly, Message, Piece

AGENT: Final = f"mixer-broadcaster {VERSION}"
TIMEOUT_SECONDS: Final = 30.0
RECEIVE_BYTES: Final = 256 * 1024
BLOBS_AT_ONCE: Final = 256


class Address(NamedTuple):
    """Where a broadcaster is."""

    host: str
    port: int
    tls: bool = False
    fingerprint: str | None = None  # what it has to show, if that is known

    def __str__(self) -> str:
        return f"{'tls://' if self.tls else ''}{self.host}:{self.port}"


class Remote:
    """One greeted connection. Raises Refused, RemoteProtocolError or OSError, here and in its methods."""

    def __init__(self, server: tuple[Any, ...], *, secret: str | None = None) -> None:
        address = Address(*server)
        try:
            self._socket, self.fingerprint = _connect(address)
        except OSError as exc:
            raise Refused(f"no broadcaster at {address}: {exc.strerror or exc}") from exc
        self._connection = ClientConnection()
        try:
            self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self._socket.sendall(self._connection.hello(AGENT))
            self.wait_for("welcome")
            if secret is not None:
                self.send({"type": "authorize", "secret": secret})
                self.wait_for("authorized")
        except (OSError, MixerError):
            self._socket.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, exc: BaseException | None, tb: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        self._socket.close()

    def send(self, message: Message) -> None:
        self._socket.sendall(self._connection.send(message))

    def next(self) -> Message | Piece:
        """The next message. Raises Refused if the broadcaster hangs up."""
        while (message := self._connection.next_message()) is None:
            if not (data := self._socket.recv(RECEIVE_BYTES)):
                raise Refused("the broadcaster hung up")
            self._connection.receive_data(data)
        return message

    def wait_for(self, kind: str) -> Message:
        """The next message of that type; others are passed over."""
        while True:
            message = self.next()
            if not isinstance(message, Piece) and message["type"] == kind:
                return message

    # Blobs, on a connection that attached

    def fetch(self, shas: list[str]) -> Iterator[tuple[str, bytes]]:
        """These blobs, verified, one after another. Raises Refused if one is not there."""
        assembly = Assembly()
        for start in range(0, len(shas), BLOBS_AT_ONCE):
            part = shas[start : start + BLOBS_AT_ONCE]
            self.send({"type": "get", "shas": part})
            left = len(part)
            while left:
                message = self.next()
                if not isinstance(message, Piece):
                    raise Refused(f"the broadcaster does not have blob {message['shas'][0]}")
                if (blob := assembly.add(message)) is not None:
                    left -= 1
                    yield blob

    def missing(self, shas: list[str]) -> Iterator[str]:
        """Which of these blobs the broadcaster does not have."""
        for start in range(0, len(shas), BLOBS_AT_ONCE):
            self.send({"type": "has", "shas": shas[start : start + BLOBS_AT_ONCE]})
            yield from self.wait_for("missing")["shas"]

    def store(self, data: bytes) -> None:
        for piece in wire.pieces(wire.sha_of(data), data):
            self._socket.sendall(wire.encode_piece(piece))


def _connect(address: Address) -> tuple[socket.socket, str | None]:
    """The connection, and what the certificate's fingerprint is.

    Raises OSError if nobody answers, and Refused if somebody else does than the first time.
    """
    plain = socket.create_connection((address.host, address.port), TIMEOUT_SECONDS)
    if not address.tls:
        return plain, None
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE  # it is known by its fingerprint instead
    encrypted = context.wrap_socket(plain)
    try:
        certificate = encrypted.getpeercert(binary_form=True) or b""
        fingerprint = sha256(certificate).hexdigest()
        pins.check(f"{address.host}:{address.port}", fingerprint, pins.default_file(), address.fingerprint)
    except MixerError:
        encrypted.close()
        raise
    return encrypted, fingerprint


class RemoteRoom:
    """A room joined by the command line: an edit connection, and a blob connection beside it."""

    def __init__(
        self,
        server: tuple[Any, ...],
        room: str,
        *,
        create: bool,
        role: str,
        server_secret: str | None = None,
        **options: Any,
    ) -> None:
        self.secret = secret = new_secret()
        self._revision = 0
        self._edits = Remote(server, secret=server_secret)
        try:
            join = {"type": "join", "room": room, "name": "command line", "secret": secret}
            self._edits.send(join | {"create": create, "role": role} | options)
            self.epoch: str = self._edits.wait_for("joined")["epoch"]
            self.blobs = Remote(server)
            self.blobs.send({"type": "attach", "room": room, "secret": secret})
            self.blobs.wait_for("attached")
        except (OSError, MixerError):
            self._edits.__exit__(None, None, None)
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, exc: BaseException | None, tb: TracebackType | None) -> None:
        self.blobs.__exit__(kind, exc, tb)
        self._edits.__exit__(kind, exc, tb)

    def content(self) -> tuple[int, list[Record]]:
        """The room's revision, and its entities at it. To be called first, once."""
        records: dict[str, Record] = {}
        while True:
            match self._edits.next():
                case {"type": "records", "entities": entities, "removed": removed}:
                    for uuid in removed:
                        records.pop(uuid, None)
                    for record in entities:
                        records.pop(record["uuid"], None)  # the order is that of the latest change
                        records[record["uuid"]] = record
                case {"type": "ready", "revision": revision}:
                    self._revision = revision
                    return revision, list(records.values())

    def edit(self, transactions: Iterable[Deltas]) -> int:
        """Sends transactions one after another; the revision after the last. Raises Refused if anything is dropped."""
        for seq, deltas in enumerate(transactions, start=1):
            self._edits.send({"type": "tx", "seq": seq, "base": self._revision, "deltas": deltas})
            answer = self._edits.next()
            while isinstance(answer, Piece) or answer["type"] not in ("ack", "reject"):
                answer = self._edits.next()
            if answer["type"] == "reject" or answer.get("dropped"):
                raise Refused(f"the room did not take all of it: {answer.get('detail') or answer.get('dropped')}")
            self._revision = answer["revision"]
        return self._revision

    def hear(self, kind: str) -> Message:
        """The next message of that type from the room."""
        return self._edits.wait_for(kind)

    def leave(self) -> None:
        self._edits.send({"type": "leave"})
