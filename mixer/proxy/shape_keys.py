"""The shape keys of a mesh, curve or lattice: a datablock in Blender, a part of its owner in the document."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final, Literal

import bpy

from broadcaster.errors import RemoteProtocolError
from broadcaster.tree import Tree, items, tag

from . import keyblocks
from .arrays import Hashes, header
from .context import Busy, Context, Datablock, Struct
from .fields import Fields
from .keying import name_of, recognised, rename, structs_of
from .moment import moment
from .reuse import reuse
from .struct import read_struct, write_struct

BLOCKS: Final = "key_blocks"
DATA: Final = "data"
RELATIVE: Final = "relative_key"
POINTS: Final = ("vertices", "splines", "points")  # where meshes, curves and lattices have what keys move


@dataclass(frozen=True, slots=True)
class ShapeKeys:
    """The shape keys, each known by a key, and what animates them.

    While the owner is in edit mode their arrays read as they were before; to write them raises Busy.
    """

    name: str
    pseudo: bool = False

    def read(self, ctx: Context, struct: Struct, prev: Tree, fields: Fields) -> Tree:
        shape_keys = getattr(struct, self.name)
        if shape_keys is None:
            return None
        before: Fields = prev if tag(prev) == "" else {}
        blocks, old = list(shape_keys.key_blocks), structs_of(before.get(BLOCKS))
        order = {key: place for place, key in enumerate(old)}
        ways = ((lambda i: blocks[i].name, lambda key: name_of(old[key])), (lambda i: i, order.__getitem__))
        keys = recognised(len(blocks), list(old), ways)
        by_name = {block.name: key for key, block in zip(keys, blocks, strict=True)}
        arrays = ctx.geometry and not struct.is_editmode
        found = items(
            {
                key: _read_block(ctx, block, key, by_name, old.get(key), arrays=arrays)
                for key, block in zip(keys, blocks, strict=True)
            }
        )
        tree = {**read_struct(ctx, shape_keys, before), BLOCKS: reuse(before.get(BLOCKS), found)}
        return reuse(prev, tree)

    def write(self, ctx: Context, struct: Struct, live: Tree, new: Tree, fields: Fields) -> None:
        if struct.is_editmode:
            raise Busy("the owner of the shape keys is in edit mode")
        if new is not None and tag(new) != "":
            raise RemoteProtocolError("malformed shape keys")
        before = structs_of(live[BLOCKS]) if live is not None else {}
        after = structs_of(new.get(BLOCKS)) if new is not None else {}
        has_points = any(len(getattr(struct, points, ())) for points in POINTS)
        if not before and not has_points and any(map(_moves_points, after.values())):
            ctx.refuse(struct, self.name, "there are no points yet")
            return
        names = self._arrange(ctx, struct, before, after)
        shape_keys = getattr(struct, self.name)
        if shape_keys is None:
            return
        for key, tree in after.items():
            block = shape_keys.key_blocks[names[key]]
            old = before.get(key)
            if old is not tree:
                _write_block(ctx, block, names, old, tree)
        known = new if live is not None else {name: tree for name, tree in new.items() if name != "name"}
        write_struct(ctx, shape_keys, read_struct(ctx, shape_keys, known), new)

    def _arrange(self, ctx: Context, struct: Datablock, before: Fields, after: Fields) -> dict[str, str]:
        """Makes blocks what they are to be by number, order and name; what each key's is named here."""
        wanted = {key: name_of(tree) for key, tree in after.items()}
        present = {block.name: block for block in _blocks(struct)}
        here = {key: present[name_of(tree)] for key, tree in before.items()}
        if list(before) == list(after):
            rename(here, wanted)
            return {key: block.name for key, block in here.items()}
        with moment(struct) as thing:
            for key in [key for key in here if key not in after]:
                thing.shape_key_remove(here.pop(key))
            rename(here, wanted)
            names = {key: block.name for key, block in here.items()}
            for key in after:
                if key not in names:
                    names[key] = thing.shape_key_add(name=wanted[key], from_mix=False).name
            _sort(thing, [names[key] for key in after])
            in_order = [block.name for block in _blocks(struct)] == [names[key] for key in after]
        if not in_order:
            ctx.refuse(struct, self.name, "this Blender does not move the first shape key")
        return names


def _blocks(owner: Datablock) -> list[Any]:
    """The blocks, also where there are none."""
    return list(owner.shape_keys.key_blocks) if owner.shape_keys else []


def _moves_points(tree: Fields) -> bool:
    """Whether a block was made for any points: something without has shape keys, too."""
    return tag(tree.get(DATA)) == "array" and header(tree[DATA])[1][0] > 0


def _read_block(
    ctx: Context, block: Struct, key: str, by_name: dict[str, str], prev: Fields | None, *, arrays: bool
) -> Fields:
    tree = {**read_struct(ctx, block, prev), RELATIVE: by_name.get(block.relative_key.name)}
    if prev is not None and DATA in prev and not arrays:
        tree[DATA] = prev[DATA]
    else:
        tree[DATA] = keyblocks.read_data(block, ctx.blobs, ctx.handles().setdefault(f"{DATA}.{key}", Hashes()))
    return reuse(prev, tree)  # type: ignore[no-any-return]


def _write_block(ctx: Context, block: Struct, names: dict[str, str], old: Fields | None, tree: Fields) -> None:
    write_struct(ctx, block, read_struct(ctx, block, tree), tree)
    relative = tree.get(RELATIVE)
    name = names.get(relative) if type(relative) is str else None
    if name is not None and block.relative_key.name != name:
        block.relative_key = block.id_data.key_blocks[name]
    array = tree.get(DATA)
    if tag(array) == "array" and (old is None or old.get(DATA) != array):
        try:
            keyblocks.write_data(block, array, ctx.blobs)
        except RemoteProtocolError as exc:  # made for other points: the geometry comes later, or was overruled
            ctx.refuse(block, DATA, exc)
            keyblocks.write_own(block)  # or each would show what it happened to have


def _sort(thing: Datablock, wanted: list[str]) -> None:
    """Puts the blocks in order, the first of them only where Blender moves it. Drivers and arrays are left alone."""
    for _ in range(2):  # above the first goes only the second
        if wanted and _blocks(thing.data)[0].name != wanted[0]:
            _move(thing, wanted[0], "TOP")
    standing = [block.name for block in _blocks(thing.data)]
    start = next((i for i, pair in enumerate(zip(standing, wanted, strict=True)) if pair[0] != pair[1]), len(wanted))
    for name in wanted[max(start, 1) :]:
        _move(thing, name, "BOTTOM")


def _move(thing: Datablock, name: str, where: Literal["TOP", "BOTTOM"]) -> None:
    thing.active_shape_key_index = thing.data.shape_keys.key_blocks.find(name)
    bpy.ops.object.shape_key_move(type=where)
