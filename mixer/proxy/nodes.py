"""The nodes of a node tree, with their frames and zones."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import bpy

from broadcaster.tree import Tree, items, same

from ..rules.rule import Items
from .collection import ItemsProxy, make
from .context import Context, Struct
from .fields import Fields
from .keying import name_of, recognised, rename, structs_of, unlike_names
from .reuse import reuse
from .sockets import KEYS, NUMBERED
from .struct import read_struct, write_struct

RULE: Final = Items(new="new", args=("bl_idname",), kind="bl_idname", unordered=True)
HANDLES: Final = "nodes"
FRAME: Final = "parent"
ACTIVE: Final = "is_active_output"
LOCATION: Final = "location"
END: Final = "paired_output"
UNDEFINED: Final = "NodeUndefined"
MAX_LOCATION: Final = 1e5
PAIRING_CRASHES: Final = frozenset({((4, 5), "GeometryNodeClosureInput")})


@dataclass(frozen=True, slots=True)
class Handle:
    """A node as it was looked at last: by this it is recognised after a rename or an undo."""

    pointer: int
    name: str
    idname: str


@dataclass(frozen=True, slots=True)
class NodesProxy(ItemsProxy):
    """The nodes of a tree, frames and zones included."""

    rule: Items = RULE
    pseudo: bool = False

    def read(self, ctx: Context, struct: Struct, prev: Tree, fields: Fields) -> Tree:
        here = _recognise(ctx, _known(ctx, struct), prev)
        _note(ctx, here)
        before = structs_of(prev)
        found = {key: read_struct(ctx, here[key], before.get(key)) for key in _in_order(here)}
        return reuse(prev, items({key: found[key] for key in sorted(found)}))

    def write(self, ctx: Context, struct: Struct, live: Tree, new: Tree, fields: Fields) -> None:
        nodes = getattr(struct, self.name)
        before, wanted = structs_of(live), structs_of(new)
        here = _recognise(ctx, _known(ctx, struct), live)
        for key in (gone := [key for key in here if key not in wanted]):
            nodes.remove(here.pop(key))
        # By name, as Blender numbers names like "Math.001" itself then: each renaming costs an update of the tree.
        for key in sorted((key for key in wanted if key not in here), key=lambda key: name_of(wanted[key])):
            if make(ctx, nodes, self.rule, wanted[key]):
                here[key] = nodes[-1]
        if lacking := wanted.keys() - here.keys():
            ctx.refuse(struct, self.name, f"this Blender makes no {wanted[min(lacking)].get('bl_idname')} here")
            ctx.refuse(struct, "links", "some lead to nodes that this Blender does not make")
        names = unlike_names({key: name_of(tree) for key, tree in wanted.items()})
        rename(here, {key: names[key] for key in here})
        _note(ctx, here)
        moved = _pair(ctx, here, wanted) | _attach(here, wanted)
        _place(nodes, {here[key].name: tree.get(LOCATION) for key, tree in wanted.items() if key in here})
        for key in _in_order(here):
            old, node = before.get(key), here[key]
            if key in moved or gone or old is None:  # Blender itself changes what is new, paired or put into a frame
                write_struct(ctx, node, read_struct(ctx, node, wanted[key]), wanted[key])
            elif not same(old, wanted[key]):
                write_struct(ctx, node, {**old, LOCATION: list(node.location)}, wanted[key])
        _activate(here, wanted)


@dataclass(frozen=True, slots=True)
class OtherNode:
    """Another node of the same tree, by key: the frame around a node, the node that ends its zone."""

    name: str
    pseudo: bool = False

    def read(self, ctx: Context, struct: Struct, prev: Tree, fields: Fields) -> Tree:
        other = getattr(struct, self.name)
        if other is None:
            return None
        return ctx.handles()[KEYS].get(other.name)

    def write(self, ctx: Context, struct: Struct, live: Tree, new: Tree, fields: Fields) -> None:
        """Nothing: the nodes of a tree are paired and put into frames before anything else of them is written."""


def _handles(ctx: Context) -> dict[str, Handle]:
    handles: dict[str, Handle] = ctx.handles().get(HANDLES, {})
    return handles


def _note(ctx: Context, here: Mapping[str, Struct]) -> None:
    handles = ctx.handles()[HANDLES] = {key: _handle(node) for key, node in here.items()}
    ctx.handles()[KEYS] = {handle.name: key for key, handle in handles.items()}


def _handle(node: Struct) -> Handle:
    return Handle(node.as_pointer(), node.name, node.bl_idname)


def _known(ctx: Context, tree: Struct) -> list[Struct]:
    """The nodes of a type that Blender knows: of the others it says nothing, and none can be made."""
    nodes = tree.nodes
    known = [node for node in nodes if node.bl_idname != UNDEFINED]
    if len(known) < len(nodes):
        for name in ("nodes", "links"):
            ctx.refuse(tree, name, "nodes of a type that this Blender does not know are not mirrored")
    return known


def _recognise(ctx: Context, nodes: list[Struct], prev: Tree) -> dict[str, Struct]:
    """The nodes by key: by their handles, or by their names in `prev` where nobody looked before."""
    here = [_handle(node) for node in nodes]
    before = _handles(ctx)
    if not before:
        old = structs_of(prev).items()
        before = {key: Handle(0, name_of(tree), str(tree.get("bl_idname"))) for key, tree in old}
    ways = (
        (here.__getitem__, before.__getitem__),
        (lambda i: (here[i].name, here[i].idname), lambda key: (before[key].name, before[key].idname)),
        (lambda i: (here[i].pointer, here[i].idname), lambda key: (before[key].pointer, before[key].idname)),
    )
    return dict(zip(recognised(len(nodes), list(before), ways), nodes, strict=True))


def _in_order(here: Mapping[str, Struct]) -> list[str]:
    """Nodes that begin a zone come last: their sockets follow from the items of the node that ends it."""
    first: list[str] = []
    last: list[str] = []
    for key, node in here.items():
        numbered = NUMBERED.get(type(node).__name__)
        (last if numbered is not None and numbered.zone else first).append(key)
    return first + last


def _pair(ctx: Context, here: Mapping[str, Struct], wanted: Mapping[str, Fields]) -> set[str]:
    """Makes zones of their two nodes; the keys of those whose sockets changed thereby."""
    paired = set()
    for key, node in here.items():
        end = here.get(str(wanted[key].get(END)))
        if end is None or not hasattr(node, "pair_with_output") or node.paired_output == end:
            continue
        if (bpy.app.version[:2], node.bl_idname) in PAIRING_CRASHES or not node.pair_with_output(end):
            ctx.refuse(node, END, f"Blender does not pair it with {end.bl_idname}")
        else:
            paired.add(key)
    return paired


def _attach(here: Mapping[str, Struct], wanted: Mapping[str, Fields]) -> set[str]:
    """Puts nodes into their frames; the keys of those that were moved."""
    frames = {key: str(wanted[key].get(FRAME)) for key in here}
    moved = {key for key, node in here.items() if node.parent != _frame(here, frames[key])}
    for key in moved:
        here[key].parent = None  # first of all, or a frame may for a moment lie in one that it contains
    for key in sorted(moved):
        frame, above = _frame(here, frames[key]), frames[key]
        rings = {key}
        while above in here and above not in rings:
            rings.add(above)
            above = frames[above]
        if frame is not None and above not in rings:
            here[key].parent = frame
    return moved


def _activate(here: Mapping[str, Struct], wanted: Mapping[str, Fields]) -> None:
    """Of several outputs that the document says are the active one, as two people chose at once, all show the same."""
    for key in sorted((key for key in here if wanted[key].get(ACTIVE) is True), reverse=True):
        if getattr(here[key], ACTIVE, True) is False:  # setting it unsets the others of its kind
            setattr(here[key], ACTIVE, True)


def _place(nodes: Any, wanted: Mapping[str, Tree]) -> None:
    """Moves all nodes but one at once: each single move costs an update of the tree, and one is needed."""
    flat = [0.0] * (2 * len(nodes))
    nodes.foreach_get("location", flat)
    moved = 0
    for node, at in zip(nodes, range(0, len(flat), 2), strict=True):
        match wanted.get(node.name):
            case [float(x), float(y)] if [x, y] != flat[at : at + 2] and max(abs(x), abs(y)) < MAX_LOCATION:
                moved += 1
                if moved > 1:
                    flat[at : at + 2] = x, y
    if moved > 1:
        nodes.foreach_set("location", flat)


def _frame(here: Mapping[str, Struct], key: str) -> Struct | None:
    frame = here.get(key)
    return frame if frame is not None and frame.bl_idname == "NodeFrame" else None
