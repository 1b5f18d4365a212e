"""Which datablock bears which uuid: through rename, undo, save and load, and when a copy copies its uuid too."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import bpy
import numpy as np

from broadcaster.tree import new_uuid

from ..rules import KINDS
from .context import Datablock

PROPERTY: Final = "mixer_uuid"
OF_SCENES: Final = ("mixer_room", "mixer_held")  # where the file was saved, and what the room held then: see `carry`
MANY: Final = 8
RECLASSED: Final = (
    "lights",
    "textures",
    "curves",
)  # their Python class follows their type once nobody holds a reference
NEVER: Final = {kind.name: kind.never for kind in KINDS}
EMBEDDED_IN: Final = ("materials", "worlds", "lights", "scenes", "textures", "linestyles")  # they own node trees


def register() -> None:
    """Every datablock gets a property for its uuid, and scenes those for the room, saved with the file."""
    uuid: object = bpy.props.StringProperty(options={"HIDDEN"})  # type: ignore[func-returns-value]
    setattr(bpy.types.ID, PROPERTY, uuid)
    for name in OF_SCENES:
        text: object = bpy.props.StringProperty(options={"HIDDEN"})  # type: ignore[func-returns-value]
        setattr(bpy.types.Scene, name, text)


def unregister() -> None:
    if hasattr(bpy.types.ID, PROPERTY):
        delattr(bpy.types.ID, PROPERTY)
    for name in OF_SCENES:
        if hasattr(bpy.types.Scene, name):
            delattr(bpy.types.Scene, name)


def carry(room: str, held: str) -> None:
    """Has this file carry what it takes to go back to a room. Other scenes' are void."""
    for place, scene in enumerate(bpy.data.scenes):
        for name, text in zip(OF_SCENES, (room, held) if place == 0 else ("", ""), strict=True):
            if getattr(scene, name) != text:
                setattr(scene, name, text)


def carried() -> tuple[str, str]:
    """What this file carries; empty if nothing."""
    for scene in bpy.data.scenes:
        if room := getattr(scene, OF_SCENES[0]):
            return room, getattr(scene, OF_SCENES[1])
    return "", ""


class Identity:
    """The datablocks of mirrored kinds by uuid and by `ID.session_uid`.

    References are held between two calls of `forget` only: undo, redo and load make them invalid.
    """

    def __init__(self) -> None:
        self._uuids: dict[int, str] = {}  # session_uid -> uuid
        self._uids: dict[str, int] = {}  # uuid -> session_uid
        self._known: dict[str, set[int]] = {kind.name: set() for kind in KINDS}
        self._former: dict[int, str] = {}  # session_uid -> the uuid it had; undo and redo bring it back, maybe without
        self._references: dict[int, Datablock] = {}
        self._trees: dict[int, int] = {}  # pointer of an embedded node tree -> session_uid of its owner, as it was once

    def forget(self) -> None:
        """Drops all references; the uuids stay."""
        self._references.clear()

    def clear(self) -> None:
        """Knows no datablock any more."""
        self._uuids.clear()
        self._uids.clear()
        self._former.clear()
        self._references.clear()
        self._trees.clear()
        for known in self._known.values():
            known.clear()

    def uuid_of(self, datablock: Datablock) -> str | None:
        """The uuid of a mirrored datablock; for one embedded in another, or shape keys, the owner's."""
        uuid = self._uuids.get(datablock.session_uid) if isinstance(datablock, bpy.types.ID) else None
        if uuid is None and isinstance(datablock, bpy.types.Key):
            return self.uuid_of(datablock.user)
        if uuid is None and isinstance(datablock, bpy.types.NodeTree) and datablock.is_embedded_data:
            return self._owner_of(datablock)
        return uuid

    def _owner_of(self, tree: Datablock) -> str | None:
        """The uuid of the datablock that an embedded node tree is part of."""
        pointer = tree.as_pointer()
        for again in (False, True):
            if again:  # all at once: there may be as many trees to ask about as there are materials
                self._trees = dict(_embedded_trees())
            owner = self.find(self._uuids.get(self._trees.get(pointer, 0), ""))
            if owner is not None and owner.node_tree == tree:
                return self.uuid_of(owner)
        return None

    def uuid_of_uid(self, uid: int) -> str | None:
        return self._uuids.get(uid)

    def find(self, uuid: str) -> Datablock | None:
        uid = self._uids.get(uuid)
        if uid is None:
            return None
        if (found := self._references.get(uid)) is not None:
            if _is_alive(found):
                return found
            self._references.clear()  # removed here, which the next scan finds
        else:
            for kind in RECLASSED:
                for datablock in getattr(bpy.data, kind):
                    if datablock.session_uid == uid:
                        return datablock
        self._refresh()
        return self._references.get(uid)

    def _refresh(self) -> None:
        for kind in _kinds_here():
            if kind not in RECLASSED:
                for datablock in getattr(bpy.data, kind):
                    self._references[datablock.session_uid] = datablock

    def adopt(self, datablock: Datablock, kind: str, uuid: str) -> None:
        """`datablock` is `uuid` from now on."""
        uid = datablock.session_uid
        if getattr(datablock, PROPERTY) != uuid:
            setattr(datablock, PROPERTY, uuid)
        if (old := self._uids.get(uuid)) is not None and old != uid:
            self._uuids.pop(old, None)
        self._uuids[uid] = uuid
        self._uids[uuid] = uid
        self._known[kind].add(uid)
        if kind not in RECLASSED:
            self._references[uid] = datablock

    def drop(self, uuid: str, kind: str) -> None:
        """`uuid` is gone from this Blender."""
        if (uid := self._uids.pop(uuid, None)) is not None:
            self._uuids.pop(uid, None)
            self._former[uid] = uuid
            self._known[kind].discard(uid)
            self._references.pop(uid, None)

    def stamp(self) -> None:
        """Gives every datablock its uuid again: undo may lead back to before it had one, and files are to have it."""
        for kind in _kinds_here():
            for datablock in getattr(bpy.data, kind):
                uuid = self._uuids.get(datablock.session_uid)
                if uuid is not None and getattr(datablock, PROPERTY) != uuid:
                    setattr(datablock, PROPERTY, uuid)

    def scan(self) -> tuple[list[tuple[str, Datablock, str]], list[tuple[str, str]]]:
        """What came and what went since the last scan: [(kind, datablock, uuid)], [(kind, uuid)].

        Costs 0.1 ms for each 1,000 datablocks. A new datablock keeps the uuid it brings, unless
        another one bears it: then it is a copy and gets its own.
        """
        came: list[tuple[str, Datablock, str]] = []
        went: list[tuple[str, str]] = []
        for kind in _kinds_here():
            collection = getattr(bpy.data, kind)
            uids = np.empty(len(collection), np.int32)
            collection.foreach_get("session_uid", uids)
            present = uids.tolist()
            known = self._known[kind]
            gone = known.difference(present)
            fresh = [place for place, uid in enumerate(present) if uid not in known]
            for uid in gone:
                uuid = self._uuids[uid]
                self.drop(uuid, kind)
                went.append((kind, uuid))
            everything = list(collection) if len(fresh) > MANY else collection  # finding one by place takes a walk
            for place in fresh:
                datablock = everything[place]
                uuid = self._former.get(present[place]) or getattr(datablock, PROPERTY)
                if not uuid or uuid in self._uids:
                    uuid = new_uuid()
                if is_mirrored(kind, datablock):
                    self.adopt(datablock, kind, uuid)
                    came.append((kind, datablock, uuid))
        # An undo brings a datablock back under the uuid it had: then it never went.
        back = {uuid for _, _, uuid in came}
        return came, [(kind, uuid) for kind, uuid in went if uuid not in back]


def _is_alive(datablock: Datablock) -> bool:
    """Whether nobody has removed it since we took the reference."""
    try:
        return bool(datablock.session_uid)
    except ReferenceError:
        return False


def _embedded_trees() -> Iterator[tuple[int, int]]:
    """(pointer, session_uid of the owner) of the node trees that are part of other datablocks."""
    for kind in EMBEDDED_IN:
        for owner in getattr(bpy.data, kind):
            if (tree := getattr(owner, "node_tree", None)) is not None:
                yield tree.as_pointer(), owner.session_uid


def is_mirrored(kind: str, datablock: Datablock) -> bool:
    """Whether a datablock of a mirrored kind is of the scene, and not a by-product of Blender."""
    return not any(getattr(datablock, name) in never.split() for name, never in NEVER[kind].items())


def _kinds_here() -> Iterator[str]:
    return (kind.name for kind in KINDS if hasattr(bpy.data, kind.name))
