"""What the user edits in a mode of its own at this moment."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import bpy

from .context import Datablock, Directory
from .moment import leave_edit_mode

OF_OBJECT: Final = {"POSE"}  # these change the object, not its data
OF_IMAGES: Final = {"TEXTURE_PAINT"}


def edited(directory: Directory) -> frozenset[str]:
    """The uuids of what edit, sculpt, paint and pose modes work on."""
    return frozenset(
        uuid
        for thing in _in_mode()
        for datablock in _behind(thing)
        if datablock is not None and (uuid := directory.uuid_of(datablock)) is not None
    )


def leave_out_of_sight() -> None:
    """Has objects leave edit mode that are in no view layer any more: others took them out, and their user cannot."""
    if not (inside := [thing for thing in bpy.data.objects if thing.mode == "EDIT"]):
        return
    layers = [layer for scene in bpy.data.scenes for layer in scene.view_layers]
    shown = {thing.session_uid for layer in layers for thing in layer.objects if thing is not None}
    leave_edit_mode(thing for thing in inside if thing.session_uid not in shown)


def _in_mode() -> Iterator[Datablock]:
    """The objects of the mode that the user is in, in every window; without one, of the one view layer."""
    layers: list[bpy.types.ViewLayer | None]
    layers = [window.view_layer for manager in bpy.data.window_managers for window in manager.windows]
    for layer in layers or [bpy.context.view_layer]:
        if layer is None or (active := layer.objects.active) is None or active.mode == "OBJECT":
            continue
        yield active
        if active.mode in ("EDIT", "POSE"):  # the modes that several objects share
            yield from (thing for thing in layer.objects.selected if thing.mode == active.mode)


def _behind(thing: Datablock) -> list[Datablock | None]:
    if thing.mode in OF_OBJECT:
        return [thing]
    if thing.mode in OF_IMAGES:
        return [image for slot in thing.material_slots if slot.material for image in slot.material.texture_paint_images]
    return [thing.data]
