"""What Blender changes along with what is written, though nothing names it there."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

import bpy

from broadcaster.document import Deltas, Document
from broadcaster.tree import Tree, names_one_of, tag

from . import interface, poses
from .context import Context
from .entries import Entry
from .identity import Identity
from .keying import structs_of
from .moment import evaluate_elsewhere
from .untold import untold_inputs, untold_measures, untold_names, untold_parts

MOVED_ALONG: Final = {  # kind -> another that changes with some of its fields
    "collections": ("scenes", ("children",)),  # which have a layer collection for each
    # Of a family, which Blender makes alike whenever one of them changes.
    "metaballs": ("metaballs", ("resolution", "render_resolution", "threshold", "update_method", "elements")),
}
FAMILIES: Final = {"metaballs"}  # who writes one of these again changes the others back
OF_USERS: Final = ("materials", "skeleton")  # what is written of these, users get slots and pose bones for

UNTOLD: Final = (untold_inputs, untold_measures, untold_names, untold_parts)


class Along:
    """Tells what follows from what is about to be written."""

    def __init__(self, identity: Identity, entries: dict[str, Entry], ctx: Context) -> None:
        self._identity = identity
        self._entries = entries
        self._ctx = ctx

    def followers(self, uuid: str, shown: Document) -> Iterable[str]:
        """Whose sockets, slots or pose bones Blender makes and removes as it writes this one."""
        entity, entry = shown.get(uuid), self._entries[uuid]
        if entity is None or (datablock := self._identity.find(uuid)) is None:
            return []
        along = self.moved(uuid, shown)
        if entry.kind == "node_groups" and entry.live.get(interface.INTERFACE) != entity.tree.get(interface.INTERFACE):
            return interface.users_of(self._ctx, datablock)
        moved = any(entry.live.get(name) != entity.tree.get(name) for name in OF_USERS)
        moved = moved or _slots(entry.live) != _slots(entity.tree)  # of an action: who uses one that goes has none
        return [*along, *self.users_of([uuid])] if moved else along

    def has_pose(self, uuid: str) -> bool:
        """Whether this is an object with a pose here."""
        entry = self._entries.get(uuid)
        return entry is not None and entry.live.get(poses.POSE) is not None

    def lacks_pose(self, uuid: str) -> bool:
        """Whether an object has another pose than it should: Blender makes its bones as it evaluates."""
        entry = self._entries.get(uuid)
        return entry is not None and entry.kind == "objects" and entry.live.get(poses.POSE) != entry.doc.get(poses.POSE)

    def untold(self, uuid: str) -> Deltas:
        """Tells of what Blender made here and nobody has told of: poses, inputs, parts, measures, names of bones."""
        entry, told = self._entries[uuid], None
        if type(entry.doc) is not dict or entry.doc is entry.live:
            return []
        if entry.kind == "armatures":
            told = poses.renamed(entry.live.get(poses.SKELETON), entry.doc.get(poses.SKELETON))
        elif self.has_pose(uuid) and (armature := self._entries.get(poses.armature_of(entry.live))) is not None:
            told = poses.untold(entry.live, entry.doc, armature.live, armature.doc)
        told = told or next((found for ask in UNTOLD if (found := ask(entry.live, entry.doc)) is not None), None)
        return [] if told is None else [[uuid, told]]

    def evaluate(self, uuids: Iterable[str]) -> None:
        """Has Blender work out what follows from what was written; the poses of these also where nothing shows them."""
        evaluate()
        known = [uuid for uuid in uuids if uuid in self._entries and self._entries[uuid].kind == "objects"]
        things = [thing for uuid in known if (thing := self._identity.find(uuid)) is not None]
        if behind := [thing for thing in things if poses.is_behind(thing)]:
            evaluate_elsewhere(behind)

    def moved(self, uuid: str, shown: Document) -> list[str]:
        """What Blender changes along with this one, though it names it not."""
        entity, entry = shown.get(uuid), self._entries[uuid]
        kind, names = MOVED_ALONG.get(entry.kind, ("", ()))
        if entity is None or all(entry.live.get(name) == entity.tree.get(name) for name in names):
            return []
        return [other for other, one in self._entries.items() if one.kind == kind]

    def missed(self, created: list[str]) -> list[str]:
        """Who names one of these in the document and could not do so here before they were made."""
        new = set(created)
        rest = ((uuid, entry) for uuid, entry in self._entries.items() if entry.live is not entry.doc)
        return [uuid for uuid, entry in rest if uuid not in new and names_one_of(entry.doc, new)]

    def users_of(self, uuids: list[str]) -> set[str]:
        """Who names one of these: Blender drops such names along with what they name."""
        named = {datablock for uuid in uuids if (datablock := self._identity.find(uuid)) is not None}
        users = set().union(*bpy.data.user_map(subset=named).values()) if named else set()
        return {uuid for user in users if (uuid := self._identity.uuid_of(user)) is not None}.difference(uuids)


def _slots(tree: Tree) -> set[str]:
    """The keys of an action's slots; none of any other datablock."""
    action = tree.get("action")
    return set(structs_of(action.get("slots"))) if tag(action) == "" else set()


def evaluate() -> None:
    """Has Blender work out what follows from what was written; handlers are called."""
    if bpy.context.view_layer is not None:
        bpy.context.view_layer.update()
