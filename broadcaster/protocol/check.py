"""Checks the fields of messages: what the tables say, and what they cannot say."""

from __future__ import annotations

import re
from typing import Any, Final

from .. import wire
from ..errors import Refused, RemoteProtocolError
from ..wire import Message
from .tables import Kinds

MAX_STATE_DEPTH: Final = 32  # of presence
MIN_SECRET_CHARS: Final = 22
COLOR: Final = re.compile("#[0-9a-fA-F]{6}")
HEX: Final = frozenset("0123456789abcdef")
OPS: Final = {  # what a room is asked beside edits -> the field that says with what
    "kick": "member", "ban": "member", "unban": "member", "owner": "member",
    "keep": "on", "frozen": "on", "password": "password",
}  # fmt: skip
NAMED: Final = {"room": "room", "name": "member"}


def check_fields(message: Message, fields: dict[str, Kinds]) -> None:
    known = 1  # the type
    for name, kinds in fields.items():
        value = message.get(name)
        if type(value) not in kinds:
            raise RemoteProtocolError(f"malformed {message['type']!r} message: {name!r} is wrong or missing")
        if value is not None or name in message:
            known += 1
    if known != len(message):
        unknown = sorted(message.keys() - fields.keys() - {"type"})[0]
        raise RemoteProtocolError(f"malformed {message['type']!r} message: unknown field {unknown[:40]!r}")


def check_expect(expect: Message) -> None:
    if not all(type(version) is int for version in expect.values()):
        raise RemoteProtocolError("malformed 'tx' message: a version in 'expect' is not a number")


def check_state(state: Any, left: int = MAX_STATE_DEPTH) -> None:
    """Raises RemoteProtocolError if a presence is nested too deep."""
    if left == 0:
        raise RemoteProtocolError(f"presence is nested deeper than {MAX_STATE_DEPTH} levels")
    if type(state) in (dict, list):
        for inner in state.values() if type(state) is dict else state:
            check_state(inner, left - 1)


def check_govern(message: Message) -> None:
    """Raises RemoteProtocolError unless what is asked is known and says what it takes."""
    takes = OPS.get(message["op"], "")
    if not takes or (takes != "password" and message.get(takes) is None):
        raise RemoteProtocolError(f"malformed 'govern' message: {message['op'][:40]!r} is unknown or says too little")
    if len(message.get("password") or "") > wire.MAX_PASSWORD_CHARS:
        raise Refused("that password is too long")


def check_name(what: str, name: str) -> None:
    """Raises Refused unless that can be the name of a room or a member."""
    if not 0 < len(name) <= wire.MAX_TEXT_CHARS or not name.isprintable() or name != name.strip():
        raise Refused(f"{name[: wire.MAX_TEXT_CHARS]!r} cannot be the name of a {what}")


def check_join(message: Message) -> None:
    for field in ("room", "name"):
        check_name(NAMED[field], message[field])
    if len(message["secret"]) < MIN_SECRET_CHARS:
        raise Refused(f"the secret of a member has at least {MIN_SECRET_CHARS} characters")
    for field in ("password", "invitation"):
        if len(message.get(field) or "") > wire.MAX_PASSWORD_CHARS:
            raise Refused(f"that {field} is too long")
    if message.get("create") not in (None, True, False, "if-missing"):
        raise RemoteProtocolError("malformed 'join' message: 'create' is true, false or \"if-missing\"")
    if not COLOR.fullmatch(message.get("color") or "#000000"):
        raise RemoteProtocolError("malformed 'join' message: 'color' is like #ff8800")


def check_more(more: list[Any] | int | None) -> None:
    """Raises RemoteProtocolError unless these are lists, or a number of answers that may be due."""
    if type(more) is list:
        if set(map(type, more)) - {list}:
            raise RemoteProtocolError("malformed 'tx' message: what follows is no list of deltas")
    elif type(more) is int and not 0 < more < wire.MAX_IN_FLIGHT:
        raise RemoteProtocolError(f"malformed 'ack' message: {more} more")


def check_shas(shas: list[Any]) -> None:
    """Raises RemoteProtocolError unless these are names of blobs, not too many."""
    if len(shas) > wire.MAX_SHAS:
        raise RemoteProtocolError(f"{len(shas)} blobs named in one message, {wire.MAX_SHAS} are allowed")
    for sha in shas:
        if type(sha) is not str or len(sha) != 64 or not HEX.issuperset(sha):
            raise RemoteProtocolError("malformed name of a blob")
