"""Poses: Blender makes and drops the bones of a pose along with those of the armature, each peer in its own time.

So a pose may be here before the document has it, or still be here when the document has dropped it.
"""

from __future__ import annotations

from typing import Final

import bpy

from broadcaster.tree import Delta, Tree, diff, tag

from .bone_keys import BONES, COLLECTIONS
from .context import Datablock
from .fields import Fields
from .keying import names_to_tell, structs_of

POSE: Final = "pose"  # field of an object
SKELETON: Final = "skeleton"  # field of an armature


def renamed(live: Tree, doc: Tree) -> Delta | None:
    """Tells the names of bones and collections of bones here, where two have the same in the document."""
    changes: dict[str, Delta] = {}
    for part in (BONES, COLLECTIONS) if live is not doc else ():
        if others := names_to_tell(_parts(live, part), _parts(doc, part)):
            changes[part] = ["patch", others]
    return ["patch", {SKELETON: ["patch", changes]}] if changes else None


def _parts(skeleton: Tree, part: str) -> dict[str, Fields]:
    return structs_of(skeleton.get(part) if tag(skeleton) == "" else None)


def is_behind(thing: Datablock) -> bool:
    """Whether an object has another pose than its armature wants: Blender makes it as it evaluates what is shown."""
    if not isinstance(thing.data, bpy.types.Armature):
        return False
    return thing.pose is None or thing.pose.bones.keys() != thing.data.bones.keys()


def armature_of(fields: Fields) -> str:
    """The uuid of an object's data."""
    data: Tree = fields.get("data")
    uuid: Tree = data["to"] if tag(data) == "ref" else None
    return uuid if type(uuid) is str else ""


def come_or_go(change: Delta | None, *, but: str = "") -> bool:
    """Whether bones do in a change of a skeleton or pose, or change what is called `but`."""
    if change is None or change[0] != "patch":
        return change is not None
    bones = change[1].get(BONES)
    if bones is None or bones[0] != "patch":
        return bones is not None
    return any(one[0] != "patch" or but in one[1] for one in bones[1].values())


def told_whole(delta: Delta, live: Fields, doc: Tree) -> Delta | None:
    """A delta of an object, as the document can take it: what it lacks of a pose goes whole, and goes not twice."""
    change = delta[1].get(POSE) if delta[0] == "patch" else None
    if change is None or change[0] != "patch" or doc is None:
        return delta
    known, here = _bones(doc), _bones(live)
    if known is None or here is None:
        return _with(delta, POSE, ["put", live[POSE]])
    bones = change[1].get(BONES)
    if bones is None or bones[0] != "patch":
        return delta
    told = {name: _told(name, one, here, known["of"]) for name, one in bones[1].items()}
    if told == bones[1]:
        return delta
    told = {name: one for name, one in told.items() if one is not None}
    return _with(delta, POSE, _with(change, BONES, ["patch", told] if told else None))


def untold(live: Fields, doc: Tree, armature: Fields, armature_doc: Tree) -> Delta | None:
    """What is to be told of a pose that Blender made here and nobody has told of, but for bones that are to go."""
    here, known = _bones(live), _bones(doc)
    if here is None or here is known:
        return None
    lacking = [name for name in here["order"] if known is None or name not in known["of"]]
    if not lacking or type(armature_doc) is not dict:
        return None
    staying = _parts(armature_doc.get(SKELETON), BONES)
    bones = _parts(armature.get(SKELETON), BONES)
    wanted = {bone["name"] for key, bone in bones.items() if key in staying and type(bone["name"]) is str}
    if wanted.isdisjoint(lacking):
        return None
    if known is None:
        return ["patch", {POSE: ["put", live[POSE]]}]
    missing = {name: _insert(here, name) for name in lacking if name in wanted}
    return ["patch", {POSE: ["patch", {BONES: ["patch", missing]}]}]


def _bones(tree: Tree) -> Tree:
    """The bones of an object's pose; None if it has no pose."""
    pose: Tree = tree.get(POSE) if tag(tree) == "" else None
    bones: Tree = pose.get(BONES) if tag(pose) == "" else None
    return bones if tag(bones) == "items" else None


def _told(name: str, change: Delta, here: Tree, known: dict[str, Tree]) -> Delta | None:
    """The change of one bone's pose."""
    if name not in known:
        return None if change[0] == "remove" else _insert(here, name)
    return diff(known[name], here["of"][name]) if change[0] == "insert" else change


def _insert(bones: Tree, name: str) -> Delta:
    place = bones["order"].index(name)
    return ["insert", bones["order"][place - 1] if place else None, bones["of"][name]]


def _with(delta: Delta | None, name: str, change: Delta | None) -> Delta | None:
    """A patch with another change, or none, in one place; None if nothing is left of it."""
    assert delta is not None
    changes = {**delta[1], name: change}
    kept = {one: inner for one, inner in changes.items() if inner is not None}
    return ["patch", kept] if kept else None
