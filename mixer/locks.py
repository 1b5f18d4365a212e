"""Edit locks: leases on what somebody edits in a mode of its own. Pure.

Who enters edit, sculpt, paint or pose mode takes a lease on the data behind it, renews it while there, and releases it
on leaving. The room rejects edits of others to it; a lost connection keeps it to its deadline.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final, NamedTuple

from broadcaster.document import Deltas
from broadcaster.wire import Message

LEASE_SECONDS: Final = 20.0
RENEW_SECONDS: Final = 8.0
ASK_SECONDS: Final = 2.0  # between two tries to get what another holds


class Lock(NamedTuple):
    """Who holds a key, as the room said last."""

    holder: str
    fencing: int


class Locks:
    """What is held in the room, and what this member wants of it."""

    def __init__(self, me: str) -> None:
        self._me = me
        self._locks: dict[str, Lock] = {}
        self._wanted: dict[str, float] = {}  # key -> when to ask next

    def joined(self, leases: Iterable[Message]) -> None:
        """Begins anew with what the room says at the door; what we want is asked for again."""
        self._locks.clear()
        for message in leases:
            self.heard(message)
        self._wanted = dict.fromkeys(self._wanted, 0.0)

    def heard(self, message: Message) -> None:
        """A lease came about, went to another, or ended."""
        key, holder = message["key"], message["holder"]
        if holder is None:
            self._locks.pop(key, None)
            if key in self._wanted and not message.get("refused"):
                self._wanted[key] = 0.0  # it is free: at once
        else:
            self._locks[key] = Lock(holder, message["fencing"])

    def want(self, keys: frozenset[str], now: float) -> list[dict[str, Any]]:
        """What to ask the room for, given what is edited here at this moment."""
        asked: list[dict[str, Any]] = []
        for key in self._wanted.keys() - keys:
            del self._wanted[key]
            if (lock := self._locks.get(key)) is not None and lock.holder == self._me:
                asked.append({"type": "lease", "op": "release", "key": key, "fencing": lock.fencing})
        for key in sorted(keys):
            if self._wanted.get(key, 0.0) > now:
                continue
            lock = self._locks.get(key)
            is_ours = lock is not None and lock.holder == self._me
            self._wanted[key] = now + (ASK_SECONDS if lock is not None and not is_ours else RENEW_SECONDS)
            asked.append({"type": "lease", "op": "acquire", "key": key, "seconds": LEASE_SECONDS})
        return asked

    def others(self) -> dict[str, str]:
        """Key -> member, of all that others hold."""
        return {key: lock.holder for key, lock in self._locks.items() if lock.holder != self._me}

    def parted(self, deltas: Deltas) -> list[Deltas]:
        """What the room will take, and apart from it what it will reject because another holds it."""
        others = self.others()
        if not others:
            return [deltas]
        held = [one for one in deltas if one[0] in others]
        return [part for part in ([one for one in deltas if one[0] not in others], held) if part]
