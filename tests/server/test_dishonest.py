"""Members that say what cannot be: told why, cut off where it is no mistake, and harmless to all others."""

from __future__ import annotations

from typing import Any

import pytest

from broadcaster import wire
from broadcaster.errors import Refused
from broadcaster.limits import Limits
from broadcaster.wire import Message

from .guests import CUBE, Arena, Guest, as_member, put, serving, tx

LAYOUT: Any = {"$": "layout", "id": "L", "of": {"p": {"$": "array", "dtype": "|u1", "shape": [3], "data": "AAAA"}}}
THING: Any = [
    "thing",
    ["create", "objects", {"x": 1, "pose": {"a": 1}, "links": {"$": "set", "of": []}, "mesh": LAYOUT}],
]


async def company(arena: Arena) -> tuple[Guest, Guest]:
    """One who is honest, and one who has said two things already."""
    ann, eve = await arena.join("ann"), await arena.join("eve")
    await ann.say(tx(1, CUBE, THING))
    await ann.hear("ack")
    await eve.hear("tx")
    await eve.say(tx(1, put(1), base=1), tx(2, put(2), base=1))
    for _ in range(2):
        await eve.hear("ack")
        await ann.hear("tx")
    return ann, eve


async def well(arena: Arena, ann: Guest) -> None:
    """The other goes on, and a joiner gets the same document."""
    await ann.say(tx(2, put("on", name="y"), base=3))
    assert (await ann.hear("ack"))["revision"] == arena.server.rooms.hosts["r"].room.revision
    assert as_member(await arena.join("cid")).confirmed.digest() == arena.digest()


@pytest.mark.parametrize(
    ("said", "why"),
    [
        ([tx(3, put(3), base=4)], "based on revision 4, which is not there yet"),
        ([tx(3, put(3), base=-1)], "which is not there yet"),
        ([tx(4, put(3), base=3)], "transaction 4 came where 3 was due"),
        ([tx(2, put(3), base=3)], "transaction 2 came where 3 was due"),
        ([tx(1, put(1), base=1)], "transaction 1 came where 3 was due"),
        ([tx(0, put(3), base=3)], "transaction 0 came where 3 was due"),
        ([tx(-5, put(3), base=3)], "transaction -5 came where 3 was due"),
    ],
)
async def test_what_cannot_be_honest_ends_the_connection(said: list[Message], why: str) -> None:  # HONEST1
    async with serving() as arena:
        ann, eve = await company(arena)
        before = arena.digest()
        await eve.say(*said)
        with pytest.raises(Refused, match=why) as caught:
            await eve.quiet()
        assert not caught.value.retry
        assert arena.digest() == before
        await well(arena, ann)


async def test_who_comes_from_the_future_does_not_come_in() -> None:  # HONEST1
    async with serving() as arena:
        ann, eve = await company(arena)
        epoch = arena.server.rooms.hosts["r"].room.epoch
        again = await arena.visit(eve.secret)
        join = {"type": "join", "room": "r", "name": "eve", "secret": eve.secret, "epoch": epoch, "revision": 99}
        await again.say(join)
        with pytest.raises(Refused, match="revision 99 of this epoch is not there yet"):
            await again.quiet()
        await well(arena, ann)


@pytest.mark.parametrize(
    ("delta", "reason"),
    [
        (["patch", {"x": ["patch", {"a": ["put", 1]}]}], "kind"),
        (["patch", {"x": ["link", ["a"], []]}], "kind"),
        (["patch", {"pose": ["link", ["a"], []]}], "kind"),
        (["patch", {"links": ["patch", {"a": ["put", 1]}]}], "kind"),
        (["patch", {"pose": ["arrays", "L", {}]}], "kind"),
        (["patch", {"mesh": ["patch", {"p": ["put", 1]}]}], "kind"),
        (["patch", {"mesh": ["arrays", "M", {"p": ["remove"]}]}], "layout"),
        (["patch", {"mesh": ["arrays", "L", {"p": ["chunks", {"0": "0" * 64}]}]}], "gone"),
        (["patch", {"nothing": ["patch", {"a": ["put", 1]}]}], "gone"),
    ],
)
async def test_what_may_be_a_mistake_is_told_and_nothing_more(delta: Any, reason: str) -> None:  # HONEST2
    async with serving() as arena:
        ann, eve = await company(arena)
        before = arena.digest()
        blobs = await arena.attach(eve)
        data = b""
        delta = _naming(delta, wire.sha_of(data))
        await blobs.write(b"".join(map(wire.encode_piece, wire.pieces(wire.sha_of(data), data))))
        await eve.say(tx(3, ["thing", delta], base=3))
        assert [drop[2] for drop in (await eve.hear("ack"))["dropped"]] == [reason]
        assert arena.digest() == before
        await well(arena, ann)


def _naming(delta: Any, sha: str) -> Any:
    """With a blob that is there."""
    if isinstance(delta, list):
        return [_naming(one, sha) for one in delta]
    if isinstance(delta, dict):
        return {name: _naming(one, sha) for name, one in delta.items()}
    return sha if delta == "0" * 64 else delta


@pytest.mark.parametrize("op", ["renew", "release", "steal"])
async def test_a_lease_of_another_stays_its_own(op: str) -> None:  # HONEST2
    async with serving() as arena:
        ann, eve = await company(arena)
        await ann.say({"type": "lease", "op": "acquire", "key": "cube", "seconds": 60})
        fencing = (await eve.hear("lease"))["fencing"]
        await eve.say({"type": "lease", "op": op, "key": "cube", "seconds": 60, "fencing": fencing})
        assert ((await eve.hear("lease"))["refused"], arena.server.rooms.hosts["r"].room.knowledge().leases) == (
            True,
            {"cube"},
        )
        await eve.say({"type": "lease", "op": op, "key": "nobody's", "seconds": 60})
        assert (await eve.hear("lease"))["refused"]
        await eve.say(tx(3, put(3), base=3))
        assert (await eve.hear("reject"))["reason"] == "leased"
        await well(arena, ann)


async def test_answers_that_are_not_fetched_are_bounded() -> None:  # HONEST3
    async with serving(limits=Limits(outbox_bytes=2000)) as arena:
        ann, eve = await company(arena)
        seat = arena.server.rooms.hosts["r"].seats[eve.id]
        eve.stop_reading()
        ghosts = [[f"ghost{number}", ["patch", {"x": ["put", 1]}]] for number in range(50)]
        for seq in range(3, 100):
            await eve.say(tx(seq, *ghosts, base=3), {"type": "digest"}, {"type": "ping", "id": seq})
        await ann.hear_nothing()
        assert arena.server.rooms.hosts["r"].room.revision == 3
        assert seat.is_full
        await well(arena, ann)
