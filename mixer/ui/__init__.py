"""What people see and press. Draws and delegates; the timer calls the session's tick."""

from __future__ import annotations

from typing import Final

import bpy

from . import operators, panel, preferences, timer
from .lobby import lobby

CLASSES: Final = (*preferences.CLASSES, *operators.CLASSES, *panel.CLASSES)


def register() -> None:
    lobby.open()
    for one in CLASSES:
        bpy.utils.register_class(one)
    timer.register()


def unregister() -> None:
    timer.unregister()
    for one in reversed(CLASSES):
        bpy.utils.unregister_class(one)
    lobby.close()
