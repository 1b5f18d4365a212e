"""The shell around one room: requests in, one order, effects out. Nothing is sent before its log entry is durable."""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Callable, Iterator
from math import inf
from typing import Final, NamedTuple, assert_never

import trio

from .. import snapshot, wire
from ..errors import Unavailable
from ..figures import Counters
from ..limits import Limits
from ..room import Admit, Broadcast, Done, Effect, Entry, Expel, Room, Send
from ..store import Log
from ..wire import Message
from .belongings import Belongings
from .floor import Floor, Turn
from .inbox import Request
from .mail import Mail
from .seat import Seat

# All else is told with the transactions, where everything is.
LOGGED_AT: Final = dict.fromkeys(("join", "leave", "lost", "govern", "limits", "epoch"), logging.INFO)
FOLDED_AT_ONCE: Final = 256  # entries: about a ms
LOOKED_AT: Final = 4 * wire.KIB  # of requests are folded between two looks at the clock,
ENTRY_BYTES: Final = 100  # of which each counts at least for so many
APPENDED_AT_ONCE: Final = 4096  # entries
APPENDED_BYTES: Final = 128 * wire.KIB  # about
RETRY_SECONDS: Final = 1.0  # after the store could not take something

log = logging.getLogger(__name__)


class _Asked(NamedTuple):
    member: str
    requests: list[Request]
    size: int = 0  # of what came: by so many bytes it makes the room larger, at most


class _Question:
    def __init__(self) -> None:
        self.answer: Message = {}
        self.answered = trio.Event()

    def settle(self, answer: Message) -> None:
        self.answer = answer
        self.answered.set()


class Host:
    """One room, its log and the seats of its members."""

    def __init__(
        self,
        room: Room,
        log: Log,
        clock: Callable[[], float],
        limits: Limits,
        counters: Counters,
        blobs: Belongings,
        floor: Floor,
        *,
        number: int = 0,
        time: float = 0.0,
    ) -> None:
        self.room = room
        self.seats: dict[str, Seat] = {}
        self.blobs = blobs
        self._log = log
        self._clock = clock
        self._limits = limits
        self._counters = counters
        self._number = number  # of the next entry of the log
        self._durable: deque[Entry] = deque()  # in the log and not folded yet
        self._durable_bytes = 0
        self._folding = False
        self._turn = Turn(floor, room.name)  # of folding
        self._time = time
        self._trouble: str | None = None  # why the store takes nothing
        self._keeping = False  # a snapshot, at this moment
        self._deleted = False
        self._empty_since = clock()
        self._questions: deque[_Question] = deque()  # from outside the room, in the order of the log
        self._queue: deque[_Asked] = deque()
        self._queued = 0
        self._queued_bytes = 0
        self._wake = trio.Event()
        self._taken = trio.Event()
        self._mail = Mail(self.seats, room.revision)
        self._size = (-1, 0)  # at which revision, how many bytes
        self._most_bytes = inf  # it is not larger than that

    async def describe(self, turn: Turn) -> Message:
        """What there is, for whoever asks; `bytes` are those of the snapshot."""
        if self._size[0] != (revision := self.room.revision):
            size = 0
            for uuid in list(self.room.document):
                if (entity := self.room.document.get(uuid)) is not None:
                    size += len(entity.data)
                await turn.pause()
            self._size = revision, size  # about, if it went on meanwhile
        room, document = self.room, self.room.document
        return {
            "name": room.name,
            "revision": room.revision,
            "members": len(room.present),
            "entities": len(document),
            "bytes": self._size[1],
            "frozen": room.frozen,
            "keep": room.keep,
        }

    def _bytes(self) -> int:
        """Of the snapshot; looked at anew when the document changed."""
        document = self.room.document
        if self._size[0] != document.revision:
            entities = (document.get(uuid) for uuid in document)
            self._size = document.revision, sum(len(entity.data) for entity in entities if entity)
        return self._size[1]

    def _entries(self, batch: list[_Asked]) -> list[Entry]:
        """What is asked, for the log; whether the room was too large for it is looked at here, and stands with it."""
        entries: list[Entry] = []
        number, time, growth = self._number, self._time, self._durable_bytes
        for member, requests, size in batch:
            if self._most_bytes + size > self._limits.room_bytes:
                requests = [self._marked(request, growth := growth + len(request[1])) for request in requests]
            else:
                self._most_bytes += size
                growth += size
            entries += [Entry(at, time, member, request, data) for at, (request, data) in enumerate(requests, number)]
            number += len(requests)
        return entries

    def _marked(self, request: Request, growth: int) -> Request:
        """As it is, unless it could make the room too large; `growth` is all that is not folded yet, with it."""
        message, data = request
        self._most_bytes += len(data)
        if self._most_bytes > self._limits.room_bytes:
            self._most_bytes = self._bytes() + growth
        return ({**message, "full": True}, b"") if data and self._most_bytes > self._limits.room_bytes else request

    @property
    def is_in_trouble(self) -> bool:
        """Whether the store takes nothing: what was asked may wait for long, then."""
        return self._trouble is not None

    # What members ask

    def enter(self, seat: Seat, join: Message) -> None:
        """Asks the room to let a member in. An older connection of the same member ends.

        Raises Unavailable while the store takes nothing.
        """
        if self._trouble is not None:
            raise Unavailable(self._trouble)
        if (older := self.seats.get(seat.member)) is not None:
            # If the joins came out of order it is the newer that ends, and it is to come back.
            older.expel("the same member joined again", retry=True)
        self.seats[seat.member] = seat
        self.submit(seat.member, join)

    def leave(self, seat: Seat) -> None:
        """The connection of `seat` is gone."""
        if self.seats.get(seat.member) is seat:
            del self.seats[seat.member]
            self.submit(seat.member, {"type": "lost"})

    def ask(self, seat: Seat, requests: list[Request]) -> None:
        """Queues what the member in `seat` asks; nothing once it sits elsewhere."""
        if self.seats.get(seat.member) is seat:
            self._queue_up(_Asked(seat.member, requests, sum(len(data) for _, data in requests)))

    async def govern(self, request: Message) -> Message:
        """What the room answers to who runs the broadcaster."""
        question = _Question()
        self._questions.append(question)
        self.submit("", request)
        await question.answered.wait()
        return question.answer

    def submit(self, member: str, request: Message) -> None:
        """Queues a checked request for the log."""
        self._queue_up(_Asked(member, [(request, b"")]))

    def _queue_up(self, asked: _Asked) -> None:
        self._queue.append(asked)
        self._queued += len(asked.requests)
        self._queued_bytes += asked.size
        self._wake.set()

    @property
    def is_full(self) -> bool:
        """Whether so much is queued, for the log or to be folded, that nothing more should be submitted."""
        count, size = self._queued + len(self._durable), self._queued_bytes + self._durable_bytes
        return count > self._limits.queued or size > self._limits.queued_bytes

    async def wait_for_space(self) -> None:
        if self._taken.is_set():  # all who wait do so for the same
            self._taken = trio.Event()
        await self._taken.wait()

    def set_presence(self, member: str, state: Message) -> None:
        """Passes on a latest value at once: it is not of the log."""
        for effect in self.room.set_presence(member, state):
            self._emit(effect)
        self._mail.deliver()

    def delete(self) -> None:
        """Ends the room, now."""
        self._deleted = True
        self._wake.set()

    def close(self, reason: str, *, retry: bool) -> None:
        while self._questions:
            self._questions.popleft().settle({"type": "governed", "op": "", "refused": reason})
        for seat in self.seats.values():
            seat.expel(reason, retry=retry)

    # The order

    async def run(self) -> None:
        """Takes whatever is queued and appends it to the log in one go. What is there is folded, and what follows from
        it sent, while the next of the queue is on its way to the disk.

        Returns when the room is to go: it was deleted, or is empty and not to be kept.
        """
        async with trio.open_nursery() as nursery:
            while not self._is_over():
                if not self._queue:
                    await self._wait()
                    continue
                batch = self._next_batch()
                self._taken.set()
                self._time = max(self._time, self._clock())
                entries = self._entries(batch)
                try:
                    await self._log.append(entries)
                except Unavailable as exc:
                    await self._hold(batch, str(exc))
                    continue
                self._number += len(entries)
                self._counters.add("commits")
                self._say(None)
                self._durable += entries
                self._durable_bytes += sum(len(entry.data) for entry in entries)
                if not self._folding:
                    self._folding = True
                    nursery.start_soon(self._fold_all, nursery)

    def _next_batch(self) -> list[_Asked]:
        """What is to be committed next: not so much that others wait long for the disk."""
        batch: list[_Asked] = []
        count = size = 0
        while self._queue and count < APPENDED_AT_ONCE and size < APPENDED_BYTES:
            batch.append(self._queue.popleft())
            count += len(batch[-1].requests)
            size += batch[-1].size
        self._queued -= count
        self._queued_bytes -= size
        return batch

    async def _fold_all(self, nursery: trio.Nursery) -> None:
        """Folds what is durable, a part at a time, so that others come in between."""
        while self._durable:
            await self._turn.begin()
            self._fold_some()
            self._turn.end()
            self._taken.set()
            if self._log.is_long and not self._keeping:
                self._keeping = True
                folded = self._number - len(self._durable)
                nursery.start_soon(self._keep_snapshot, folded, snapshot.parts(self.room))
            await trio.lowlevel.checkpoint()
        self._folding = False
        self._wake.set()

    def _fold_some(self) -> None:
        if self.room.present:
            self._empty_since = self._clock()
        level = log.getEffectiveLevel()
        before = self.room.revision
        unseen = 0
        for _ in range(min(len(self._durable), FOLDED_AT_ONCE)):
            entry = self._durable.popleft()
            size = len(entry.data)
            self._durable_bytes -= size
            effects = self.room.fold(entry)
            if level <= logging.INFO and level <= LOGGED_AT.get(entry.request["type"], logging.DEBUG):
                self._note(entry, effects)
            for effect in effects:
                self._emit(effect, size)
            unseen += size + ENTRY_BYTES
            if unseen > LOOKED_AT:
                unseen = 0
                if self._turn.is_over:
                    break
        self._mail.deliver()
        self._counters.add("transactions", self.room.revision - before)

    def _note(self, entry: Entry, effects: list[Effect]) -> None:
        """A line of the log: who asked for what, and what became of it. Never what it says, which may be secret."""
        kind = entry.request["type"]
        fields = {"room": self.room.name, "member": entry.member or None, "transaction": entry.request.get("seq")}
        for effect in effects:
            match effect:
                case Done():
                    fields["revision"] = effect.revision
                case Send(member, message) if member == entry.member:
                    fields["revision"] = message.get("revision")
                    fields["reason"] = message.get("reason") or message.get("refused")
                case Expel(_, reason):
                    fields["reason"] = reason
        asked = entry.request.get("op", kind)
        log.log(LOGGED_AT.get(kind, logging.DEBUG), "%s", kind, extra=fields | {"request": asked})

    async def _hold(self, batch: list[_Asked], reason: str) -> None:
        """Nothing is folded that is not kept: what was asked waits, and whoever came in comes back later."""
        self._say(reason)
        for asked in reversed(batch):
            if asked.requests[0][0]["type"] != "join":
                self._queue.appendleft(asked)
                self._queued += len(asked.requests)
                self._queued_bytes += asked.size
            elif (seat := self.seats.get(asked.member)) is not None:
                seat.expel(reason, retry=True)
        await trio.sleep(RETRY_SECONDS)

    def _say(self, trouble: str | None) -> None:
        """Tells everybody when nothing can be changed any more, and when it can again."""
        if (trouble is None) == (self._trouble is None):
            return
        self._trouble = trouble
        log.warning("%s", trouble or "the store works again", extra={"room": self.room.name})
        for seat in self.seats.values():
            seat.notice(trouble)

    async def _keep_snapshot(self, number: int, parts: Iterator[bytes]) -> None:
        try:
            await self._log.keep_snapshot(number, parts)
        except Unavailable as exc:
            log.warning("a snapshot could not be kept: %s", exc, extra={"room": self.room.name})
        finally:
            self._keeping = False

    async def _wait(self) -> None:
        """Until something is queued: a tick, if a lease runs out first. Also until the room is to go."""
        self._wake = trio.Event()
        if self._folding:  # it is not known yet what there is to wait for
            await self._wake.wait()
            return
        lease = self.room.next_deadline
        deadline = min(inf if lease is None else lease, self._going_at)
        with trio.move_on_after(max(deadline - self._clock(), 0.0)):
            await self._wake.wait()
        if not self._queue and lease is not None and lease <= self._clock():
            self.submit("", {"type": "tick"})

    @property
    def _going_at(self) -> float:
        """When the room goes, if nobody comes."""
        return inf if self.room.keep or self.room.present else self._empty_since + self._limits.empty_seconds

    def _is_over(self) -> bool:
        if self._deleted:
            return True
        idle = not self._queue and not self._folding
        return idle and not self.seats and self._clock() >= self._going_at

    def _emit(self, effect: Effect, size: int = 0) -> None:
        """`size` is that of the request that it follows from."""
        match effect:
            case Done():
                self._mail.done(effect, size)
            case Send():
                member, message = effect
                if not member:
                    self._questions.popleft().settle(message)
                    return
                if message["type"] == "reject":
                    self._counters.add("rejected")
                self._mail.answer(member, message)
            case Broadcast():
                message, but = effect
                self._mail.tell(message, but)
            case Admit(member, message, records, removed):
                self._mail.deliver()
                self._counters.add("joins")
                if (seat := self.seats.get(member)) is not None:
                    seat.admit(wire.encode(message), records, removed)
            case Expel(member, reason):
                self._mail.deliver()
                if (seat := self.seats.get(member)) is not None:
                    seat.expel(reason)
            case _:
                assert_never(effect)
