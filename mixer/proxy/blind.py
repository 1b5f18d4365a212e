"""What no depsgraph update reports: found by looking at those properties alone, often and at little cost."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

import bpy

from broadcaster.tree import same, tag

from . import idprops
from .context import Context, Datablock, Struct
from .fields import WRITE_ERRORS, Fields
from .struct import CUSTOM, plan_of

MANY_POINTS: Final = 20_000  # of a mesh that may have changed unseen: more take long to read
MANY_PIXELS: Final = 1 << 20


def reported() -> set[int]:
    """The session_uids of what depsgraph updates tell about: what the active view layer shows, and what that uses."""
    layer = bpy.context.view_layer
    graph: Any = layer.depsgraph if layer is not None else None
    return {one.original.session_uid for one in graph.ids} if graph is not None else set()


def has_changed(ctx: Context, struct: Struct, live: Fields) -> bool:
    """Whether a blind property of `struct`, or of a part of it, is not what was read last, or cannot be read so."""
    try:
        return _has_changed(ctx, struct, live)
    except WRITE_ERRORS:  # as where an add-on has taken its properties away
        return True


def _has_changed(ctx: Context, struct: Struct, live: Fields) -> bool:
    plan = plan_of(struct)
    for name in plan.rule.blind:
        if name in live and name in plan.proxies:
            before = live[name]
            now = plan.proxies[name].read(ctx, struct, before, live)
            if not same(now, before):
                return True
    if plan.custom and not same(idprops.read(ctx, struct, live.get(CUSTOM), plan.registered), live.get(CUSTOM, {})):
        return True
    parts = (part for name in plan.rule.blind_in for part in _parts(struct, plan.rule.items.get(name), name, live))
    return any(part is None or _has_changed(ctx, part, tree) for part, tree in parts)


def _parts(struct: Struct, rule: Any, name: str, live: Fields) -> Iterator[tuple[Struct | None, Fields]]:
    """The structs in a property with what was read of them last; None in place of one that is gone or new."""
    tree: Any = live.get(name)
    part = getattr(struct, name)
    if tag(tree) == "" and part is not None:
        yield part, tree
    elif tag(tree) == "items" and rule is not None and rule.fixed:
        for key in tree["order"]:
            yield part.get(key), tree["of"][key]
    elif tag(tree) == "items":
        if len(part) != len(tree["order"]):
            yield None, {}
        for key, item in zip(tree["order"], part, strict=False):
            yield item, tree["of"][key]


def reads_arrays(datablock: Datablock) -> bool:
    """Whether a glance reads its arrays: those of a mesh are reported, other than the names of its maps and groups."""
    return datablock.id_type != "MESH" and is_small(datablock)


def is_small(datablock: Datablock) -> bool:
    """Whether its arrays, too, are read in a moment."""
    match datablock.id_type:
        case "MESH":
            return len(datablock.vertices) <= MANY_POINTS
        case "IMAGE":
            return not datablock.is_dirty or datablock.size[0] * datablock.size[1] <= MANY_PIXELS
    return True
