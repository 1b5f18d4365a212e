"""Applies deltas to trees."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable
from typing import Final

from .order import Order
from .values import SCALARS, Delta, Path, Tree, head, strong_refs, tag

FEW: Final = 50  # of a set, that come and go at once: are looked for one by one
SORTING: Final = 10  # a set costs as much as so many copies


class Patcher:
    """Applies deltas to trees, noting what did not take effect and which strong references came and went."""

    __slots__ = ("dropped", "exists", "gained", "lost", "work")

    def __init__(self, exists: Callable[[str], bool]) -> None:
        self.exists = exists  # whether an entity that is about to be named strongly is there
        self.dropped: list[tuple[Path, str]] = []
        self.gained: list[str] = []
        self.lost: list[str] = []
        self.work = 0  # how many children were copied

    def patch(self, tree: Tree, delta: Delta, path: Path = ()) -> tuple[Tree, Delta | None]:
        """The tree with `delta` applied, and the part of it that took effect: `delta` itself if all did."""
        if delta[0] == "patch" and type(tree) is dict:  # as most are
            kind = tree.get("$", "")
            if kind == "":
                return self._patch_struct(tree, delta, delta[1], path)
            if kind == "items":
                return self._patch_items(tree, delta, delta[1], path)
        match delta:
            case ["link", added, removed]:
                if tag(tree) == "set":
                    self.work += SORTING * len(tree["of"])
                    return _link(tree, added, removed), delta
            case ["arrays", layout, changes]:
                if tag(tree) == "layout":
                    return self._patch_arrays(tree, delta, layout, changes, path)
        self._drop(path, "gone" if tree is None else "kind")
        return tree, None

    def _drop(self, path: Path, reason: str) -> None:
        self.dropped.append((path, reason))

    def _accept(self, tree: Tree, path: Path) -> bool:
        """Notes the strong references of a new value; False where one names nothing."""
        if not (strong := _strong(tree)):
            return True
        if all(map(self.exists, strong)):
            self.gained += strong
            return True
        self._drop(path, "dangling")
        return False

    def _patch_struct(
        self, tree: Tree, delta: Delta, changes: dict[str, Delta], path: Path
    ) -> tuple[Tree, Delta | None]:
        fields = dict(tree)
        otherwise: dict[str, Delta | None] = {}  # what took effect otherwise than it was said
        self.work += len(fields)
        for name, change in changes.items():
            effect: Delta | None = None
            verb = change[0]
            if verb == "put":
                value, old = change[1], fields.get(name)
                if type(value) in SCALARS or self._accept(value, (*path, name)):
                    if type(old) not in SCALARS:
                        self.lost += _strong(old)
                    fields[name] = value
                    effect = change
            elif verb == "remove":
                if name in fields:
                    self.lost += strong_refs(fields.pop(name))
                    effect = change
                else:
                    self._drop((*path, name), "gone")
            else:
                new, effect = self.patch(fields.get(name), change, (*path, name))
                if effect is not None:
                    fields[name] = new
            if effect is not change:
                otherwise[name] = effect
        if changes and not otherwise:
            return fields, delta
        said = ((name, otherwise.get(name, change)) for name, change in changes.items())
        effects = {name: effect for name, effect in said if effect is not None}
        return (fields, ["patch", effects]) if effects else (tree, None)

    def _patch_items(
        self, tree: Tree, delta: Delta, changes: dict[str, Delta], path: Path
    ) -> tuple[Tree, Delta | None]:
        order, of, effects, whole = Order(tree["order"]), dict(tree["of"]), {}, True
        self.work += len(of)
        for key, change in changes.items():
            effect = self._patch_item(order, of, key, change, (*path, key))
            if effect is not None:
                effects[key] = effect
            whole = whole and effect is change
        if not effects:
            return tree, None
        return {"$": "items", "order": order.keys(), "of": of}, delta if whole else ["patch", effects]

    def _patch_item(self, order: Order, of: dict[str, Tree], key: str, change: Delta, path: Path) -> Delta | None:
        if change[0] == "insert":
            if key in of:
                self._drop(path, "exists")
                return None
            if not self._accept(change[2], path):
                return None
            of[key] = change[2]
            after = order.place(key, change[1])
            return change if after == change[1] else ["insert", after, change[2]]
        if key not in of:
            self._drop(path, "gone")
            return None
        match change:
            case ["put", value]:
                if not self._accept(value, path):
                    return None
                self.lost += strong_refs(of[key])
                of[key] = value
                return change
            case ["remove"]:
                self.lost += strong_refs(of.pop(key))
                order.remove(key)
                return change
            case ["move", wanted, *rest]:
                order.remove(key)
                after = order.place(key, wanted)
                if not rest:
                    return change if after == wanted else ["move", after]
                inner = self._patch_item(order, of, key, rest[0], path)
                if inner is None:
                    return ["move", after]
                return change if after == wanted and inner is rest[0] else ["move", after, inner]
        of[key], effect = self.patch(of[key], change, path)
        return effect

    def _patch_arrays(
        self, tree: Tree, delta: Delta, layout: str, changes: dict[str, Delta], path: Path
    ) -> tuple[Tree, Delta | None]:
        if tree["id"] != layout:
            self._drop(path, "layout")
            return tree, None
        of, effects = dict(tree["of"]), {}
        self.work += len(of)
        for name, change in changes.items():
            match change:
                case ["put", array]:
                    of[name] = array
                case ["remove"] if name in of:
                    del of[name]
                case ["chunks", chunks, *heads] if (array := _splice(of.get(name), chunks, heads)) is not None:
                    self.work += len(array["chunks"])
                    of[name] = array
                case _:
                    self._drop((*path, name), "gone")
                    continue
            effects[name] = change
        if not effects:
            return tree, None
        whole = len(effects) == len(changes)
        return {"$": "layout", "id": layout, "of": of}, delta if whole else ["arrays", layout, effects]


def _strong(tree: Tree) -> list[str]:
    """As strong_refs; quick for values that are no trees, as most are."""
    if type(tree) in SCALARS or (type(tree) is list and SCALARS.issuperset(map(type, tree))):
        return []
    return list(strong_refs(tree))


def _link(tree: Tree, added: list[str], removed: list[str]) -> Tree:
    if len(added) + len(removed) <= FEW:
        members = sorted(tree["of"])  # it is in order, which makes this quick
        for name in removed:
            place = bisect_left(members, name)
            if members[place : place + 1] == [name]:
                del members[place]
        for name in added:
            place = bisect_left(members, name)
            if members[place : place + 1] != [name]:
                members.insert(place, name)
        return {"$": "set", "of": members}
    stay = set(tree["of"]).difference(removed)
    members = [name for name in tree["of"] if name in stay]
    members += [name for name in added if name not in stay]
    return {"$": "set", "of": sorted(members)}  # most are in order, which makes this quick


def _splice(array: Tree, chunks: dict[str, str], heads: list[str]) -> Tree | None:
    """`array` with some chunks replaced; None if it has no such chunks, or is not what they were made for."""
    if array is None or "chunks" not in array or any(int(index) >= len(array["chunks"]) for index in chunks):
        return None
    if heads and heads[0] != head(array):
        return None
    new = list(array["chunks"])
    for index, sha in chunks.items():
        new[int(index)] = sha
    return {**array, "chunks": new}
