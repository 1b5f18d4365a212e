"""Makes the datablock that another member made."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import bpy

from broadcaster.tree import Tree

from ..rules import KINDS
from .collection import argument
from .context import Context, Datablock
from .fields import WRITE_ERRORS

SPEC: Final = {kind.name: kind for kind in KINDS}
LATTICE_SIZES: Final = ("points_u", "points_v", "points_w")
MOST_POINTS: Final = 64  # of a lattice in each direction


def _lattice(ctx: Context, tree: Tree) -> Datablock:
    """Sized while an object shows it, as people do: Blender then keeps its extent, which no property tells."""
    sizes = [min(max(int(tree[name]), 1), MOST_POINTS) for name in LATTICE_SIZES]
    lattice: Any = bpy.data.lattices.new(argument(ctx, tree["name"]))
    user = bpy.data.objects.new(lattice.name, lattice)
    for name, size in zip(LATTICE_SIZES, sizes, strict=True):
        setattr(lattice, name, size)
    bpy.data.objects.remove(user)
    return lattice


CREATORS: Final[dict[str, Callable[[Context, Tree], Datablock | None]]] = {
    "lattices": _lattice
}  # others by the package


def create(ctx: Context, kind: str, tree: Tree) -> Datablock | None:
    """A new datablock of `kind` for `tree`, its fields not written yet; None, and noted, if Blender makes none."""
    spec = SPEC[kind]
    collection: Any = getattr(bpy.data, kind, None)
    if collection is None:
        ctx.refused[f"bpy.data.{kind}"] = "this Blender has no such datablocks"
        return None
    try:
        if kind in CREATORS:
            return CREATORS[kind](ctx, tree)
        args = (spec.classes[tree["class"]] if name == "class" else argument(ctx, tree.get(name)) for name in spec.args)
        return getattr(collection, spec.new)(*args)
    except WRITE_ERRORS as exc:
        ctx.refused[f"bpy.data.{kind}"] = str(exc)
        return None
