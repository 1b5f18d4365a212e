"""Nodes and the links between them.

A link is one string of a link set, made of the keys of its nodes and sockets: `NODE/SOCKET>NODE/SOCKET`, then `#N` for
its place among the links of a socket that takes several, and `!` if it is muted.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final, TypeAlias
from urllib.parse import quote, unquote

import bpy

from broadcaster.tree import Tree, items, link_set, tag

from ..rules.rule import Items
from .collection import ItemsProxy, make
from .context import Context, Struct
from .keying import name_of, recognised, rename, structs_of
from .sockets import NUMBERED, keys_of, translation
from .struct import Fields, read_struct, write_struct

RULE: Final = Items(new="new", args=("bl_idname",), kind="bl_idname", unordered=True)
HANDLES: Final = "nodes"
KEYS: Final = "node_keys"  # by name
FRAME: Final = "parent"
END: Final = "paired_output"
LINK: Final = re.compile(r"([^/>#!]*)/([^/>#!]*)>([^/>#!]*)/([^/>#!]*)(?:#(\d{1,9}))?(!)?", re.ASCII)

Target: TypeAlias = tuple[str, str]  # the keys of a node and of an input socket of it
Ends: TypeAlias = tuple[str, str, str, str]

UNDEFINED: Final = "NodeUndefined"
MAX_LOCATION: Final = 1e5
PAIRING_CRASHES: Final = frozenset({((4, 5), "GeometryNodeClosureInput")})


# Nodes --------------------------------------------------------------------------------------------------------------


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
        of = {key: found[key] for key in sorted(found)}
        return prev if prev and of == before and prev["order"] == list(of) else items(of)

    def write(self, ctx: Context, struct: Struct, live: Tree, new: Tree, fields: Fields) -> None:
        nodes = getattr(struct, self.name)
        before, wanted = structs_of(live), structs_of(new)
        here = _recognise(ctx, _known(ctx, struct), live)
        for key in [key for key in here if key not in wanted]:
            nodes.remove(here.pop(key))
        # By name, as Blender numbers names like "Math.001" itself then: each renaming costs an update of the tree.
        for key in sorted((key for key in wanted if key not in here), key=lambda key: name_of(wanted[key])):
            if make(ctx, nodes, self.rule, wanted[key]):
                here[key] = nodes[-1]
        if lacking := wanted.keys() - here.keys():
            ctx.refuse(struct, self.name, f"this Blender makes no {wanted[min(lacking)].get('bl_idname')} here")
            ctx.refuse(struct, "links", "some lead to nodes that this Blender does not make")
        rename(here, {key: name_of(wanted[key]) for key in here})
        _note(ctx, here)
        moved = _pair(ctx, here, wanted) | _attach(here, wanted)
        _place(nodes, {here[key].name: tree.get("location") for key, tree in wanted.items() if key in here})
        for key in _in_order(here):
            if key in moved or before.get(key) != wanted[key]:
                # Read anew: Blender itself changes what is new, paired or put into a frame.
                write_struct(ctx, here[key], read_struct(ctx, here[key], wanted[key]), wanted[key])


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


# Links --------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Link:
    """What a string of the link set says. `ends` are the keys of node, socket, node, socket, from output to input."""

    ends: Ends
    place: int = 0
    muted: bool = False

    @property
    def target(self) -> Target:
        return self.ends[2:]

    def text(self, *, several: bool) -> str:
        one, two, three, four = (quote(part, safe=" ") for part in self.ends)
        return f"{one}/{two}>{three}/{four}{f'#{self.place}' if several else ''}{'!' if self.muted else ''}"


def parse(text: str) -> Link | None:
    """The link that `text` says; None if it says none."""
    if (said := LINK.fullmatch(text)) is None:
        return None
    one, two, three, four = map(unquote, said.group(1, 2, 3, 4))
    return Link((one, two, three, four), int(said[5] or 0), said[6] is not None)


@dataclass(frozen=True, slots=True)
class NodeLinksProxy:
    """The links of a node tree.

    Of several that members gave to a socket which takes one, all see the same one; the others go when that one goes.
    """

    name: str
    pseudo: bool = False

    def read(self, ctx: Context, struct: Struct, prev: Tree, fields: Fields) -> Tree:
        before = _by_target(prev)
        found: set[str] = set()
        for target, standing in _standing(ctx, struct).items():
            several, now = standing.several, [link.said for link in standing.links]
            old = before.get(target, {})
            alike = bool(old) and _same(_effective(old, several=several), now)
            found.update(old if alike else (link.text(several=several) for link in _placed(now, old.values())))
        tree = link_set(found)
        return prev if prev == tree else tree

    def write(self, ctx: Context, struct: Struct, live: Tree, new: Tree, fields: Fields) -> None:
        tree_links = getattr(struct, self.name)
        sockets = _Sockets(ctx, struct)
        wanted = {target: self._wanted(ctx, struct, sockets, texts) for target, texts in _by_target(new).items()}
        add: list[Link] = []
        for target, standing in _standing(ctx, struct).items():
            links = wanted.pop(target, [])
            if [link.ends for link in links] != [link.said.ends for link in standing.links]:
                for one in standing.links:
                    tree_links.remove(one.here)
                add += links
            else:
                for one, link in zip(standing.links, links, strict=True):
                    if one.said.muted != link.muted:
                        one.here.is_muted = link.muted
        for link in [*add, *(link for links in wanted.values() for link in links)]:
            made = tree_links.new(sockets.of(*link.ends[2:], output=False), sockets.of(*link.ends[:2], output=True))
            if link.muted:
                made.is_muted = True

    def _wanted(self, ctx: Context, struct: Struct, sockets: _Sockets, texts: Mapping[str, Link]) -> list[Link]:
        """Those links to one socket that can be made, in the order in which they are."""
        possible: dict[str, Link] = {}
        several = False
        for text, link in texts.items():
            if not sockets.nodes.keys() >= {link.ends[0], link.ends[2]}:
                continue  # who removed a node removed its links
            into = sockets.of(*link.ends[2:], output=False)
            if into is None or sockets.of(*link.ends[:2], output=True) is None:
                ctx.refuse(struct, self.name, f"no such sockets: {text}")
                continue
            several = into.is_multi_input
            possible[text] = link
        return _effective(possible, several=several)


@dataclass(frozen=True, slots=True)
class Here:
    """A link in Blender and what is said of it."""

    said: Link
    here: Struct
    sort: tuple[int, int]


@dataclass(slots=True)
class Standing:
    """The links that end in one socket, in their order."""

    several: bool  # whether the socket takes more than one
    links: list[Here] = field(default_factory=list)


def _standing(ctx: Context, tree: Struct) -> dict[Target, Standing]:
    names = ctx.handles()[KEYS]
    sides: dict[tuple[str, bool], Mapping[str, str]] = {}

    def end(node: Struct, socket: Struct, *, output: bool) -> tuple[str, str]:
        name, identifier = node.name, socket.identifier
        if (keys := sides.get((name, output))) is None:
            keys = sides[name, output] = translation(ctx, node, output=output)
        return names[name], keys.get(identifier, identifier)

    found: dict[Target, Standing] = {}
    for place, link in enumerate(tree.links):
        into = link.to_socket
        if link.from_node.name not in names or link.to_node.name not in names:
            continue
        target = end(link.to_node, into, output=False)
        said = Link((*end(link.from_node, link.from_socket, output=True), *target), muted=link.is_muted)
        # Of links with the same number Blender takes the later one first.
        standing = found.setdefault(target, Standing(into.is_multi_input))
        standing.links.append(Here(said, link, (link.multi_input_sort_id, -place)))
    for standing in found.values():
        standing.links.sort(key=lambda link: link.sort)
    return found


def _by_target(tree: Tree) -> dict[Target, dict[str, Link]]:
    found: dict[Target, dict[str, Link]] = {}
    for text in tree["of"] if tag(tree) == "set" else ():
        if (link := parse(text)) is not None:
            found.setdefault(link.target, {})[text] = link
    return found


def _effective(texts: Mapping[str, Link], *, several: bool) -> list[Link]:
    """The links that come about of those said of one socket, in their order: the same for everybody."""
    if not several:
        return [texts[max(texts)]] if texts else []
    last = {texts[text].ends: text for text in sorted(texts)}
    return sorted((texts[text] for text in last.values()), key=lambda link: (link.place, link.ends))


def _same(one: Sequence[Link], two: Sequence[Link]) -> bool:
    return [(link.ends, link.muted) for link in one] == [(link.ends, link.muted) for link in two]


def _placed(now: Iterable[Link], before: Iterable[Link]) -> Iterator[Link]:
    """The links in order, with as few new places as that takes."""
    places = {link.ends: link.place for link in before}
    last = -1
    for link in now:
        last = max(places.get(link.ends, 0), last + 1)
        yield replace(link, place=last)


class _Sockets:
    """The sockets of a tree by the keys of node and socket."""

    def __init__(self, ctx: Context, tree: Struct) -> None:
        self._ctx = ctx
        keys = ctx.handles()[KEYS]
        self.nodes = {keys[node.name]: node for node in tree.nodes if node.name in keys}
        self._sides: dict[tuple[str, bool], dict[str, Struct]] = {}

    def of(self, node: str, socket: str, *, output: bool) -> Struct | None:
        if (side := self._sides.get((node, output))) is None:
            side = self._sides[node, output] = keys_of(self._ctx, self.nodes[node], output=output)
        return side.get(socket)
