"""Undo in a room. It ends at the door: behind that lies the scene that was here before, which must not flow in."""

from __future__ import annotations

from typing import Final

import bpy

FEWEST_STEPS: Final = 2  # that Blender lets one set


def push_step() -> None:
    """So that the next undo leads back to here, with what others have made."""
    bpy.ops.ed.undo_push(message="Edits of Others")


def forget_steps() -> None:
    """Has Blender drop all undo steps; the scene as it is now is the oldest that an undo leads back to.

    Blender cannot be told to, but drops what is beyond the number of steps of the preferences.
    """
    assert bpy.context.preferences is not None
    edit = bpy.context.preferences.edit
    steps, changed = edit.undo_steps, bpy.context.preferences.is_dirty
    edit.undo_steps = FEWEST_STEPS
    for _ in range(FEWEST_STEPS + 1):  # it keeps one more
        bpy.ops.ed.undo_push(message="Join Room")
    edit.undo_steps = steps
    bpy.context.preferences.is_dirty = changed  # nothing of the user's own was touched
