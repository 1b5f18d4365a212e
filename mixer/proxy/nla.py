"""The strips of an NLA track. Blender keeps them in the order of time, and takes a new one only where there is room."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import bpy

from broadcaster.tree import Tree

from ..rules.rule import Items
from . import values
from .collection import ItemsProxy
from .context import Context, Struct
from .fields import WRITE_ERRORS, Fields, resolve
from .keying import name_of, structs_of
from .moment import MOMENT
from .struct import read_struct, write_struct

STRIPS: Final = Items(new="new", kind="type")
CLIP: Final = "CLIP"  # the type of those that show an action


@dataclass(frozen=True, slots=True)
class StripsProxy:
    """A keyed collection of strips. Those that show no action (transitions, sounds, meta strips) cannot be made."""

    name: str
    pseudo: bool = False

    def read(self, ctx: Context, struct: Struct, prev: Tree, fields: Fields) -> Tree:
        return ItemsProxy(self.name, STRIPS).read(ctx, struct, prev, fields)

    def write(self, ctx: Context, struct: Struct, live: Tree, new: Tree, fields: Fields) -> None:
        strips = getattr(struct, self.name)
        stand, after = structs_of(live), structs_of(new)
        here = dict(zip(stand, strips, strict=True))
        for key in [key for key in here if key not in after]:
            strips.remove(here.pop(key))
        if not _fill(ctx, strips, here, stand, after):
            _make_room(strips, here, list(after))
            _append(ctx, strips, here, stand, after)
        for key, tree in after.items():
            if key in here and stand[key] is not tree:
                write_struct(ctx, here[key], stand[key], tree)


def _fill(
    ctx: Context, strips: Any, here: dict[str, Struct], stand: dict[str, Fields], after: dict[str, Fields]
) -> bool:
    """Makes what is missing where it belongs; False if Blender has no room, or the strips are then not in order."""
    for key, tree in after.items():
        if key not in here:
            try:
                here[key] = _new(ctx, strips, tree, int(values.decode(tree.get("frame_start_raw", 0))))
            except WRITE_ERRORS:
                return False
            stand[key] = read_struct(ctx, here[key], tree)
    return _order(strips, here) == list(after)


def _order(strips: Any, here: dict[str, Struct]) -> list[str]:
    keys = {strip.as_pointer(): key for key, strip in here.items()}
    return [keys[strip.as_pointer()] for strip in strips]


def _make_room(strips: Any, here: dict[str, Struct], wanted: list[str]) -> None:
    """Removes all from the first strip that is out of order: they are made anew, for they cannot be moved."""
    order = _order(strips, here)
    same = 0
    while same < min(len(order), len(wanted)) and order[same] == wanted[same]:
        same += 1
    for key in order[same:]:
        strips.remove(here.pop(key))


def _append(
    ctx: Context, strips: Any, here: dict[str, Struct], stand: dict[str, Fields], after: dict[str, Fields]
) -> None:
    """Makes what is missing one after the other, behind all others; writing then puts each where it belongs."""
    for key, tree in after.items():
        if key not in here:
            end = max((int(strip.frame_end_raw) + 1 for strip in strips), default=0)
            try:
                here[key] = _new(ctx, strips, tree, end)
            except WRITE_ERRORS as exc:
                ctx.refuse(strips, "new", exc)
                continue
            stand[key] = read_struct(ctx, here[key], tree)


def _new(ctx: Context, strips: Any, tree: Fields, start: int) -> Struct:
    if tree.get("type") != CLIP:
        raise ValueError("only strips of an action can be made")
    action = resolve(ctx, tree.get("action"))
    if isinstance(action, bpy.types.Action):
        return strips.new(name_of(tree), start, action)
    passing = bpy.data.actions.new(MOMENT)  # the strip's own is gone
    try:
        return strips.new(name_of(tree), start, passing)
    finally:
        bpy.data.actions.remove(passing)
