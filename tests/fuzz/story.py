"""One seed, one story: random edits, leases, lost lines and restarts, step by step, with all that must hold checked.

Each step has its own random numbers, so a story can be told without some of its steps: that is how it is shrunk.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from random import Random
from typing import Final

from broadcaster import wire
from broadcaster.document import Deltas, Entity, fold
from broadcaster.errors import MixerError

from .edits import Edits
from .world import LOST_AT_MOST, Peer, World

MEMBERS: Final = 5
DRAIN_EVERY: Final = 250  # steps
LIMITS: Final = ((wire, "MAX_RECORDS_BYTES", 1500), (fold, "MAX_TOMBSTONES", 60))


class Story:
    """The same seed and steps, the same story."""

    def __init__(self, seed: int) -> None:
        self.chance = Random(seed)
        self._seed = seed
        self.world = World()
        self._edits = Edits(self.chance)
        self._members = 0
        for _ in range(MEMBERS):
            self.arrive()

    def arrive(self) -> None:
        self._members += 1
        self.world.peers.append(Peer(self.world, f"m{self._members}"))
        self.world.peers[-1].connect()

    def step(self, number: int) -> None:
        chance, world = self.chance, self.world
        chance.seed(self._seed << 32 | number)
        if number % DRAIN_EVERY == 0:
            self.drain()
            return
        peer = chance.choice(world.peers)
        match chance.randrange(100):
            case one if one < 40:
                self.edit(peer)
            case one if one < 60:
                if peer.line is not None:
                    world.deliver(peer.member.id, peer.line, chance.choice((1, 3, 30)))
            case one if one < 82:
                peer.read(chance.choice((1, 5, 100)))
            case one if one < 86:
                peer.connect()
            case 86 | 87:
                world.lose(peer, noticed=chance.random() < 0.5)
            case 88 if world.half_open:
                member, line = chance.choice(world.half_open)
                world.deliver(member, line, chance.randint(1, 5))  # it was still on its way
            case 89 if world.half_open:
                world.notice(chance.randrange(len(world.half_open)))
            case 90 | 91 | 92:
                self.lease(peer)
            case 93 | 94:
                world.time += chance.choice((0.1, 3.0))
                world.fold("", {"type": "tick"})
            case 95:
                peer.say(question) if (question := peer.member.ask_digest(20)) else None
            case 96 | 97:
                world.check_shown(peer)
            case 98:
                self.seldom(peer)
            case _:
                self.attempt(peer)

    def edit(self, peer: Peer) -> None:
        deltas, expect = self._edits.transaction(peer.member.shown), None
        if self.chance.random() < 0.05:
            entity = peer.member.confirmed.get(deltas[0][0])
            expect = {deltas[0][0]: entity.changed if entity else self.chance.choice((0, 1))}
        peer.edit(deltas, expect)

    def attempt(self, peer: Peer) -> None:
        """Counts a field up, strictly."""
        if counted := [uuid for uuid in peer.member.confirmed if not uuid.startswith("witness")]:
            uuid = self.chance.choice(counted)

            def count(read: Callable[[str], Entity | None]) -> Deltas:
                entity = read(uuid)
                return [[uuid, ["patch", {"n": ["put", entity.tree.get("n", 0) + 1]}]]] if entity is not None else []

            peer.attempt(count)

    def lease(self, peer: Peer) -> None:
        if entities := list(peer.member.shown):
            key = self.chance.choice(entities[:6])
            op = self.chance.choice(("acquire", "renew", "release"))
            fencing = {"fencing": peer.fencing[key]} if key in peer.fencing else {}
            peer.say({"type": "lease", "op": op, "key": key, "seconds": 5.0, **fencing})

    def seldom(self, peer: Peer) -> None:
        match self.chance.randrange(12):
            case 0:
                self.world.restart(lost=0)
            case 1:
                self.world.restart(lost=self.chance.randint(1, LOST_AT_MOST))
            case 2 | 3:
                self.world.keep_snapshot()
            case 4:
                self.world.peers.remove(peer)
                peer.say({"type": "leave"})
                self.world.lose(peer, noticed=False)
                self.arrive()
            case 5 | 6:
                self.world.restart(lost=0)

    def drain(self) -> None:
        """All comes to rest, and everything is compared; then the witnesses go."""
        world = self.world
        world.drain()
        world.check(self.chance.choice)
        for peer in world.peers:
            world.check_shown(peer)
        if gone := [[uuid, ["remove"]] for uuid in world.room.document if uuid.startswith("witness")]:
            world.peers[0].edit(gone)


@contextmanager
def narrow() -> Iterator[None]:
    """With limits so small that they are reached."""
    kept = [(module, name, getattr(module, name)) for module, name, _ in LIMITS]
    for module, name, value in LIMITS:
        setattr(module, name, value)
    try:
        yield
    finally:
        for module, name, value in kept:
            setattr(module, name, value)


def tell(seed: int, steps: Iterable[int]) -> None:
    """Raises an exception where something does not hold."""
    with narrow():
        story = Story(seed)
        for number in steps:
            story.step(number)
        story.drain()


def why_not(seed: int, steps: Iterable[int]) -> Exception | None:
    """What a story fails with, if it does."""
    try:
        tell(seed, steps)
    except (AssertionError, MixerError, LookupError, TypeError, ValueError) as exc:
        return exc
    return None


def shrink(seed: int, steps: Sequence[int], tries: int = 400) -> list[int]:
    """Of the steps of a story that fails, a few that are enough for it to fail."""
    left = list(steps)
    size = len(left) // 2
    while size:
        for start in range(len(left) - size, -1, -size):
            tries -= 1
            fewer = left[:start] + left[start + size :]
            if tries > 0 and why_not(seed, fewer) is not None:
                left = fewer
        size //= 2
    return left
