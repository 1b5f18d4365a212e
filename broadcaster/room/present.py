"""Who is in a room, and what one member was told of the others."""

from __future__ import annotations

from dataclasses import dataclass, field

from ..wire import Message
from .rights import ROLES, May


@dataclass(slots=True)
class Present:
    """A member that is in the room."""

    name: str
    color: str
    role: str
    address: str = ""  # that it came from; "" is this machine's own
    bound: bool = False  # to what workers may do: logs of before that was held tell of workers that edited everything
    presence: Message = field(default_factory=dict)
    said: int | None = None  # the last sequence number since it joined

    @property
    def may(self) -> May:
        return ROLES["editor" if self.role == "worker" and not self.bound else self.role]

    def describe(self, id: str) -> Message:
        return {"id": id, "name": self.name, "color": self.color, "role": self.role, "presence": self.presence}


@dataclass(frozen=True, slots=True)
class Knowledge:
    """What one member was told of the others."""

    members: frozenset[str]
    leases: frozenset[str]
