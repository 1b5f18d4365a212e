"""What each role may do, who owns a room, and who does not come in again."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import Any, Final

from ..errors import Rejected

JOBS: Final = "jobs"  # the kind of entities that workers are asked to work on


class Reach(Enum):
    """How far edits and leases go."""

    ALL = "everything"
    WORK = "what it made itself, and jobs that it has leased"  # of leases: jobs
    NOTHING = "nothing"


@dataclass(frozen=True, slots=True)
class May:
    """What one role may do beside looking on, and being seen."""

    reach: Reach
    store: bool  # blobs
    govern: bool


ROLES: Final = {
    "owner": May(Reach.ALL, store=True, govern=True),
    "editor": May(Reach.ALL, store=True, govern=False),
    "worker": May(Reach.WORK, store=True, govern=False),  # renders, simulates: adds to others' work and spoils none
    "viewer": May(Reach.NOTHING, store=False, govern=False),
}


class Rights:
    """The first who comes owns the room."""

    def __init__(self) -> None:
        self._owner: str | None = None
        self._banned: dict[str, str] = {}  # member -> the address that it came from

    def owns(self, member: str) -> bool:
        if self._owner is None:
            self._owner = member
        return member == self._owner

    def hand_over(self, member: str) -> str:
        """Who owned it so far."""
        former, self._owner = self._owner, member
        return former or ""

    def ban(self, member: str, address: str, most: int) -> None:
        """By its address, too: an id is new with each process. Not by that of this machine, which is everybody's."""
        if len(self._banned) >= most:
            raise Rejected("full", f"{most} members are banned, which is all that are kept in mind")
        self._banned[member] = address

    def unban(self, who: str) -> None:
        """`who` is a member or an address. Raises Rejected if nobody is banned by that."""
        if who not in self._banned.keys() | self._banned.values():
            raise Rejected("member", f"nobody is banned as {who!r}")
        self._banned = {member: address for member, address in self._banned.items() if who not in (member, address)}

    def is_banned(self, member: str, address: str) -> bool:
        return member in self._banned or (address != "" and address in self._banned.values())

    def state(self) -> dict[str, Any]:
        """What a snapshot keeps."""
        return {"owner": self._owner, "banned": dict(self._banned)}

    def restore(self, state: dict[str, Any]) -> None:
        self._owner, self._banned = state["owner"], state.get("banned", {})
