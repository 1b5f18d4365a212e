"""The extension's preferences: who one is, and which server."""

from __future__ import annotations

import getpass
from typing import TYPE_CHECKING, Any, Final

import bpy
from bpy.types import AddonPreferences, Context

from ..host import DEFAULT_PORT, LOOPBACK
from .colors import Rgb, color_for, to_rgb
from .lobby import lobby

PACKAGE: Final = __package__.removesuffix(".ui") if __package__ else "mixer"


def _user_name() -> str:
    try:
        return getpass.getuser()
    except (OSError, KeyError, ImportError):  # no such user: the last two before Python 3.13
        return "Somebody"


def _secret(name: str, label: str, description: str) -> Any:
    """A field whose text is kept by the lobby: Blender writes it into no file, its own preferences included."""

    def get(self: MixerPreferences) -> str:
        return lobby.secrets.get(name, "")

    def put(self: MixerPreferences, text: str) -> None:
        lobby.take_secret(name, text)
        if lobby.invited is not None and self.server != lobby.invited.server:
            self.server = lobby.invited.server

    return bpy.props.StringProperty(
        name=label, description=description, subtype="PASSWORD", options={"SKIP_SAVE"}, get=get, set=put
    )


def _change_server(mine: MixerPreferences, context: Context) -> None:
    lobby.change_server()


class MixerPreferences(AddonPreferences):
    """Kept in Blender's own preferences, never in a file or a room."""

    bl_idname = PACKAGE

    if TYPE_CHECKING:
        server: str
        name: str
        color: Rgb
        invitation: str
        password: str
        secret: str
    else:
        server: bpy.props.StringProperty(
            name="Server",
            description="Where the rooms are: the name of a computer, a colon and a number",
            default=f"{LOOPBACK}:{DEFAULT_PORT}",
            update=_change_server,
        )
        name: bpy.props.StringProperty(name="Name", description="How others see you", default=_user_name())
        color: bpy.props.FloatVectorProperty(
            name="Color",
            description="Your color for everybody in the room",
            subtype="COLOR_GAMMA",
            size=3,
            min=0.0,
            max=1.0,
            default=to_rgb(color_for(_user_name())),
        )
        invitation: _secret("invitation", "Invitation", "What you were given: one line, which says the server, too")
        password: _secret("password", "Room Password", "What a room takes; of a room that you make, what it is to take")
        secret: _secret("secret", "Server Secret", "What that server takes to make rooms and to list them")

    def draw(self, context: Context) -> None:
        """Blender's preferences window."""
        column = self.layout.column()
        column.use_property_split = True
        for name in ("name", "color", "server"):
            column.prop(self, name)


def preferences(context: Context) -> MixerPreferences:
    """Of this extension, under whatever repository it was installed from."""
    assert context.preferences is not None
    found = context.preferences.addons[PACKAGE].preferences
    assert isinstance(found, MixerPreferences)
    return found


CLASSES: Final = (MixerPreferences,)
