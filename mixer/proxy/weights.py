"""The vertex groups of a mesh and what weight each vertex has in them.

Blender keeps both in the mesh, and shows the groups through its objects. There a group is known by its place; in the
document it has a number for life, so that weights hold whoever adds, removes or sorts groups meanwhile.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final

import bpy
import numpy as np

from broadcaster.errors import RemoteProtocolError
from broadcaster.tree import Tree, items

from ..rules.rule import Items
from . import values
from .arrays import Array
from .collection import ItemsProxy
from .context import Context, Datablock, Struct
from .fields import Fields
from .keying import name_of, recognised, rename, structs_of
from .moment import MOMENT
from .reuse import reuse

WEIGHTS: Final = "weights/"  # with the most groups of one vertex: float32 (points, most, 2), rows of (number, weight)
NUMBERS: Final = 1 << 24  # float32 holds all smaller ones; 0 is no group
OWNERS: Final = "owners"  # of no datablock, so kept beside their handles: pointer of a mesh -> name of an object of it


@contextmanager
def any_owner(ctx: Context, mesh: Datablock) -> Iterator[Datablock]:
    """An object of `mesh`, made for the moment if there is none."""
    owner = owner_of(ctx, mesh)
    if owner is not None:
        yield owner
        return
    owner = bpy.data.objects.new(MOMENT, mesh)
    try:
        yield owner
    finally:
        bpy.data.objects.remove(owner)


def owner_of(ctx: Context, mesh: Datablock) -> Datablock | None:
    """An object of `mesh`; None if there is none."""
    if mesh.users == mesh.use_fake_user:
        return None
    pointer = mesh.as_pointer()
    objects: Any = bpy.data.objects
    for again in (False, True):
        if again:  # all at once: there may be as many meshes to ask about as there are objects
            ctx.local[OWNERS] = {one.data.as_pointer(): one.name for one in objects if one.type == "MESH"}
        owner: Datablock | None = objects.get(ctx.local.get(OWNERS, {}).get(pointer, ""))
        if owner is not None and owner.data == mesh:
            return owner
    return None


@dataclass(frozen=True, slots=True)
class ObjectGroups:
    """The vertex groups that an object shows. Those of a mesh are mirrored with the mesh, so there are none here."""

    name: str
    pseudo: bool = False

    def read(self, ctx: Context, struct: Struct, prev: Tree, fields: Fields) -> Tree:
        return None if struct.type == "MESH" else OF_OTHERS.read(ctx, struct, prev, fields)

    def write(self, ctx: Context, struct: Struct, live: Tree, new: Tree, fields: Fields) -> None:
        if struct.type != "MESH" and new is not None:
            OF_OTHERS.write(ctx, struct, live, new, fields)


OF_OTHERS: Final = ItemsProxy("vertex_groups", Items(new="new", args=("name=name",)))


# Groups -------------------------------------------------------------------------------------------------------------


def read_groups(owner: Datablock | None, prev: Tree) -> Tree:
    """The groups in their order, each with its name and number; `prev` where nobody can tell."""
    if owner is None:
        return prev if prev is not None else items({})
    groups, old = list(owner.vertex_groups), structs_of(prev)
    if not groups and not old:
        return prev if prev is not None else items({})
    keys = _keys(owner, old)
    numbers = {key: number for key in keys if type(number := old.get(key, {}).get("number")) is int}
    for key in keys:
        while key not in numbers or not 0 < numbers[key] < NUMBERS:
            numbers[key] = secrets.randbelow(NUMBERS)
    found = {
        key: {"name": values.encode(group.name), "number": numbers[key], "lock_weight": group.lock_weight}
        for key, group in zip(keys, groups, strict=True)
    }
    return reuse(prev, items({key: reuse(old.get(key), tree) for key, tree in found.items()}))


def _keys(owner: Datablock, old: dict[str, Fields]) -> list[str]:
    """The key of each group that is here: by name, and what was renamed by its place."""
    groups, order = owner.vertex_groups, {key: place for place, key in enumerate(old)}
    ways = ((lambda i: groups[i].name, lambda key: name_of(old[key])), (lambda i: i, order.__getitem__))
    return recognised(len(groups), list(old), ways)


def write_groups(owner: Datablock, live: Tree, new: Tree) -> None:
    """Makes the groups what they are to be by number, name and order. Which weights are whose is wrong afterwards."""
    here, after = _keys(owner, structs_of(live)), structs_of(new)
    groups = owner.vertex_groups
    for place in range(len(here) - 1, -1, -1):
        if here[place] not in after:
            groups.remove(groups[place])
    wanted = {key: name_of(tree) for key, tree in after.items()}
    for key in after:
        if key not in here:
            groups.new(name=wanted[key])
    rename({key: groups[place] for place, key in enumerate(after)}, wanted)
    for place, tree in enumerate(after.values()):
        if groups[place].lock_weight != (locked := tree.get("lock_weight") is True):
            groups[place].lock_weight = locked


def numbers_of(groups: Tree) -> list[int]:
    """The number of each group, in their order. Raises RemoteProtocolError if one has none."""
    found = [tree.get("number") for tree in structs_of(groups).values()]
    if not all(type(number) is int and 0 < number < NUMBERS for number in found):
        raise RemoteProtocolError("a vertex group without a number")
    return found  # type: ignore[return-value]


# Weights ------------------------------------------------------------------------------------------------------------


def read(mesh: Any, numbers: list[int]) -> Array:
    """The weights of each vertex in rows of (number, weight), sorted by number, and zeros where it has fewer.

    `numbers` are those of the groups in their order. Float32, (points, most, 2).
    """
    codes, weights = _read_flat(mesh, numbers)
    vertices = codes // NUMBERS
    starts = np.searchsorted(vertices, np.arange(len(mesh.vertices) + 1))
    most = int(np.diff(starts).max(initial=0))
    array = np.zeros((len(mesh.vertices), most, 2), np.float32)
    places = np.arange(len(codes)) - starts[vertices]
    array[vertices, places, 0] = codes % NUMBERS
    array[vertices, places, 1] = weights
    return array


def _read_flat(mesh: Any, numbers: list[int]) -> tuple[Array, Array]:
    """Sorted codes, each a vertex times NUMBERS plus a group's number, and the weight of each."""
    places: list[int] = []
    weights: list[float] = []
    ends: list[int] = []
    for vertex in mesh.vertices:  # the quickest way there is: RNA has no array of them
        for one in vertex.groups:
            places.append(one.group)
            weights.append(one.weight)
        ends.append(len(places))
    counts = np.diff(np.array(ends, np.int64), prepend=0)
    codes = np.repeat(np.arange(len(ends), dtype=np.int64) * NUMBERS, counts)
    known = np.array(places, np.int64) < len(numbers)  # the others are what a removed group has left behind
    codes = codes[known] + np.array(numbers, np.int64)[np.array(places, np.int64)[known]]
    codes, first = np.unique(codes, return_index=True)
    # Some files hold weights above 1. Blender writes no such weight, so nobody could have the same.
    return codes, np.clip(np.array(weights, np.float32), 0, 1)[known][first]


def _flat(array: Array) -> tuple[Array, Array]:
    """As _read_flat, out of what another member sent."""
    given = array[..., 0]
    vertices, places = np.nonzero((given > 0) & (given < NUMBERS))
    codes, first = np.unique(vertices * NUMBERS + given[vertices, places].astype(np.int64), return_index=True)
    return codes, array[vertices, places, 1][first]


def write(mesh: Any, owner: Datablock, array: Array, numbers: list[int]) -> None:
    """Makes the weights those of `array`, as `read` gives it. Touches only what differs."""
    before, old = _read_flat(mesh, numbers)
    after, new = _flat(array)
    groups = {number: owner.vertex_groups[place] for place, number in enumerate(numbers)}
    known = np.isin(after % NUMBERS, numbers)  # the others belong to a group that is gone
    after, new = after[known], new[known]
    gone = np.setdiff1d(before, after)
    for number in np.unique(gone % NUMBERS).tolist():
        groups[number].remove((gone[gone % NUMBERS == number] // NUMBERS).tolist())
    place = np.searchsorted(before, after)
    same = np.zeros(len(after), np.bool_)
    inside = place < len(before)
    same[inside] = (before[place[inside]] == after[inside]) & (old[place[inside]] == new[inside])
    _add(groups, after[~same], new[~same])


def _add(groups: dict[int, Any], codes: Array, weights: Array) -> None:
    """Sets weights, those that are equal in one call."""
    numbers, vertices = codes % NUMBERS, codes // NUMBERS
    order = np.lexsort((weights, numbers))
    numbers, weights = numbers[order], weights[order]
    points = vertices[order].tolist()
    new = (np.diff(numbers, prepend=-1) != 0) | (np.diff(weights, prepend=np.float32(-1)) != 0)
    bounds = [*np.flatnonzero(new).tolist(), len(points)]
    calls = zip(bounds, bounds[1:], numbers[new].tolist(), weights[new].tolist(), strict=False)
    for start, end, number, weight in calls:
        groups[number].add(points[start:end], weight, "REPLACE")
