"""Objects that become of another type, as a curve that is converted to a mesh."""

from __future__ import annotations

import contextlib

import bpy

from broadcaster.tree import Tree

from .context import Context, Datablock
from .fields import WRITE_ERRORS, Fields, resolve


def retyped(ctx: Context, thing: Datablock, live: Fields, new: Fields) -> Datablock | None:
    """The object that takes the place of `thing` where its data is of another type by now; None where it stays itself.

    Blender gives an object data of another type by operators only. All that names `thing` names the new one then.
    """
    data, tree = new.get("data"), live.get("data")
    if not _is_other(ctx, tree, data):
        return None
    wanted = resolve(ctx, data)
    with contextlib.suppress(TypeError):  # of another type
        thing.data = wanted
    if thing.data == wanted:
        return None
    name = thing.name
    try:
        other = bpy.data.objects.new(name, wanted)
    except WRITE_ERRORS as exc:  # what no object can have
        ctx.refuse(thing, "data", exc)
        return None
    thing.user_remap(other)
    bpy.data.objects.remove(thing)
    other.name = name
    return other


def _is_other(ctx: Context, live: Tree, new: Tree) -> bool:
    """Whether an object is to have other data, which is here, or none."""
    return live != new and (new is None or resolve(ctx, new) is not None)
