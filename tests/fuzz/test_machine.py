"""The same world in the hands of hypothesis, which finds short stories that fail, and makes them shorter."""

from __future__ import annotations

from random import Random

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from .edits import Edits
from .story import narrow
from .world import Peer, World

WHO = st.integers(0, 2)
MOST = st.sampled_from([1, 3, 100])
CHANCES = st.randoms(use_true_random=False)


class Machine(RuleBasedStateMachine):
    """Three members, a room, and what may happen to them."""

    def __init__(self) -> None:
        super().__init__()
        self._narrow = narrow()
        self._narrow.__enter__()
        self.world = World()
        self.edits = Edits(Random(0))
        for number in range(3):
            self.world.peers.append(Peer(self.world, f"m{number}"))
            self.world.peers[-1].connect()

    @rule(who=WHO, chance=CHANCES)
    def edit(self, who: int, chance: Random) -> None:
        self.edits.chance = chance
        peer = self.world.peers[who]
        peer.edit(self.edits.transaction(peer.member.shown))

    @rule(who=WHO, most=MOST)
    def deliver(self, who: int, most: int) -> None:
        peer = self.world.peers[who]
        if peer.line is not None:
            self.world.deliver(peer.member.id, peer.line, most)

    @rule(who=WHO, most=MOST)
    def read(self, who: int, most: int) -> None:
        self.world.peers[who].read(most)

    @rule(who=WHO, noticed=st.booleans())
    def lose(self, who: int, noticed: bool) -> None:
        self.world.lose(self.world.peers[who], noticed)

    @rule(who=WHO)
    def connect(self, who: int) -> None:
        self.world.peers[who].connect()

    @precondition(lambda self: self.world.half_open)
    @rule()
    def hear_late(self) -> None:
        self.world.deliver(*self.world.half_open[0], most=1)

    @rule(lost=st.integers(0, 3))
    def restart(self, lost: int) -> None:
        self.world.restart(lost)

    @rule()
    def rest(self) -> None:
        self.world.drain()
        self.world.check(lambda copies: copies[0])

    @invariant()
    def nobody_sees_half(self) -> None:
        for peer in self.world.peers:
            self.world.check_shown(peer)

    def teardown(self) -> None:
        try:
            self.rest()
        finally:
            self._narrow.__exit__(None, None, None)


Machine.TestCase.settings = settings(max_examples=40, stateful_step_count=40, deadline=None)


class TestMachine(Machine.TestCase):  # type: ignore[misc, valid-type]  # FUZZ3
    """Hypothesis makes the test."""
