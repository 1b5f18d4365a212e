"""Logs go first. The clock is simulated."""

from __future__ import annotations

import pytest
import trio
import trio.testing

from broadcaster.store.turns import (
    BUSY_SECONDS,
    FLUSH_SECONDS,
    LEAST_BYTES,
    MOST_BYTES,
    PATIENCE_SECONDS,
    REST_SECONDS,
    Turns,
)


async def flushed(turns: Turns, seconds: float) -> int:
    """How many bytes might be flushed at once, which takes so long."""
    async with turns.of_blob() as size:
        await trio.sleep(seconds)
    return size


async def test_while_nobody_edits_whole_parts_are_flushed() -> None:  # STORE25
    turns = Turns()
    assert await flushed(turns, 1.0) == MOST_BYTES
    with turns.of_log():
        pass
    assert await flushed(turns, 0.0) == LEAST_BYTES
    await trio.sleep(BUSY_SECONDS)
    assert await flushed(turns, 1.0) == MOST_BYTES


async def test_no_flush_begins_amid_a_commit() -> None:  # STORE25
    turns, sizes = Turns(), list[int]()

    async def flush() -> None:
        sizes.append(await flushed(turns, FLUSH_SECONDS))

    async with trio.open_nursery() as nursery:
        with turns.of_log():
            with turns.of_log():
                nursery.start_soon(flush)
                nursery.start_soon(flush)
                await trio.sleep(PATIENCE_SECONDS / 3)
            await trio.sleep(PATIENCE_SECONDS / 3)
            assert sizes == []
        await trio.testing.wait_all_tasks_blocked()
        await trio.sleep(1.5 * FLUSH_SECONDS)
        assert sizes == []  # the first is flushed, and rests
        await trio.sleep(FLUSH_SECONDS)
        assert sizes == [LEAST_BYTES]  # one at a time
    assert sizes == [LEAST_BYTES] * 2


async def test_where_commits_leave_no_gap_blobs_come_on() -> None:  # STORE25
    turns = Turns()
    with turns.of_log():
        assert await flushed(turns, 0.0) == LEAST_BYTES
        assert trio.current_time() >= PATIENCE_SECONDS


async def test_a_part_is_as_large_as_can_be_flushed_in_time() -> None:  # STORE25
    turns = Turns()

    async def busy(seconds: float) -> int:
        with turns.of_log():
            pass
        return await flushed(turns, seconds)

    sizes = [await busy(FLUSH_SECONDS / 2) for _ in range(10)]
    assert sizes == sorted(sizes)
    assert (sizes[0], sizes[-1]) == (LEAST_BYTES, MOST_BYTES)
    sizes = [await busy(1.0) for _ in range(10)]
    assert sizes == sorted(sizes, reverse=True)
    assert sizes[-1] == LEAST_BYTES


async def test_after_a_part_there_is_a_rest_by_its_size() -> None:  # STORE25
    turns = Turns()
    for wanted, rest in ((LEAST_BYTES, REST_SECONDS * LEAST_BYTES / MOST_BYTES), (0, 0.0)):
        with turns.of_log():
            pass
        begin = trio.current_time()
        async with turns.of_blob(wanted) as size:
            assert size == wanted
        assert trio.current_time() == pytest.approx(begin + rest)


async def test_no_piece_is_looked_at_amid_a_commit() -> None:  # STORE25
    turns = Turns()
    await turns.calm()
    async with trio.open_nursery() as nursery:
        with turns.of_log():
            nursery.start_soon(turns.calm)
            await trio.sleep(PATIENCE_SECONDS / 2)
            assert nursery.child_tasks
        await trio.testing.wait_all_tasks_blocked()
        assert not nursery.child_tasks
