"""Blender's timer calls the session's tick, and the panels are drawn again when something happened."""

from __future__ import annotations

import logging
from typing import Final

import bpy

from broadcaster.errors import MixerError

from .. import session
from . import lobby

BUSY_SECONDS: Final = 0.01
IDLE_SECONDS: Final = 0.05
AWAY_SECONDS: Final = 0.5

log = logging.getLogger(__name__)


def _tick() -> float:
    """Outermost boundary: what goes wrong here must not end the timer, and is told."""
    changed = lobby.poll()
    here = session.current()
    pause = AWAY_SECONDS
    if here is not None:
        try:
            busy = here.tick()
        except MixerError as exc:
            lobby.say(str(exc))
            session.leave()
            changed = True
        except Exception:
            log.exception("the tick failed; leaving the room, the scene stays as it is")
            lobby.say("Mixer met a fault of its own and left the room; see the console")
            session.leave()
            changed = True
        else:
            changed |= busy
            pause = BUSY_SECONDS if busy else IDLE_SECONDS
    if changed:
        redraw()
    return pause


def redraw() -> None:
    """Has every 3D view's sidebar drawn again."""
    for window in bpy.context.window_manager.windows:
        for area in window.screen.areas:
            if area.type == "VIEW_3D":
                for region in area.regions:
                    if region.type == "UI":
                        region.tag_redraw()


def register() -> None:
    if not bpy.app.timers.is_registered(_tick):
        bpy.app.timers.register(_tick, persistent=True)


def unregister() -> None:
    if bpy.app.timers.is_registered(_tick):
        bpy.app.timers.unregister(_tick)
