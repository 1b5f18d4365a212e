"""Blender's timer calls the session's tick, and the panels are drawn again when they would say something else."""

from __future__ import annotations

import logging
from typing import Final

import bpy

from broadcaster.errors import MixerError

from .. import session
from ..arrival import State
from ..session import BUDGET_SECONDS, Session
from . import words
from .lobby import lobby
from .status import status
from .undo import forget_steps, push_step

BUSY_SECONDS: Final = 0.01
IDLE_SECONDS: Final = 0.05
AWAY_SECONDS: Final = 0.25
LOADING_SECONDS: Final = 0.2  # of a tick while not all is there: after each, Blender evaluates and draws the whole

log = logging.getLogger(__name__)


def _tick() -> float:
    """Outermost boundary: what goes wrong here must not end the timer, and is told."""
    try:
        return _work()
    except Exception:
        log.exception("the tick failed")
        _left("Mixer met a fault of its own and left the room; your scene stays as it is. See the console")
    return AWAY_SECONDS


def _work() -> float:
    """Does what there is to do; the seconds until the next time."""
    changed, busy = lobby.poll(), False
    if (here := session.current()) is not None:
        busy = _stay(here)
    elif lobby.stay is not None:
        _ask_back(lobby.stay)
    here = session.current()
    now = None if here is None else status(here), lobby.message
    if changed or now != lobby.told:
        lobby.told = now
        redraw()
    if here is None:
        return AWAY_SECONDS
    return BUSY_SECONDS if busy else IDLE_SECONDS


def _stay(here: Session) -> bool:
    """One tick of the session; whether there was anything to do. Leaves a room that cannot be stayed in."""
    before = here.state
    if lobby.is_orphaned:
        _left(f"{lobby.message}. Your scene stays as it is")
        return False
    try:
        busy = here.tick(BUDGET_SECONDS if before is State.IN_STEP else LOADING_SECONDS)
    except MixerError as exc:
        _left(str(exc) if before is State.JOINING else f"{exc}. You left the room; your scene stays as it is")
        return False
    if before is not State.IN_STEP and here.state is State.IN_STEP and here.stats.join_seconds is not None:
        forget_steps()
    elif here.wants_step and bpy.context.mode == "OBJECT":
        here.mirror.made = False
        push_step()
    return busy


def _ask_back(stay: Session) -> None:
    """Another file was opened, which left the room: says so, and asks whether to go back."""
    room, unsent = stay.client.room, stay.in_flight
    lost = f" {words.count(unsent, 'edit')} of yours did not reach it." if unsent else ""
    why = f"You left {room} because another file was opened.{lost}"
    _left(f"{why} To go on there, join it again")
    assert bpy.context.window_manager is not None
    for window in bpy.context.window_manager.windows[:1]:
        with bpy.context.temp_override(window=window):
            bpy.ops.mixer.go_back("INVOKE_DEFAULT", room=room, why=why)  # type: ignore[attr-defined]


def _left(why: str) -> None:
    session.leave()
    lobby.exit()
    lobby.say(why)


def redraw() -> None:
    """Has every 3D view's sidebar drawn again."""
    assert bpy.context.window_manager is not None
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
