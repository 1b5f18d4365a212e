"""Blender's handlers: they note what may have changed and do nothing else. The tick does the work."""

from __future__ import annotations

import atexit
from collections.abc import Callable
from typing import Any, Final

import bpy
from bpy.app.handlers import persistent

from . import session
from .proxy import identity

MANY: Final = 500  # updates that a change of relations makes: all objects are named, few have changed


@persistent
def _depsgraph_update_post(scene: Any, depsgraph: Any) -> None:
    if (here := session.current()) is None:
        return
    notes = here.lookout.notes
    updates = depsgraph.updates
    many = len(updates) > MANY
    if not updates:  # something outside the active view layer's depsgraph
        notes.structure = True
    for update in updates:
        datablock = update.id.original
        if isinstance(datablock, bpy.types.Scene | bpy.types.Collection):
            notes.structure = True
        if many and not (update.is_updated_geometry or update.is_updated_transform or update.is_updated_shading):
            continue
        geometry = update.is_updated_geometry
        if (owner := here.mirror.identity.uuid_of(datablock)) is not None:
            if here.mirror.identity.uuid_of_uid(datablock.session_uid) is None:
                notes.embedded.add(owner)
            else:
                uid = datablock.session_uid
                notes.uids[uid] = notes.uids.get(uid, False) or geometry


@persistent
def _before_undo(*_: Any) -> None:
    if (here := session.current()) is not None:
        here.undoing()


@persistent
def _undone(*_: Any) -> None:
    if (here := session.current()) is not None:
        here.undone()


@persistent
def _load_pre(*_: Any) -> None:
    """Another file is another scene: it must not flow into the room."""
    session.leave(hand_over=True)


@persistent
def _save_pre(*_: Any) -> None:
    """A file that is saved in a room carries what it takes to go back there."""
    here = session.current()
    stamp = None if here is None else here.stamp()
    if stamp is not None:
        identity.carry(stamp.place.to_text(), stamp.to_text())


HANDLERS: Final[dict[str, Callable[..., None]]] = {
    "depsgraph_update_post": _depsgraph_update_post,
    "undo_pre": _before_undo,
    "redo_pre": _before_undo,
    "undo_post": _undone,
    "redo_post": _undone,
    "load_pre": _load_pre,
    "save_pre": _save_pre,
}


def register() -> None:
    """Adds our handlers, and sees to it that they are gone before Blender exits: it may hang or crash otherwise."""
    for name, handler in HANDLERS.items():
        handlers = getattr(bpy.app.handlers, name)
        if handler not in handlers:
            handlers.append(handler)
    atexit.register(unregister)


def unregister() -> None:
    for name, handler in HANDLERS.items():
        handlers = getattr(bpy.app.handlers, name)
        if handler in handlers:
            handlers.remove(handler)
    atexit.unregister(unregister)
