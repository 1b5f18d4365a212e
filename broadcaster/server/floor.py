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
CREDIT_SECONDS: Final = TURN_SECONDS  # of its share, that it may have saved


class Floor:
    """Is given to one after another, by rooms; a new one whenever all that was ready to run has run."""

    def __init__(self) -> None:
        self._waiting: dict[str, deque[trio.Event]] = {}  # by rooms, the next first
        self._is_taken = False
        self._wake = trio.Event()

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
        self._credit = CREDIT_SECONDS
        self._ended = self._began = trio.current_time()

    async def begin(self) -> None:
        """Before work that others may have to wait for."""
        now = trio.current_time()
        self._credit = min(self._credit + SHARE * (now - self._ended), CREDIT_SECONDS)
        if self._credit <= 0.0:
            await self._floor.take(self.room)
            self._credit = 0.0
            now = trio.current_time()
        self._began = now

    def end(self) -> None:
        """After it, before waiting for anything."""
        self._ended = trio.current_time()
        self._credit -= self._ended - self._began

    @property
    def is_over(self) -> bool:
        return trio.current_time() > self._began + TURN_SECONDS

    async def pause(self) -> None:
        """Lets others have their turn if this one is over, then begins the next."""
        if self.is_over:
            self.end()
            await trio.lowlevel.checkpoint()
            await self.begin()
