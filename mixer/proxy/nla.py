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
from .keying import name_of, structs_of
from .struct import WRITE_ERRORS, Fields, read_struct, resolve, write_struct

STRIPS: Final = Items(new="new", kind="type")


@dataclass(frozen=True, slots=True)
class StripsProxy:
    """A keyed collection of strips. Those that show no action (transitions, sounds, meta strips) cannot be made."""

    name: str
    pseudo: bool = False

    def read(self, ctx: Context, struct: Struct, prev: Tree, fields: Fields) -> Tree:
        return ItemsProxy(self.name, STRIPS).read(ctx, struct, prev, fields)

    def write(self, ctx: Context, struct: Struct, live: Tree, new: Tree, fields: Fields) -> None:
        strips = getattr(struct, self.name)
        before, after = structs_of(live), structs_of(new)
        here = dict(zip(before, strips, strict=True))
        for key in [key for key in here if key not in after]:
            strips.remove(here.pop(key))
        made = _fill(ctx, strips, here, after)
        if made is None:  # no room, or another order: those that follow in time step aside, for they cannot be moved
            for key in _tail(list(here), list(after)):
                strips.remove(here.pop(key))
            before = {key: tree for key, tree in before.items() if key in here}
            made = _append(ctx, strips, here, after)
        for key, tree in after.items():
            if key in here and (old := made.get(key) or before[key]) is not tree:
                write_struct(ctx, here[key], old, tree)


def _fill(ctx: Context, strips: Any, here: dict[str, Struct], after: dict[str, Fields]) -> dict[str, Fields] | None:
    """Makes what is missing where it belongs; None if Blender has no room, or is not in order."""
    made: dict[str, Fields] = {}
    if list(here) != [key for key in after if key in here]:
        return None
    for key, tree in after.items():
        if key not in here:
            try:
                here[key] = _new(ctx, strips, tree, int(values.decode(tree.get("frame_start_raw", 0))))
            except WRITE_ERRORS:
                return None
            made[key] = read_struct(ctx, here[key], tree)
    return made if [strip.as_pointer() for strip in strips] == [here[key].as_pointer() for key in after] else None


def _tail(order: list[str], wanted: list[str]) -> list[str]:
    """All from the first that does not stand where it is wanted."""
    same = 0
    while same < min(len(order), len(wanted)) and order[same] == wanted[same]:
        same += 1
    return order[same:]


def _append(ctx: Context, strips: Any, here: dict[str, Struct], after: dict[str, Fields]) -> dict[str, Fields]:
    """Makes what is missing one after the other, behind all others; writing then puts each where it belongs."""
    made: dict[str, Fields] = {}
    for key, tree in after.items():
        if key not in here:
            end = max((int(strip.frame_end_raw) + 1 for strip in strips), default=0)
            try:
                here[key] = _new(ctx, strips, tree, end)
            except WRITE_ERRORS as exc:
                ctx.refuse(strips, "new", exc)
                continue
            made[key] = read_struct(ctx, here[key], tree)
    return made


def _new(ctx: Context, strips: Any, tree: Fields, start: int) -> Struct:
    action = resolve(ctx, tree.get("action"))
    if not isinstance(action, bpy.types.Action):
        raise ValueError("only strips of an action can be made")
    return strips.new(name_of(tree), start, action)
