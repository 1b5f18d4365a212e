"""One byte stream between a member and the broadcaster as a state machine, on either side. No I/O.

A member holds two connections: one for edits (`hello`, then `join`), one for blobs (`hello`, then `attach`). What may
be said when, and with which fields, is in the tables below. A member is known by an id that is made of a secret only it
holds, so nobody else can come back in its name.
"""

from __future__ import annotations

import base64
import re
import secrets
from abc import ABC, abstractmethod
from collections.abc import Mapping
from enum import Enum
from hashlib import sha256
from typing import Any, Final, TypeAlias

from . import wire
from .errors import LocalProtocolError, Refused, RemoteProtocolError
from .wire import Message, Piece

PROTOCOL: Final = 1
CAPABILITIES: Final = ("blobs-1", "document-1", "leases-1", "presence-1")
REQUIRED: Final = frozenset({"blobs-1", "document-1"})  # without these nobody can be in a room


class State(Enum):
    GREETING = "before the greeting"
    LOBBY = "before joining"
    EDITS = "in a room"
    BLOBS = "on a blob connection"
    CLOSED = "after the end"


Transitions: TypeAlias = Mapping[State, Mapping[str, State]]

FROM_CLIENT: Final[Transitions] = {
    State.GREETING: {"hello": State.LOBBY},
    State.LOBBY: {
        "rooms": State.LOBBY,
        "authorize": State.LOBBY,
        "delete": State.LOBBY,
        "invite": State.LOBBY,
        "ping": State.LOBBY,
        "join": State.EDITS,
        "attach": State.BLOBS,
        "leave": State.CLOSED,
    },
    State.EDITS: {
        "tx": State.EDITS,
        "presence": State.EDITS,
        "lease": State.EDITS,
        "digest": State.EDITS,
        "ping": State.EDITS,
        "leave": State.CLOSED,
    },
    State.BLOBS: {"has": State.BLOBS, "get": State.BLOBS, "piece": State.BLOBS, "leave": State.CLOSED},
    State.CLOSED: {},
}

FROM_SERVER: Final[Transitions] = {
    State.GREETING: {"welcome": State.LOBBY, "error": State.CLOSED},
    State.LOBBY: {
        "rooms": State.LOBBY,
        "authorized": State.LOBBY,
        "deleted": State.LOBBY,
        "invitation": State.LOBBY,
        "pong": State.LOBBY,
        "joined": State.EDITS,
        "attached": State.BLOBS,
        "error": State.CLOSED,
    },
    State.EDITS: {
        "records": State.EDITS,
        "ready": State.EDITS,
        "tx": State.EDITS,
        "ack": State.EDITS,
        "reject": State.EDITS,
        "notice": State.EDITS,
        "presence": State.EDITS,
        "members": State.EDITS,
        "lease": State.EDITS,
        "digest": State.EDITS,
        "pong": State.EDITS,
        "error": State.CLOSED,
    },
    State.BLOBS: {"missing": State.BLOBS, "absent": State.BLOBS, "piece": State.BLOBS, "error": State.CLOSED},
    State.CLOSED: {},
}

Kinds: TypeAlias = tuple[type, ...]
Fields: TypeAlias = Mapping[str, Mapping[str, Kinds]]

TEXT: Final[Kinds] = (str,)
WHOLE: Final[Kinds] = (int,)
LIST: Final[Kinds] = (list,)
STRUCT: Final[Kinds] = (dict,)
ABSENT: Final = type(None)  # in a row: the field may be missing, or null

CLIENT_FIELDS: Final[Fields] = {
    "hello": {"protocol": WHOLE, "agent": TEXT, "capabilities": LIST},
    "rooms": {},
    "authorize": {"secret": TEXT},  # the server's
    "delete": {"room": TEXT},
    "invite": {"room": TEXT, "role": TEXT, "seconds": (int, float)},
    "join": {
        "room": TEXT,
        "name": TEXT,
        "secret": TEXT,
        "create": (bool, str, ABSENT),  # true: a new room; "if-missing"; else only one that exists
        "password": (str, ABSENT),  # of the room; a new one gets it
        "invitation": (str, ABSENT),
        "from": (str, ABSENT),  # the room whose content a new one begins with
        "keep": (bool, ABSENT),  # false: a new room goes soon after its last member
        "frozen": (bool, ABSENT),  # true: nobody changes a new room
        "color": (str, ABSENT),
        "role": (str, ABSENT),
        "epoch": (str, ABSENT),  # with `revision`: what a member that comes back holds
        "revision": (int, ABSENT),
    },
    "attach": {"room": TEXT, "secret": TEXT},
    "tx": {"seq": WHOLE, "base": WHOLE, "deltas": LIST, "expect": (dict, ABSENT)},
    "presence": {"state": STRUCT},
    "lease": {"op": TEXT, "key": TEXT, "seconds": (int, float, ABSENT), "fencing": (int, ABSENT)},
    "digest": {},
    "ping": {"id": WHOLE},
    "leave": {},
    "has": {"shas": LIST},
    "get": {"shas": LIST},
}

SERVER_FIELDS: Final[Fields] = {
    "welcome": {"protocol": WHOLE, "agent": TEXT, "capabilities": LIST},
    "rooms": {"rooms": LIST},
    "authorized": {},
    "deleted": {"room": TEXT},
    "invitation": {"token": TEXT},
    "joined": {
        "member": TEXT,
        "epoch": TEXT,
        "before": (list, ABSENT),  # [epoch, revision] each: up to there all of an earlier epoch is here
        "revision": WHOLE,
        "role": TEXT,
        "since": TEXT,  # "snapshot": the records are everything; "changes": since the revision that the join named
        "answered": WHOLE,  # the last sequence number of this member that the room answered
        "members": LIST,
        "leases": LIST,
    },
    "attached": {},
    "records": {"entities": LIST, "removed": LIST},
    "ready": {"revision": WHOLE},
    "tx": {"revision": WHOLE, "member": TEXT, "deltas": LIST},
    "ack": {"seq": WHOLE, "revision": WHOLE, "dropped": (list, ABSENT), "effect": (list, ABSENT)},
    "reject": {
        "seq": WHOLE,
        "reason": TEXT,
        "detail": TEXT,
        "versions": (dict, ABSENT),  # "expect": uuid -> version of what is at another than the expected one
    },
    "notice": {"reason": (str, ABSENT)},  # why nothing can be changed now; null: it can be again
    "presence": {"member": TEXT, "state": STRUCT},
    "members": {"joined": LIST, "left": LIST},
    "lease": {
        "key": TEXT,
        "holder": (str, ABSENT),  # null: free
        "fencing": WHOLE,
        "seconds": (int, float),
        "refused": (bool, ABSENT),
    },
    "digest": {"revision": WHOLE, "digest": (str, ABSENT)},  # null: not known yet, ask again later
    "pong": {"id": WHOLE},
    "missing": {"shas": LIST},
    "absent": {"shas": LIST},
    "error": {"reason": TEXT, "retry": (bool, ABSENT)},
}

LARGE: Final = frozenset({"tx", "has", "get"})  # what a member may send that is not small
MAX_STATE_DEPTH: Final = 32  # of presence
MIN_SECRET_CHARS: Final = 22
COLOR: Final = re.compile("#[0-9a-fA-F]{6}")
HEX: Final = frozenset("0123456789abcdef")
NAMED: Final = {"room": "room", "name": "member"}


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

    def receive_data(self, data: bytes | bytearray) -> None:
        self._frames.receive_data(data)

    def next_message(self) -> Message | Piece | None:
        """The next whole message; None until more data arrives.

        Raises RemoteProtocolError on anything that this state does not allow.
        """
        try:
            return self._next_message()
        except (RemoteProtocolError, Refused):
            self.state = State.CLOSED
            raise

    def _next_message(self) -> Message | Piece | None:
        if self.state is State.CLOSED:
            return None
        if (frame := self._frames.next_frame(self._max_bytes())) is None:
            return None
        message, self.payload = frame
        kind = message["type"] if type(message) is dict else "piece"
        if (after := self._in[self.state].get(kind)) is None:
            known = kind in self._in_fields or kind == "piece"
            what = f"{kind!r} is not allowed {self.state.value}" if known else f"unknown message {kind[:40]!r}"
            raise RemoteProtocolError(what)
        if type(message) is dict:
            _check_fields(message, self._in_fields[kind])
            self._check(kind, message)
        self.state = after
        return message

    def send(self, message: Message) -> bytes:
        """The frame of `message`. Raises LocalProtocolError if it is not to be said now."""
        kind = message["type"]
        if kind not in self._out[self.state]:
            raise LocalProtocolError(f"{kind!r} cannot be sent {self.state.value}")
        return wire.encode(message)

    @abstractmethod
    def _max_bytes(self) -> int:
        """How long a frame may be now."""

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


def _check_fields(message: Message, fields: Mapping[str, Kinds]) -> None:
    known = 1  # the type
    for name, kinds in fields.items():
        value = message.get(name)
        if type(value) not in kinds:
            raise RemoteProtocolError(f"malformed {message['type']!r} message: {name!r} is wrong or missing")
        known += value is not None or name in message
    if known != len(message):
        unknown = sorted(message.keys() - fields.keys() - {"type"})[0]
        raise RemoteProtocolError(f"malformed {message['type']!r} message: unknown field {unknown[:40]!r}")


def _check_expect(expect: Message | None) -> None:
    if expect is not None and not all(type(version) is int for version in expect.values()):
        raise RemoteProtocolError("malformed 'tx' message: a version in 'expect' is not a number")


def _check_depth(value: Any, left: int) -> None:
    if left == 0:
        raise RemoteProtocolError(f"presence is nested deeper than {MAX_STATE_DEPTH} levels")
    if type(value) in (dict, list):
        for inner in value.values() if type(value) is dict else value:
            _check_depth(inner, left - 1)


def _check_join(message: Message) -> None:
    for field in ("room", "name"):
        text = message[field]
        if not 0 < len(text) <= wire.MAX_TEXT_CHARS or not text.isprintable() or text != text.strip():
            raise Refused(f"{text[: wire.MAX_TEXT_CHARS]!r} cannot be the name of a {NAMED[field]}")
    if len(message["secret"]) < MIN_SECRET_CHARS:
        raise Refused(f"the secret of a member has at least {MIN_SECRET_CHARS} characters")
    for field in ("password", "invitation"):
        if len(message.get(field) or "") > wire.MAX_PASSWORD_CHARS:
            raise Refused(f"that {field} is too long")
    if message.get("create") not in (None, True, False, "if-missing"):
        raise RemoteProtocolError("malformed 'join' message: 'create' is true, false or \"if-missing\"")
    if not COLOR.fullmatch(message.get("color") or "#000000"):
        raise RemoteProtocolError("malformed 'join' message: 'color' is like #ff8800")


def _greeting(kind: str, agent: str) -> Message:
    return {"type": kind, "protocol": PROTOCOL, "agent": agent, "capabilities": list(CAPABILITIES)}


class ServerConnection(Connection):
    """The broadcaster's side of one connection."""

    _in, _in_fields, _out = FROM_CLIENT, CLIENT_FIELDS, FROM_SERVER
    _far_side = "the program that joins"

    def welcome(self, agent: str) -> bytes:
        """The answer to a greeting that fits."""
        return wire.encode(_greeting("welcome", agent))

    def _max_bytes(self) -> int:
        joined = self.state in (State.EDITS, State.BLOBS)
        return wire.MAX_REQUEST_BYTES if joined else wire.MAX_GREETING_BYTES

    def _check(self, kind: str, message: Message) -> None:
        if len(self.payload) > wire.MAX_SMALL_BYTES and kind not in LARGE:
            raise RemoteProtocolError(f"a {kind!r} message of {len(self.payload)} bytes is too long")
        match kind:
            case "tx":
                _check_expect(message.get("expect"))
            case "has" | "get":
                check_shas(message["shas"])
            case "presence":
                _check_depth(message["state"], MAX_STATE_DEPTH)
            case "hello":
                self._check_greeting(message)
            case "join":
                _check_join(message)


class ClientConnection(Connection):
    """A member's side of one connection."""

    _in, _in_fields, _out = FROM_SERVER, SERVER_FIELDS, FROM_CLIENT
    _far_side = "the broadcaster"

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


def check_shas(shas: list[Any]) -> None:
    """Raises RemoteProtocolError unless these are names of blobs, not too many."""
    if len(shas) > wire.MAX_SHAS:
        raise RemoteProtocolError(f"{len(shas)} blobs named in one message, {wire.MAX_SHAS} are allowed")
    for sha in shas:
        if type(sha) is not str or len(sha) != 64 or not HEX.issuperset(sha):
            raise RemoteProtocolError("malformed name of a blob")
