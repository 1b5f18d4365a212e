"""The grammar of trees and deltas: plain JSON values, checked, patched and compared. Pure.

A tree is None, bool, int, float, str, a list, a struct (a dict without the key "$") or a tagged dict:

    {"$": "num", "of": "nan"}                                        numbers that JSON lacks
    {"$": "bytes", "of": BASE64}                                     strings that are not UTF-8
    {"$": "ref", "to": UUID, "strong": true}                         a reference, weak without "strong"
    {"$": "items", "order": [KEY], "of": {KEY: TREE}}                a keyed collection
    {"$": "set", "of": [TEXT]}                                       a link set, sorted
    {"$": "layout", "id": ID, "of": {NAME: ARRAY}}                   arrays that must agree
    {"$": "array", "dtype": "<f4", "shape": [N, 3], "chunks": [SHA]} or "data": BASE64 in place of chunks
    {"$": "blob", "sha": SHA, "size": BYTES}                         a file's bytes

A delta is a list, its verb first:

    ["put", TREE]  ["remove"]  ["patch", {NAME: DELTA}]              fields of structs and items
    ["insert", AFTER, TREE]  ["move", AFTER]  ["move", AFTER, DELTA] items; AFTER is a key, or None for the front
    ["link", [ADDED], [REMOVED]]                                     link sets
    ["arrays", ID, {NAME: DELTA or ["chunks", {INDEX: SHA}, HEAD]}]  arrays of the layout ID, dropped for another;
                                                                     HEAD tells dtype and shape, and may be missing

Trees are immutable by convention: `patch` copies the path it changes, so what did not change stays the same object.
"""

from __future__ import annotations

import base64
import math
import secrets
from bisect import bisect_left
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any, Final, TypeAlias

from .errors import RemoteProtocolError

Tree: TypeAlias = Any
Delta: TypeAlias = list[Any]
Path: TypeAlias = tuple[str, ...]

MAX_DEPTH: Final = 96
MAX_NAME_CHARS: Final = 1024
CHUNK_BYTES: Final = 65536
INLINE_BYTES: Final = 4096
SHA_CHARS: Final = 64
ITEM_BYTES: Final = {"<f4": 4, "<i4": 4, "<i2": 2, "|i1": 1, "|u1": 1, "|b1": 1}  # the element types of arrays
HEX: Final = frozenset("0123456789abcdef")
SCALARS: Final = frozenset({type(None), bool, int, float, str})


def new_uuid() -> str:
    """22 characters that nobody else will make."""
    return base64.urlsafe_b64encode(secrets.token_bytes(16)).rstrip(b"=").decode()


def ref(uuid: str, *, strong: bool = False) -> Tree:
    return {"$": "ref", "to": uuid, "strong": True} if strong else {"$": "ref", "to": uuid}


def items(of: dict[str, Tree]) -> Tree:
    """A keyed collection in the order of `of`."""
    return {"$": "items", "order": list(of), "of": of}


def link_set(members: set[str] | frozenset[str]) -> Tree:
    return {"$": "set", "of": sorted(members)}


def tag(tree: Tree) -> str | None:
    """The tag of a tagged dict, "" for a struct, None for the rest."""
    return tree.get("$", "") if type(tree) is dict else None


# Checking: what another member sent ------------------------------------------------------------------------------


@dataclass(slots=True)
class Facts:
    """What a checked transaction names."""

    shas: set[str] = field(default_factory=set)


def check_tree(tree: Tree, facts: Facts, depth: int = 0) -> None:
    """Raises RemoteProtocolError unless `tree` is of the grammar; notes the blobs it names in `facts`."""
    if type(tree) in SCALARS:
        return
    if depth > MAX_DEPTH:
        raise RemoteProtocolError(f"a tree is nested deeper than {MAX_DEPTH} levels")
    if type(tree) is list:
        if not SCALARS.issuperset(map(type, tree)):
            for value in tree:
                check_tree(value, facts, depth + 1)
        return
    if type(tree) is not dict:
        raise RemoteProtocolError(f"{type(tree).__name__} is not a tree")
    kind = tree.get("$", "")
    if type(kind) is not str or (checker := CHECKERS.get(kind)) is None:
        raise RemoteProtocolError(f"unknown kind of tree {str(tree['$'])[:40]!r}")
    checker(tree, facts, depth)


def _require(ok: bool, what: str) -> None:
    if not ok:
        raise RemoteProtocolError(f"malformed {what}")


def _is_name(value: object) -> bool:
    return type(value) is str and 0 < len(value) <= MAX_NAME_CHARS


def _check_fields(fields: object, facts: Facts, depth: int) -> None:
    _require(type(fields) is dict, "struct")
    assert isinstance(fields, dict)
    for name, value in fields.items():
        _require(_is_name(name) and name != "$", "field name")
        if type(value) not in SCALARS:
            check_tree(value, facts, depth + 1)


def _check_text(tree: Tree, facts: Facts, depth: int) -> None:
    _require(tree.keys() == {"$", "of"} and type(tree["of"]) is str, tree["$"])


def _check_ref(tree: Tree, facts: Facts, depth: int) -> None:
    ok = _is_name(tree.get("to")) and tree.keys() <= {"$", "to", "strong"} and tree.get("strong", True) is True
    _require(ok, "ref")


def _check_items(tree: Tree, facts: Facts, depth: int) -> None:
    order, of = tree.get("order"), tree.get("of")
    _require(tree.keys() == {"$", "order", "of"} and type(order) is list and type(of) is dict, "items")
    _require(len(order) == len(of) and all(map(_is_name, order)) and set(order) == of.keys(), "items")
    _check_fields(of, facts, depth)


def _check_set(tree: Tree, facts: Facts, depth: int) -> None:
    _require(tree.keys() == {"$", "of"}, "set")
    _check_names(tree["of"], "set")


def _check_names(members: object, what: str) -> None:
    _require(type(members) is list and all(map(_is_name, members)), what)
    assert isinstance(members, list)
    _require(len(set(members)) == len(members), what)


def _check_layout(tree: Tree, facts: Facts, depth: int) -> None:
    _require(tree.keys() == {"$", "id", "of"} and _is_name(tree["id"]) and type(tree["of"]) is dict, "layout")
    for name, array in tree["of"].items():
        _require(_is_name(name) and tag(array) == "array", "layout")
        _check_array(array, facts, depth)


def _check_array(tree: Tree, facts: Facts, depth: int) -> None:
    shape = tree.get("shape")
    _require(type(tree.get("dtype")) is str and type(shape) is list and len(shape) <= 8, "array")
    _require(all(type(size) is int and 0 <= size < 1 << 40 for size in shape), "array")
    _require(tree["dtype"] in ITEM_BYTES, "array")
    if "data" in tree:
        _require(tree.keys() == {"$", "dtype", "shape", "data"} and type(tree["data"]) is str, "array")
        _require(len(tree["data"]) <= INLINE_BYTES * 4 // 3 + 4, "array")
    else:
        _require(tree.keys() == {"$", "dtype", "shape", "chunks"} and type(tree["chunks"]) is list, "array")
        size = math.prod(shape) * ITEM_BYTES.get(tree["dtype"], 0)
        _require(len(tree["chunks"]) == -(-size // CHUNK_BYTES), "array: its chunks do not fit its shape")
        for sha in tree["chunks"]:
            _check_sha(sha, facts)


def _check_blob(tree: Tree, facts: Facts, depth: int) -> None:
    _require(tree.keys() == {"$", "sha", "size"} and type(tree["size"]) is int and tree["size"] >= 0, "blob")
    _check_sha(tree["sha"], facts)


def _check_sha(sha: object, facts: Facts) -> None:
    _require(type(sha) is str and len(sha) == SHA_CHARS and HEX.issuperset(sha), "sha256")
    assert isinstance(sha, str)
    facts.shas.add(sha)


CHECKERS: Final[dict[str, Callable[[Tree, Facts, int], None]]] = {
    "": _check_fields,
    "num": _check_text,
    "bytes": _check_text,
    "ref": _check_ref,
    "items": _check_items,
    "set": _check_set,
    "layout": _check_layout,
    "array": _check_array,
    "blob": _check_blob,
}


def check_delta(delta: object, facts: Facts, depth: int = 0) -> None:
    """Raises RemoteProtocolError unless `delta` is a delta of a field or an item."""
    if depth > MAX_DEPTH:
        raise RemoteProtocolError(f"a delta is nested deeper than {MAX_DEPTH} levels")
    match delta:
        case ["put", tree]:
            if type(tree) not in SCALARS:
                check_tree(tree, facts, depth)
        case ["remove"]:
            pass
        case ["patch", dict(changes)]:
            for name, inner in changes.items():
                _require(_is_name(name) and name != "$", "field name")
                check_delta(inner, facts, depth + 1)
        case ["insert", (None | str()), tree]:
            check_tree(tree, facts, depth)
        case ["move", (None | str())]:
            pass
        case ["move", (None | str()), inner]:
            check_delta(inner, facts, depth + 1)
        case ["link", added, removed]:
            _check_names(added, "link")
            _check_names(removed, "link")
        case ["arrays", str(), dict(changes)]:
            for name, change in changes.items():
                _require(_is_name(name), "array name")
                _check_array_delta(change, facts)
        case _:
            raise RemoteProtocolError(f"unknown delta {str(delta)[:40]!r}")


def _check_array_delta(delta: object, facts: Facts) -> None:
    match delta:
        case ["put", dict(array)]:
            _require(tag(array) == "array", "array")
            _check_array(array, facts, 0)
        case ["remove"]:
            pass
        case ["chunks", dict(chunks), *head] if len(head) < 2:
            _require(all(map(_is_name, head)), "chunks")
            for index, sha in chunks.items():
                _require(index.isascii() and index.isdigit() and len(index) < 10, "chunk index")
                _check_sha(sha, facts)
        case _:
            raise RemoteProtocolError(f"unknown array delta {str(delta)[:40]!r}")


# Reading ----------------------------------------------------------------------------------------------------------


def strong_refs(tree: Tree) -> Iterator[str]:
    """The uuids that `tree` names strongly, each as often as it stands there."""
    if type(tree) is dict:
        if tree.get("$") == "ref":
            if "strong" in tree:
                yield tree["to"]
        elif tree.get("$") not in ("layout", "array", "set", "blob"):
            for value in tree.values():
                if type(value) in (dict, list):
                    yield from strong_refs(value)
    elif type(tree) is list:
        for value in tree:
            if type(value) in (dict, list):
                yield from strong_refs(value)


def _strong(tree: Tree) -> list[str]:
    """As strong_refs; quick for values that are no trees, as most are."""
    if type(tree) in SCALARS or (type(tree) is list and SCALARS.issuperset(map(type, tree))):
        return []
    return list(strong_refs(tree))


def shas(tree: Tree) -> Iterator[str]:
    """The blobs that a well-formed `tree` names."""
    if type(tree) is dict:
        match tree.get("$"):
            case "array":
                yield from tree.get("chunks", ())
            case "blob":
                yield tree["sha"]
            case "ref" | "set" | "num" | "bytes":
                pass
            case _:
                for value in tree.values():
                    yield from shas(value)
    elif type(tree) is list:
        for value in tree:
            if type(value) in (dict, list):
                yield from shas(value)


def delta_shas(deltas: list[list[Any]]) -> set[str]:
    """The blobs that the checked deltas of a transaction name."""
    found: set[str] = set()
    for _, delta in deltas:
        if delta[0] == "create":
            found.update(shas(delta[2]))
        else:
            _delta_shas(delta, found)
    return found


def _delta_shas(delta: Delta, found: set[str]) -> None:
    match delta:
        case ["put", tree] | ["insert", _, tree]:
            found.update(shas(tree))
        case ["patch", changes] | ["arrays", _, changes]:
            for inner in changes.values():
                _delta_shas(inner, found)
        case ["move", _, inner]:
            _delta_shas(inner, found)
        case ["chunks", chunks, *_]:
            found.update(chunks.values())


# Patching ---------------------------------------------------------------------------------------------------------


@dataclass(slots=True)
class Patcher:
    """Applies deltas to trees, noting what did not take effect and which strong references came and went."""

    exists: Callable[[str], bool]  # whether an entity that is about to be named strongly is there
    dropped: list[tuple[Path, str]] = field(default_factory=list)
    gained: list[str] = field(default_factory=list)
    lost: list[str] = field(default_factory=list)

    def patch(self, tree: Tree, delta: Delta, path: Path = ()) -> tuple[Tree, Delta | None]:
        """The tree with `delta` applied, and the part of it that took effect: `delta` itself if all did."""
        match delta:
            case ["patch", changes]:
                match tag(tree):
                    case "":
                        return self._patch_struct(tree, delta, changes, path)
                    case "items":
                        return self._patch_items(tree, delta, changes, path)
            case ["link", added, removed]:
                if tag(tree) == "set":
                    members = set(tree["of"]).difference(removed).union(added)
                    return link_set(members), delta
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
        fields, effects, whole = dict(tree), {}, True
        for name, change in changes.items():
            effect: Delta | None = None
            match change:
                case ["put", value]:
                    if self._accept(value, (*path, name)):
                        self.lost += _strong(fields.get(name))
                        fields[name] = value
                        effect = change
                case ["remove"]:
                    if name in fields:
                        self.lost += strong_refs(fields.pop(name))
                        effect = change
                    else:
                        self._drop((*path, name), "gone")
                case _:
                    new, effect = self.patch(fields.get(name), change, (*path, name))
                    if effect is not None:
                        fields[name] = new
            if effect is not None:
                effects[name] = effect
            whole = whole and effect is change
        if not effects:
            return tree, None
        return fields, delta if whole else ["patch", effects]

    def _patch_items(
        self, tree: Tree, delta: Delta, changes: dict[str, Delta], path: Path
    ) -> tuple[Tree, Delta | None]:
        order, of, effects, whole = list(tree["order"]), dict(tree["of"]), {}, True
        for key, change in changes.items():
            effect = self._patch_item(order, of, key, change, (*path, key))
            if effect is not None:
                effects[key] = effect
            whole = whole and effect is change
        if not effects:
            return tree, None
        return {"$": "items", "order": order, "of": of}, delta if whole else ["patch", effects]

    def _patch_item(self, order: list[str], of: dict[str, Tree], key: str, change: Delta, path: Path) -> Delta | None:
        if change[0] == "insert":
            if key in of:
                self._drop(path, "exists")
                return None
            if not self._accept(change[2], path):
                return None
            of[key] = change[2]
            after = _place(order, key, change[1])
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
                after = _place(order, key, wanted)
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
        for name, change in changes.items():
            match change:
                case ["put", array]:
                    of[name] = array
                case ["remove"] if name in of:
                    del of[name]
                case ["chunks", chunks, *head] if (array := _splice(of.get(name), chunks, head)) is not None:
                    of[name] = array
                case _:
                    self._drop((*path, name), "gone")
                    continue
            effects[name] = change
        if not effects:
            return tree, None
        whole = len(effects) == len(changes)
        return {"$": "layout", "id": layout, "of": of}, delta if whole else ["arrays", layout, effects]


def _place(order: list[str], key: str, after: str | None) -> str | None:
    """Puts `key` behind `after` (None: in front; one that is gone: last) and says behind which it came to stand."""
    if after is None:
        order.insert(0, key)
        return None
    if after not in order:
        after = order[-1] if order else None
        order.append(key)
        return after
    order.insert(order.index(after) + 1, key)
    return after


def _head(array: Tree) -> str:
    """What the chunks of two arrays must have in common to take each other's place."""
    return f"{array['dtype']}{array['shape']}"


def _splice(array: Tree, chunks: dict[str, str], head: list[str]) -> Tree | None:
    """`array` with some chunks replaced; None if it has no such chunks, or is not what they were made for."""
    if array is None or "chunks" not in array or any(int(index) >= len(array["chunks"]) for index in chunks):
        return None
    if head and head[0] != _head(array):
        return None
    new = list(array["chunks"])
    for index, sha in chunks.items():
        new[int(index)] = sha
    return {**array, "chunks": new}


# Comparing --------------------------------------------------------------------------------------------------------


def diff(old: Tree, new: Tree) -> Delta | None:
    """The delta that makes `new` of `old`; None if they are equal."""
    if old is new:
        return None
    kind = tag(new)
    if kind is None or kind != tag(old):
        return None if type(old) is type(new) and old == new else ["put", new]
    match kind:
        case "":
            changes = diff_fields(old, new)
            return ["patch", changes] if changes else None
        case "items":
            return _diff_items(old, new)
        case "set":
            before, after = set(old["of"]), set(new["of"])
            return None if before == after else ["link", sorted(after - before), sorted(before - after)]
        case "layout" if old["id"] == new["id"]:
            return _diff_arrays(old, new)
        case _:
            return None if old == new else ["put", new]


def diff_fields(old: dict[str, Tree], new: dict[str, Tree]) -> dict[str, Delta]:
    """The deltas of the fields of two structs."""
    changes: dict[str, Delta] = {}
    for name, value in new.items():
        if name not in old:
            changes[name] = ["put", value]
        elif (delta := diff(old[name], value)) is not None:
            changes[name] = delta
    for name in old:
        if name not in new:
            changes[name] = ["remove"]
    return changes


def _diff_items(old: Tree, new: Tree) -> Delta | None:
    before, after = old["of"], new["of"]
    changes: dict[str, Delta] = {key: ["remove"] for key in old["order"] if key not in after}
    stay = _stay([key for key in old["order"] if key in after], new["order"])
    previous: str | None = None
    for key in new["order"]:
        if key not in before:
            changes[key] = ["insert", previous, after[key]]
        else:
            inner = diff(before[key], after[key])
            if key not in stay:
                changes[key] = ["move", previous] if inner is None else ["move", previous, inner]
            elif inner is not None:
                changes[key] = inner
        previous = key
    return ["patch", changes] if changes else None


def _stay(before: list[str], after: list[str]) -> set[str]:
    """The most keys that can stay where they are: a longest increasing subsequence."""
    place = {key: index for index, key in enumerate(before)}
    if [key for key in after if key in place] == before:
        return set(before)
    tails: list[int] = []
    chains: list[list[str]] = []
    for key in after:
        if (index := place.get(key)) is not None:
            at = bisect_left(tails, index)
            chain = [*chains[at - 1], key] if at else [key]
            tails[at : at + 1], chains[at : at + 1] = [index], [chain]
    return set(chains[-1]) if chains else set()


def _diff_arrays(old: Tree, new: Tree) -> Delta | None:
    changes: dict[str, Delta] = {}
    for name, array in new["of"].items():
        if (change := _diff_array(old["of"].get(name), array)) is not None:
            changes[name] = change
    changes |= {name: ["remove"] for name in old["of"] if name not in new["of"]}
    return ["arrays", new["id"], changes] if changes else None


def _diff_array(old: Tree, new: Tree) -> Delta | None:
    if old == new:
        return None
    alike = old is not None and "chunks" in old and "chunks" in new
    if not alike or (old["dtype"], old["shape"]) != (new["dtype"], new["shape"]):
        return ["put", new]
    pairs = enumerate(zip(old["chunks"], new["chunks"], strict=True))
    return ["chunks", {str(index): b for index, (a, b) in pairs if a != b}, _head(new)]
