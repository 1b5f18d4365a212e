"""What bad lines do to a room, and what they must not: latency, narrow bands, cuts, lines that are half open."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import asynccontextmanager
from itertools import chain, repeat
from random import Random
from typing import Any

import pytest
import trio

from broadcaster.limits import Limits

from .guests import CUBE, Arena, put, serving
from .link import Weather
from .travellers import Traveller

FAIR = Weather(latency=0.02, jitter=0.01)


@asynccontextmanager
async def travelling(**options: Any) -> Any:
    """An arena, and a function that makes a traveller of its weathers: the last one stays."""
    async with serving(**options) as arena, trio.open_nursery() as nursery:
        chance = Random(1)

        def travel(*weathers: Weather) -> Traveller:
            found: Iterator[Weather] = chain(weathers, repeat(weathers[-1] if weathers else FAIR))
            return Traveller(arena.server, nursery, found, chance)

        yield arena, travel
        nursery.cancel_scope.cancel()


def revision(arena: Arena) -> int:
    return arena.server.rooms.hosts["r"].room.revision


async def all_equal(arena: Arena, *travellers: Traveller) -> None:
    for one in travellers:
        await one.settle()
    for one in travellers:
        await one.until(lambda one=one: one.member.revision == revision(arena))
    assert {one.member.confirmed.digest() for one in travellers} == {arena.digest()}


@pytest.mark.parametrize("cut_after", [0, 1, 200, 700, 1500, 4000, 10_000])
@pytest.mark.parametrize("half_open", [False, True])
@pytest.mark.parametrize("late", [0.0, 5.0])
async def test_a_line_cut_anywhere_loses_nothing_and_does_nothing_twice(
    cut_after: int, half_open: bool, late: float
) -> None:  # LINK1
    cut = Weather(latency=0.02, jitter=0.05, cut_after=cut_after, half_open=half_open, late=late)
    async with travelling() as (arena, travel):
        bob = travel()
        bob.edit(CUBE)
        await bob.settle()
        ann = travel(cut, Weather(latency=0.02, cut_after=3000, late=late), FAIR)
        for number in range(60):
            ann.edit([f"{number}", ["create", "lights", {"n": number}]], put(number, uuid="0"))
            bob.edit(put(number, name="y"))
            await trio.sleep(0.01)
        await all_equal(arena, ann, bob)
        assert ann.lines >= 2
        assert ann.refused is None
        assert ann.member.overruled == []  # each was created once: a second time would be refused
        assert len(bob.member.confirmed) == 61


async def test_edits_that_are_rejected_meanwhile_come_back_once_as_rejected() -> None:  # LINK2
    async with travelling() as (arena, travel):
        ann, bob = travel(), travel()
        ann.edit(CUBE, ["lamp", ["create", "lights", {"n": 0}]])
        await all_equal(arena, ann, bob)
        ann.go_offline()
        bob.edit(["sun", ["create", "lights", {}]])
        bob.edit(["lamp", ["remove"]])
        await bob.settle()
        ann.edit(["sun", ["create", "lights", {"mine": True}]], put("whole or not at all"))
        ann.edit(["lamp", ["patch", {"n": ["put", 1]}]], put(7))
        ann.edit(put(8), expect={"cube": 99})
        ann.edit(put(9, name="y"))
        assert ann.member.shown.get("cube").tree == {"name": "Cube", "x": 8, "y": 9}
        ann.at_home.set()
        await all_equal(arena, ann, bob)
        assert ann.member.shown.get("cube").tree == {"name": "Cube", "x": 7, "y": 9}
        assert [(kept.reason, [drop.reason for drop in kept.dropped]) for kept in ann.member.overruled] == [
            ("exists", []),
            ("dropped", ["gone"]),
            ("expect", []),
        ]


async def test_who_counts_by_strict_edits_misses_none_and_counts_none_twice() -> None:  # MEMBER8
    """Three add 1 to one number, on lines that are lost meanwhile."""
    cut = Weather(latency=0.02, jitter=0.05, cut_after=2500, late=1.0)

    def count_up(read: Any) -> Any:
        return [put(read("cube").tree["x"] + 1)]

    async with travelling() as (arena, travel):
        three = [travel(), travel(cut, cut, FAIR), travel(FAIR, cut, FAIR)]
        three[0].edit(CUBE, put(0))
        await all_equal(arena, *three)

        async def count(one: Traveller) -> None:
            for _ in range(30):
                one.attempt(count_up, tries=1000)
                await one.settle()

        async with trio.open_nursery() as nursery:
            for one in three:
                nursery.start_soon(count, one)
        await all_equal(arena, *three)
        assert [one.member.shown.get("cube").tree["x"] for one in three] == [90] * 3
        assert [one.member.overruled for one in three] == [[]] * 3


async def test_who_joins_while_three_edit_two_hundred_times_a_second_ends_equal() -> None:  # LINK3
    async with travelling() as (arena, travel):
        three = [travel() for _ in range(3)]
        three[0].edit(CUBE, *([f"{number}", ["create", "lights", {"n": 0}]] for number in range(300)))
        await all_equal(arena, *three)

        async def edit(one: Traveller, number: int) -> None:
            for step in range(400):
                one.edit(put(step, uuid=f"{(step * 7 + number) % 300}", name="n"))
                await trio.sleep(0.005)

        async with trio.open_nursery() as nursery:
            for number, one in enumerate(three):
                nursery.start_soon(edit, one, number)
            await trio.sleep(0.5)
            joiner = travel(Weather(latency=0.1, jitter=0.1, bytes_per_second=50_000))
            await joiner.until(lambda: joiner.member.ready)
            assert any(one.member.pending for one in three)  # they are still at it
        await all_equal(arena, joiner, *three)


async def test_a_slow_member_delays_nobody_and_ends_equal() -> None:  # LINK4
    async with travelling(limits=Limits(outbox_bytes=20_000)) as (arena, travel):
        ann, bob = travel(Weather(latency=0.01)), travel(Weather(latency=0.01))
        slow = travel(Weather(latency=0.01, bytes_per_second=10_000))
        ann.edit(CUBE)
        await all_equal(arena, ann, bob, slow)
        for step in range(1000):  # 100 kB a second
            ann.edit(["cube", ["patch", {"x": ["put", step], "text": ["put", "x" * 900]}]])
            began = trio.current_time()
            await ann.settle()
            await bob.until(lambda: bob.member.revision == revision(arena))
            assert trio.current_time() - began < 0.1
        assert slow.member.revision < revision(arena)
        slow.edit(put("slowly", name="z"))
        await all_equal(arena, ann, bob, slow)
        assert slow.lines == 1


async def test_after_an_hour_offline_both_sides_converge_and_know_what_was_overruled() -> None:  # LINK5
    async with travelling() as (arena, travel):
        ann, bob = travel(), travel()
        ann.edit(*([f"{number}", ["create", "lights", {"n": 0, "m": 0}]] for number in range(100)))
        await all_equal(arena, ann, bob)
        ann.go_offline()
        for step in range(500):
            uuid = f"{step % 100}"
            if uuid.endswith("0"):  # removed by the one, edited by the other
                bob.edit([uuid, ["remove"]] if step < 100 else [f"new {step}", ["create", "lights", {}]])
                ann.edit(put(step, uuid=uuid, name="n"))
            elif uuid.endswith("1"):
                bob.edit(put(step, uuid=uuid, name="n"))
                ann.edit([uuid, ["remove"]] if step < 100 else put(1, uuid="99", name="m"))
            else:
                bob.edit(put(-step, uuid=uuid, name="n"))
                ann.edit(put(step, uuid=uuid, name="m" if step % 2 else "n"))
            await trio.sleep(7.2)
        await bob.settle()
        ann.at_home.set()
        await all_equal(arena, ann, bob)
        lost = [drop for kept in ann.member.overruled for drop in kept.dropped]
        assert {drop.uuid for drop in lost} == {f"{number}" for number in range(0, 100, 10)}
        assert (len(lost), {drop.reason for drop in lost}) == (50, {"gone"})
        assert bob.member.overruled == []  # the later wins: his were the earlier ones
        assert ann.member.shown.get("42").tree["n"] == 442
        assert len(ann.member.shown) == 100 - 20 + 40


async def test_who_never_reads_is_cut_off(monkeypatch: pytest.MonkeyPatch) -> None:  # LINK6
    async with serving() as arena:
        ann, mute = await arena.join("ann"), await arena.join("mute")
        mute.stop_reading()
        await ann.say({"type": "tx", "seq": 1, "base": 0, "deltas": [CUBE]})
        await ann.hear("ack")
        began = trio.current_time()
        assert (await ann.hear("members"))["left"] == [mute.id]
        assert trio.current_time() - began < 200
        assert arena.server.rooms.hosts["r"].seats.keys() == {ann.id}
