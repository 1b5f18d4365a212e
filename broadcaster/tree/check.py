"""Checks what another member sent."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Final

from ..errors import RemoteProtocolError
from .values import CHUNK_BYTES, HEX, INLINE_BYTES, ITEM_BYTES, MAX_DEPTH, MAX_NAME_CHARS, SCALARS, SHA_CHARS, Tree, tag


class Facts:
    """What a checked transaction names."""

    __slots__ = ("max_depth", "shas")

    def __init__(self, max_depth: int = MAX_DEPTH) -> None:
        self.max_depth = max_depth
        self.shas: set[str] = set()


def check_tree(tree: Tree, facts: Facts, depth: int = 0) -> None:
    """Raises RemoteProtocolError unless `tree` is of the grammar; notes the blobs it names in `facts`."""
    if type(tree) in SCALARS:
        return
    if depth > facts.max_depth:
        raise RemoteProtocolError(f"a tree is nested deeper than {facts.max_depth} levels")
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
    if depth > facts.max_depth:
        raise RemoteProtocolError(f"a delta is nested deeper than {facts.max_depth} levels")
    if type(delta) is list and len(delta) == 2:  # as most are, and comparing is faster than matching
        verb, of = delta
        if verb == "put":
            if type(of) not in SCALARS:
                check_tree(of, facts, depth)
            return
        if verb == "patch" and type(of) is dict:
            for name, inner in of.items():
                if type(name) is not str or not 0 < len(name) <= MAX_NAME_CHARS or name == "$":
                    raise RemoteProtocolError("malformed field name")
                if depth == facts.max_depth or not _puts_scalar(inner):
                    check_delta(inner, facts, depth + 1)
            return
    match delta:
        case ["remove"]:
            pass
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


def _puts_scalar(delta: object) -> bool:
    return type(delta) is list and len(delta) == 2 and delta[0] == "put" and type(delta[1]) in SCALARS


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
