"""The skeleton of an armature: its bones, in the form that edit mode shows, and their collections.

Where a bone lies can be read at any time, but written in edit mode only. That is entered in a scene made for the
moment, so that the user's own mode, selection and scene stay as they are.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final

import bpy
import numpy as np
from mathutils import Vector as Arrow

from broadcaster.errors import RemoteProtocolError
from broadcaster.tree import Tree, items, link_set, tag

from . import values
from .context import Busy, Context, Datablock, Struct
from .fields import WRITE_ERRORS, Fields
from .keying import acyclic, name_of, recognised, rename, structs_of, unlike_names
from .moment import moment
from .struct import read_struct, write_struct

ROLL_NOISE_RADIANS: Final = 1e-4  # a roll is read out of a matrix: this much of it is rounding, over long chains too
NOWHERE: Final = ([0.0, 0.0, 0.0], [0.0, 0.0, 1.0])  # head and tail of a bone that is in no place
TURN_RADIANS: Final = 2 * math.pi
BONES: Final = "bones"  # handle: name -> key
COLLECTIONS: Final = "collections"  # handle: name -> key
GONE: Final = "gone "  # handle, of bones or collections: key -> name, of those that an undo may bring back
HANDLES: Final = {"Bone": BONES, "BoneCollection": COLLECTIONS}


@dataclass(frozen=True, slots=True)
class Sibling:
    """A pointer to another bone of the armature, or another collection of bones, by its key."""

    name: str
    pseudo: bool = False

    def read(self, ctx: Context, struct: Struct, prev: Tree, fields: Fields) -> Tree:
        target = getattr(struct, self.name)
        return None if target is None else ctx.handles()[HANDLES[type(struct).__name__]].get(target.name)

    def write(self, ctx: Context, struct: Struct, live: Tree, new: Tree, fields: Fields) -> None:
        handle = HANDLES[type(struct).__name__]
        name = next((name for name, key in ctx.handles()[handle].items() if key == new), None)
        armature = struct.id_data
        siblings = armature.bones if handle == BONES else armature.collections_all
        setattr(struct, self.name, None if name is None else siblings.get(name))


@dataclass(frozen=True, slots=True)
class PoseSibling:
    """A pointer to another bone of the same pose, by its name."""

    name: str
    pseudo: bool = False

    def read(self, ctx: Context, struct: Struct, prev: Tree, fields: Fields) -> Tree:
        target = getattr(struct, self.name)
        return None if target is None else values.encode(target.name)

    def write(self, ctx: Context, struct: Struct, live: Tree, new: Tree, fields: Fields) -> None:
        bones = struct.id_data.pose.bones
        setattr(struct, self.name, None if new is None else bones.get(values.decode(new)))


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
        bones, collections = list(struct.bones), list(_nested(struct.collections))
        heads, tails = _corners(struct.bones, "head_local"), _corners(struct.bones, "tail_local")
        old_bones, old_collections = structs_of(before.get(BONES)), structs_of(before.get(COLLECTIONS))
        gone_bones, gone_collections = _gone(ctx, BONES), _gone(ctx, COLLECTIONS)
        bone_keys = _bone_keys(ctx, bones, heads, tails, old_bones, gone_bones)
        collection_keys = _collection_keys(ctx, collections, old_collections, gone_collections)
        _note_gone(gone_bones, old_bones, bone_keys)
        _note_gone(gone_collections, old_collections, collection_keys)
        ctx.handles()[BONES] = {bone.name: key for key, bone in zip(bone_keys, bones, strict=True)}
        ctx.handles()[COLLECTIONS] = {one.name: key for key, one in zip(collection_keys, collections, strict=True)}
        found = {
            key: _read_bone(ctx, bone, head, tail, old_bones.get(key))
            for key, bone, head, tail in zip(bone_keys, bones, heads, tails, strict=True)
        }
        # Blender orders bones by their parents: no order of anybody's making, so nothing is said to move.
        of = {key: found[key] for key in old_bones if key in found} | found
        tree = {
            BONES: _same(before.get(BONES), items(of)),
            COLLECTIONS: _same(
                before.get(COLLECTIONS),
                items(
                    {
                        key: _read_collection(ctx, one, old_collections.get(key))
                        for key, one in zip(collection_keys, collections, strict=True)
                    }
                ),
            ),
        }
        return _same(prev, tree)

    # Writing

    def write(self, ctx: Context, struct: Struct, live: Tree, new: Tree, fields: Fields) -> None:
        if struct.is_editmode:
            raise Busy("the armature is in edit mode")
        if tag(new) != "":
            raise RemoteProtocolError("malformed skeleton")
        before = live if live is not None else self.read(ctx, struct, None, fields)
        for handle, write in ((BONES, _write_bones), (COLLECTIONS, _write_collections)):
            here, wanted = structs_of(before[handle]), structs_of(new.get(handle))
            write(ctx, struct, here, wanted)
            _note_gone(_gone(ctx, handle), here, wanted)


PROXIES: Final[Mapping[str, Any]] = {"skeleton": Skeleton, "custom_shape_transform": PoseSibling}


def proxy(name: str) -> Skeleton | Sibling | PoseSibling:
    """The proxy of a property of armatures, bones, bone collections and pose bones."""
    made: Skeleton | Sibling | PoseSibling = PROXIES.get(name, Sibling)(name)
    return made


# Reading --------------------------------------------------------------------------------------------------------------


def _same(prev: Tree, tree: Tree) -> Tree:
    return prev if prev == tree else tree


def _corners(bones: Any, name: str) -> list[Tree]:
    """[[x, y, z]], with None where Blender's operators made what is no number."""
    found = np.empty((len(bones), 3), np.float32)
    bones.foreach_get(name, found.ravel())
    corners: list[Tree] = found.astype(np.float64).tolist()
    finite = np.isfinite(found).all(axis=1)
    return corners if finite.all() else [corner if at else None for corner, at in zip(corners, finite, strict=True)]


def _nested(collections: Iterable[Struct]) -> Iterator[Struct]:
    """Collections and what is in them, depth first."""
    for one in collections:
        yield one
        yield from _nested(one.children)


def _gone(ctx: Context, handle: str) -> dict[str, str]:
    """The names of the bones or collections that were here once, by key: who undoes brings them back, as the same."""
    gone: dict[str, str] = ctx.handles().setdefault(GONE + handle, {})
    return gone


def _note_gone(gone: dict[str, str], before: dict[str, Fields], keys: Iterable[str]) -> None:
    here = set(keys)
    gone.update({key: name_of(tree) for key, tree in before.items() if key not in here})
    for key in here & gone.keys():
        del gone[key]


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
        (lambda i: bones[i].name, _names_here(ctx, BONES).get),  # the document may have two of one name
        (lambda i: bones[i].name, lambda key: key in before and name_of(before[key])),
        (
            lambda i: str((heads[i], tails[i])),
            lambda key: key in before and str((before[key].get("head"), before[key].get("tail"))),
        ),
        (lambda i: bones[i].name, gone.get),
        (lambda i: i, order.get),
    )
    return recognised(len(bones), _known(before, gone), ways)


def _collection_keys(
    ctx: Context, collections: list[Struct], before: dict[str, Fields], gone: dict[str, str]
) -> list[str]:
    """By name, what is back by its name, what was renamed by its place among all."""
    order = {key: place for place, key in enumerate(before)}
    ways = (
        (lambda i: collections[i].name, _names_here(ctx, COLLECTIONS).get),
        (lambda i: collections[i].name, lambda key: key in before and name_of(before[key])),
        (lambda i: collections[i].name, gone.get),
        (lambda i: i, order.get),
    )
    return recognised(len(collections), _known(before, gone), ways)


def _names_here(ctx: Context, handle: str) -> dict[str, str]:
    return {key: name for name, key in ctx.handles().get(handle, {}).items()}


def _known(before: dict[str, Fields], gone: dict[str, str]) -> list[str]:
    return [*before, *(key for key in reversed(gone) if key not in before)]


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
    return _same(prev, tree)  # type: ignore[no-any-return]


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


def _read_collection(ctx: Context, one: Struct, prev: Fields | None) -> Fields:
    known = ctx.handles()[BONES]
    tree = {
        **read_struct(ctx, one, prev),
        "parent": PARENT.read(ctx, one, None, {}),
        "bones": link_set({known[bone.name] for bone in one.bones if bone.name in known}),
    }
    return _same(prev, tree)  # type: ignore[no-any-return]


PARENT: Final = Sibling("parent")


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
    parents = _parents(after)
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


def _parents(after: dict[str, Fields]) -> dict[str, str | None]:
    named = {key: tree.get("parent") for key, tree in after.items()}
    return acyclic({key: parent if type(parent) is str else None for key, parent in named.items()})


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


def _write_collections(ctx: Context, armature: Struct, before: dict[str, Fields], after: dict[str, Fields]) -> None:
    collections = armature.collections
    standing = {one.name: one for one in armature.collections_all}
    here = {key: standing[name] for name, key in ctx.handles()[COLLECTIONS].items()}
    wanted = unlike_names({key: name_of(tree) for key, tree in after.items()})
    for key in [key for key in here if key not in after]:
        collections.remove(here.pop(key))
    rename(here, wanted)
    here |= {key: collections.new(wanted[key]) for key in after if key not in here}
    ctx.handles()[COLLECTIONS] = {one.name: key for key, one in here.items()}
    _nest(here, _parents(after))
    bones = {key: armature.bones.get(name) for name, key in ctx.handles()[BONES].items()}
    for key, tree in after.items():
        named = {**tree, "name": values.encode(here[key].name)}
        write_struct(ctx, here[key], read_struct(ctx, here[key], before.get(key)), named)
        _assign(ctx, here[key], tree.get("bones"), bones)


def _nest(here: dict[str, Any], parents: dict[str, str | None]) -> None:
    """Puts collections below their parents, and those of one parent in the order in which `parents` names them."""
    moved = {key for key, parent in parents.items() if here[key].parent != (here[parent] if parent else None)}
    for key in moved:
        here[key].parent = None
    for key in moved:
        if (parent := parents[key]) is not None:
            here[key].parent = here[parent]
    counts: dict[str | None, int] = {}
    for key, parent in parents.items():
        place = counts[parent] = counts.get(parent, -1) + 1
        if here[key].child_number != place:
            here[key].child_number = place


def _assign(ctx: Context, collection: Struct, members: Tree, bones: dict[str, Any]) -> None:
    if tag(members) != "set":
        raise RemoteProtocolError("malformed bone collection")
    present = {bone.name for bone in collection.bones}
    wanted = {bones[key].name for key in members["of"] if bones.get(key) is not None}
    for bone in bones.values():
        if bone is None or (bone.name in present) == (bone.name in wanted):
            continue
        try:
            (collection.assign if bone.name in wanted else collection.unassign)(bone)
        except WRITE_ERRORS as exc:
            ctx.refuse(collection, BONES, exc)
