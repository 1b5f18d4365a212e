"""Who owns a room, and who does not come in again."""

from __future__ import annotations

from typing import Any

from ..errors import Rejected


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
