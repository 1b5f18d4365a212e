"""Going on in the room that a file was saved in: what it carries, and what others did meanwhile."""

from __future__ import annotations

from broadcaster.document import Deltas, Document
from broadcaster.errors import MixerError
from broadcaster.member import Member
from broadcaster.tree import Path, Tree, diff
from broadcaster.wire import Message

from .authors import both
from .proxy import Mirror, identity
from .proxy.entries import Entry, in_order
from .proxy.fields import Fields
from .stamp import Place, Stamp


def carried() -> Place | None:
    """The room that this file was saved in, if it was in one."""
    return Place.from_text(identity.carried()[0])


def carried_stamp() -> Stamp:
    """What this file carries of its room. Raises MixerError if it was saved in none, or that is damaged."""
    place, (_, held) = carried(), identity.carried()
    if place is None:
        raise MixerError("this file was not saved in a room: there is nothing to go back to")
    return Stamp.from_text(place, held)


def stamp_of(place: Place, confirmed: Document, mirror: Mirror) -> Stamp:
    """What a file is to carry that is saved now, in step with `confirmed`."""
    live = {}
    for uuid, entry in mirror.entries.items():
        entity = confirmed.get(uuid)
        if entity is not None and entry.doc is entity.tree and entry.live != entry.doc:
            live[uuid] = entry.live
    absent = frozenset(uuid for uuid in confirmed if uuid not in mirror.entries) | mirror.unsaved()
    return Stamp(place, confirmed, live, absent)


class Resumption:
    """One return to a room."""

    def __init__(self, stamp: Stamp, mirror: Mirror) -> None:
        self.edits = _take_up(stamp, mirror)  # made since the file was saved
        self.absent = stamp.absent  # what is in the room and not in the file
        self.conflicts: list[tuple[str, Path]] = []  # what we and others changed meanwhile; ours stands
        self._epoch = stamp.place.epoch
        self._held: dict[str, Tree] = {
            uuid: entity.tree for uuid, _ in self.edits if (entity := stamp.document.get(uuid)) is not None
        }

    def check(self, joined: Message) -> None:
        """Raises MixerError if this is another room of the same name: one would take the place of the other."""
        if self._epoch not in [joined["epoch"], *(epoch for epoch, _ in joined.get("before") or ())]:
            raise MixerError("this is not the room that the file was saved in, only one of the same name")

    def compare(self, member: Member) -> None:
        """Notes what both changed, once the room's content is there."""
        for pending in member.pending:
            for uuid, mine in pending.deltas:
                entity = member.confirmed.get(uuid)
                theirs = diff(self._held.get(uuid), entity.tree) if entity is not None and uuid in self._held else None
                if theirs is not None:
                    self.conflicts += [(uuid, path) for path in both(mine, theirs)]
        self._held.clear()

    def told(self, document: Document) -> list[str]:
        """The conflicts by name."""
        told = []
        for uuid, path in self.conflicts:
            entity = document.get(uuid)
            name = uuid if entity is None else entity.tree.get("name", uuid)
            told.append(f"{name}: {'.'.join(path)}")
        return told


def _take_up(stamp: Stamp, mirror: Mirror) -> Deltas:
    """Has the mirror begin with a scene that was in step when it was saved; what was edited since."""
    document = stamp.document
    came, _ = mirror.identity.scan()
    fresh: Deltas = []
    for kind, datablock, uuid in in_order(came):
        entity = document.get(uuid)
        if entity is not None and entity.kind == kind:
            live: Fields = stamp.live.get(uuid) or entity.tree
            mirror.entries[uuid] = Entry(kind, entity.tree, live)
        else:
            fresh.append(mirror.admit(kind, datablock, uuid))
    known = [uuid for uuid in mirror.entries if uuid in document]
    gone = [[uuid, ["remove"]] for uuid in document if uuid not in mirror.entries and uuid not in stamp.absent]
    return [*fresh, *mirror.collect(known), *gone]
