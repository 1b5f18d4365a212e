"""The inputs of a geometry nodes modifier, named by local numbers of sockets.

Up to Blender 5.1 they are custom properties of the modifier, from 5.2 on properties of a struct of each socket. The
document says the same of both.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Final, Protocol

import bpy

from broadcaster.tree import Tree, same

from . import interface, values
from .context import Context, Struct
from .fields import WRITE_ERRORS, Fields, read_reference, resolve
from .reuse import reuse

SUFFIXES: Final = {"value": "", "use_attribute": "_use_attribute", "attribute": "_attribute_name"}
PROPERTIES: Final = {"value": "value", "use_attribute": "type", "attribute": "attribute_name"}
TYPES: Final[Mapping[bool, str]] = MappingProxyType({False: "VALUE", True: "ATTRIBUTE"})  # by use_attribute


class Place(Protocol):
    """Where Blender keeps one part of an input."""

    @property
    def address(self) -> tuple[int, str]:
        """Pointer of a struct and property, as curves and drivers name it."""

    def get(self) -> Any: ...

    def set(self, value: Any) -> None: ...


@dataclass(frozen=True, slots=True)
class ModifierInputs:
    """A struct: key of the group's socket -> its value, and the attribute that stands in for it or receives it."""

    name: str
    pseudo: bool = True

    def read(self, ctx: Context, struct: Struct, prev: Tree, fields: Fields) -> Tree:
        before: Fields = prev or {}
        found = {}
        for identifier, key in _sockets(ctx, struct.node_group):
            if parts := _read(ctx, struct, identifier, before.get(key) or {}):
                found[key] = reuse(before.get(key), parts)
        return reuse(prev, found)

    def write(self, ctx: Context, struct: Struct, live: Tree, new: Tree, fields: Fields) -> None:
        before: Fields = live or {}
        for identifier, key in _sockets(ctx, struct.node_group):
            wanted = new.get(key) if type(new) is dict else None
            if type(wanted) is dict and not same(wanted, before.get(key)):
                _write(ctx, struct, identifier, wanted)
        struct.id_data.update_tag()  # writing custom properties evaluates nothing


def _sockets(ctx: Context, group: Any) -> Iterator[tuple[str, str]]:
    """Identifier and key of each socket of a modifier's group."""
    for item in group.interface.items_tree if group is not None else ():
        if item.item_type != interface.PANEL:
            yield item.identifier, interface.key_of(ctx, group, item.identifier)


def _read(ctx: Context, modifier: Struct, identifier: str, prev: Fields) -> Fields:
    found = {}
    for part, place in _places(modifier, identifier).items():
        if part in prev and ctx.derived and place.address in ctx.derived:
            found[part] = prev[part]
            continue
        value = place.get()
        found[part] = read_reference(ctx, value) if isinstance(value, bpy.types.ID) else values.encode(value)
    return found


def _write(ctx: Context, modifier: Struct, identifier: str, wanted: Fields) -> None:
    for part, place in _places(modifier, identifier).items():
        if part not in wanted:
            continue
        try:
            now = place.get()
            refers = now is None or isinstance(now, bpy.types.ID)
            place.set(resolve(ctx, wanted[part]) if refers else values.decode(wanted[part]))
        except WRITE_ERRORS as exc:
            ctx.refuse(modifier, place.address[1], exc)


def _places(modifier: Struct, identifier: str) -> dict[str, Place]:
    """Part -> where it is; a socket of geometry has none."""
    if not hasattr(modifier, "properties"):
        names = {part: identifier + suffix for part, suffix in SUFFIXES.items()}
        return {part: CustomProperty(modifier, name) for part, name in names.items() if name in modifier}
    ends = modifier.properties.inputs, modifier.properties.outputs
    socket = next((found for end in ends if (found := getattr(end, identifier, None)) is not None), None)
    properties = socket.bl_rna.properties if socket is not None else {}
    found = {part: Property(socket, name) for part, name in PROPERTIES.items() if name in properties}
    if "attribute" not in found:  # it has a type, with no choice
        found.pop("use_attribute", None)
    return dict(found)


@dataclass(frozen=True, slots=True)
class CustomProperty:
    """Of the modifier."""

    modifier: Struct
    name: str

    @property
    def address(self) -> tuple[int, str]:
        return self.modifier.as_pointer(), f'["{self.name}"]'

    def get(self) -> Any:
        value = self.modifier[self.name]
        return value.to_list() if hasattr(value, "to_list") else value

    def set(self, value: Any) -> None:
        """As what Blender keeps there: of another type it would be as good as absent."""
        now = self.modifier[self.name]
        if hasattr(now, "to_list"):
            now[:] = value
        elif now is None or isinstance(now, bpy.types.ID):
            self.modifier[self.name] = value
        else:
            self.modifier[self.name] = type(now)(value)


@dataclass(frozen=True, slots=True)
class Property:
    """Of the socket's own struct. The choices of a menu have names here and numbers in the document."""

    socket: Struct
    name: str

    @property
    def address(self) -> tuple[int, str]:
        return self.socket.as_pointer(), self.name

    def get(self) -> Any:
        value = getattr(self.socket, self.name)
        if self.name == PROPERTIES["use_attribute"]:
            return value == TYPES[True]
        if self._is_menu():
            return next((choice.value for choice in self._choices() if choice.identifier == value), -1)
        return value if isinstance(value, bpy.types.ID | str) or not hasattr(value, "__len__") else list(value)

    def set(self, value: Any) -> None:
        """Raises TypeError or ValueError where Blender does not take it."""
        if self.name == PROPERTIES["use_attribute"]:
            if value is not self.get():
                setattr(self.socket, self.name, TYPES[value is True])
            return
        if self._is_menu():
            value = next((choice.identifier for choice in self._choices() if choice.value == value), None)
            if value is None:
                raise ValueError("the menu has no such choice")
        elif isinstance(now := getattr(self.socket, self.name), bool | int | float):
            value = type(now)(value)
        setattr(self.socket, self.name, value)

    def _is_menu(self) -> bool:
        return bool(self.socket.bl_rna.properties[self.name].type == "ENUM")

    def _choices(self) -> Any:
        return self.socket.bl_rna.properties[self.name].enum_items
