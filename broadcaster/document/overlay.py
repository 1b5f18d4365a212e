"""A document on top of another one, to fold pending edits into."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from ..errors import Rejected
from .entity import Deltas, Entity
from .fold import Document


@dataclass(frozen=True, slots=True)
class Footprint:
    """What one edit depends on and did: while none of `looked` changes beneath, folding it again does the same."""

    looked: frozenset[str]  # uuids of entities
    users: Mapping[str, int]


class Overlay(Document):
    """A document that differs from its base in a few entities. It is void once its base changes."""

    def __init__(self, base: Document) -> None:
        super().__init__(compact=False)
        self._base = base
        self._removed: set[str] = set()
        self._looked: set[str] = set()
        self._counted: dict[str, int] = {}
        self.revision = base.revision

    def get(self, uuid: str) -> Entity | None:
        if uuid in self._removed:
            return None
        return self._entities.get(uuid) or self._base.get(uuid)

    def users(self, uuid: str) -> int:
        return self._base.users(uuid) + self._users[uuid]

    def __iter__(self) -> Iterator[str]:
        yield from (uuid for uuid in self._base if uuid not in self._removed and uuid not in self._entities)
        yield from self._entities

    def __len__(self) -> int:
        return sum(1 for _ in self)

    def fold(self, deltas: Deltas, sender: str, base: int | None) -> tuple[Footprint, Rejected | None]:
        """Applies a pending edit; what it rests on, and why nothing of it did take effect, if so."""
        self._looked, self._counted = set(), {}
        rejected = None
        self.revision = self._base.revision
        try:
            self.apply(deltas, revision=self.revision, sender=sender, base=base)
        except Rejected as exc:
            rejected = exc
        return Footprint(frozenset(self._looked), self._counted), rejected

    def take_back(self, footprints: Iterable[Footprint]) -> None:
        """Undoes edits that were folded, and all others that looked at what they did."""
        for footprint in footprints:
            self._users.subtract(footprint.users)
            for uuid in footprint.looked:
                self._entities.pop(uuid, None)
                self._removed.discard(uuid)

    def _look(self, uuid: str) -> Entity | None:
        self._looked.add(uuid)
        return self.get(uuid)

    def _count(self, users: dict[str, int]) -> None:
        self._counted = users
        super()._count(users)

    def _commit(self, uuid: str, entity: Entity | None, revision: int) -> None:
        self._entities.pop(uuid, None)
        self._removed.discard(uuid)
        if entity is None:
            self._removed.add(uuid)
        else:
            self._entities[uuid] = entity
