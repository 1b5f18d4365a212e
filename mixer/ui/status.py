"""What the panel says of the room: a value, made of the session, and drawn again when it is another."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ..arrival import State
from ..client import Link
from ..session import Session
from . import words
from .colors import color_for

if TYPE_CHECKING:
    from bpy.stub_internal.rna_enums import IconItems


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody in the room."""

    name: str
    color: str  # "#rrggbb"
    notes: str  # "you", "owner", what they are editing


@dataclass(frozen=True, slots=True)
class Status:
    """The room in words."""

    headline: str
    icon: IconItems
    detail: str = ""
    progress: float | None = None  # from 0 to 1
    lost: bool = False  # the connection
    notice: str = ""  # why nothing can be changed now
    people: tuple[Person, ...] = ()
    scripts: tuple[words.Withheld, ...] = ()  # that trust would let in
    trusted: bool = False
    overruled: int = 0
    revision: int = 0


def status(here: Session) -> Status:
    """How `here` stands at this moment."""
    headline, icon, detail = _headline(here)
    progress = here.progress if here.state in (State.SHARING, State.LOADING) and here.progress else None
    return Status(
        headline,
        icon,
        detail,
        None if progress is None else round(progress, 2),
        here.client.link is Link.LOST,
        here.notice or "",
        _people(here),
        tuple(one for one in words.withheld(here.withheld) if not one.is_path),
        here.trusted,
        len(here.member.overruled),
        here.revision,
    )


def _headline(here: Session) -> tuple[str, IconItems, str]:
    on_its_way = words.count(here.in_flight, "edit")
    match here.client.link, here.state:
        case Link.LOST, State.IN_STEP:
            kept = f"{on_its_way} of yours will follow" if here.in_flight else "Go on: what you do will follow"
            return "Connection lost, trying again", "UNLINKED", kept
        case Link.LOST, _:
            return "Connection lost, trying again", "UNLINKED", ""
        case _, State.JOINING:
            return "Connecting", "SORTTIME", ""
        case _, State.SHARING:
            return "Sharing your scene", "EXPORT", f"{words.size(here.client.sent_bytes)} sent"
        case _, State.LOADING if here.progress:
            return "Building the scene", "IMPORT", ""
        case _, State.LOADING:
            return "Receiving the scene", "IMPORT", f"{words.size(here.client.received_bytes)} so far"
        case _ if here.notice:
            return "The room takes no edits now", "ERROR", f"{on_its_way} of yours waiting" if here.in_flight else ""
        case _ if here.in_flight:
            return "Up to date", "CHECKMARK", f"{on_its_way} of yours on the way"
        case _ if here.client.transfers:
            return "Up to date", "CHECKMARK", f"{words.count(here.client.transfers, 'piece')} of data on the way"
    return "Up to date", "CHECKMARK", "Everything of yours is in the room"


def _people(here: Session) -> tuple[Person, ...]:
    """Ourselves first, then by name."""
    mine = here.member.id
    members = sorted(here.people.members.values(), key=lambda one: (one["id"] != mine, str(one["name"]).lower()))
    taken = {one["color"] for one in members}
    at = {member: words.name_of(here.member, uuid) for uuid, member in sorted(here.locked.items())}
    people = []
    for one in members:
        color = one["color"] or color_for(one["id"], taken)  # a peer without a window has none
        taken.add(color)
        notes = ["you"] * (one["id"] == mine) + [one["role"]] * (one["role"] != "editor")
        if name := at.get(one["id"]):
            notes.append(f"at {name}")
        people.append(Person(one["name"], color, ", ".join(notes)))
    return tuple(people)
