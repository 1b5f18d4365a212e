"""Undo that reads all datablocks anew, as it must in a room.

Blender keeps the datablocks that are the same in two undo steps as they are now, with what was written to them since
the last step. Where that names a datablock that the step does not know, as one that another member made, the name
dangles after the undo, and Blender crashes.
"""

from __future__ import annotations

import bpy


class Whole:
    """From `begin` to `end` an undo or redo keeps nothing."""

    def __init__(self) -> None:
        self._before: tuple[bool, bool, bool] | None = None

    def begin(self) -> None:
        if self._before is not None or (preferences := bpy.context.preferences) is None:
            return
        view, experimental = preferences.view, preferences.experimental
        self._before = preferences.is_dirty, view.show_developer_ui, experimental.use_undo_legacy
        view.show_developer_ui = True  # else the other one counts for nothing
        experimental.use_undo_legacy = True
        preferences.is_dirty = self._before[0]

    def end(self) -> None:
        """The preferences are the user's again."""
        if self._before is None or (preferences := bpy.context.preferences) is None:
            return
        preferences.experimental.use_undo_legacy = self._before[2]
        preferences.view.show_developer_ui = self._before[1]
        preferences.is_dirty = self._before[0]
        self._before = None
