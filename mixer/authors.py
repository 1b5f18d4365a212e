"""Who wrote what last: what an undo may take back, and what is another's and stays. Pure.

Blender's undo goes back to an older state of the whole file. What it changed is told apart here, field by field, by who
wrote that field last as far as this member saw.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Final, NamedTuple

from broadcaster.document import Deltas
from broadcaster.member import Message, Overruled
from broadcaster.tree import Delta, Patcher, Path, Tree, diff, names_one_of, parts, strong_refs

from .gone import Gone

PLACE: Final = "$place"  # of an item among the others, below its key
MEMBER: Final = "$member"  # of a link set, below its field
CHUNK: Final = "$chunk"  # of an array, below its name


@dataclass(slots=True)
class _Mark:
    """Who wrote what lies at one path: what lies below it, too, where nothing else is said."""

    is_theirs: bool | None = None  # None: as above
    below: dict[str, _Mark] = field(default_factory=dict)


class _Removed(NamedTuple):
    """What we removed, as it was then."""

    mark: _Mark
    tree: Tree


class Authors:
    """Marks by path for each entity. What nobody was seen to write counts as ours: it was here before."""

    def __init__(self) -> None:
        self._roots: dict[str, _Mark] = {}
        self._removed: dict[str, _Removed] = {}  # by us, with the work of others on it
        self._gone = Gone()

    def removes(self, uuid: str, tree: Tree) -> None:
        """We are about to remove what is `tree`: should an undo bring it back, others' work on it comes back too."""
        if self.theirs(uuid):
            self._removed[uuid] = _Removed(self._roots.pop(uuid), tree)

    def brought_back(self, uuid: str, live: Tree, exists: Callable[[str], bool]) -> Tree:
        """What is to be made again of a thing that an undo of ours brought back as `live`."""
        if (removed := self._removed.get(uuid)) is None or (delta := diff(removed.tree, live)) is None:
            return live
        self._roots[uuid] = removed.mark
        mine = self.mine(uuid, delta, removed.tree)
        tree = removed.tree if mine is None else Patcher(exists).patch(removed.tree, mine)[0]
        return tree if all(map(exists, strong_refs(tree))) else live

    def wrote(self, deltas: Deltas, *, theirs: bool) -> None:
        """Notes a transaction, of another or of ours."""
        for uuid, delta in deltas:
            if delta[0] == "create" and (removed := self._removed.pop(uuid, None)) is not None and not theirs:
                self._roots[uuid] = removed.mark
                continue
            if not theirs:
                self._gone.made(uuid, delta)
            if theirs or uuid in self._roots:
                for path in _leaves(delta, ()):
                    self._mark(uuid, path, theirs)

    def heard(self, batch: list[Message], pending: Mapping[int, Deltas], before: Callable[[str], Tree]) -> None:
        """Notes what the room sent. `pending` are our edits by number, `before` tells what an entity was until now."""
        for message in batch:
            match message:
                case {"type": "tx", "deltas": deltas}:
                    self._heard(deltas, before)
                case {"type": "ack", "seq": seq}:  # later than theirs that came before it
                    effect = message.get("effect", pending.get(seq, []))
                    # But for what was made: nobody wrote that before.
                    self.wrote([one for one in effect if one[1][0] != "create"], theirs=False)
                case {"type": "records", "entities": entities, "removed": removed}:  # what we missed while away
                    for record in entities:
                        uuid, kind, tree = record["uuid"], record["kind"], record["tree"]
                        old = before(uuid)
                        delta = ["create", kind, tree] if old is None else diff(old, tree)
                        self._heard([] if delta is None else [[uuid, delta]], before)
                    self.wrote([[uuid, ["remove"]] for uuid in removed if before(uuid) is not None], theirs=True)

    def _heard(self, deltas: Deltas, before: Callable[[str], Tree]) -> None:
        for uuid, delta in deltas:
            self._gone.removed(uuid, delta, before(uuid))
        self.wrote(deltas, theirs=True)

    def _mark(self, uuid: str, path: Path, is_theirs: bool) -> None:
        mark = self._roots.setdefault(uuid, _Mark())
        for name in path:
            mark = mark.below.setdefault(name, _Mark())
        mark.is_theirs = is_theirs
        mark.below.clear()

    def theirs(self, uuid: str, path: Path = ()) -> bool:
        """Whether another wrote what lies at `path` last, or anything below it."""
        mark = self._roots.get(uuid)
        if mark is None:
            return False
        found = mark.is_theirs
        for name in path:
            if (mark := mark.below.get(name)) is None:
                return found is True
            found = found if mark.is_theirs is None else mark.is_theirs
        return found is True or _any_theirs(mark)

    def mine(self, uuid: str, delta: Delta, before: Tree, lost: Collection[str] = ()) -> Delta | None:
        """What of an undo's `delta` is ours to send; None if nothing. The rest is to be put back.

        `before` is what `delta` was made against. A reference to one of `lost`, which the undo took from others, went
        with it and by nobody's wish; nor is ours what the undo brought back of what another removed.
        """
        back = self._gone.back(uuid, delta)
        keys = {path[-1] for path in back}

        def keep(path: Path, old: Tree) -> bool:
            return not (
                path in back
                or _links_one_of(path, keys)
                or self.theirs(uuid, path)
                or (lost and names_one_of(old, lost))
            )

        return filtered(delta, keep, before)


def _links_one_of(path: Path, keys: Collection[str]) -> bool:
    """Whether it is a member of a link set that names one of these items, as a link does its nodes."""
    return path[-2:-1] == (MEMBER,) and any(key in path[-1] for key in keys)


def _any_theirs(mark: _Mark) -> bool:
    return any(one.is_theirs or _any_theirs(one) for one in mark.below.values())


Keep = Callable[[Path, Tree], bool]  # whether the leaf at a path, where such a tree stood, is ours


def _leaves(delta: Delta, path: Path) -> Iterator[Path]:
    """The paths that a delta writes."""
    written: list[Path] = []

    def note(leaf: Path, _: Tree) -> bool:
        written.append(leaf)
        return False

    _filter(delta, path, None, note)
    yield from written


def both(mine: Delta, theirs: Delta) -> list[Path]:
    """What two deltas of one entity both write: the paths in `mine`."""
    other = list(_leaves(theirs, ()))
    return [
        path for path in _leaves(mine, ()) if any(path[: len(one)] == one or one[: len(path)] == path for one in other)
    ]


def filtered(delta: Delta, keep: Keep, before: Tree = None) -> Delta | None:
    """What of a delta is to be kept, leaf by leaf; None if nothing. `before` is what it was made against."""
    return _filter(delta, (), before, keep)


def _is_below(tops: list[Path], path: Path, _: Tree) -> bool:
    return any(path[: len(top)] == tuple(top) for top in tops)


def dropped_part(edit: Overruled) -> Deltas:
    """What of an edit did not take effect, as an edit."""
    if not edit.dropped:
        return edit.deltas
    part: Deltas = []
    for uuid, delta in edit.deltas:
        left = filtered(delta, partial(_is_below, [drop.path for drop in edit.dropped if drop.uuid == uuid]))
        if left is not None:
            part.append([uuid, left])
    return part


def _filter(delta: Delta, path: Path, before: Tree, keep: Keep) -> Delta | None:
    """What of a delta is to be kept; None if nothing."""
    match delta:
        case ["patch", changes]:
            inner = parts(before)
            kept = {
                name: left
                for name, change in changes.items()
                if (left := _filter(change, (*path, name), inner.get(name), keep)) is not None
            }
            return ["patch", kept] if kept else None
        case ["move", after, *content]:
            left = _filter(content[0], path, before, keep) if content else None
            if keep((*path, PLACE), None):
                return ["move", after] if left is None else ["move", after, left]
            return left
        case ["link", added, removed]:
            added = [one for one in added if keep((*path, MEMBER, one), None)]
            removed = [one for one in removed if keep((*path, MEMBER, one), {"$": "ref", "to": one})]
            return ["link", added, removed] if added or removed else None
        case ["arrays", layout, changes]:
            kept = {}
            for name, change in changes.items():
                if change[0] == "chunks":
                    chunks = {index: sha for index, sha in change[1].items() if keep((*path, name, CHUNK, index), None)}
                    if chunks:
                        kept[name] = ["chunks", chunks, *change[2:]]
                elif keep((*path, name), None):
                    kept[name] = change
            return ["arrays", layout, kept] if kept else None
    return delta if keep(path, before) else None
