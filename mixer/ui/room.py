"""The sidebar panel: rooms, who is here, what is in flight."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import bpy
from bpy.types import Context, Operator, Panel, UILayout

from broadcaster.errors import MixerError

from .. import session
from ..client import Client
from ..session import Session, State
from . import lobby
from .preferences import preferences

STATES: Final = {
    State.JOINING: ("Connecting", "SORTTIME"),
    State.SHARING: ("Sharing the scene", "EXPORT"),
    State.LOADING: ("Loading the room", "IMPORT"),
    State.IN_STEP: ("In step", "CHECKMARK"),
    State.LEFT: ("Left", "UNLINKED"),
}


class RoomOperator(Operator):
    """What the operators that enter a room share."""

    bl_options = {"REGISTER"}  # no UNDO: a join cannot be undone

    @classmethod
    def poll(cls, context: Context) -> bool:
        return session.current() is None

    def enter(self, context: Context, room: str, create: bool) -> set[Any]:
        """Joins or makes a room; reports why if that cannot be."""
        mine = preferences(context)
        try:
            host, port = mine.address
            session.join(lambda: Client(host, port, room=room, name=mine.name, color=mine.hex_color, create=create))
        except (ValueError, OSError, MixerError) as exc:
            self.report({"ERROR"}, f"Cannot enter {room!r}: {exc}")
            return {"CANCELLED"}
        lobby.say("")
        return {"FINISHED"}


class MIXER_OT_list_rooms(Operator):
    """Ask the server which rooms it has"""

    bl_idname = "mixer.list_rooms"
    bl_label = "Connect"

    def execute(self, context: Context) -> set[Any]:
        try:
            lobby.look(preferences(context).address)
        except ValueError as exc:
            self.report({"ERROR"}, str(exc))
            return {"CANCELLED"}
        return {"FINISHED"}


class MIXER_OT_join_room(RoomOperator):
    """Join this room. Its scene takes the place of yours, so save first what you want to keep"""

    bl_idname = "mixer.join_room"
    bl_label = "Join Room"

    if TYPE_CHECKING:
        room: str
    else:
        room: bpy.props.StringProperty(name="Room")

    def invoke(self, context: Context, event: Any) -> set[Any]:
        if bpy.data.is_dirty:
            return set(context.window_manager.invoke_confirm(self, event))
        return self.execute(context)

    def execute(self, context: Context) -> set[Any]:
        return self.enter(context, self.room, create=False)


class MIXER_OT_create_room(RoomOperator):
    """Make a room and share this scene in it"""

    bl_idname = "mixer.create_room"
    bl_label = "Share in a New Room"

    if TYPE_CHECKING:
        room: str
    else:
        room: bpy.props.StringProperty(name="Room", default="My Room")

    def invoke(self, context: Context, event: Any) -> set[Any]:
        return set(context.window_manager.invoke_props_dialog(self))

    def execute(self, context: Context) -> set[Any]:
        if not self.room.strip():
            self.report({"ERROR"}, "A room needs a name")
            return {"CANCELLED"}
        return self.enter(context, self.room.strip(), create=True)


class MIXER_OT_leave_room(Operator):
    """Leave the room. The scene stays here as it is"""

    bl_idname = "mixer.leave_room"
    bl_label = "Leave Room"

    @classmethod
    def poll(cls, context: Context) -> bool:
        return session.current() is not None

    def execute(self, context: Context) -> set[Any]:
        session.leave()
        return {"FINISHED"}


class MIXER_OT_trust_room(Operator):
    """Run scripted drivers, registering texts and script nodes of this room.
    Only where you know everybody in it: they run with your rights"""

    bl_idname = "mixer.trust_room"
    bl_label = "Trust This Room"

    @classmethod
    def poll(cls, context: Context) -> bool:
        here = session.current()
        return here is not None and not here.trusted

    def invoke(self, context: Context, event: Any) -> set[Any]:
        return set(context.window_manager.invoke_confirm(self, event))

    def execute(self, context: Context) -> set[Any]:
        here = session.current()
        assert here is not None
        here.trust()
        return {"FINISHED"}


class MIXER_OT_host(Operator):
    """Start a broadcaster on this computer. It ends with Blender"""

    bl_idname = "mixer.host"
    bl_label = "Host Here"

    @classmethod
    def poll(cls, context: Context) -> bool:
        return lobby.lobby.host is None

    def execute(self, context: Context) -> set[Any]:
        try:
            preferences(context).server = lobby.start_hosting()
        except (OSError, MixerError) as exc:
            self.report({"ERROR"}, str(exc))
            return {"CANCELLED"}
        lobby.look(preferences(context).address)
        return {"FINISHED"}


class MIXER_OT_stop_hosting(Operator):
    """End the broadcaster on this computer, and with it its rooms"""

    bl_idname = "mixer.stop_hosting"
    bl_label = "Stop Hosting"

    @classmethod
    def poll(cls, context: Context) -> bool:
        return lobby.lobby.host is not None

    def invoke(self, context: Context, event: Any) -> set[Any]:
        return set(context.window_manager.invoke_confirm(self, event))

    def execute(self, context: Context) -> set[Any]:
        session.leave()
        lobby.stop_hosting()
        lobby.lobby.rooms = []
        return {"FINISHED"}


class MIXER_PT_room(Panel):
    """The sidebar's Mixer tab"""

    bl_label = "Mixer"
    bl_space_type = "VIEW_3D"
    bl_region_type = "UI"
    bl_category = "Mixer"

    def draw(self, context: Context) -> None:
        here = session.current()
        if here is None:
            self._draw_lobby(context)
        else:
            self._draw_room(here)
        if lobby.lobby.message:
            _draw_wrapped(self.layout, lobby.lobby.message, context.region.width)

    def _draw_lobby(self, context: Context) -> None:
        mine = preferences(context)
        column = self.layout.column()
        column.prop(mine, "server")
        row = column.row(align=True)
        row.prop(mine, "name")
        row.prop(mine, "color", text="")
        row = column.row(align=True)
        row.operator("mixer.list_rooms", icon="URL")
        row.operator("mixer.stop_hosting" if lobby.lobby.host else "mixer.host", icon="HOME")
        for room in lobby.lobby.rooms:
            row = self.layout.row(align=True)
            row.label(text=f"{room['name']}: {room['members']} here", icon="COMMUNITY")
            row.operator("mixer.join_room", text="Join").room = room["name"]
        self.layout.operator("mixer.create_room", icon="ADD")

    def _draw_room(self, here: Session) -> None:
        text, icon = STATES[here.state]
        self.layout.label(text=f"{here.client.room}: {text}", icon=icon)
        done = here.progress
        if done is not None:
            self.layout.progress(factor=done, text=f"{done:.0%}")
        box = self.layout.box()
        for member in sorted(here.members.values(), key=lambda one: str(one["name"]).lower()):
            suffix = f" ({member['role']})" if member["role"] != "editor" else ""
            you = ", you" if member["id"] == here.member.id else ""
            box.label(text=f"{member['name']}{suffix}{you}", icon="USER")
        self.layout.label(text=f"Revision {here.revision}, {here.in_flight} of yours in flight", icon="SORTTIME")
        if here.withheld:
            self.layout.label(text=f"{len(here.withheld)} scripts withheld", icon="ERROR")
        self.layout.operator("mixer.trust_room", icon="UNLOCKED", text="Trusted" if here.trusted else "Trust This Room")
        self.layout.operator("mixer.leave_room", icon="PANEL_CLOSE")


def _draw_wrapped(layout: UILayout, text: str, width: int) -> None:
    """A sentence over as many lines as the sidebar needs."""
    column = layout.column()
    column.alert = True
    line = ""
    for word in text.split():
        if len(line) + len(word) > max(12, width // 8):
            column.label(text=line)
            line = ""
        line = f"{line} {word}".strip()
    column.label(text=line)


CLASSES: Final = (
    MIXER_OT_list_rooms,
    MIXER_OT_join_room,
    MIXER_OT_create_room,
    MIXER_OT_leave_room,
    MIXER_OT_trust_room,
    MIXER_OT_host,
    MIXER_OT_stop_hosting,
    MIXER_PT_room,
)
