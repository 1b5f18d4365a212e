"""Who computes how much, and when: by a clock that only work moves."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import cast

import trio
import trio.testing

from broadcaster.server.floor import CREDIT_SECONDS, SHARE, TURN_SECONDS, Floor, Turn

WARM = 1000  # turns: what everybody had saved before is used up


@asynccontextmanager
async def floor_of(turns: list[str], **rooms: int) -> AsyncIterator[Floor]:
    """A floor, and tasks of some rooms that work without end; `turns` becomes whose turn it was."""
    floor, clock = Floor(), cast("trio.testing.MockClock", trio.lowlevel.current_clock())

    async def work(room: str) -> None:
        turn = Turn(floor, room)
        await turn.begin()
        while True:
            turns.append(room)
            clock.jump(CREDIT_SECONDS + TURN_SECONDS)
            await turn.pause()

    async with trio.open_nursery() as nursery:
        nursery.start_soon(floor.run)
        for room, tasks in rooms.items():
            for _ in range(tasks):
                nursery.start_soon(work, room)
        yield floor
        nursery.cancel_scope.cancel()


async def until(turns: list[str], count: int) -> None:
    while len(turns) < count:
        await trio.lowlevel.checkpoint()


async def test_rooms_work_in_turn_however_many_work_in_each() -> None:  # SERVER47
    turns: list[str] = []
    async with floor_of(turns, crowd=20, pair=2, single=1):
        await until(turns, WARM)
        await until(turns, 2 * WARM)
        places = range(WARM, 2 * WARM - 6)
        assert all({*turns[place : place + 6]} == {"crowd", "pair", "single"} for place in places)


async def test_who_computes_little_waits_for_two_turns_at_most_wherever_it_goes() -> None:  # SERVER47
    turns: list[str] = []
    clock = cast("trio.testing.MockClock", trio.lowlevel.current_clock())
    async with floor_of(turns, one=20, two=20, three=20) as floor:
        await until(turns, WARM)
        calm = Turn(floor, "calm")
        for _ in range(50):
            before = len(turns)
            await calm.begin()
            assert len(turns) == before
            clock.jump(SHARE * TURN_SECONDS)
            calm.end()
            await trio.lowlevel.checkpoint()
            assert len(turns) <= before + 2


async def test_many_that_compute_little_each_are_no_crowd_that_others_wait_for() -> None:  # SERVER47
    turns: list[str] = []
    floor, clock = Floor(), cast("trio.testing.MockClock", trio.lowlevel.current_clock())

    async def hum() -> None:
        """As much as one may without asking."""
        turn = Turn(floor, "crowd")
        while True:
            await turn.begin()
            turns.append("crowd")
            clock.jump(TURN_SECONDS / 10)
            turn.end()
            await trio.sleep(TURN_SECONDS / 10 / SHARE)

    async with trio.open_nursery() as nursery:
        nursery.start_soon(floor.run)
        for _ in range(500):
            nursery.start_soon(hum)
        await until(turns, 5 * WARM)
        calm = Turn(floor, "calm")
        for _ in range(50):
            before = len(turns)
            await calm.begin()
            calm.end()
            await trio.lowlevel.checkpoint()
            assert len(turns) <= before + 5
        nursery.cancel_scope.cancel()


async def test_who_works_alone_goes_on_and_a_turn_that_is_given_up_costs_nobody_theirs() -> None:  # SERVER47
    turns: list[str] = []
    async with floor_of(turns, alone=1) as floor:
        await until(turns, WARM)
        with trio.CancelScope() as scope:
            scope.cancel()
            await floor.take("gone")
        await until(turns, 2 * WARM)
