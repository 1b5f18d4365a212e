"""The shell around one room: requests in, one order, effects out. Nothing is sent before its log entry is durable."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from math import inf
from typing import Final

import trio

from .. import snapshot
from ..errors import Unavailable
from ..figures import Counters
from ..limits import Limits
from ..room import Room
from ..store import Log
from ..wire import Message
from .belongings import Belongings
from .floor import Floor, Turn
from .inbox import Request
from .order import Asked, Order
from .seat import Seat

FOLDED_AT_ONCE: Final = 512  # entries: about a ms
RETRY_SECONDS: Final = 1.0  # after the store could not take something

log = logging.getLogger(__name__)


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
        self._order = Order(room, self.seats, limits, counters, number, time)
        self._folding = False
        self._turn = Turn(floor, room.name)  # of folding
        self._trouble: str | None = None  # why the store takes nothing
        self._keeping = False  # a snapshot, at this moment
        self._deleted = False
        self._empty_since = clock()
        self._wake = trio.Event()
        self._taken = trio.Event()

    async def describe(self, turn: Turn) -> Message:
        """What there is, for whoever asks; `bytes` are those of the snapshot."""
        if self._order.size[0] != (revision := self.room.revision):
            size = 0
            for uuid in list(self.room.document):
                if (entity := self.room.document.get(uuid)) is not None:
                    size += len(entity.data)
                await turn.pause()
            self._order.size = revision, size  # about, if it went on meanwhile
        room, document = self.room, self.room.document
        return {
            "name": room.name,
            "revision": room.revision,
            "members": len(room.present),
            "entities": len(document),
            "bytes": self._order.size[1],
            "frozen": room.frozen,
            "keep": room.keep,
        }

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
        self._order.joining[seat.member] = self._order.joining.get(seat.member, 0) + 1
        self.submit(seat.member, join)

    def leave(self, seat: Seat) -> None:
        """The connection of `seat` is gone."""
        if self.seats.get(seat.member) is seat:
            del self.seats[seat.member]
            self.submit(seat.member, {"type": "lost"})

    def ask(self, seat: Seat, requests: list[Request]) -> None:
        """Queues what the member in `seat` asks; nothing once it sits elsewhere."""
        if self.seats.get(seat.member) is seat:
            self._order.ask(seat.member, requests)
            self._wake.set()

    async def govern(self, request: Message) -> Message:
        """What the room answers to who runs the broadcaster."""
        question = _Question()
        self._order.questions.append(question.settle)
        self.submit("", request)
        await question.answered.wait()
        return question.answer

    def submit(self, member: str, request: Message) -> None:
        """Queues a checked request for the log."""
        self._order.ask(member, [(request, b"")])
        self._wake.set()

    @property
    def is_full(self) -> bool:
        """Whether so much is queued, for the log or to be folded, that nothing more should be submitted."""
        return self._order.is_full

    async def wait_for_space(self) -> None:
        if self._taken.is_set():  # all who wait do so for the same
            self._taken = trio.Event()
        await self._taken.wait()

    def set_presence(self, member: str, state: Message) -> None:
        """Passes on a latest value at once: it is not of the log."""
        for effect in self.room.set_presence(member, state):
            self._order.emit(effect)
        self._order.mail.deliver()

    def delete(self) -> None:
        """Ends the room, now."""
        self._deleted = True
        self._wake.set()

    def close(self, reason: str, *, retry: bool) -> None:
        while self._order.questions:
            self._order.questions.popleft()({"type": "governed", "op": "", "refused": reason})
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
                if not self._order.is_asked:
                    await self._wait()
                    continue
                batch = self._order.next_batch()
                self._taken.set()
                entries = self._order.entries(batch, self._clock())
                try:
                    await self._log.append(entries)
                except Unavailable as exc:
                    await self._hold(batch, str(exc))
                    continue
                self._order.commit(entries)
                self._counters.add("commits")
                self._say(None)
                if not self._folding:
                    self._folding = True
                    nursery.start_soon(self._fold_all, nursery)

    async def _fold_all(self, nursery: trio.Nursery) -> None:
        """Folds what is durable, a part at a time, so that others come in between."""
        while self._order.is_durable:
            await self._turn.begin()
            if self.room.present:
                self._empty_since = self._clock()
            self._order.fold_some(self._turn, FOLDED_AT_ONCE)
            self._turn.end()
            self._taken.set()
            if self._log.is_long and not self._keeping:
                self._keeping = True
                nursery.start_soon(self._keep_snapshot, self._order.folded, snapshot.parts(self.room))
            await trio.lowlevel.checkpoint()
        self._folding = False
        self._wake.set()

    async def _hold(self, batch: list[Asked], reason: str) -> None:
        """Nothing is folded that is not kept: what was asked waits, and whoever came in comes back later."""
        self._say(reason)
        for asked in reversed(batch):
            if asked.requests[0][0]["type"] != "join":
                self._order.hold(asked)
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
        if not self._order.is_asked and lease is not None and lease <= self._clock():
            self.submit("", {"type": "tick"})

    @property
    def _going_at(self) -> float:
        """When the room goes, if nobody comes."""
        return inf if self.room.keep or self.room.present else self._empty_since + self._limits.empty_seconds

    def _is_over(self) -> bool:
        if self._deleted:
            return True
        idle = not self._order.is_asked and not self._folding
        return idle and not self.seats and self._clock() >= self._going_at
