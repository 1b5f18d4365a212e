"""How one RNA type is mirrored, as data: no bpy here, and no mechanism."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Final

NOTHING: Final[Mapping[str, object]] = MappingProxyType({})


def names(text: str) -> frozenset[str]:
    """The words of `text`: spares the quotes in tables of property names."""
    return frozenset(text.split())


@dataclass(frozen=True, slots=True)
class Items:
    """How the items of one RNA collection are told apart, made and removed.

    `new` and `remove` are methods of the collection. An item is made by `new(*args)`, where each of `args` names a
    field of the item's tree; a keyword is written `keyword=field`, a constant `keyword:value`. With `fixed`, Blender
    itself makes the items out of other values (node sockets, pose bones): they are found by `name` and never made.
    With `rows` the items have a place and no identity: the whole collection is one value, a list of structs.
    """

    new: str = ""
    args: tuple[str, ...] = ()
    remove: str = "remove"
    name: str = "name"  # the field that tells one item from another
    kind: str = ""  # the field that cannot change in place: where it differs, it is another item
    move: str = ""  # method(from_index, to_index), where Blender has one
    named_apart: bool = False  # Blender has no two of one name
    fixed: bool = False
    shown: str = ""  # of fixed ones: the reference by whose uuid they are known, instead of by a name that may clash
    rows: bool = False
    by_product: str = ""  # the collection of bpy.data in which Blender makes a datablock along with an item
    unordered: bool = False  # their order says nothing, so it is not mirrored


@dataclass(frozen=True, slots=True)
class Rule:
    """What is mirrored of one RNA type, and what is not and why. Rules of base types also apply."""

    derived: frozenset[str] = frozenset()  # Blender recomputes it
    view: frozenset[str] = frozenset()  # another path to data mirrored elsewhere
    per_user: frozenset[str] = frozenset()  # each peer keeps its own
    todo: frozenset[str] = frozenset()  # wanted, not mirrored yet
    withheld: frozenset[str] = frozenset()  # of another member only once the room is trusted, or never
    plain: frozenset[str] = frozenset()  # writing one of these moves nothing else, so it needs no second look
    blind: frozenset[str] = frozenset()  # mirrored, but no depsgraph update tells of a change: the sweep reads it
    blind_in: tuple[str, ...] = ()  # parts and collections of this one in whose structs something is blind
    strong: frozenset[str] = frozenset()  # references whose removal Blender would cascade
    write_first: tuple[str, ...] = ()  # written in this order before the rest
    items: Mapping[str, Items] = field(default_factory=dict)  # the collections that are mirrored item by item
    make: Mapping[str, tuple[str, str]] = field(default_factory=dict)  # part -> what makes it, clears it
    after: tuple[str, ...] = ()  # what is to be done once something was written
    embedded: frozenset[str] = frozenset()  # pointers to datablocks that are part of this one
    by: Mapping[str, str] = field(default_factory=dict)  # property -> the special proxy that mirrors it

    def skipped(self) -> frozenset[str]:
        """The properties that are not mirrored."""
        return self.derived | self.view | self.per_user | self.todo
