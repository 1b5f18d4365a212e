"""Who is in the room, and what they let others see of themselves. Pure."""

from __future__ import annotations

from collections import Counter
from typing import Any

from broadcaster.wire import Message


class People:
    """The members of the room with their presence. They may say anything of themselves."""

    def __init__(self) -> None:
        self.members: dict[str, dict[str, Any]] = {}  # member id -> name, color, role
        self.presence: dict[str, dict[str, Any]] = {}  # member id -> its presence
        self.barriers: Counter[str] = Counter()  # how many have come to each
        self._reached: set[str] = set()

    def joined(self, members: list[dict[str, Any]]) -> None:
        """Begins anew with those who are here."""
        self.members, self.presence = {}, {}
        self.changed({"joined": members})

    def changed(self, message: Message) -> None:
        """Some came, some left."""
        for one in message.get("joined", ()):
            self.members[one["id"]] = one
            self.showed(one["id"], one["presence"])
        for member in message.get("left", ()):
            self.members.pop(member, None)
            self.presence.pop(member, None)

    def showed(self, member: str, state: dict[str, Any]) -> None:
        """The presence of one member is another."""
        self.barriers.update(_barriers(state) - _barriers(self.presence.get(member, {})))
        self.presence[member] = state

    def reach(self, barrier: str) -> None:
        """We have come to `barrier`."""
        self._reached.add(barrier)
        self.barriers[barrier] += 1

    def ours(self) -> dict[str, Any]:
        """What others are to see of us."""
        return {"type": "presence", "state": {"barriers": sorted(self._reached)}}


def _barriers(presence: dict[str, Any]) -> set[str]:
    told = presence.get("barriers")
    return {name for name in told if type(name) is str} if type(told) is list else set()
