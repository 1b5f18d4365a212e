"""What trees and deltas are in Python, and what a well-formed one names."""

from __future__ import annotations

import base64
import secrets
from collections.abc import Container, Iterator
from typing import Any, Final, TypeAlias

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


def same(one: Tree, other: Tree) -> bool:
    """Whether two trees are the same, also in the types of their numbers: 1, 1.0 and True are equal in Python."""
    return one is other or (bool(one == other) and _typed_alike(one, other))


def _typed_alike(one: Tree, other: Tree) -> bool:
    """Whether equal trees are the same."""
    if one is other:
        return True
    if type(one) is not type(other):
        return False
    if type(one) is dict:
        return all(_typed_alike(value, other[name]) for name, value in one.items())
    return type(one) is not list or all(map(_typed_alike, one, other))


def parts(tree: Tree) -> dict[str, Tree]:
    """The fields of a struct, the items of a keyed collection; nothing of the rest."""
    kind = tag(tree)
    found: dict[str, Tree] = tree if kind == "" else tree["of"] if kind == "items" else {}
    return found


def head(array: Tree) -> str:
    """What the chunks of two arrays must have in common to take each other's place."""
    return f"{array['dtype']}{array['shape']}"


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


def names_one_of(tree: Tree, uuids: Container[str]) -> bool:
    """Whether a reference to one of `uuids` stands anywhere in `tree`, or one is a member of a link set there."""
    if type(tree) is list:
        return any(names_one_of(one, uuids) for one in tree)
    match tag(tree):
        case None | "array" | "layout" | "blob":
            return False
        case "ref":
            return tree["to"] in uuids
        case "set":
            return any(uuid in uuids for uuid in tree["of"])
    return any(names_one_of(one, uuids) for one in tree.values())


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
