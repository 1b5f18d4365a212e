"""The extension's preferences: who one is, and which server."""

from __future__ import annotations

import getpass
from typing import TYPE_CHECKING, Final

import bpy
from bpy.types import AddonPreferences, Context

PACKAGE: Final = __package__.removesuffix(".ui") if __package__ else "mixer"
DEFAULT_PORT: Final = 12800


class MixerPreferences(AddonPreferences):
    """Kept in Blender's own preferences, never in a file or a room."""

    bl_idname = PACKAGE

    if TYPE_CHECKING:
        server: str
        name: str
        color: tuple[float, float, float]
    else:
        server: bpy.props.StringProperty(
            name="Server", description="HOST:PORT of the broadcaster", default=f"127.0.0.1:{DEFAULT_PORT}"
        )
        name: bpy.props.StringProperty(name="Name", description="How others see you", default=getpass.getuser())
        color: bpy.props.FloatVectorProperty(
            name="Color",
            description="Your color in everybody's viewport",
            subtype="COLOR_GAMMA",
            size=3,
            min=0.0,
            max=1.0,
            default=(0.26, 0.6, 0.93),
        )

    def draw(self, context: Context) -> None:
        """Blender's preferences window."""
        column = self.layout.column()
        for name in ("server", "name", "color"):
            column.prop(self, name)

    @property
    def address(self) -> tuple[str, int]:
        """Raises ValueError if the server is not HOST:PORT."""
        host, colon, port = self.server.strip().rpartition(":")
        if not colon:
            return port, DEFAULT_PORT
        if not port.isdigit() or not host:
            raise ValueError(f"{self.server!r} is not HOST:PORT")
        return host.strip("[]"), int(port)

    @property
    def hex_color(self) -> str:
        return "#" + "".join(f"{round(part * 255):02x}" for part in self.color)


def preferences(context: Context) -> MixerPreferences:
    """Of this extension, under whatever repository it was installed from."""
    found = context.preferences.addons[PACKAGE].preferences
    assert isinstance(found, MixerPreferences)
    return found


CLASSES: Final = (MixerPreferences,)
