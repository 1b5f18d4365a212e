"""A room whose members only work: each edit of each is to come to all others, and nobody is to lose its line."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Final

import trio

from broadcaster.member import Member
from broadcaster.wire import Piece
from tests.server.line import Line, line

ROOM: Final = "calm"
MEMBERS: Final = 3
PAUSE_SECONDS: Final = 0.1  # between two edits of one
PATIENCE_SECONDS: Final = 60.0  # an edit that takes longer is lost
FOLDED: Final = frozenset({"records", "ready", "tx", "ack", "reject"})


@dataclass
class Seen:
    """What became of the edits."""

    made: int = 0
    arrived: int = 0
    seconds: list[float] = field(default_factory=list, repr=False)  # until each was with each of the others
    digests: set[str] = field(default_factory=set)


class Calm:
    """The members of the room. What is wrong is raised: a line that ends, or an edit that does not come."""

    def __init__(self, address: tuple[str, int]) -> None:
        self.seen = Seen()
        self._address = address
        self._made: dict[tuple[str, int], float] = {}  # whose, the how manyeth -> when
        self._news = trio.Condition()
        self._members: list[Member] = []

    async def stay(self, seconds: float) -> None:
        async with trio.open_nursery() as nursery:
            for number in range(MEMBERS):
                await nursery.start(self._join, f"m{number}", seconds)
            while len(self._members) < MEMBERS or self.seen.made == 0:
                await trio.sleep(PAUSE_SECONDS)
            await trio.sleep(seconds)
            with trio.move_on_after(PATIENCE_SECONDS) as patience:
                await self._until_all_came()
            assert not patience.cancelled_caught, f"{self.seen}, pending {[len(one.pending) for one in self._members]}"
            self.seen.digests = {member.confirmed.digest() for member in self._members}
            nursery.cancel_scope.cancel()

    async def _until_all_came(self) -> None:
        while self.seen.arrived < self.seen.made * (MEMBERS - 1) or any(one.pending for one in self._members):
            await trio.sleep(PAUSE_SECONDS)

    async def _join(self, name: str, seconds: float, task_status: Any = trio.TASK_STATUS_IGNORED) -> None:
        async with line(self._address) as one, trio.open_nursery() as nursery:
            member = Member(one.member)
            member.begin(await one.join(ROOM, name=name))
            self._members.append(member)
            nursery.start_soon(self._edit, one, member, name, seconds)
            task_status.started()
            await self._read(one, member)

    async def _read(self, one: Line, member: Member) -> None:
        while True:
            message = await one.next()
            assert not isinstance(message, Piece)
            if message["type"] in FOLDED:
                member.receive([message])
            if message["type"] == "tx":
                ((uuid, delta),) = message["deltas"]
                if delta[0] == "patch":
                    self.seen.arrived += 1
                    self.seen.seconds.append(trio.current_time() - self._made[uuid, delta[1]["n"][1]])

    async def _edit(self, one: Line, member: Member, name: str, seconds: float) -> None:
        while len(self._members) < MEMBERS or not all(one.ready for one in self._members):
            await trio.sleep(PAUSE_SECONDS)  # what is edited before others are here comes to them by another way
        if (made := member.edit([[name, ["create", "things", {"n": 0}]]])) is not None:
            await one.say(made)
        number, until = 0, trio.current_time() + seconds
        while trio.current_time() < until:
            await trio.sleep(PAUSE_SECONDS)
            number += 1
            self._made[name, number] = trio.current_time()
            self.seen.made += 1
            message = member.edit([[name, ["patch", {"n": ["put", number]}]]])
            assert message is not None
            await one.say(message)
            oldest = trio.current_time() - PATIENCE_SECONDS
            assert not member.pending or self._made.get((name, number - len(member.pending)), oldest) >= oldest
