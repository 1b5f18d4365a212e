"""The leases of a room: sole rights to keys, until a deadline."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from ..limits import Limits
from ..wire import Message
from .entries import Broadcast, Effect, Send


@dataclass(frozen=True, slots=True)
class Lease:
    """A member's sole right to a key. `fencing` grows with each new holder."""

    holder: str
    fencing: int
    deadline: float


class Leases:
    """Who holds what. Times are those of the log."""

    def __init__(self) -> None:
        self.held: dict[str, Lease] = {}  # by their keys
        self._fencing = 0

    @property
    def keys(self) -> frozenset[str]:
        return frozenset(self.held)

    @property
    def next_deadline(self) -> float | None:
        return min((lease.deadline for lease in self.held.values()), default=None)

    def holder(self, key: str) -> str | None:
        return lease.holder if (lease := self.held.get(key)) is not None else None

    def messages(self, time: float) -> list[Message]:
        """All that is held."""
        return [_message(key, lease, time) for key, lease in self.held.items()]

    def ask(self, member: str, request: Message, time: float, limits: Limits, *, may_hold: bool) -> list[Effect]:
        """What a member asks about one key: `acquire`, `renew` or `release`."""
        key, held = request["key"], self.held.get(request["key"])
        if held is not None and held.holder != member:
            return [Send(member, _message(key, held, time) | {"refused": True})]
        stale = held is None or request.get("fencing") not in (None, held.fencing)
        match request["op"]:
            case "acquire" if may_hold and self._count(member) < limits.leases:
                if held is None:
                    self._fencing += 1
            case "renew" if not stale:
                pass
            case "release" if not stale:
                return self._release(key)
            case _:
                return [Send(member, _message(key, held, time) | {"refused": True})]
        seconds = min(max(float(request.get("seconds") or 0.0), 1.0), limits.lease_seconds)
        fencing = self._fencing if held is None else held.fencing
        self.held[key] = Lease(member, fencing, time + seconds)
        return [Broadcast(_message(key, self.held[key], time))]

    def release_all(self, member: str) -> list[Effect]:
        return self._release_if(lambda lease: lease.holder == member)

    def expire(self, time: float) -> list[Effect]:
        return self._release_if(lambda lease: lease.deadline <= time)

    def state(self) -> dict[str, Any]:
        """What a snapshot keeps."""
        held = {key: [lease.holder, lease.fencing, lease.deadline] for key, lease in self.held.items()}
        return {"fencing": self._fencing, "leases": held}

    def restore(self, state: Message) -> None:
        self._fencing = state["fencing"]
        self.held = {key: Lease(*lease) for key, lease in state["leases"].items()}

    def _count(self, member: str) -> int:
        return sum(1 for lease in self.held.values() if lease.holder == member)

    def _release(self, key: str) -> list[Effect]:
        del self.held[key]
        return [Broadcast(free(key))]

    def _release_if(self, ends: Callable[[Lease], bool]) -> list[Effect]:
        keys = [key for key, lease in self.held.items() if ends(lease)]
        return [effect for key in keys for effect in self._release(key)]


def free(key: str) -> Message:
    """What is told of a key that nobody holds."""
    return _message(key, None, 0.0)


def _message(key: str, lease: Lease | None, time: float) -> Message:
    if lease is None:
        return {"type": "lease", "key": key, "holder": None, "fencing": 0, "seconds": 0.0}
    left = round(max(lease.deadline - time, 0.0), 3)
    return {"type": "lease", "key": key, "holder": lease.holder, "fencing": lease.fencing, "seconds": left}
