"""One moment for both files: what curves and drivers control, and what follows from the scene, was saved at any."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

import bpy

REFUSALS: Final = (AttributeError, KeyError, LookupError, RuntimeError, TypeError, ValueError)


def settle() -> None:
    """Evaluates each view layer, one after the other, as if it was shown, at the first frame.

    What is controlled but evaluated by nothing, as what is hidden, stands as somebody left it: it is set to a default.
    A driver that failed once is left alone by Blender for as long as the file is open: all are tried again.
    """
    for owner in _owners():
        for driver in owner.animation_data.drivers:
            driver.driver.is_valid = True
        for data_path, index in _controlled(owner.animation_data):
            _to_default(owner, data_path, index)
    for scene in bpy.data.scenes:
        scene.frame_current, scene.frame_subframe = scene.frame_start, 0
    for scene in bpy.data.scenes:
        for layer in scene.view_layers:
            layer.update()  # makes it the one whose values are seen
            scene.frame_set(scene.frame_start)


def _owners() -> Iterator[Any]:
    """All local datablocks with animation, node trees that are part of others among them."""
    for prop in bpy.data.bl_rna.properties:
        if prop.type != "COLLECTION":
            continue
        for datablock in getattr(bpy.data, prop.identifier):
            parts: tuple[Any, ...] = (datablock, getattr(datablock, "node_tree", None))
            yield from (one for one in parts if getattr(one, "animation_data", None) and one.library is None)


def _controlled(data: Any) -> Iterator[tuple[str, int]]:
    """(data path, array index) of all unmuted curves."""
    actions = [data.action, *(strip.action for track in data.nla_tracks for strip in track.strips)]
    curves = [*data.drivers, *(curve for action in actions if action is not None for curve in _curves_of(action))]
    return ((curve.data_path, curve.array_index) for curve in curves if not curve.mute)


def _curves_of(action: Any) -> Iterator[Any]:
    if hasattr(action, "fcurves"):
        yield from action.fcurves
    else:
        for layer in action.layers:
            for strip in layer.strips:
                for bag in strip.channelbags:
                    yield from bag.fcurves


def _to_default(owner: Any, data_path: str, index: int) -> None:
    """Sets one value; a path that leads nowhere is nobody's."""
    try:
        holder, _, name = data_path.rpartition(".")
        struct = owner.path_resolve(holder) if holder else owner
        prop = struct.bl_rna.properties[name]  # not a custom one, which has no default that holds for all
        if getattr(prop, "is_array", False):
            getattr(struct, name)[index] = prop.default_array[index]
        else:
            setattr(struct, name, prop.default)
    except REFUSALS:
        return
