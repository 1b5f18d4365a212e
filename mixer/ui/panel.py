"""The sidebar's Mixer tab: rooms outside of a room; inside, how it stands and who is here."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING, Any, Final

from bpy.types import Context, Panel, UILayout

from .. import session
from ..resume import carried
from ..session import Session
from . import words
from .lobby import lobby
from .preferences import MixerPreferences, preferences
from .status import Person, Status, status

if TYPE_CHECKING:
    from bpy.stub_internal.rna_enums import IconItems

CHARACTER_PIXELS: Final = 6.5  # the width of most, at a scale of 1
MARGIN_PIXELS: Final = 60  # of a box in the sidebar
COLOR_UNITS: Final = 1.5  # widths, in the interface's own unit
JOIN_UNITS: Final = 2.8
FINGERPRINT_CHARS: Final = 16  # in a line
SECRETS: Final[tuple[tuple[str, IconItems, str], ...]] = (
    ("invitation", "LINK_BLEND", "Invitation"),
    ("password", "LOCKED", "Room password"),
    ("secret", "KEY_HLT", "Server secret"),
)
LISTED: Final = 6  # of a long list; the rest is counted


class MixerPanel(Panel):
    """What the panels share."""

    bl_space_type = "VIEW_3D"
    bl_region_type = "UI"
    bl_category = "Mixer"


class MIXER_PT_room(MixerPanel):
    """The lobby, or the room"""

    bl_label = "Mixer"

    def draw(self, context: Context) -> None:
        layout = self.layout
        assert layout is not None
        here = session.current()
        if here is None:
            _draw_lobby(layout, context)
        else:
            _draw_room(layout, context, here)


class MIXER_PT_details(MixerPanel):
    """What did not come through, and figures"""

    bl_label = "Details"
    bl_parent_id = "MIXER_PT_room"
    bl_options = {"DEFAULT_CLOSED"}  # noqa: RUF012 (Blender wants a set)

    @classmethod
    def poll(cls, context: Context) -> bool:
        return session.current() is not None

    def draw(self, context: Context) -> None:
        layout, here = self.layout, session.current()
        assert layout is not None
        if here is None:
            return
        column = layout.column(align=True)
        column.label(text=f"Revision {here.revision:,}")
        sent, received = words.size(here.client.sent_bytes), words.size(here.client.received_bytes)
        column.label(text=f"{sent} sent, {received} received")
        if lobby.pinned is not None:
            _draw_fingerprint(column, "Pinned certificate", lobby.pinned)
        _draw_overruled(layout, here)
        _list(layout, "Changed by you and by others while you were away; yours stands", here.conflicts(), "INFO")
        _list(layout, "Let go, as it closed a ring with what others did", here.rings(), "INFO")
        paths = [f"{one.owner}: {one.what}" for one in words.withheld(here.withheld) if one.is_path]
        _list(layout, "Paths of others, not used here", paths, "FILE_FOLDER")
        refused = sorted({words.named(what) for what in here.mirror.ctx.refused})
        _list(layout, "Not possible in this Blender", refused, "QUESTION")


def _draw_lobby(layout: UILayout, context: Context) -> None:
    mine = preferences(context)
    row = layout.row(align=True)
    row.prop(mine, "name", text="", icon="USER", placeholder="Your name")
    color = row.row(align=True)
    color.ui_units_x = COLOR_UNITS
    color.prop(mine, "color", text="")
    column = layout.column(align=True)
    if lobby.host is None:
        column.prop(mine, "server", text="", icon="NETWORK_DRIVE", placeholder="Server")
        row = column.row(align=True)
        row.operator("mixer.list_rooms", icon="LINKED")
        row.operator("mixer.host", icon="HOME")
    else:
        row = column.row(align=True)
        row.label(text=f"Hosting at {lobby.host.address}" if lobby.host.address else "Starting", icon="HOME")
        row.operator("mixer.stop_hosting", text="", icon="X")
        if lobby.host.address and lobby.server is None:
            column.operator("mixer.list_rooms", icon="LINKED")
    if lobby.host is None:
        _draw_secrets(layout, mine)
    _draw_message(layout, context)
    _draw_invited(layout)
    _draw_carried(layout)
    if lobby.is_asking:
        layout.label(text="Asking for the rooms", icon="SORTTIME")
    elif lobby.server is not None:
        _draw_rooms(layout)
    if lobby.pinned is not None and lobby.invited is None:
        _draw_fingerprint(layout.box(), "Pinned certificate", lobby.pinned)


def _draw_secrets(layout: UILayout, mine: MixerPreferences) -> None:
    """What one has to show where rooms are not open; closed until somebody needs it."""
    header, body = layout.panel("mixer_secrets", default_closed=True)
    header.label(text="Invitation and Passwords")
    if body is not None:
        column = body.column(align=True)
        for name, icon, text in SECRETS:
            column.prop(mine, name, text="", icon=icon, placeholder=text)
        _set(body.operator("mixer.join_room", text="Join a Room by Its Name"), room="")


def _draw_invited(layout: UILayout) -> None:
    """The room of the invitation, which need not be listed."""
    if (invited := lobby.invited) is None or lobby.host is not None:
        return
    box = layout.box()
    row = box.row(align=True)
    row.label(text=invited.room, icon="COMMUNITY", translate=False)
    join = row.row()
    join.ui_units_x = JOIN_UNITS
    _set(join.operator("mixer.join_room", text="Join"), room=invited.room)
    box.label(text=f"Invited to {invited.server}", icon="BLANK1", translate=False)
    if invited.fingerprint is not None:
        _draw_fingerprint(box, "Certificate to expect", invited.fingerprint)


def _draw_fingerprint(layout: UILayout, title: str, fingerprint: str) -> None:
    """In lines that two people can compare by reading them to each other."""
    column = layout.column(align=True)
    column.label(text=title, icon="LOCKED")
    for start in range(0, len(fingerprint), FINGERPRINT_CHARS):
        row = column.row()
        row.active = False
        row.label(text=" ".join(textwrap.wrap(fingerprint[start : start + FINGERPRINT_CHARS], 4)), icon="BLANK1")


def _draw_carried(layout: UILayout) -> None:
    """The room that the open file was saved in."""
    if (place := carried()) is not None:
        box = layout.box()
        box.label(text=f"Saved in {place.room}", icon="FILE_BLEND", translate=False)
        row = box.row(align=True)
        row.label(text=f"{place.host}:{place.port}", icon="BLANK1", translate=False)
        row.operator("mixer.go_on")


def _draw_message(layout: UILayout, context: Context) -> None:
    """What went wrong last."""
    if lobby.message:
        box = layout.box()
        box.alert = True
        _sentence(box, context, lobby.message, "ERROR")


def _draw_rooms(layout: UILayout) -> None:
    box = layout.box()
    head = box.row()
    head.label(text="Rooms" if lobby.rooms else "No rooms yet")
    head.operator("mixer.list_rooms", text="", icon="FILE_REFRESH", emboss=False)
    box.operator("mixer.create_room", icon="ADD")
    for room in lobby.rooms:
        row = box.row(align=True)
        row.label(text=room["name"], icon="COMMUNITY", translate=False)
        count = row.row()
        count.active = False
        count.alignment = "RIGHT"
        count.label(text=f"{room['members']} here" if room["members"] else "empty")
        join = row.row()
        join.ui_units_x = JOIN_UNITS
        _set(join.operator("mixer.join_room", text="Join"), room=room["name"])


def _draw_room(layout: UILayout, context: Context, here: Session) -> None:
    now = status(here)
    box = layout.box()
    row = box.row()
    row.label(text=here.client.room, icon="COMMUNITY", translate=False)
    row.operator("mixer.leave_room", text="Leave")
    column = box.column(align=True)
    column.alert = now.lost
    column.label(text=now.headline, icon=now.icon)
    if now.progress is not None:
        column.progress(factor=now.progress, text=f"{now.progress:.0%}")
    elif now.detail:
        column.label(text=now.detail, icon="BLANK1")
    if now.notice and not now.lost:
        _sentence(box, context, now.notice[:1].upper() + now.notice[1:], "NONE")
    if now.lost:
        box.operator("mixer.reconnect", icon="FILE_REFRESH")
    if now.overruled:
        box.label(text=f"{words.count(now.overruled, 'edit')} of yours gave way, see below", icon="INFO")
    people = layout.column(align=True)
    for person in now.people:
        _draw_person(people, person)
    _draw_message(layout, context)
    _draw_trust(layout, context, now)
    if lobby.host is not None:
        row = layout.row(align=True)
        row.label(text=f"Hosting at {lobby.host.address}", icon="HOME")
        row.operator("mixer.stop_hosting", text="", icon="X")


def _draw_person(layout: UILayout, person: Person) -> None:
    row = layout.row()
    icon = lobby.swatches.icon(person.color) if lobby.swatches is not None else 0
    row.label(text=person.name, icon_value=icon, translate=False)
    notes = row.row()
    notes.active = False
    notes.alignment = "RIGHT"
    notes.label(text=person.notes)


def _draw_trust(layout: UILayout, context: Context, now: Status) -> None:
    if now.trusted:
        layout.label(text="You trust the scripts of this room", icon="UNLOCKED")
        assert context.preferences is not None
        if not context.preferences.filepaths.use_scripts_auto_execute:
            text = 'For scripted drivers also switch on "Auto Run Python Scripts" in Preferences > Save & Load'
            _sentence(layout, context, text, "BLANK1")
    if not now.scripts:
        return
    box = layout.box()
    _list(
        box,
        f"{words.count(len(now.scripts), 'script')} held back",
        [f"{s.owner}: {s.what}" for s in now.scripts],
        "LOCKED",
    )
    if not now.trusted:
        _sentence(box, context, "They came with the scene and could run programs on your computer.", "NONE")
        box.operator("mixer.trust_room", icon="UNLOCKED")


def _draw_overruled(layout: UILayout, here: Session) -> None:
    """The last first."""
    kept = list(enumerate(here.member.overruled))[::-1]
    if not kept:
        return
    column = layout.column(align=True)
    column.label(text="Edits of yours that gave way", icon="INFO")
    for index, one in kept[:LISTED]:
        text, can_return = words.overruled(here.member, one)
        row = column.row(align=True)
        label = row.row()
        label.active = False
        label.label(text=text, icon="BLANK1", translate=False)
        if can_return:
            _set(row.operator("mixer.put_back", text="", icon="LOOP_BACK"), index=index)
    if len(kept) > LISTED:
        column.label(text=f"and {len(kept) - LISTED:,} more", icon="BLANK1")


def _list(layout: UILayout, title: str, lines: list[str], icon: IconItems) -> None:
    """A title and what it counts; nothing where there is nothing."""
    if not lines:
        return
    column = layout.column(align=True)
    column.label(text=title, icon=icon)
    for line in lines[:LISTED]:
        row = column.row()
        row.active = False
        row.label(text=line, icon="BLANK1", translate=False)
    if len(lines) > LISTED:
        column.label(text=f"and {len(lines) - LISTED:,} more", icon="BLANK1")


def _sentence(layout: UILayout, context: Context, text: str, icon: IconItems) -> None:
    """Over as many lines as the sidebar's width needs."""
    assert context.region is not None
    assert context.preferences is not None
    pixels = context.region.width / context.preferences.system.ui_scale - MARGIN_PIXELS
    column = layout.column(align=True)
    for line in textwrap.wrap(text, max(16, int(pixels / CHARACTER_PIXELS))):
        column.label(text=line, icon=icon)
        icon = "BLANK1" if icon != "NONE" else icon


def _set(operator: Any, **properties: Any) -> None:
    """Gives a button's operator what it is to be called with."""
    for name, value in properties.items():
        setattr(operator, name, value)


CLASSES: Final = (MIXER_PT_room, MIXER_PT_details)
