"""The order of one room: what is asked stands in a queue, then in the log, then it is folded and what follows is told.

Every transaction comes through here, and nothing waits: the host does. So this can be compiled as the cores are.
"""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Callable
from typing import Final

from .. import wire
from ..figures import Counters
from ..limits import Limits
from ..room import Admit, Broadcast, Done, Effect, Entry, Expel, Room, Send
from ..wire import Message
from .floor import Turn
from .inbox import Request
from .mail import Mail
from .seat import Seat

# All else is told with the transactions, where everything is.
LOGGED_AT: Final = dict.fromkeys(("join", "leave", "lost", "govern", "limits", "epoch"), logging.INFO)
LOOKED_AT: Final = 4 * wire.KIB  # of requests are folded between two looks at the clock,
ENTRY_BYTES: Final = 100  # of which each counts at least for so many
APPENDED_AT_ONCE: Final = 4096  # entries
APPENDED_BYTES: Final = 256 * wire.KIB  # about
UNKNOWN_BYTES: Final = 1 << 62

log = logging.getLogger(__name__)


class Asked:
    """What one member asks in a row."""

    __slots__ = ("member", "requests", "size")

    def __init__(self, member: str, requests: list[Request], size: int = 0) -> None:
        self.member = member
        self.requests = requests
        self.size = size  # of what came: by so many bytes it makes the room larger, at most


class Order:
    """What is asked of one room, in order."""

    def __init__(
        self, room: Room, seats: dict[str, Seat], limits: Limits, counters: Counters, number: int, time: float
    ) -> None:
        self.room = room
        self.number = number  # of the next entry of the log
        self.questions: deque[Callable[[Message], None]] = deque()  # who waits for an answer from outside the room
        self.joining: dict[str, int] = {}  # member -> how many joins of it are asked and not folded
        self.mail = Mail(seats, room.revision)
        self._seats = seats
        self._limits = limits
        self._counters = counters
        self._time = time
        self._queue: deque[Asked] = deque()
        self._queued = 0
        self._queued_bytes = 0
        self._durable: deque[Entry] = deque()  # in the log and not folded yet
        self._durable_bytes = 0
        self.size = (-1, 0)  # at which revision, how many bytes
        self._most_bytes = UNKNOWN_BYTES  # it is not larger than that

    # Asked

    @property
    def is_asked(self) -> bool:
        """Whether something is queued."""
        return bool(self._queue)

    @property
    def is_full(self) -> bool:
        """Whether so much is queued, for the log or to be folded, that nothing more should be submitted."""
        count, size = self._queued + len(self._durable), self._queued_bytes + self._durable_bytes
        return count > self._limits.queued or size > self._limits.queued_bytes

    def ask(self, member: str, requests: list[Request]) -> None:
        size = 0
        for _, data in requests:
            size += len(data)
        self._queue.append(Asked(member, requests, size))
        self._queued += len(requests)
        self._queued_bytes += size

    def next_batch(self) -> list[Asked]:
        """What is to be committed next: not so much that others wait long for the disk."""
        batch: list[Asked] = []
        count = size = 0
        while self._queue and count < APPENDED_AT_ONCE and size < APPENDED_BYTES:
            asked = self._queue.popleft()
            batch.append(asked)
            count += len(asked.requests)
            size += asked.size
        self._queued -= count
        self._queued_bytes -= size
        return batch

    def hold(self, asked: Asked) -> None:
        """It could not be committed: it is the next again."""
        self._queue.appendleft(asked)
        self._queued += len(asked.requests)
        self._queued_bytes += asked.size

    # Logged

    def entries(self, batch: list[Asked], time: float) -> list[Entry]:
        """What is asked, for the log; whether the room was too large for it is looked at here, and stands with it."""
        self._time = time = max(self._time, time)
        entries: list[Entry] = []
        number, growth = self.number, self._durable_bytes
        for asked in batch:
            requests, size = asked.requests, asked.size
            if self._most_bytes + size > self._limits.room_bytes:
                requests = [self._marked(request, growth := growth + len(request[1])) for request in requests]
            else:
                self._most_bytes += size
                growth += size
            for request, data in requests:
                entries.append(Entry(number, time, asked.member, request, data))
                number += 1
        return entries

    def _marked(self, request: Request, growth: int) -> Request:
        """As it is, unless it could make the room too large; `growth` is all that is not folded yet, with it."""
        message, data = request
        self._most_bytes += len(data)
        if self._most_bytes > self._limits.room_bytes:
            self._most_bytes = self._bytes() + growth
        return ({**message, "full": True}, b"") if data and self._most_bytes > self._limits.room_bytes else request

    def _bytes(self) -> int:
        """Of the snapshot; looked at anew when the document changed."""
        document = self.room.document
        if self.size[0] != document.revision:
            size = 0
            for uuid in document:
                if (entity := document.get(uuid)) is not None:
                    size += len(entity.data)
            self.size = (document.revision, size)
        return self.size[1]

    def commit(self, entries: list[Entry]) -> None:
        """They are in the log, and are folded next."""
        self.number += len(entries)
        self._durable += entries
        for entry in entries:
            self._durable_bytes += len(entry.data)

    @property
    def is_durable(self) -> bool:
        """Whether something is in the log that was not folded."""
        return bool(self._durable)

    @property
    def folded(self) -> int:
        """The number of the next entry to fold."""
        return self.number - len(self._durable)

    # Folded

    def fold_some(self, turn: Turn, most: int) -> None:
        """Folds what is durable, at most so many entries and not for longer than `turn`; tells what follows from it."""
        level = log.getEffectiveLevel()
        before = self.room.revision
        unseen = 0
        for _ in range(min(len(self._durable), most)):
            entry = self._durable.popleft()
            size = len(entry.data)
            self._durable_bytes -= size
            if entry.request["type"] == "join":
                self._one_less(entry.member)
            effects = self.room.fold(entry)
            if level <= logging.INFO and level <= LOGGED_AT.get(entry.request["type"], logging.DEBUG):
                self._note(entry, effects)
            for effect in effects:
                if isinstance(effect, Done):
                    self.mail.done(effect, size)
                else:
                    self.emit(effect)
            unseen += size + ENTRY_BYTES
            if unseen > LOOKED_AT:
                unseen = 0
                if turn.is_over:
                    break
        self.mail.deliver()
        self._counters.add("transactions", self.room.revision - before)

    def emit(self, effect: Effect) -> None:
        """Tells what follows from a request, but for what took effect as it was sent."""
        if isinstance(effect, Broadcast):
            self.mail.tell(effect.message, effect.but)
        elif isinstance(effect, Send):
            self._answer(effect.member, effect.message)
        elif isinstance(effect, Admit):
            self.mail.deliver()
            self._counters.add("joins")
            if effect.member in self.joining:
                return  # it was cut off meanwhile: who sits there now asked later, and is not to be let in twice
            if (seat := self._seats.get(effect.member)) is not None:
                seat.admit(wire.encode(effect.message), effect.records, effect.removed)
        elif isinstance(effect, Expel):
            self.mail.deliver()
            if (seat := self._seats.get(effect.member)) is not None:
                seat.expel(effect.reason)

    def _one_less(self, member: str) -> None:
        if (left := self.joining.pop(member, 0)) > 1:
            self.joining[member] = left - 1

    def _answer(self, member: str, message: Message) -> None:
        if not member:
            self.questions.popleft()(message)
            return
        if message["type"] == "reject":
            self._counters.add("rejected")
        self.mail.answer(member, message)

    def _note(self, entry: Entry, effects: list[Effect]) -> None:
        """A line of the log: who asked for what, and what became of it. Never what it says, which may be secret."""
        kind = entry.request["type"]
        fields = {"room": self.room.name, "member": entry.member or None, "transaction": entry.request.get("seq")}
        for effect in effects:
            if isinstance(effect, Done):
                fields["revision"] = effect.revision
            elif isinstance(effect, Send) and effect.member == entry.member:
                fields["revision"] = effect.message.get("revision")
                fields["reason"] = effect.message.get("reason") or effect.message.get("refused")
            elif isinstance(effect, Expel):
                fields["reason"] = effect.reason
        asked = entry.request.get("op", kind)
        log.log(LOGGED_AT.get(kind, logging.DEBUG), "%s", kind, extra=fields | {"request": asked})
