"""The links of a node tree.

A link is one string of a link set, made of the keys of its nodes and sockets: `NODE/SOCKET>NODE/SOCKET`, then `#N` for
its place among the links of a socket that takes several, and `!` if it is muted.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final, TypeAlias
from urllib.parse import quote, unquote

from broadcaster.tree import Tree, link_set, tag

from .context import Context, Struct
from .fields import WRITE_ERRORS, Fields
from .reuse import reuse
from .sockets import KEYS, keys_of, translation

LINK: Final = re.compile(r"([^/>#!]*)/([^/>#!]*)>([^/>#!]*)/([^/>#!]*)(?:#(\d{1,9}))?(!)?", re.ASCII)

Target: TypeAlias = tuple[str, str]  # the keys of a node and of an input socket of it
Ends: TypeAlias = tuple[str, str, str, str]


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
        return reuse(prev, link_set(found))

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
            try:
                made = tree_links.new(sockets.of(*link.ends[2:], output=False), sockets.of(*link.ends[:2], output=True))
            except WRITE_ERRORS as exc:
                ctx.refuse(struct, self.name, f"{exc}: {link.text(several=False)}")
                continue
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
    """The sockets of a tree by the keys of node and socket. None is kept: a new link may make Blender replace it."""

    def __init__(self, ctx: Context, tree: Struct) -> None:
        self._ctx = ctx
        keys = ctx.handles()[KEYS]
        self.nodes = {keys[node.name]: node for node in tree.nodes if node.name in keys}
        self._sides: dict[tuple[str, bool], dict[str, str]] = {}

    def of(self, node: str, key: str, *, output: bool) -> Struct | None:
        if (side := self._sides.get((node, output))) is None:
            found = keys_of(self._ctx, self.nodes[node], output=output, hidden=True)
            side = self._sides[node, output] = {known: socket.identifier for known, socket in found.items()}
        sockets = self.nodes[node].outputs if output else self.nodes[node].inputs
        return next((one for one in sockets if one.identifier == side[key]), None) if key in side else None
