"""What people see and press. Draws and delegates; the timer calls the session's tick."""

from __future__ import annotations

from typing import Final

import bpy

from . import lobby, preferences, room, timer

CLASSES: Final = (*preferences.CLASSES, *room.CLASSES)


def register() -> None:
    for one in CLASSES:
        bpy.utils.register_class(one)
    timer.register()


def unregister() -> None:
    timer.unregister()
    lobby.stop_hosting()
    for one in reversed(CLASSES):
        bpy.utils.unregister_class(one)
