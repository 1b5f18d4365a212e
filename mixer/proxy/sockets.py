"""The sockets of nodes, each under a key that is the same on every peer.

Most are known by their identifier. Those of node groups and of nodes with a list of items are numbered as they are
made, differently on each peer: they are known by the key of the interface socket, or of the item, that they stand for.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

import bpy

from broadcaster.tree import Tree, items, same

from ..rules.rule import Items, names
from . import interface
from .collection import ItemsProxy
from .context import Context, Struct
from .fields import Fields
from .keying import structs_of
from .reuse import reuse
from .struct import plan_of, read_struct, read_values, write_struct

KEYS: Final = "node_keys"  # among the local handles: name of a node -> its key
ITEMS: Final = "node_items"  # the same: name of a node -> list of items -> their keys
PLAIN: Final[Mapping[str, str]] = MappingProxyType({})
VALUE: Final = "default_value"
EXTEND: Final = "__extend__"  # the empty socket below the last


@dataclass(frozen=True, slots=True)
class Numbered:
    """The lists of items that a node's inputs and outputs stand for, in order; `zone`: they are those of its end."""

    inputs: tuple[str, ...] = ()
    outputs: tuple[str, ...] = ()
    zone: bool = False


def _both(*lists: str, zone: bool = False) -> Numbered:
    return Numbered(lists, lists, zone)


NUMBERED: Final = {
    "CompositorNodeOutputFile": Numbered(inputs=("file_output_items",)),
    "FunctionNodeFormatString": Numbered(inputs=("format_items",)),
    "GeometryNodeBake": _both("bake_items"),
    "GeometryNodeCaptureAttribute": _both("capture_items"),
    "GeometryNodeFieldToGrid": _both("grid_items"),
    "GeometryNodeForeachGeometryElementInput": _both("input_items", zone=True),
    "GeometryNodeForeachGeometryElementOutput": _both("main_items", "generation_items"),
    "GeometryNodeIndexSwitch": Numbered(inputs=("index_switch_items",)),
    "GeometryNodeMenuSwitch": _both("enum_items"),
    "GeometryNodeRepeatInput": _both("repeat_items", zone=True),
    "GeometryNodeRepeatOutput": _both("repeat_items"),
    "GeometryNodeSimulationInput": _both("state_items", zone=True),
    "GeometryNodeSimulationOutput": _both("state_items"),
    "GeometryNodeViewer": Numbered(inputs=("viewer_items",)),
    "NodeClosureInput": Numbered(outputs=("input_items",), zone=True),
    "NodeClosureOutput": Numbered(inputs=("output_items",)),
    "NodeCombineBundle": Numbered(inputs=("bundle_items",)),
    "NodeEvaluateClosure": Numbered(inputs=("input_items",), outputs=("output_items",)),
    "NodeSeparateBundle": Numbered(outputs=("bundle_items",)),
}
BY_NAME: Final = names("CompositorNodeRLayers NodeReroute")  # their identifiers depend on which Blender made them
NOT_NUMBERED: Final = names(  # identifiers of the other sockets of these nodes
    "Bundle Closure Element Format Geometry Grid Index Iteration Iterations Menu Output Selection Skip String Topology"
) | {"Delta Time"}


RULE: Final = Items(fixed=True, name="identifier")


def keys_of(ctx: Context, node: Struct, *, output: bool, hidden: bool = False) -> dict[str, Struct]:
    """The sockets of one side of a node, by key. The items of `node` are to be noted before (`note_items`).

    Of those that are known by name, what is out of use is left out, or with `hidden` comes after what is in use.
    """
    sockets = node.outputs if output else node.inputs
    keys = translation(ctx, node, output=output)
    if type(node).__name__ in BY_NAME:
        unused = [socket for socket in sockets if hidden and socket.is_unavailable]
        sockets = [*unused, *(socket for socket in sockets if not socket.is_unavailable)]
    return {keys.get(identifier := socket.identifier, identifier) or "-": socket for socket in sockets}


def translation(ctx: Context, node: Struct, *, output: bool) -> Mapping[str, str]:
    """Identifier -> key, of those sockets on one side of a node whose identifier says nothing on another peer."""
    kind = type(node)
    if (numbered := NUMBERED.get(kind.__name__)) is not None:
        return _by_item(ctx, node, numbered, output=output)
    if kind.__name__ in BY_NAME:
        return {one.identifier: one.name for one in (node.outputs if output else node.inputs)}
    if isinstance(node, (bpy.types.NodeGroupInput, bpy.types.NodeGroupOutput)):
        group = node.id_data
    elif "node_tree" not in plan_of(node).proxies or (group := node.node_tree) is None:
        return PLAIN
    sockets = node.outputs if output else node.inputs
    return {socket.identifier: interface.key_of(ctx, group, socket.identifier) for socket in sockets}


def _by_item(ctx: Context, node: Struct, numbered: Numbered, *, output: bool) -> Mapping[str, str]:
    owner = node.paired_output if numbered.zone else node
    known: dict[str, list[str]] = ctx.handles().get(ITEMS, {}).get(owner.name, {}) if owner else {}
    keys = [key for name in (numbered.outputs if output else numbered.inputs) for key in known.get(name, ())]
    identifiers = [socket.identifier for socket in (node.outputs if output else node.inputs)]
    of_items = [one for one in identifiers if one not in NOT_NUMBERED and not one.startswith(EXTEND)]
    if len(of_items) != len(keys):  # not made yet, or this Blender has none on this side
        return PLAIN
    return dict(zip(of_items, keys, strict=True))


def note_items(ctx: Context, node: Struct, fields: Fields) -> None:
    """Notes the keys of a node's items, as they stand in Blender, for its sockets and those of the zone it ends."""
    numbered = NUMBERED.get(type(node).__name__)
    if numbered is not None and not numbered.zone:
        lists = {name: list(structs_of(fields.get(name))) for name in fields if name.endswith("_items")}
        ctx.handles().setdefault(ITEMS, {})[node.name] = lists


@dataclass(frozen=True, slots=True)
class SocketsProxy(ItemsProxy):
    """The inputs or the outputs of a node. Blender makes them out of what the node is."""

    rule: Items = RULE
    pseudo: bool = False

    def read(self, ctx: Context, struct: Struct, prev: Tree, fields: Fields) -> Tree:
        note_items(ctx, struct, fields)
        before = prev["of"] if prev else {}
        sockets = keys_of(ctx, struct, output=self.name == "outputs")
        of = {key: _read(ctx, sockets[key], before.get(key)) for key in sorted(sockets)}
        return reuse(prev, items(of))

    def write(self, ctx: Context, struct: Struct, live: Tree, new: Tree, fields: Fields) -> None:
        note_items(ctx, struct, fields)
        before, wanted = structs_of(live), structs_of(new)
        sockets = keys_of(ctx, struct, output=self.name == "outputs")
        if lacking := wanted.keys() - sockets.keys():
            ctx.refuse(struct, self.name, f"this Blender makes no socket {min(lacking)!r} here")
        for key, socket in sockets.items():
            tree = wanted.get(key)
            if tree is not None and not same(tree, before.get(key)):
                now = read_struct(ctx, socket, tree)  # anew: what the node is may have changed the socket since
                here, there = now.get(VALUE), tree.get(VALUE)
                if here is not None and there is not None and type(here) is not type(there):
                    tree = {**tree, VALUE: now.get(VALUE)}  # the socket gets its type only by what will be linked to it
                write_struct(ctx, socket, now, tree)


def _read(ctx: Context, socket: Struct, prev: Tree) -> Tree:
    """As `read_struct`, at half its price: sockets are most of what there is to read."""
    plan = plan_of(socket)
    if plan.rest or ctx.derived or (plan.custom and socket.keys()):
        return read_struct(ctx, socket, prev)
    scalars, vectors = plan.scalars, plan.vectors
    if (
        prev is not None
        and len(prev) == len(scalars) + len(vectors)
        and plan.get_scalars(socket) == tuple(map(prev.get, scalars))
        and (not vectors or list(map(list, plan.get_vectors(socket))) == list(map(prev.get, vectors)))
    ):
        return prev
    return read_values(plan, socket)
