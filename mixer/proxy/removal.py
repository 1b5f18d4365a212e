"""Taking datablocks out of Blender, and no others along with them."""

from __future__ import annotations

from collections.abc import Collection

import bpy

from .context import Datablock
from .moment import leave_edit_mode


def remove_datablocks(datablocks: list[Datablock]) -> None:
    """Removes exactly these: users of a removed mesh that are not on the list are not taken along."""
    doomed = set(datablocks)
    if any(not isinstance(one, bpy.types.Object) for one in doomed):
        for thing in bpy.data.objects:
            if thing not in doomed:
                doomed.discard(thing.data)
                doomed.difference_update(system.settings for system in thing.particle_systems)
    scenes = [one for one in doomed if isinstance(one, bpy.types.Scene)]
    if scenes and len(scenes) == len(bpy.data.scenes):
        doomed.discard(scenes[0])  # Blender needs one
    if scenes:
        show_scene(next(scene for scene in bpy.data.scenes if scene not in doomed), instead_of=doomed)
    # Or their data would stay in it for ever.
    leave_edit_mode(one for one in doomed if isinstance(one, bpy.types.Object) and one.mode == "EDIT")
    bpy.data.batch_remove(doomed)


def show_scene(scene: Datablock, *, instead_of: Collection[Datablock] | None = None) -> None:
    """Has windows show `scene`: Blender would crash with one whose scene is removed in a batch."""
    for manager in bpy.data.window_managers:
        for window in manager.windows:
            if instead_of is None or window.scene in instead_of:
                window.scene = scene
