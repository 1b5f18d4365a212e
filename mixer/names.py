"""Two datablocks of one type with one name: the later is renamed, by its owner at once, by anybody after a while."""

from __future__ import annotations

from typing import Final

from broadcaster.document import Deltas, Entity
from broadcaster.member import Member

from .proxy import Mirror

OWNER_SECONDS: Final = 2.0  # how long the owner of the later one has to rename it


class Clashes:
    """The clashes that this Blender sees, and since when."""

    def __init__(self) -> None:
        self._since: dict[str, float] = {}

    def settle(self, mirror: Mirror, member: Member, now: float) -> Deltas:
        """Renames what is ours to rename; the edits to send. Waits while edits of ours have no place in the order."""
        if member.pending or not mirror.naming.clashing:
            return []
        deltas: Deltas = []
        for uuid in list(mirror.naming.clashing):
            entity, holder = member.shown.get(uuid), mirror.naming.holder(uuid)
            other = member.shown.get(holder) if holder is not None else None
            if entity is None or holder is None or other is None or other.tree.get("name") != entity.tree["name"]:
                mirror.naming.settle(uuid)
                self._since.pop(uuid, None)
                continue
            since = self._since.setdefault(uuid, now)
            (_, first, _), (_, later, owner) = sorted([_age(uuid, entity), _age(holder, other)])
            if owner == member.id or now - since > OWNER_SECONDS:
                deltas += mirror.naming.rename(later, first)
                self._since.pop(uuid, None)
        return deltas


def _age(uuid: str, entity: Entity) -> tuple[int, str, str]:
    return entity.created, uuid, entity.creator
