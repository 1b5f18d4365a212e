"""Two members close a ring at once, each with half of it: parents, collections, groups. The later half is dropped.

Blender takes no ring, and each Blender refuses the half that came second there. As all hold one document, all find the
same ring in it and the same half to drop; its maker does so at once, any editor after a while.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from types import MappingProxyType
from typing import Final, NamedTuple

from broadcaster.document import Deltas, Document
from broadcaster.member import Member
from broadcaster.tree import Delta, Tree, tag

from .proxy import Mirror

OWNER_SECONDS: Final = 2.0  # how long the maker of the later half has to drop it


class Edge(NamedTuple):
    """An entity names another so that a ring of such names is no scene; `drop` takes the name back."""

    target: str
    drop: Delta | None  # None: not to be dropped


Edges = Callable[[Tree], Iterator[Edge]]


def _field(name: str) -> Edges:
    def edges(tree: Tree) -> Iterator[Edge]:
        if (target := _target(tree.get(name))) is not None:
            yield Edge(target, ["patch", {name: ["put", None]}])

    return edges


def _held(tree: Tree) -> Iterator[Edge]:
    for name, droppable in (("children", True), ("objects", False)):
        if tag(links := tree.get(name)) == "set":
            for uuid in links["of"]:
                yield Edge(uuid, ["patch", {name: ["link", [], [uuid]]}] if droppable else None)


def _groups(tree: Tree) -> Iterator[Edge]:
    if tag(nodes := tree.get("nodes")) == "items":
        for key, node in nodes["of"].items():
            if tag(node) == "" and (target := _target(node.get("node_tree"))) is not None:
                yield Edge(target, ["patch", {"nodes": ["patch", {key: ["patch", {"node_tree": ["put", None]}]}]}])


def _target(tree: Tree) -> str | None:
    target: object = tree["to"] if tag(tree) == "ref" else None
    return target if type(target) is str else None


EDGES: Final[Mapping[str, tuple[Edges, ...]]] = MappingProxyType(
    {
        "objects": (_field("parent"), _field("instance_collection")),
        "collections": (_held,),
        "scenes": (_field("background_set"),),
        "node_groups": (_groups,),
    }
)


def edges_of(kind: str, tree: Tree) -> Iterator[Edge]:
    """What an entity names that must not lead back to it."""
    for edges in EDGES.get(kind, ()):
        yield from edges(tree)


def ring_of(start: str, document: Document) -> list[tuple[str, Edge]]:
    """A ring through `start`: who names whom, in order; empty if there is none."""
    above: dict[str, tuple[str, Edge]] = {}  # entity -> who names it, on the way from `start`
    todo = [start]
    while todo:
        uuid = todo.pop()
        if (entity := document.get(uuid)) is None:
            continue
        for edge in edges_of(entity.kind, entity.tree):
            if edge.target == start:
                ring = [(uuid, edge)]
                while ring[-1][0] != start:
                    ring.append(above[ring[-1][0]])
                return ring
            if edge.target not in above:
                above[edge.target] = uuid, edge
                todo.append(edge.target)
    return []


class Cycles:
    """The rings that this Blender refused to close, and since when."""

    def __init__(self) -> None:
        self._since: dict[str, float] = {}
        self.dropped: list[tuple[str, str]] = []  # (name, name of what it named): to be told

    def settle(self, mirror: Mirror, member: Member, now: float) -> Deltas:
        """Drops the later half of each; the edits to send. Waits while edits of ours have no place in the order."""
        if member.pending:
            return []
        for uuid in sorted(mirror.ringed):
            droppable = [one for one in ring_of(uuid, member.shown) if one[1].drop is not None]
            if not droppable:  # there is none, or no longer
                self._since.pop(uuid, None)
                mirror.ringed.discard(uuid)
                mirror.deferred.add(uuid)
                continue
            later, edge = max(droppable, key=lambda one: _age(one[0], member.shown))
            since = self._since.setdefault(uuid, now)
            if _age(later, member.shown)[2] == member.id or now - since > OWNER_SECONDS:
                self.dropped.append((_name(later, member.shown), _name(edge.target, member.shown)))
                mirror.deferred.add(later)
                return [[later, edge.drop]]  # the next ring is looked at once this has its place
        return []


def _age(uuid: str, document: Document) -> tuple[int, str, str]:
    entity = document.get(uuid)
    return (0, uuid, "") if entity is None else (entity.changed, uuid, entity.creator)


def _name(uuid: str, document: Document) -> str:
    entity = document.get(uuid)
    return str(entity.tree.get("name", uuid)) if entity is not None else uuid
