"""A scene for the moment: where operators may work on a datablock while the user is in the middle of something else."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Final

import bpy

from .context import Datablock

MOMENT: Final = "mixer.moment"  # names what is gone, or named otherwise, before anybody looks


@contextmanager
def moment(data: Datablock) -> Iterator[Datablock]:
    """An object of `data`, active in a scene of its own. Both are gone afterwards, and the user's mode is as it was."""
    thing = bpy.data.objects.new(MOMENT, data)
    try:
        with _scene(thing) as scene, _active(scene, thing):
            yield thing
    finally:
        bpy.data.objects.remove(thing)


def evaluate_elsewhere(things: Iterable[Datablock]) -> None:
    """Has Blender evaluate objects that the user's scene does not show."""
    with _scene(*things) as scene:
        scene.view_layers[0].update()


def leave_edit_mode(things: Iterable[Datablock]) -> None:
    """Has objects leave edit mode, also such as are in no view layer, where nobody can."""
    for thing in things:
        hidden = thing.hide_viewport
        with _scene(thing) as scene, _active(scene, thing):
            thing.hide_viewport = False
            bpy.ops.object.mode_set(mode="OBJECT")
        thing.hide_viewport = hidden


@contextmanager
def _scene(*things: Datablock) -> Iterator[Datablock]:
    scene = bpy.data.scenes.new(MOMENT)
    try:
        for thing in things:
            scene.collection.objects.link(thing)
        yield scene
    finally:
        bpy.data.batch_remove([scene])


@contextmanager
def _active(scene: Datablock, thing: Datablock) -> Iterator[None]:
    layer = scene.view_layers[0]
    layer.objects.active = thing
    # Without a window, or the user's tools would follow; not in one call, which loses the scene and crashes.
    with (
        bpy.context.temp_override(window=None),
        bpy.context.temp_override(scene=scene, view_layer=layer, object=thing, active_object=thing),
    ):
        yield
