"""One member's place at this broadcaster: what is to be written to it, at its own pace.

A seat is LIVE while it keeps up. Past its bounded outbox, and after a join, it is BEHIND: nothing new is queued, what
changed is read from the document as fast as the member takes it, and when nothing is left it is LIVE again. So
joining, coming back and being slow are one thing, and none of them delays anybody else.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from enum import Enum, auto
from typing import Final

import orjson
import trio

from .. import protocol, wire
from ..document import Record
from ..limits import DEFAULTS, Limits
from ..room import Knowledge, Room
from .streams import straight

REMOVED_IN_A_MESSAGE: Final = 4096
PART_BYTES: Final = 64 * wire.KIB  # written at once


class Pace(Enum):
    JOINING = auto()  # the room has not let it in yet
    LIVE = auto()
    BEHIND = auto()


@dataclass(slots=True)
class _Behind:
    """What a member is still to be told before it is in step."""

    frames: Iterator[bytes]
    revision: int  # where `frames` lead
    known: Knowledge  # what it was told of the others
    held: list[bytes] = field(default_factory=list)  # answers: they come after what they answer is there
    held_bytes: int = 0


class Seat:
    """What waits for one member. Its methods do not block, apart from `write`."""

    def __init__(self, member: str, room: Room, clock: Callable[[], float], limits: Limits = DEFAULTS) -> None:
        self.member = member
        self.pace = Pace.JOINING
        self.reading = trio.CancelScope()  # around what is read from this member
        self._attached: set[trio.CancelScope] = set()  # around its blob connections
        self._room = room
        self._clock = clock
        self._limits = limits
        self._frames: list[bytes] = []
        self._bytes = 0
        self._behind: _Behind | None = None
        self._closing = False
        self._straight: Callable[[bytes], int] | None = None  # while nothing waits to be written
        self._wake = trio.Event()
        self._caught_up = trio.Event()

    # What is to be sent

    def admit(self, joined: bytes, records: list[Record], removed: list[str]) -> None:
        """The first message, then records up to the room's revision of now, then whatever changes."""
        self._put(joined)
        self._fall_behind(_encode_records(records, removed), self._room.revision)

    def post(self, frames: bytes, revision: int) -> None:
        """News. If there is no place for them, the member is served what changed since `revision` instead."""
        if self.pace is not Pace.LIVE:
            return
        if self._bytes + len(frames) > self._limits.outbox_bytes:
            self._fall_behind(iter(()), revision)
        else:
            self._put(frames)

    def answer(self, frames: bytes, revision: int) -> None:
        """Answers: they always come, though not before the member is in step."""
        if self.pace is Pace.LIVE and self._bytes + len(frames) > self._limits.outbox_bytes:
            self._fall_behind(iter(()), revision)
        if self.pace is Pace.LIVE:
            self._put(frames)
        elif self._behind is not None:
            self._behind.held.append(frames)
            self._behind.held_bytes += len(frames)

    def notice(self, reason: str | None) -> None:
        """Why what this member asks has to wait; None when it no longer does."""
        self.answer(wire.encode({"type": "notice", "reason": reason}), self._room.revision)

    @property
    def is_full(self) -> bool:
        """Whether so many answers are held that nothing more should be taken from this member."""
        return self._behind is not None and self._behind.held_bytes > self._limits.outbox_bytes

    async def wait_for_space(self) -> None:
        self._caught_up = trio.Event()
        await self._caught_up.wait()

    def expel(self, reason: str, *, retry: bool = False) -> None:
        """Ends the connection after what is queued and the reason."""
        self._put(protocol.error(reason, retry=retry))
        self.close()

    def close(self) -> None:
        """Ends the connection after what is queued."""
        self._closing = True
        self._wake.set()
        self.reading.cancel()

    def detach(self) -> None:
        """Ends the blob connections; last, so that a member hears why before it is cut off."""
        for scope in self._attached:
            scope.cancel()

    @contextmanager
    def attached(self) -> Iterator[None]:
        """Around a blob connection of this member: it ends with the seat."""
        with trio.CancelScope() as scope:
            self._attached.add(scope)
            try:
                yield
            finally:
                self._attached.discard(scope)

    def _put(self, frames: bytes) -> None:
        """Writes what there is place for, if nothing waits; queues the rest."""
        if self._closing:
            return
        if self._straight is not None:
            frames = frames[self._straight(frames) :]
        if frames:
            self._straight = None
            self._frames.append(frames)
            self._bytes += len(frames)
            self._wake.set()

    def _fall_behind(self, frames: Iterator[bytes], revision: int) -> None:
        self.pace, self._behind = Pace.BEHIND, _Behind(frames, revision, self._room.knowledge())
        self._straight = None
        self._wake.set()

    # Writing

    async def write(self, stream: trio.abc.SendStream) -> None:
        """Writes until closed: all that is queued at once, and what changed while nothing is queued.

        Raises trio.TooSlowError if the member takes nothing for `stalled_seconds`.
        """
        at_once = straight(stream)
        try:
            while True:
                if data := self.take():
                    await self._send(stream, data)
                elif self._closing:
                    return
                else:
                    self._wake, self._straight = trio.Event(), at_once
                    await self._wake.wait()
                    self._straight = None
        finally:
            self._straight = None

    async def _send(self, stream: trio.abc.SendStream, data: bytes) -> None:
        for start in range(0, len(data), PART_BYTES):
            with trio.fail_after(self._limits.stalled_seconds):
                await stream.send_all(memoryview(data)[start : start + PART_BYTES])

    def take(self) -> bytes:
        """All that is to be written now; nothing if the member is in step."""
        while not self._frames and self._behind is not None and not self._closing:
            self._catch_up(self._behind)
        data = b"".join(self._frames)
        self._frames.clear()
        self._bytes = 0
        return data

    def _catch_up(self, behind: _Behind) -> None:
        """Queues the next of what the member has not seen."""
        if (frame := next(behind.frames, None)) is not None:
            self._put(frame)
        elif behind.revision == self._room.revision:
            self.pace, self._behind = Pace.LIVE, None
            self._put(wire.encode({"type": "ready", "revision": behind.revision}))
            for news in self._room.news_since(behind.known, self._clock()):
                self._put(wire.encode(news))
            self._put(b"".join(behind.held))
            self._caught_up.set()
        elif (changes := self._room.document.since(behind.revision)) is None:
            self.expel("too much changed while it was behind", retry=True)
        else:
            behind.frames = _encode_records(*changes)
            behind.revision = self._room.revision


def _encode_records(records: list[Record], removed: list[str]) -> Iterator[bytes]:
    """Frames of bounded size, encoded only when they are due."""
    for start in range(0, len(removed), REMOVED_IN_A_MESSAGE):
        part = removed[start : start + REMOVED_IN_A_MESSAGE]
        yield wire.encode({"type": "records", "entities": [], "removed": part})
    batch: list[orjson.Fragment] = []
    size = 0
    for record in records:
        data = orjson.dumps(record)
        if batch and size + len(data) > wire.MAX_RECORDS_BYTES:
            yield wire.encode({"type": "records", "entities": batch, "removed": []})
            batch, size = [], 0
        batch.append(orjson.Fragment(data))
        size += len(data)
    if batch:
        yield wire.encode({"type": "records", "entities": batch, "removed": []})
