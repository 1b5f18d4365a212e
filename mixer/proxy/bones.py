"""The skeleton of an armature: its bones, in the form that edit mode shows, and their collections.

Where a bone lies can be read at any time, but written in edit mode only. That is entered in a scene made for the
moment, so that the user's own mode, selection and scene stay as they are.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final

import bpy
import numpy as np
from mathutils import Vector as Arrow

from broadcaster.errors import RemoteProtocolError
from broadcaster.tree import Tree, items, tag

from . import values
from .bone_collections import keys_of, nested, read_collection, write_collections
from .bone_keys import (
    BONES,
    COLLECTIONS,
    PARENT,
    PoseSibling,
    Sibling,
    gone_of,
    known_keys,
    names_here,
    note_gone,
    parents_of,
)
from .context import Busy, Context, Datablock, Struct
from .fields import Fields
from .keying import name_of, recognised, rename, structs_of, unlike_names
from .moment import moment
from .reuse import reuse
from .struct import read_struct, write_struct

ROLL_NOISE_RADIANS: Final = 1e-4  # a roll is read out of a matrix: this much of it is rounding, over long chains too
NOWHERE: Final = ([0.0, 0.0, 0.0], [0.0, 0.0, 1.0])  # head and tail of a bone that is in no place
TURN_RADIANS: Final = 2 * math.pi


@dataclass(frozen=True, slots=True)
class Skeleton:
    """Bones and bone collections, each known by a key, since they name one another.

    While the armature is in edit mode it reads as it was before; to write it raises Busy.
    """

    name: str
    pseudo: bool = True

    # Reading

    def read(self, ctx: Context, struct: Struct, prev: Tree, fields: Fields) -> Tree:
        if struct.is_editmode and prev is not None:
            return prev
        before: Fields = prev if type(prev) is dict else {}
        bones, collections = list(struct.bones), list(nested(struct.collections))
        heads, tails = _corners(struct.bones, "head_local"), _corners(struct.bones, "tail_local")
        old_bones, old_collections = structs_of(before.get(BONES)), structs_of(before.get(COLLECTIONS))
        gone_bones, gone_collections = gone_of(ctx, BONES), gone_of(ctx, COLLECTIONS)
        bone_keys = _bone_keys(ctx, bones, heads, tails, old_bones, gone_bones)
        collection_keys = keys_of(ctx, collections, old_collections, gone_collections)
        note_gone(gone_bones, old_bones, bone_keys)
        note_gone(gone_collections, old_collections, collection_keys)
        ctx.handles()[BONES] = {bone.name: key for key, bone in zip(bone_keys, bones, strict=True)}
        ctx.handles()[COLLECTIONS] = {one.name: key for key, one in zip(collection_keys, collections, strict=True)}
        found = {
            key: _read_bone(ctx, bone, head, tail, old_bones.get(key))
            for key, bone, head, tail in zip(bone_keys, bones, heads, tails, strict=True)
        }
        # Blender orders bones by their parents: no order of anybody's making, so nothing is said to move.
        of = {key: found[key] for key in old_bones if key in found} | found
        tree = {
            BONES: reuse(before.get(BONES), items(of)),
            COLLECTIONS: reuse(
                before.get(COLLECTIONS),
                items(
                    {
                        key: read_collection(ctx, one, old_collections.get(key))
                        for key, one in zip(collection_keys, collections, strict=True)
                    }
                ),
            ),
        }
        return reuse(prev, tree)

    # Writing

    def write(self, ctx: Context, struct: Struct, live: Tree, new: Tree, fields: Fields) -> None:
        if struct.is_editmode:
            raise Busy("the armature is in edit mode")
        if tag(new) != "":
            raise RemoteProtocolError("malformed skeleton")
        before = live if live is not None else self.read(ctx, struct, None, fields)
        for handle, write in ((BONES, _write_bones), (COLLECTIONS, write_collections)):
            here, wanted = structs_of(before[handle]), structs_of(new.get(handle))
            write(ctx, struct, here, wanted)
            note_gone(gone_of(ctx, handle), here, wanted)


PROXIES: Final[Mapping[str, Any]] = {"skeleton": Skeleton, "custom_shape_transform": PoseSibling}


def proxy(name: str) -> Skeleton | Sibling | PoseSibling:
    """The proxy of a property of armatures, bones, bone collections and pose bones."""
    made: Skeleton | Sibling | PoseSibling = PROXIES.get(name, Sibling)(name)
    return made


# Reading --------------------------------------------------------------------------------------------------------------


def _corners(bones: Any, name: str) -> list[Tree]:
    """[[x, y, z]], with None where Blender's operators made what is no number."""
    found = np.empty((len(bones), 3), np.float32)
    bones.foreach_get(name, found.ravel())
    corners: list[Tree] = found.astype(np.float64).tolist()
    finite = np.isfinite(found).all(axis=1)
    return corners if finite.all() else [corner if at else None for corner, at in zip(corners, finite, strict=True)]


def _bone_keys(
    ctx: Context,
    bones: list[Struct],
    heads: list[list[float]],
    tails: list[list[float]],
    before: dict[str, Fields],
    gone: dict[str, str],
) -> list[str]:
    """By name, what was renamed by where it lies, what is back by its name, what was moved by its place in the list."""
    order = {key: place for place, key in enumerate(before)}
    ways = (
        (lambda i: bones[i].name, names_here(ctx, BONES).get),  # the document may have two of one name
        (lambda i: bones[i].name, lambda key: key in before and name_of(before[key])),
        (
            lambda i: str((heads[i], tails[i])),
            lambda key: key in before and str((before[key].get("head"), before[key].get("tail"))),
        ),
        (lambda i: bones[i].name, gone.get),
        (lambda i: i, order.get),
    )
    return recognised(len(bones), known_keys(before, gone), ways)


def _read_bone(ctx: Context, bone: Struct, head: Tree, tail: Tree, prev: Fields | None) -> Fields:
    before = prev or {}
    tree = {
        **read_struct(ctx, bone, prev),
        "head": before.get("head", NOWHERE[0]) if head is None else head,  # others could not place it
        "tail": before.get("tail", NOWHERE[1]) if tail is None else tail,
        "roll": _read_roll(bone, prev),
        "parent": PARENT.read(ctx, bone, None, {}),
        "use_connect": bone.use_connect and bone.parent is not None,
    }
    return reuse(prev, tree)  # type: ignore[no-any-return]


def _read_roll(bone: Struct, prev: Fields | None) -> float:
    """The roll of edit mode, out of the matrix; the one known before where it differs by rounding or whole turns."""
    axis = bone.tail_local - bone.head_local
    roll: float = bone.AxisRollFromMatrix(bone.matrix_local.to_3x3(), axis=axis)[1]
    old = prev.get("roll") if prev else None
    if not math.isfinite(roll):
        return old if type(old) is float else 0.0
    return old if type(old) is float and _same_roll(roll, old) else roll


def _same_roll(one: float, two: float) -> bool:
    return abs(math.remainder(one - two, TURN_RADIANS)) < ROLL_NOISE_RADIANS


# Writing --------------------------------------------------------------------------------------------------------------


@contextmanager
def edit_mode(armature: Datablock) -> Iterator[Any]:
    """The edit bones of `armature`. Nothing of what the user sees or is in the middle of changes."""
    mirrored = armature.use_mirror_x
    with moment(armature):
        armature.use_mirror_x = False  # or the other side would follow
        bpy.ops.object.mode_set(mode="EDIT")
        try:
            yield armature.edit_bones
        finally:
            bpy.ops.object.mode_set(mode="OBJECT")
            armature.use_mirror_x = mirrored


def _write_bones(ctx: Context, armature: Struct, before: dict[str, Fields], after: dict[str, Fields]) -> None:
    names = {key: name_of(tree) for key, tree in before.items()}
    wanted = unlike_names({key: name_of(tree) for key, tree in after.items()})
    parents = parents_of(after)
    moved = [key for key, tree in after.items() if not _lies_alike(before.get(key), tree, parents[key])]
    edited = bool(moved) or not before.keys() <= after.keys()
    if edited:
        with edit_mode(armature) as edit_bones:
            here = {key: edit_bones[name] for key, name in names.items()}
            for key in [key for key in here if key not in after]:
                edit_bones.remove(here.pop(key))
            rename(here, wanted)
            here |= {key: edit_bones.new(wanted[key]) for key in moved if key not in here}
            _place(here, moved, after, parents)
            names = {key: bone.name for key, bone in here.items()}
    elif any(names[key] != name for key, name in wanted.items()):
        here = {key: armature.bones[name] for key, name in names.items()}
        rename(here, wanted)
        names = {key: bone.name for key, bone in here.items()}
    ctx.handles()[BONES] = {name: key for key, name in names.items()}
    for key, tree in after.items():
        if before.get(key) is tree and not edited:
            continue
        bone = armature.bones.get(names[key])
        if bone is None:
            ctx.refuse(armature, BONES, f"{names[key]!r} has no length")
        else:  # read anew: connecting bones changes their radii
            named = {**tree, "name": values.encode(names[key])}
            write_struct(ctx, bone, read_struct(ctx, bone, tree) if edited else before[key], named)


def _lies_alike(one: Fields | None, two: Fields, parent: str | None) -> bool:
    """Whether edit mode need not be entered to make `two` of `one`."""
    if one is None or one["parent"] != parent:
        return False
    if one is two:
        return True
    if one["use_connect"] != _is_connected(two, parent):
        return False
    ends_alike: bool = all(_arrow(one[end]) == _arrow(two.get(end)) for end in ("head", "tail"))
    return ends_alike and _same_roll(one["roll"], _number(two.get("roll")))


def _is_connected(tree: Fields, parent: str | None) -> bool:
    return parent is not None and tree.get("use_connect") is True


def _number(tree: Tree) -> float:
    if type(tree) in (int, float) and math.isfinite(tree):
        return float(tree)
    raise RemoteProtocolError(f"{str(tree)[:40]!r} is no place of a bone")


def _arrow(tree: Tree) -> Arrow:
    if type(tree) is list and len(tree) == 3:
        return Arrow([_number(number) for number in tree])
    raise RemoteProtocolError(f"{str(tree)[:40]!r} is no place of a bone")


def _place(here: dict[str, Any], moved: list[str], after: dict[str, Fields], parents: dict[str, str | None]) -> None:
    """Puts edit bones in their places. A connected bone drags others along, so they are connected last."""
    loose = {*moved, *(key for key, parent in parents.items() if parent in moved)}
    for key in loose:
        here[key].use_connect = False
    for key in moved:
        bone, tree = here[key], after[key]
        bone.parent = None
        bone.head, bone.tail, bone.roll = _arrow(tree.get("head")), _arrow(tree.get("tail")), _number(tree.get("roll"))
    for key in moved:
        if (parent := parents[key]) is not None:
            here[key].parent = here[parent]
    for key in after:
        if key in loose and _is_connected(after[key], parents[key]):
            here[key].use_connect = True
