"""What is shown: pending edits folded on top of what is confirmed. Only what moved beneath an edit is folded anew.

Each edit leaves a footprint: the entities that it looked at. While nothing of them changes in the confirmed document,
and no edit before it that looked at them is answered, folding it again would do the same.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from .document import Deltas, Document, Footprint, Overlay
from .errors import Rejected


@dataclass(slots=True)
class _Folded:
    deltas: Deltas
    base: int | None
    footprint: Footprint


class Shown:
    """fold(confirmed, pending), for the edits of one member. Edits are known by growing numbers."""

    def __init__(self, member: str, confirmed: Document) -> None:
        self._member = member
        self.begin(confirmed, ())

    @property
    def document(self) -> Document:
        return self._overlay if self._edits else self._confirmed

    def begin(self, confirmed: Document, edits: Iterable[tuple[int, Deltas, int | None]]) -> set[str]:
        """Folds all edits on top of another document; the uuids that they name."""
        self._confirmed = confirmed
        self._overlay = Overlay(confirmed)
        self._edits: dict[int, _Folded] = {}
        self._lookers: dict[str, set[int]] = {}  # uuid -> the edits that looked at it
        self._answered: set[int] = set()
        self._changed: set[str] = set()
        touched: set[str] = set()
        for number, deltas, base in edits:
            self.fold(number, deltas, base)
            touched.update(uuid for uuid, _ in deltas)
        return touched

    def fold(self, number: int, deltas: Deltas, base: int | None) -> Rejected | None:
        """One more edit, on top of all; why nothing of it shows, if so."""
        footprint, rejected = self._overlay.fold(deltas, self._member, base)
        self._edits[number] = _Folded(deltas, base, footprint)
        for uuid in footprint.looked:
            self._lookers.setdefault(uuid, set()).add(number)
        return rejected

    def answer(self, number: int) -> None:
        """The room answered an edit: it is no longer pending. Shows with `confirm`."""
        self._answered.add(number)

    def change(self, uuids: Iterable[str]) -> None:
        """What is confirmed of these entities changed, or how many name them strongly. Shows with `confirm`."""
        self._changed.update(uuids)

    def confirm(self) -> set[str]:
        """Folds anew what has to be; the uuids that it names, and those of what was answered."""
        gone = self._answered & self._edits.keys()
        affected = self._affected(gone)
        touched = {uuid for number in affected for uuid, _ in self._edits[number].deltas}
        again = [(number, self._edits[number]) for number in sorted(affected - gone)]
        self._overlay.take_back([self._forget(number) for number in affected])
        for number, edit in again:
            self.fold(number, edit.deltas, edit.base)
        self._answered.clear()
        self._changed.clear()
        if not self._edits:
            self._overlay = Overlay(self._confirmed)
        return touched

    def _affected(self, gone: set[int]) -> set[int]:
        """The edits that are answered, those that looked at what changed or at what these looked at, and so on."""
        affected = set(gone)
        edits = list(affected)
        uuids = list(self._changed)
        seen = set(uuids)
        while edits or uuids:
            while uuids:
                found = self._lookers.get(uuids.pop(), set()) - affected
                affected |= found
                edits += found
            while edits:
                looked = self._edits[edits.pop()].footprint.looked - seen
                seen |= looked
                uuids += looked
        return affected

    def _forget(self, number: int) -> Footprint:
        footprint = self._edits.pop(number).footprint
        for uuid in footprint.looked:
            lookers = self._lookers[uuid]
            lookers.discard(number)
            if not lookers:
                del self._lookers[uuid]
        return footprint
