"""What goes into a room and what comes out of it."""

from __future__ import annotations

from typing import NamedTuple, TypeAlias

from ..document import Deltas, Record
from ..wire import Message

# Tuples are made four times as fast as frozen dataclasses. What each transaction makes is still faster as it is written
# out, once that is compiled.


class Entry:
    """One line of a room's log. The request was checked before it was logged."""

    __slots__ = ("data", "member", "number", "request", "time")

    def __init__(self, number: int, time: float, member: str, request: Message, data: bytes | bytearray = b"") -> None:
        self.number = number  # its place in the log
        self.time = time  # seconds since the epoch of the clock; never runs backwards within a log
        self.member = member
        self.request = request
        self.data = data  # the request as it came, if it is just that: it need not be encoded anew


class Send(NamedTuple):
    """An answer to one member; it must arrive, in order."""

    member: str
    message: Message


class Done:
    """A transaction that took effect just as it was sent: its member hears that, and everybody else what it is."""

    __slots__ = ("deltas", "member", "revision", "seq")

    def __init__(self, member: str, seq: int, revision: int, deltas: Deltas) -> None:
        self.member = member
        self.seq = seq
        self.revision = revision
        self.deltas = deltas

    def answer(self) -> Send:
        return Send(self.member, {"type": "ack", "seq": self.seq, "revision": self.revision})

    def news(self) -> Broadcast:
        news = {"type": "tx", "revision": self.revision, "member": self.member, "deltas": self.deltas}
        return Broadcast(news, self.member)


class Broadcast(NamedTuple):
    """News for everybody but one; a member that is served the room's content meanwhile finds it there."""

    message: Message
    but: str | None = None


class Admit(NamedTuple):
    """A member is in: the message first, then the records, then whatever else changes."""

    member: str
    message: Message
    records: list[Record]
    removed: list[str]


class Expel(NamedTuple):
    """A member broke the protocol, in the order of the log."""

    member: str
    reason: str


Effect: TypeAlias = Done | Send | Broadcast | Admit | Expel
