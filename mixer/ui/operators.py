"""What people press. None of it can be undone: a room goes on."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import bpy
from bpy.types import Context, Event, Operator, WindowManager

from broadcaster.errors import MixerError

from .. import session
from ..client import Client
from ..resume import carried, carried_stamp
from . import words
from .colors import to_hex
from .lobby import Address, address, lobby, require_network
from .preferences import preferences

DONE: Final = {"FINISHED"}


def server(context: Context) -> Address:
    """Our own while we host; else the one of the preferences. Raises MixerError."""
    return address(lobby.host.address if lobby.host is not None else preferences(context).server)


class RoomOperator(Operator):
    """What the operators that enter a room share."""

    @classmethod
    def poll(cls, context: Context) -> bool:
        return session.current() is None

    def enter(self, context: Context, room: str, *, create: bool = False, go_on: bool = False) -> set[Any]:
        """Joins or makes a room, or goes on in the one that this file was saved in; says why if that cannot be."""
        mine = preferences(context)
        name, color = mine.name, to_hex(mine.color)
        try:
            stamp = carried_stamp() if go_on else None
            host, port = where = server(context) if stamp is None else (stamp.place.host, stamp.place.port)
            held = None if stamp is None else (stamp.place.epoch, stamp.place.revision)
            require_network(host)
            lobby.look_at_pin(where)
            shown: Any = lobby.shown_to(where, room, server(context))
            stay = session.join(
                lambda: Client(host, port, room=room, name=name, color=color, create=create, held=held, **shown),
                stamp=stamp,
            )
        except (OSError, MixerError) as exc:
            return refuse(self, exc)
        lobby.enter(stay, where)
        return DONE


class MIXER_OT_list_rooms(Operator):
    """Ask the server which rooms it has"""

    bl_idname = "mixer.list_rooms"
    bl_label = "Connect"

    def execute(self, context: Context) -> set[Any]:
        lobby.say("")
        try:
            lobby.look(server(context))
        except MixerError as exc:
            return refuse(self, exc)
        return DONE


class MIXER_OT_join_room(RoomOperator):
    """Join this room. Its scene takes the place of yours, so save first what you want to keep"""

    bl_idname = "mixer.join_room"
    bl_label = "Join Room"

    if TYPE_CHECKING:
        room: str
    else:
        room: bpy.props.StringProperty(name="Room", description="What it is called there")

    def invoke(self, context: Context, event: Event) -> set[Any]:
        if not self.room:
            return set(WindowManager.invoke_props_dialog(self, title="Join a Room", confirm_text="Join"))
        if not bpy.data.is_dirty:
            return self.execute(context)
        message = "The room's scene takes the place of yours, which has changes that are not saved."
        return confirm(self, event, f"Join {self.room}?", message, "Join")

    def execute(self, context: Context) -> set[Any]:
        if not self.room.strip():
            return refuse(self, MixerError("which room? It has a name"))
        if context.mode != "OBJECT":  # what is being edited goes away
            bpy.ops.object.mode_set(mode="OBJECT")
        return self.enter(context, self.room.strip(), create=False)


class MIXER_OT_go_on(RoomOperator):
    """Go on in the room that this file was saved in: what you changed since goes there, what others changed comes in"""

    bl_idname = "mixer.go_on"
    bl_label = "Go On There"

    def execute(self, context: Context) -> set[Any]:
        place = carried()
        return self.enter(context, "" if place is None else place.room, go_on=True)


class MIXER_OT_go_back(RoomOperator):
    """Go back to the room that you left by opening another file"""

    bl_idname = "mixer.go_back"
    bl_label = "Go Back to the Room"
    bl_options = {"INTERNAL"}  # noqa: RUF012 (Blender wants a set)

    if TYPE_CHECKING:
        room: str
        why: str
    else:
        room: bpy.props.StringProperty(name="Room", description="What it is called there")
        why: bpy.props.StringProperty(name="Why", description="Why you left it")

    def invoke(self, context: Context, event: Event) -> set[Any]:
        message = f"{self.why} Its scene takes the place of this one."
        return confirm(self, event, f"Go back to {self.room}?", message, "Go Back")

    def execute(self, context: Context) -> set[Any]:
        place = carried()
        is_of_room = place is not None and (place.room, (place.host, place.port)) == (self.room, lobby.server)
        return self.enter(context, self.room, go_on=is_of_room)


class MIXER_OT_create_room(RoomOperator):
    """Make a room that others can join, with the scene that you have open"""

    bl_idname = "mixer.create_room"
    bl_label = "Share in a New Room"

    if TYPE_CHECKING:
        room: str
    else:
        room: bpy.props.StringProperty(name="Room", description="How others find it")

    def invoke(self, context: Context, event: Event) -> set[Any]:
        self.room = self.room or Path(bpy.data.filepath).stem or "My Room"
        return set(WindowManager.invoke_props_dialog(self, title="Share in a New Room", confirm_text="Share"))

    def execute(self, context: Context) -> set[Any]:
        if not self.room.strip():
            return refuse(self, MixerError("a room needs a name"))
        return self.enter(context, self.room.strip(), create=True)


class MIXER_OT_leave_room(Operator):
    """Leave the room. The scene stays here as it is"""

    bl_idname = "mixer.leave_room"
    bl_label = "Leave Room"

    @classmethod
    def poll(cls, context: Context) -> bool:
        return session.current() is not None

    def invoke(self, context: Context, event: Event) -> set[Any]:
        here = session.current()
        if here is None or not here.in_flight:
            return self.execute(context)
        message = (
            f"{words.count(here.in_flight, 'edit')} of yours did not reach the room yet, and others will not see it."
        )
        return confirm(self, event, "Leave the room?", message, "Leave")

    def execute(self, context: Context) -> set[Any]:
        lobby.exit()
        session.leave(hand_over=True)
        lobby.say("")
        if lobby.server is not None and lobby.may_list:
            lobby.look(lobby.server)
        return DONE


class MIXER_OT_reconnect(Operator):
    """Try again now to reach the server"""

    bl_idname = "mixer.reconnect"
    bl_label = "Try Now"

    @classmethod
    def poll(cls, context: Context) -> bool:
        return session.current() is not None

    def execute(self, context: Context) -> set[Any]:
        if (here := session.current()) is not None:
            here.client.reconnect()
        return DONE


class MIXER_OT_trust_room(Operator):
    """Let the scripted drivers, registering texts and script nodes of this room run in your Blender"""

    bl_idname = "mixer.trust_room"
    bl_label = "Trust This Room"

    @classmethod
    def poll(cls, context: Context) -> bool:
        here = session.current()
        return here is not None and not here.trusted

    def invoke(self, context: Context, event: Event) -> set[Any]:
        message = (
            "Scripts of this room will run on your computer and can do all that you can. Do you know everybody in it?"
        )
        return confirm(self, event, "Trust this room?", message, "Trust")

    def execute(self, context: Context) -> set[Any]:
        if (here := session.current()) is not None:
            here.trust()
        return DONE


class MIXER_OT_put_back(Operator):
    """Make this edit of yours again, over what is in the room now"""

    bl_idname = "mixer.put_back"
    bl_label = "Put Mine Back"

    if TYPE_CHECKING:
        index: int
    else:
        index: bpy.props.IntProperty(name="Index", description="Of the edits that gave way, the oldest first", min=0)

    @classmethod
    def poll(cls, context: Context) -> bool:
        here = session.current()
        return here is not None and bool(here.member.overruled)

    def execute(self, context: Context) -> set[Any]:
        here = session.current()
        if here is None or self.index >= len(here.member.overruled):
            return refuse(self, MixerError("that edit is not there any more"))
        here.put_back(here.member.overruled[self.index])
        return DONE


class MIXER_OT_host(Operator):
    """Start a server on this computer, for Blenders on this computer. It ends with this Blender"""

    bl_idname = "mixer.host"
    bl_label = "Host Here"

    @classmethod
    def poll(cls, context: Context) -> bool:
        return lobby.host is None and session.current() is None

    def execute(self, context: Context) -> set[Any]:
        try:
            lobby.start_hosting()
        except OSError as exc:
            return refuse(self, exc)
        return DONE


class MIXER_OT_stop_hosting(Operator):
    """End the server on this computer. Its rooms end for everybody; each keeps the scene"""

    bl_idname = "mixer.stop_hosting"
    bl_label = "Stop Hosting"

    @classmethod
    def poll(cls, context: Context) -> bool:
        return lobby.host is not None

    def invoke(self, context: Context, event: Event) -> set[Any]:
        if not lobby.rooms and session.current() is None:
            return self.execute(context)
        message = "The rooms on this computer end for everybody. Each keeps the scene as it is."
        return confirm(self, event, "Stop hosting?", message, "Stop Hosting")

    def execute(self, context: Context) -> set[Any]:
        lobby.exit()
        session.leave()
        lobby.stop_hosting()
        return DONE


def refuse(operator: Operator, exc: Exception) -> set[Any]:
    """Says why it cannot be."""
    lobby.say(str(exc))
    operator.report({"ERROR"}, lobby.message)
    return {"CANCELLED"}


def confirm(operator: Operator, event: Event, title: str, message: str, yes: str) -> set[Any]:
    """Asks before it is done."""
    return set(
        WindowManager.invoke_confirm(operator, event, title=title, message=message, confirm_text=yes, icon="WARNING")
    )


CLASSES: Final = (
    MIXER_OT_list_rooms,
    MIXER_OT_join_room,
    MIXER_OT_go_on,
    MIXER_OT_go_back,
    MIXER_OT_create_room,
    MIXER_OT_leave_room,
    MIXER_OT_reconnect,
    MIXER_OT_trust_room,
    MIXER_OT_put_back,
    MIXER_OT_host,
    MIXER_OT_stop_hosting,
)
