"""What Blender shows otherwise than the document says, by whatever chance: it is written once more, and counted."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from typing import Final, NamedTuple

from broadcaster.document import Deltas
from broadcaster.member import Member
from broadcaster.tree import Tree, diff, same

from .along import FAMILIES, evaluate
from .mirror import Mirror

log = logging.getLogger(__name__)

MOST_TRIES: Final = 5  # to show what Blender then shows otherwise each time


class Tried(NamedTuple):
    """What was shown again: how it should stand, how it stood then, and how often it was so for this document."""

    doc: Tree
    live: Tree
    times: int


class Repair:
    """Finds what stands otherwise and shows it again; Blender may not take it, so not for ever."""

    def __init__(self, mirror: Mirror) -> None:
        self.count = 0  # what stood otherwise than the document, and does no more
        self._mirror = mirror
        self._tried: dict[str, Tried] = {}  # by uuid

    def unlike(self) -> set[str]:
        """What stands otherwise, and was not tried again since either changed."""
        entries, found = self._mirror.entries, set()
        self._tried = {uuid: tried for uuid, tried in self._tried.items() if uuid in entries}
        for uuid, entry in entries.items():
            if entry.live is entry.doc or entry.doc is None or entry.kind in FAMILIES:
                continue
            if same(entry.live, entry.doc):
                entry.live = entry.doc  # quicker the next time
                continue
            tried = self._tried.get(uuid)
            if tried is None or tried.doc is not entry.doc or (tried.live != entry.live and tried.times < MOST_TRIES):
                found.add(uuid)
        return found

    def show_again(self, uuids: set[str], member: Member) -> Iterator[Deltas]:
        """Writes these once more. Runs like `Mirror.apply`."""
        mirror = self._mirror
        found = mirror.collect(uuids)
        mirror.following |= uuids  # or an edit between two steps would be lost
        yield found
        stood = {uuid: mirror.entries[uuid].live for uuid in uuids & mirror.entries.keys()}
        yield from mirror.restore(uuids, member)
        evaluate()
        mirror.collect(uuids)
        mirror.written -= uuids
        for uuid in uuids & mirror.entries.keys():
            entry, tried = mirror.entries[uuid], self._tried.get(uuid)
            if same(entry.live, entry.doc):
                self.count += 1
                log.warning("Stood otherwise than the document says: %.300s", [uuid, diff(stood.get(uuid), entry.doc)])
            times = tried.times + 1 if tried is not None and tried.doc is entry.doc else 1
            self._tried[uuid] = Tried(entry.doc, entry.live, times)
