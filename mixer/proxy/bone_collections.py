"""Collections of bones: nested, in an order, with members from all over the armature."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from broadcaster.errors import RemoteProtocolError
from broadcaster.tree import Tree, link_set, tag

from . import values
from .bone_keys import BONES, COLLECTIONS, PARENT, known_keys, names_here, parents_of
from .context import Context, Struct
from .fields import WRITE_ERRORS, Fields
from .keying import name_of, recognised, rename, unlike_names
from .reuse import reuse
from .struct import read_struct, write_struct


def nested(collections: Iterable[Struct]) -> Iterator[Struct]:
    """Collections and what is in them, depth first."""
    for one in collections:
        yield one
        yield from nested(one.children)


def keys_of(ctx: Context, collections: list[Struct], before: dict[str, Fields], gone: dict[str, str]) -> list[str]:
    """By name, what is back by its name, what was renamed by its place among all."""
    order = {key: place for place, key in enumerate(before)}
    ways = (
        (lambda i: collections[i].name, names_here(ctx, COLLECTIONS).get),
        (lambda i: collections[i].name, lambda key: key in before and name_of(before[key])),
        (lambda i: collections[i].name, gone.get),
        (lambda i: i, order.get),
    )
    return recognised(len(collections), known_keys(before, gone), ways)


def read_collection(ctx: Context, one: Struct, prev: Fields | None) -> Fields:
    known = ctx.handles()[BONES]
    tree = {
        **read_struct(ctx, one, prev),
        "parent": PARENT.read(ctx, one, None, {}),
        "bones": link_set({known[bone.name] for bone in one.bones if bone.name in known}),
    }
    return reuse(prev, tree)  # type: ignore[no-any-return]


def write_collections(ctx: Context, armature: Struct, before: dict[str, Fields], after: dict[str, Fields]) -> None:
    collections = armature.collections
    standing = {one.name: one for one in armature.collections_all}
    here = {key: standing[name] for name, key in ctx.handles()[COLLECTIONS].items()}
    wanted = unlike_names({key: name_of(tree) for key, tree in after.items()})
    for key in [key for key in here if key not in after]:
        collections.remove(here.pop(key))
    rename(here, wanted)
    here |= {key: collections.new(wanted[key]) for key in after if key not in here}
    ctx.handles()[COLLECTIONS] = {one.name: key for key, one in here.items()}
    _nest(here, parents_of(after))
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
