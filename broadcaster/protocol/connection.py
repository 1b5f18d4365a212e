"""The two ends of a connection."""

from __future__ import annotations

import base64
import secrets
from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Iterator
from hashlib import sha256
from typing import Final, TypeAlias

from .. import wire
from ..errors import LocalProtocolError, Refused, RemoteProtocolError
from ..limits import DEFAULTS, Limits
from ..wire import Message, Piece
from .check import check_expect, check_fields, check_govern, check_join, check_more, check_shas, check_state
from .tables import CLIENT_FIELDS, FROM_CLIENT, FROM_SERVER, SERVER_FIELDS, Fields, State, Transitions

PROTOCOL: Final = 1
CAPABILITIES: Final = ("blobs-1", "document-1", "leases-1", "presence-1")
REQUIRED: Final = frozenset({"blobs-1", "document-1"})  # without these nobody can be in a room
LARGE: Final = frozenset({"tx", "has", "get"})  # what a member may send that is not small


Heard: TypeAlias = tuple[Message | Piece, bytes | bytearray]  # a message, and its payload as it came


def new_secret() -> str:
    return secrets.token_urlsafe(32)


def member_id(secret: str) -> str:
    """The 22 characters by which others know the member that holds `secret`."""
    return base64.urlsafe_b64encode(sha256(secret.encode()).digest()[:16]).rstrip(b"=").decode()


def error(reason: str, *, retry: bool = False) -> bytes:
    """The last frame on a connection: why it ends, and whether to come back."""
    return wire.encode({"type": "error", "reason": reason, "retry": retry})


class Connection(ABC):
    """What both sides share: bytes in, checked messages out. After an error nothing more comes out."""

    _in: Transitions
    _in_fields: Fields
    _out: Transitions
    _far_side: str

    def __init__(self) -> None:
        self.state = State.GREETING
        self.payload = bytearray()  # of the latest message, as it came
        self._frames = wire.FrameBuffer()
        self._most_bytes = self._max_bytes()
        self._error: RemoteProtocolError | Refused | None = None  # to be told behind what came before it

    def receive_data(self, data: bytes | bytearray) -> None:
        self._frames.receive_data(data)

    @property
    def is_amid(self) -> bool:
        """Whether a part of a message has come."""
        return self._frames.is_amid

    def next_message(self) -> Message | Piece | None:
        """The next whole message; None until more data arrives.

        Raises RemoteProtocolError on anything that this state does not allow.
        """
        if self.state is State.CLOSED:
            return None
        try:
            if (frame := self._frames.next_frame(self._most_bytes)) is None:
                return None
            message, self.payload = frame
            kind = message["type"] if type(message) is dict else "piece"
            if (after := self._in[self.state].get(kind)) is None:
                known = kind in self._in_fields or kind == "piece"
                what = f"{kind!r} is not allowed {self.state.value}" if known else f"unknown message {kind[:40]!r}"
                raise RemoteProtocolError(what)
            if type(message) is dict:
                check_fields(message, self._in_fields[kind])
                self._check(kind, message)
        except (RemoteProtocolError, Refused):
            self.state = State.CLOSED
            raise
        if after is not self.state:
            self.state = after
            self._most_bytes = self._max_bytes()
        return message

    def take(self, most: int, bytes_: int) -> list[Heard]:
        """The next whole messages, at most so many, and no more once these have so many bytes; none until more arrive.

        Raises as `next_message`, once all that came before is taken.
        """
        if self._error is not None:
            raise self._error
        heard: list[Heard] = []
        try:
            while len(heard) < most and bytes_ > 0 and (message := self.next_message()) is not None:
                heard.append((message, self.payload))
                bytes_ -= len(self.payload)
        except (RemoteProtocolError, Refused) as exc:
            if not heard:
                raise
            self._error = exc
        return heard

    def send(self, message: Message) -> bytes:
        """The frame of `message`. Raises LocalProtocolError if it is not to be said now."""
        kind = message["type"]
        if kind not in self._out[self.state]:
            raise LocalProtocolError(f"{kind!r} cannot be sent {self.state.value}")
        return wire.encode(message)

    @abstractmethod
    def _max_bytes(self) -> int:
        """How long a frame may be in this state."""

    @abstractmethod
    def _check(self, kind: str, message: Message) -> None:
        """What the tables cannot say about a message."""

    def _check_greeting(self, message: Message) -> None:
        """Raises Refused where versions or capabilities do not fit."""
        theirs = message["protocol"]
        if theirs != PROTOCOL:
            older = self._far_side if theirs < PROTOCOL else "this side"
            raise Refused(f"{self._far_side} speaks protocol {theirs}, this side {PROTOCOL}: update {older}")
        offered = {name for name in message["capabilities"] if type(name) is str}
        if lacking := sorted(REQUIRED - offered):
            raise Refused(f"{self._far_side} cannot do {', '.join(lacking)}, which is needed here: update it")


def _greeting(kind: str, agent: str) -> Message:
    return {"type": kind, "protocol": PROTOCOL, "agent": agent, "capabilities": list(CAPABILITIES)}


class ServerConnection(Connection):
    """The broadcaster's side of one connection."""

    _in = FROM_CLIENT
    _in_fields = CLIENT_FIELDS
    _out = FROM_SERVER
    _far_side = "the program that joins"

    def __init__(self, limits: Limits = DEFAULTS) -> None:
        self._limits = limits
        super().__init__()

    def welcome(self, agent: str) -> bytes:
        """The answer to a greeting that fits."""
        return wire.encode(_greeting("welcome", agent))

    def _max_bytes(self) -> int:
        joined = self.state in (State.EDITS, State.BLOBS)
        return self._limits.request_bytes if joined else self._limits.greeting_bytes

    def _check(self, kind: str, message: Message) -> None:
        if len(self.payload) > self._limits.small_bytes and kind not in LARGE:
            raise RemoteProtocolError(f"a {kind!r} message of {len(self.payload)} bytes is too long")
        match kind:
            case "tx":
                if (expect := message.get("expect")) is not None:
                    check_expect(expect)
            case "has" | "get":
                check_shas(message["shas"])
            case "presence":
                check_state(message["state"])
            case "hello":
                self._check_greeting(message)
            case "join":
                check_join(message)
            case "govern":
                check_govern(message)


class ClientConnection(Connection):
    """A member's side of one connection."""

    _in = FROM_SERVER
    _in_fields = SERVER_FIELDS
    _out = FROM_CLIENT
    _far_side = "the broadcaster"

    def __init__(self) -> None:
        super().__init__()
        self._more: deque[Message] = deque()

    def next_message(self) -> Message | Piece | None:
        """As for any connection; what stands for several is taken apart, and only the first of them has a payload."""
        if self._more:
            self.payload = bytearray()
            return self._more.popleft()
        message = super().next_message()
        if type(message) is dict and "more" in message:
            self._more += _taken_apart(message)
        return message

    def hello(self, agent: str) -> bytes:
        """The greeting, the first bytes on the connection."""
        return self.send(_greeting("hello", agent))

    def _max_bytes(self) -> int:
        return wire.MAX_FRAME_BYTES

    def _check(self, kind: str, message: Message) -> None:
        match kind:
            case "error":
                raise Refused(message["reason"], retry=message.get("retry") is True)
            case "welcome":
                self._check_greeting(message)
            case "missing" | "absent":
                check_shas(message["shas"])
            case "tx" | "ack":
                check_more(message.get("more"))


def _taken_apart(message: Message) -> Iterator[Message]:
    """What follows a `tx` or an `ack` in one message with it."""
    more, revision = message.pop("more"), message["revision"]
    if message["type"] == "tx":
        for after, deltas in enumerate(more or (), 1):
            yield {"type": "tx", "revision": revision + after, "member": message["member"], "deltas": deltas}
    else:
        for after in range(1, (more or 0) + 1):
            yield {"type": "ack", "seq": message["seq"] + after, "revision": revision + after}
