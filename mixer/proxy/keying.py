"""Which live item bears which key: Blender keeps no identity for bones, shape keys and the like."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from itertools import count
from typing import Any, Final, TypeAlias

from broadcaster.errors import RemoteProtocolError
from broadcaster.tree import Delta, Tree, new_uuid, tag

from . import values
from .moment import MOMENT

MAX_NAME_BYTES: Final = 63  # of a bone, and of a collection of bones
Way: TypeAlias = tuple[Callable[[int], Any], Callable[[str], Any]]  # what a live item, and a key, is recognised by


def structs_of(tree: Tree) -> dict[str, dict[str, Tree]]:
    """The items of a collection that are structs, in its order; none if it is no collection."""
    if tag(tree) != "items":
        return {}
    return {key: tree["of"][key] for key in tree["order"] if tag(tree["of"][key]) == ""}


def recognised(count: int, before: Sequence[str], ways: Sequence[Way]) -> list[str]:
    """The keys of `count` live items out of those `before`, the most telling way first; new keys for the rest.

    A way is asked only about what the ways before it left open. Its labels must be hashable.
    """
    found: dict[int, str] = {}
    for label_of, label_before in ways:
        taken = set(found.values())
        known = {label_before(key): key for key in reversed(before) if key not in taken}
        if not known:
            break
        for index in range(count):
            if index not in found and (key := known.pop(label_of(index), None)) is not None:
                found[index] = key
        if len(found) == count:
            break
    return [found.get(index) or new_uuid() for index in range(count)]


def acyclic(parents: Mapping[str, str | None]) -> dict[str, str | None]:
    """`parents` without those that are gone, and with every ring cut at the same place by all who hold it.

    Two members may each put their bone below the other's: the document then holds a ring, Blender cannot.
    """
    found: dict[str, str | None] = {}
    for key in sorted(parents):
        above = parents[key]
        top = above
        while top in found:
            top = found[top]
        found[key] = above if above in parents and top != key else None
    return {key: found[key] for key in parents}


def name_of(tree: Mapping[str, Tree]) -> str:
    """The name of an item, as Blender's strings are.

    Raises RemoteProtocolError if it has none.
    """
    name = values.decode(tree.get("name"))
    if type(name) is bytes:
        return name.decode(errors="surrogateescape")
    if type(name) is str:
        return name
    raise RemoteProtocolError("an item without a name")


def unlike_names(names: Mapping[str, str]) -> dict[str, str]:
    """Each name once: whose is taken by an earlier one gets a number, and the same by all who hold these in this order.

    Two members may each make a bone of one name: the document then holds both, Blender cannot.
    """
    taken, found = set(names.values()), dict[str, str]()
    first: dict[str, str] = {}
    for key, name in names.items():
        if first.setdefault(name, key) != key:
            name = next(other for number in count(1) if (other := _numbered(name, number)) not in taken)
            taken.add(name)
        found[key] = name
    return found


def names_to_tell(here: Mapping[str, dict[str, Tree]], known: Mapping[str, dict[str, Tree]]) -> dict[str, Delta]:
    """By key, a delta that tells the name here of each item that has the name of another in the document, `known`."""
    named = {key: name for key, one in known.items() if type(name := one.get("name")) is str}
    counts = Counter(named.values())
    return {
        key: ["patch", {"name": ["put", here[key]["name"]]}]
        for key, name in named.items()
        if counts[name] > 1 and key in here and here[key]["name"] != name
    }


def _numbered(name: str, number: int) -> str:
    stem, dot, digits = name.rpartition(".")
    stem = stem if dot and digits.isdigit() else name
    ending = f".{number:03}"
    return stem.encode(errors="surrogateescape")[: MAX_NAME_BYTES - len(ending)].decode(errors="ignore") + ending


def free_names(here: Mapping[str, Any], wanted: Mapping[str, str]) -> None:
    """Takes their names from those structs that are `here` whose name is to be another's."""
    claims = {name: key for key, name in wanted.items()}
    for key, struct in here.items():
        if wanted[key] != struct.name and claims.get(struct.name, key) != key:
            struct.name = f"{MOMENT}.{struct.name}"


def rename(here: Mapping[str, Any], wanted: Mapping[str, str]) -> None:
    """Gives the structs that are `here` their wanted names, also where names change hands."""
    free_names(here, wanted)
    for key, struct in here.items():
        if struct.name != wanted[key]:
            struct.name = wanted[key]
