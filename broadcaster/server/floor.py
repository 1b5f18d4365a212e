"""Who computes much takes turns; who computes little never waits for that.

Everything here runs in one thread, so a room that does nothing but work would be felt in all others: wherever what they
ask goes it waits for all that is at hand elsewhere. So each task has a share of the time, as small as calm work needs.
Who is beyond it waits for the floor, which is given to one at a time, to one room after another, for a moment each.
"""

from __future__ import annotations

from collections import deque
from typing import Final, NoReturn

import trio

TURN_SECONDS: Final = 0.003
SHARE: Final = 0.02  # of all time, that a task has without asking
COMMON: Final = 0.3  # of all time, that all tasks have together without asking, however many they are
QUIET_SECONDS: Final = 0.1  # whoever needed the floor asks for it until it did nothing for so long
CREDIT_SECONDS: Final = TURN_SECONDS  # of its share, that it may have saved; all together may have ten times as much


class _Credit:
    """Time that may be used without asking: so much of all time, saved up to a limit."""

    def __init__(self, share: float, most: float) -> None:
        self._share = share
        self._most = self._seconds = most
        self._then = trio.current_time()

    def is_left(self, now: float) -> bool:
        self._seconds = min(self._seconds + self._share * (now - self._then), self._most)
        self._then = now
        return self._seconds > 0.0

    def use(self, seconds: float) -> None:
        self._seconds -= seconds

    def forget(self) -> None:
        """What was used beyond it, which is paid for by having waited."""
        self._seconds = max(self._seconds, 0.0)


class Floor:
    """Is given to one after another, by rooms; a new one whenever all that was ready to run has run."""

    def __init__(self) -> None:
        self._waiting: dict[str, deque[trio.Event]] = {}  # by rooms, the next first
        self._is_taken = False
        self._wake = trio.Event()
        self.common = _Credit(COMMON, 10 * CREDIT_SECONDS)

    async def take(self, room: str) -> None:
        """Returns when it is the turn of the caller, who goes on for about TURN_SECONDS and need not give it back."""
        self._wake.set()
        if not self._is_taken:
            self._is_taken = True
            return
        turn = trio.Event()
        self._waiting.setdefault(room, deque()).append(turn)
        await turn.wait()

    async def run(self) -> NoReturn:
        """Gives it on, for ever."""
        while True:
            await self._wake.wait()
            await trio.lowlevel.checkpoint()
            while self._waiting:
                room = next(iter(self._waiting))
                waiting = self._waiting.pop(room)
                waiting.popleft().set()
                if waiting:
                    self._waiting[room] = waiting  # behind the others
                await trio.lowlevel.checkpoint()
            self._is_taken = False
            self._wake = trio.Event()


class Turn:
    """The work of one task, for a room."""

    def __init__(self, floor: Floor, room: str = "") -> None:
        self.room = room
        self._floor = floor
        self._own = _Credit(SHARE, CREDIT_SECONDS)
        self._is_on_floor = False
        self._is_ended = True
        self._began = self._ended = trio.current_time()

    async def begin(self) -> None:
        """Before work that others may have to wait for."""
        now = trio.current_time()
        is_left = self._own.is_left(now) and self._floor.common.is_left(now)
        self._is_on_floor = not is_left or (self._is_on_floor and now < self._ended + QUIET_SECONDS)
        if self._is_on_floor:
            await self._floor.take(self.room)
            self._own.forget()
            now = trio.current_time()
        self._began = now
        self._is_ended = False

    def end(self) -> None:
        """After it, before waiting for anything."""
        if self._is_ended:
            return
        self._is_ended = True
        self._ended = trio.current_time()
        seconds = self._ended - self._began
        self._own.use(seconds)
        if not self._is_on_floor:
            self._floor.common.use(seconds)

    @property
    def is_over(self) -> bool:
        return trio.current_time() > self._began + TURN_SECONDS

    async def pause(self) -> None:
        """Begins the next turn if this one has ended, or is over: then others have theirs before."""
        if not self._is_ended and self.is_over:
            self.end()
            await trio.lowlevel.checkpoint()
        if self._is_ended:
            await self.begin()
