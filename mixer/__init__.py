"""Mixer: several people edit one Blender scene at the same time."""

from __future__ import annotations

# Nothing is imported here before Blender enables the extension: a headless peer needs no user interface.


def register() -> None:
    """Blender enables the extension."""
    from . import ui, watch
    from .proxy import identity

    identity.register()
    watch.register()
    ui.register()


def unregister() -> None:
    """Blender disables the extension or exits: the room is left, the scene stays as it is."""
    from . import session, ui, watch
    from .proxy import identity

    session.leave(hand_over=True)
    ui.unregister()
    watch.unregister()
    identity.unregister()
