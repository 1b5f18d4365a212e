"""The inputs of a geometry nodes modifier: custom properties in Blender, named by local numbers of sockets."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

import bpy

from broadcaster.tree import Tree

from . import interface, values
from .context import Context, Struct
from .struct import WRITE_ERRORS, Fields, read_reference, resolve

SUFFIXES: Final = {"value": "", "use_attribute": "_use_attribute", "attribute": "_attribute_name"}


@dataclass(frozen=True, slots=True)
class ModifierInputs:
    """A struct: key of the group's socket -> its value, and the attribute that stands in for it or receives it."""

    name: str
    pseudo: bool = True

    def read(self, ctx: Context, struct: Struct, prev: Tree, fields: Fields) -> Tree:
        before: Fields = prev or {}
        if not _is_supported(struct):
            ctx.refuse(struct, self.name, "this Blender keeps the inputs of a modifier elsewhere: not mirrored yet")
            return before
        found = {}
        for identifier, key in _sockets(ctx, struct.node_group):
            if parts := _read(ctx, struct, identifier, before.get(key) or {}):
                found[key] = parts
        return prev if prev == found else found

    def write(self, ctx: Context, struct: Struct, live: Tree, new: Tree, fields: Fields) -> None:
        before: Fields = live or {}
        if not _is_supported(struct):
            return
        for identifier, key in _sockets(ctx, struct.node_group):
            wanted = new.get(key) if type(new) is dict else None
            if type(wanted) is dict and wanted != before.get(key):
                _write(ctx, struct, identifier, wanted)
        struct.id_data.update_tag()  # writing custom properties evaluates nothing


def _is_supported(modifier: Struct) -> bool:
    """Whether this Blender keeps the inputs as custom properties of the modifier: 5.2 no longer does."""
    try:
        modifier.keys()
    except TypeError:
        return False
    return True


def _sockets(ctx: Context, group: Any) -> Iterator[tuple[str, str]]:
    """Identifier and key of each socket of a modifier's group."""
    for item in group.interface.items_tree if group is not None else ():
        if item.item_type != interface.PANEL:
            yield item.identifier, interface.key_of(ctx, group, item.identifier)


def _read(ctx: Context, modifier: Struct, identifier: str, prev: Fields) -> Fields:
    found = {}
    for part, suffix in SUFFIXES.items():
        name = identifier + suffix
        if name not in modifier:
            continue
        if part in prev and ctx.derived and (modifier.as_pointer(), f'["{name}"]') in ctx.derived:
            found[part] = prev[part]
            continue
        value = modifier[name]
        found[part] = read_reference(ctx, value) if isinstance(value, bpy.types.ID) else values.encode(_plain(value))
    return found


def _plain(value: Any) -> Any:
    return value.to_list() if hasattr(value, "to_list") else value


def _write(ctx: Context, modifier: Struct, identifier: str, wanted: Fields) -> None:
    for part, suffix in SUFFIXES.items():
        name = identifier + suffix
        if part not in wanted or name not in modifier:
            continue
        try:
            _assign(ctx, modifier, name, wanted[part])
        except WRITE_ERRORS as exc:
            ctx.refuse(modifier, f'["{name}"]', exc)


def _assign(ctx: Context, modifier: Struct, name: str, tree: Tree) -> None:
    """Writes a value as what Blender keeps there: of another type it would be as good as absent."""
    now = modifier[name]
    if now is None or isinstance(now, bpy.types.ID):
        modifier[name] = resolve(ctx, tree)
    elif hasattr(now, "to_list"):
        now[:] = values.decode(tree)
    else:
        modifier[name] = type(now)(values.decode(tree))
