"""What the session knows by identifiers, in words that Blender's own interface uses."""

from __future__ import annotations

import re
from collections.abc import Mapping
from types import MappingProxyType
from typing import Final, NamedTuple

import bpy

from broadcaster.member import Member, Overruled

from ..proxy.struct import PATHS

DRIVER: Final = re.compile(r"FCurve\.(?P<path>.+)\[\d+\]")
REASONS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "gone": "somebody removed it",
        "old": "somebody made it anew",
        "kind": "somebody made something else of it",
        "layout": "somebody changed its topology",
        "dangling": "what it needs was removed",
        "exists": "it was there already",
        "named": "others still use it",
        "role": "you may only look here",
        "frozen": "the room is frozen",
        "leased": "somebody else is at it",
        "expect": "somebody was quicker",
        "large": "it is too large to be sent",
        "full": "the room is full",
    }
)
FINAL: Final = frozenset({"gone", "old", "kind", "exists"})  # what was edited is no more: nothing to edit again


class Withheld(NamedTuple):
    """Something of the room that is not in this Blender."""

    owner: str  # a datablock's name
    what: str
    is_path: bool  # held back even if the room is trusted


def withheld(entries: Mapping[str, str]) -> list[Withheld]:
    """The session's "datablock: property", sorted by name."""
    return sorted(_withheld(*entry.rpartition(": ")[::2]) for entry in entries)


def _withheld(owner: str, what: str) -> Withheld:
    if driver := DRIVER.fullmatch(what):
        return Withheld(owner, f"driver of {driver['path']}", is_path=False)
    type_name, _, name = what.partition(".")
    prop = _property(type_name, name)
    return Withheld(owner, named(what), is_path=prop is not None and getattr(prop, "subtype", "") in PATHS)


def named(what: str) -> str:
    """ "Type.property" as Blender's interface names the two; as it is where Blender does not know it."""
    type_name, _, name = what.partition(".")
    rna = getattr(bpy.types, type_name, None)
    if rna is None:
        return what
    prop = _property(type_name, name)
    words = prop.name if prop is not None else name.replace("_", " ")
    return f"{rna.bl_rna.name}: {words}" if words else str(rna.bl_rna.name)


def _property(type_name: str, name: str) -> bpy.types.Property | None:
    rna = getattr(bpy.types, type_name, None)
    return rna.bl_rna.properties.get(name) if rna is not None else None


def overruled(member: Member, kept: Overruled) -> tuple[str, bool]:
    """What became of one edit of ours: which datablock, and why; and whether it could be made again."""
    if kept.dropped:
        uuid, reason = kept.dropped[0].uuid, kept.dropped[0].reason
    else:
        named = (one for one, _ in kept.deltas if one in kept.detail)
        uuid, reason = next(named, kept.deltas[0][0]), kept.reason
    name = name_of(member, uuid) or _name_made_by(kept, uuid)
    why = REASONS.get(reason, reason)
    if reason == "leased" and kept.detail:
        why = kept.detail.replace(uuid, "it")  # who holds it
    return f"{name or 'Something'}: {why}", reason not in FINAL


def name_of(member: Member, uuid: str) -> str:
    """A datablock's name; empty if there is none."""
    entity = member.shown.get(uuid)
    return str(entity.tree.get("name") or "") if entity is not None else ""


def _name_made_by(kept: Overruled, uuid: str) -> str:
    for one, delta in kept.deltas:
        if one == uuid and delta[0] == "create":
            return str(delta[2].get("name") or "")
    return ""


def count(number: int, one: str, many: str = "") -> str:
    """ "1 edit", "2 edits"."""
    return f"{number:,} {one if number == 1 else many or one + 's'}"


def size(number: int) -> str:
    """Of so many bytes."""
    return f"{number / 1e6:.1f} MB" if number >= 1e5 else f"{number / 1e3:.0f} kB"
