"""Custom properties: what artists and scripts hang on datablocks, bones and nodes by name."""

from __future__ import annotations

from collections.abc import Container
from typing import Any, Final

import bpy

from broadcaster.errors import RemoteProtocolError
from broadcaster.tree import Tree, same, tag

from . import values
from .context import Context, Struct

# What Blender and a value raise that cannot be a custom property.
REFUSALS: Final = (RemoteProtocolError, TypeError, ValueError, KeyError, OverflowError, RuntimeError)
OURS: Final = frozenset({"mixer_uuid", "mixer_room", "mixer_held", "_RNA_UI", "$"})
FOR_OLDER: Final = {"Camera": "cycles"}  # written by Blender into files, for its older versions: it reads them no more
GEOMETRY_NODES: Final = "NodesModifier"  # its custom properties are the inputs of its node group: see modifier_inputs


def supported(struct: Struct) -> bool:
    """Whether structs of this type take custom properties that nobody registered."""
    if isinstance(struct, bpy.types.PropertyGroup) or type(struct).__name__ == GEOMETRY_NODES:
        return False
    try:
        struct.keys()
    except TypeError:
        return False
    return True


def read(ctx: Context, struct: Struct, prev: Tree, registered: Container[str]) -> Tree:
    """The custom properties as a struct, empty if there are none. `registered` are those of add-ons."""
    names = [name for name in struct.keys() if name not in OURS]  # noqa: SIM118 (a struct is no dict)
    if not names:
        return prev if prev == {} else {}
    left_out = FOR_OLDER.get(type(struct).__name__)
    found = {name: _read(ctx, struct[name]) for name in names if name not in registered and name != left_out}
    if tag(prev) == "" and ctx.derived:
        pointer = struct.as_pointer()
        found |= {name: prev[name] for name in found if name in prev and (pointer, f'["{name}"]') in ctx.derived}
    return prev if same(prev, found) else found


def _read(ctx: Context, value: Any) -> Tree:
    if isinstance(value, bpy.types.ID):
        uuid = ctx.directory.uuid_of(value)
        return None if uuid is None else {"$": "ref", "to": uuid}
    if hasattr(value, "to_dict"):
        return {name: _read(ctx, inner) for name, inner in value.items() if name != "$"}
    if hasattr(value, "to_list"):
        return values.encode(value.to_list())
    if type(value) is list:
        return [_read(ctx, element) for element in value]
    return values.encode(value)


def write(ctx: Context, struct: Struct, live: Tree, new: Tree) -> None:
    """Makes the custom properties `new`, where they stand at `live`."""
    before, after = live or {}, new if tag(new) == "" else {}
    registered = {prop.identifier for prop in struct.bl_rna.properties if prop.is_runtime}
    for name in before:
        if name not in after and name in struct:
            del struct[name]
    for name, tree in after.items():
        if name in OURS or name in registered or (name in before and same(before[name], tree)):
            continue
        try:
            struct[name] = _value(ctx, tree)
        except REFUSALS as exc:
            ctx.refuse(struct, f'["{name}"]', exc)


def _value(ctx: Context, tree: Tree) -> Any:
    if type(tree) is list:
        return [_value(ctx, element) for element in tree]
    if type(tree) is dict:
        match tree.get("$"):
            case None:
                return {name: _value(ctx, inner) for name, inner in tree.items()}
            case "ref":
                return ctx.directory.find(tree["to"])
    return values.decode(tree)
