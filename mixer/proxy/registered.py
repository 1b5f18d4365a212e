"""Properties that add-ons registered: written where Blender stores them, so that no function of theirs is called."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

import bpy

from broadcaster.tree import Tree

from . import values
from .context import Context, Struct
from .fields import Fields, Reference, Scalar, resolve

SYSTEM_PROPERTIES: Final = bpy.app.version >= (5, 0)  # registered ones are stored apart from custom ones


@dataclass(frozen=True, slots=True)
class Registered:
    """A property that an add-on registered, written where it is stored: no function of its is called for others."""

    name: str
    inner: Scalar | Reference

    def read(self, ctx: Context, struct: Struct, prev: Tree, fields: Fields) -> Tree:
        return self.inner.read(ctx, struct, prev, fields)

    def write(self, ctx: Context, struct: Struct, live: Tree, new: Tree, fields: Fields) -> None:
        prop = struct.bl_rna.properties[self.name]
        stored = struct.bl_system_properties_get(do_create=True) if SYSTEM_PROPERTIES else struct
        if prop.type == "POINTER":
            stored.pop(self.name, None)  # a group that Blender made when it was read
            stored[self.name] = _of_type(ctx, prop.fixed_type, new)
        else:
            stored[self.name] = _as_stored(prop, new)
        struct.id_data.update_tag()


def _of_type(ctx: Context, rna: Any, tree: Tree) -> Any:
    """The datablock that a reference names, if it is of an RNA type: Blender stores any, and crashes later."""
    target = resolve(ctx, tree)
    base = None if target is None else target.bl_rna
    while base is not None and base.identifier != rna.identifier:
        base = base.base
    return target if base is not None else None


def _as_stored(prop: Any, tree: Tree) -> Any:
    """A value as Blender stores that of a registered property: enums as numbers, nothing outside its range."""
    value = values.decode(tree)
    match prop.type:
        case "ENUM" if prop.is_enum_flag:
            return sum(prop.enum_items[choice].value for choice in set(value))
        case "ENUM":
            return prop.enum_items[value].value
        case "STRING":
            return value.encode()[: prop.length_max - 1].decode(errors="ignore") if prop.length_max else value
    return [_number(prop, one) for one in _flat(value)] if prop.is_array else _number(prop, value)


def _number(prop: Any, value: Any) -> Any:
    if prop.type == "BOOLEAN":
        return bool(value)
    return min(max((int if prop.type == "INT" else float)(value), prop.hard_min), prop.hard_max)


def _flat(value: Any) -> Iterator[Any]:
    """The numbers of a vector, or of rows of them."""
    for one in value:
        if type(one) is list:
            yield from _flat(one)
        else:
            yield one
