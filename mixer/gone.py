"""What others removed from collections: an undo may bring it back here, as something new. Pure.

Blender keeps no identity for modifiers, nodes and the like, so what is back has another key. It is known by its name
and type: what another removed and nobody here made anew under that name since.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final, TypeAlias

from broadcaster.tree import Delta, Path, Tree, parts, tag

LABELS: Final = ("name", "type", "bl_idname")
Label: TypeAlias = tuple[str, ...]
Place: TypeAlias = tuple[str, Path]  # of a collection: uuid and path


class Gone:
    """The labels of what others removed, by collection."""

    def __init__(self) -> None:
        self._labels: dict[Place, set[Label]] = {}

    def removed(self, uuid: str, delta: Delta, before: Tree) -> None:
        """Notes what another's delta removes; `before` is what it was made against."""
        for path, change, old in _changes(delta, (), before):
            if path and change[0] == "remove" and (label := _label(old)) is not None:
                self._labels.setdefault((uuid, path[:-1]), set()).add(label)

    def made(self, uuid: str, delta: Delta) -> None:
        """Notes what is made here: of that name it is ours from now on."""
        if self._labels:
            for path, tree in _insertions(delta):
                self._labels.get((uuid, path[:-1]), set()).discard(_label(tree) or ())

    def back(self, uuid: str, delta: Delta) -> set[Path]:
        """The paths of what an undo's delta inserts that another had removed."""
        if not self._labels:
            return set()
        return {path for path, tree in _insertions(delta) if _label(tree) in self._labels.get((uuid, path[:-1]), ())}


def _label(tree: Tree) -> Label | None:
    """By what an item is known; None where it has no name."""
    if tag(tree) != "" or type(tree.get("name")) is not str:
        return None
    return tuple(str(tree.get(name)) for name in LABELS)


def _changes(delta: Delta, path: Path, before: Tree) -> Iterator[tuple[Path, Delta, Tree]]:
    """What a delta says of single fields and items, and what stood there before."""
    match delta:
        case ["patch", changes]:
            old = parts(before)
            for key, change in changes.items():
                yield from _changes(change, (*path, key), old.get(key))
        case ["move", _, content]:
            yield from _changes(content, path, before)
        case _:
            yield path, delta, before


def _insertions(delta: Delta) -> Iterator[tuple[Path, Tree]]:
    return ((path, change[2]) for path, change, _ in _changes(delta, (), None) if change[0] == "insert")
