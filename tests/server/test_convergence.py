"""Whatever members do and however their connections fare: in the end all hold one document, and nothing is pending.

Each seed is one story of random edits, slow and lost connections. A failing one is told apart by its seed.
"""

from __future__ import annotations

import random
from typing import Any, Final

import pytest
import trio

from broadcaster import wire
from broadcaster.limits import Limits
from broadcaster.member import Member
from broadcaster.protocol import member_id, new_secret
from broadcaster.tree import items, link_set, ref
from broadcaster.wire import Message

from .guests import Arena, Guest, serving

SEEDS: Final = range(25)
MEMBERS: Final = 4
STEPS: Final = 250
FOLDED: Final = ("records", "ready", "tx", "ack", "reject")


class Peer:
    """A member whose network is the story's to play with."""

    def __init__(self, arena: Arena, random: random.Random) -> None:
        self.secret = new_secret()
        self.member = Member(member_id(self.secret))
        self.guest: Guest | None = None
        self._arena = arena
        self._random = random
        self._epoch = ""
        self._joined = False  # on this connection
        self._made = 0

    async def connect(self) -> None:
        if self.guest is not None:
            return
        self._joined = False
        self.guest = await self._arena.visit(self.secret)
        join = {"type": "join", "room": "r", "name": "peer", "secret": self.secret, "create": "if-missing"}
        if self._epoch:
            join |= {"epoch": self._epoch, "revision": self.member.revision}
        await self.guest.say(join)

    async def lose(self) -> None:
        if self.guest is not None:
            await self.guest.vanish()
            self.guest = None

    async def read(self, most: int) -> None:
        """Takes at most so many of the messages that are there."""
        if self.guest is None:
            return
        for _ in range(most):
            with trio.move_on_after(0.001) as scope:
                await self._fold(await self.guest.next())
            if scope.cancelled_caught:
                return

    async def _fold(self, message: Message) -> None:
        assert self.guest is not None
        if message["type"] == "joined":
            self._epoch, self._joined = message["epoch"], True
            await self.guest.say(*self.member.begin(message))
        elif message["type"] in FOLDED:
            self.member.receive([message])

    async def edit(self) -> None:
        message = self.member.edit([self._delta() for _ in range(self._random.randint(1, 3))])
        if message is not None and self.guest is not None and self._joined:
            await self.guest.say(message)

    def _delta(self) -> list[Any]:
        random, entities = self._random, list(self.member.shown)
        uuid = random.choice(entities) if entities else ""
        other = ref(random.choice(entities), strong=random.random() < 0.5) if entities else None
        self._made += 1
        key = f"{self.member.id[:4]}{self._made}"
        match random.randrange(8) if entities else 0:
            case 0 | 1:
                tree = {"x": 0, "list": items({}), "set": link_set(set()), "of": other}
                return [key, ["create", "objects", tree]]
            case 2:
                return [uuid, ["remove"]]
            case 3:
                return [uuid, ["patch", {"of": ["put", other]}]]
            case 4:
                return [uuid, ["patch", {"list": ["patch", {key: ["insert", None, {"name": key}]}]}]]
            case 5:
                return [uuid, ["patch", {"set": ["link", [key], []]}]]
            case _:
                return [uuid, ["patch", {random.choice("xyz"): ["put", random.randrange(100)]}]]


async def step(peer: Peer, random: random.Random) -> None:
    match random.randrange(12):
        case 0:
            await peer.lose()
        case 1 | 2:
            await peer.connect()
        case 3 if peer.guest is not None:
            peer.guest.stop_reading()
        case 4 if peer.guest is not None:
            peer.guest.read_on()
        case 5 | 6 | 7:
            await peer.read(random.randint(1, 20))
        case _:
            await peer.edit()


@pytest.mark.parametrize("seed", SEEDS)
async def test_in_the_end_all_hold_one_document(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:  # SERVER35
    monkeypatch.setattr(wire, "MAX_RECORDS_BYTES", 500)
    chance = random.Random(seed)
    async with serving(limits=Limits(outbox_bytes=3000)) as arena:
        peers = [Peer(arena, chance) for _ in range(MEMBERS)]
        for peer in peers:
            await peer.connect()
            await peer.read(10)
        for _ in range(STEPS):
            await step(chance.choice(peers), chance)
        for peer in peers:
            await peer.lose()
            await peer.connect()
        for _ in range(2):  # what is sent again in the first round is answered in the second
            for peer in peers:
                await peer.read(100_000)
        assert [len(peer.member.pending) for peer in peers] == [0] * MEMBERS
        assert {peer.member.confirmed.digest() for peer in peers} == {arena.digest()}
        assert {peer.member.revision for peer in peers} == {arena.server.rooms.hosts["r"].room.revision}
