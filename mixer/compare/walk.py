"""The whole RNA tree of a file as plain values. Reads what RNA shows and knows nothing of what is mirrored."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeAlias

import bpy
import numpy as np

from .moment import settle
from .plan import Column, columns_of, plan_of
from .tables import AUTOMATIC, KINDS_LEFT_OUT, PER_USER_NAMES, UNORDERED
from .values import UNREADABLE, Reference, Unreadable, custom_properties, get, keys, named, plain


@dataclass(slots=True)
class Struct:
    """One RNA struct, or the columns of a collection of rows. `user` is what each person has for themselves."""

    kind: str
    path: str
    fields: dict[str, Any] = field(default_factory=dict)
    user: dict[str, Any] = field(default_factory=dict)
    unused: bool = False  # a datablock that nothing uses, or only what is so: Blender drops it when it saves


@dataclass(frozen=True, slots=True)
class Items:
    """The items of a collection by name."""

    of: dict[str, Any]
    ordered: bool


Tree: TypeAlias = dict[str, dict[str, Struct]]  # collection of bpy.data -> name -> datablock


def read_file(path: Path) -> Tree:
    """Opens a file and reads it all; what was open before is gone.

    Raises RuntimeError if Blender cannot open it.
    """
    bpy.ops.wm.open_mainfile(filepath=str(path), load_ui=False, use_scripts=False)
    # Blender drops these as it saves; until then drivers look at them, which counts as no use.
    bpy.data.batch_remove([one for one in bpy.data.objects if one.users == 0])
    settle()
    unused = _unused()
    return {kind: dict(_datablocks(kind, unused)) for kind in _kinds()}


def _unused() -> set[Any]:
    """What nothing uses, and what only that uses: saved a few times more it would be gone, too."""
    users = bpy.data.user_map()
    found = {one for one in users if one.users == 0}
    grows = bool(found)
    while grows:
        more = {one for one, by in users.items() if by and by <= found and not one.use_fake_user} - found
        found |= more
        grows = bool(more)
    return found


def _kinds() -> Iterator[str]:
    for prop in bpy.data.bl_rna.properties:
        if prop.type == "COLLECTION" and prop.identifier not in KINDS_LEFT_OUT:
            yield prop.identifier


def _datablocks(kind: str, unused: set[Any]) -> Iterator[tuple[str, Struct]]:
    shipped = bpy.utils.resource_path("LOCAL")
    for datablock in getattr(bpy.data, kind):
        name, library = datablock.name, datablock.library
        if isinstance(datablock, bpy.types.Image) and datablock.source == "VIEWER":
            continue  # what was rendered last, and what a viewer node shows
        if library is not None:
            if bpy.path.abspath(library.filepath).startswith(shipped):
                continue
            name = f"{name} of {Path(library.filepath).name}"
        found = _Walk(f"{kind}[{name!r}]").run(datablock)
        found.unused = datablock in unused
        yield name, found


class _Walk:
    """One datablock, breadth first: so a struct is met where it is at home before anything that points at it."""

    def __init__(self, path: str) -> None:
        self._path = path
        self._met: dict[tuple[int, type], Struct] = {}
        self._queue: deque[tuple[Any, Any, Struct]] = deque()

    def run(self, datablock: Any) -> Struct:
        root = self._claim(datablock, datablock, self._path)
        while self._queue:
            self._fill(*self._queue.popleft())
        return root

    def _claim(self, struct: Any, owner: Any, path: str) -> Struct:
        found = Struct(struct.bl_rna.identifier, path)
        self._met[struct.as_pointer(), type(struct)] = found
        self._queue.append((struct, owner, found))
        return found

    def _fill(self, struct: Any, owner: Any, into: Struct) -> None:
        plan = plan_of(struct)
        targets = into.fields, into.user
        for name, is_user, read in plan.extra:  # first: reading weights may move the layers that attributes point into
            targets[is_user][name] = read(struct)
        try:
            into.fields.update(zip(plan.scalars, plan.get_scalars(struct), strict=True))
        except UNREADABLE:
            into.fields.update((name, get(struct, name)) for name in plan.scalars)
        if isinstance(struct, bpy.types.NodeTree) and struct.is_embedded_data:
            into.fields.pop("name", None)  # nobody can choose it, and Blender's versions chose differently
        for name, is_user in plan.rest:
            targets[is_user][name] = plain(get(struct, name))
        for name, switch in AUTOMATIC.items():
            if into.fields.get(switch) is True:
                into.fields.pop(name, None)
        for name, is_user, item_type in plan.collections:
            targets[is_user][name] = self._collection(struct, name, item_type, owner, f"{into.path}.{name}")
        for name, is_user in plan.pointers:
            targets[is_user][name] = self._pointer(struct, name, owner, f"{into.path}.{name}")
        if plan.custom:
            into.fields.update(custom_properties(struct))

    def _pointer(self, struct: Any, name: str, owner: Any, path: str) -> Any:
        value = get(struct, name)
        if value is not None and not isinstance(value, Unreadable) and PER_USER_NAMES.fullmatch(name):
            return named(value)  # the active one of a collection: it is read there
        return self._target(value, owner, path)

    def _target(self, value: Any, owner: Any, path: str) -> Any:
        """What a pointer or a place in a collection holds: read here if it belongs here, else named."""
        if value is None or isinstance(value, Unreadable):
            return value
        if (met := self._met.get((value.as_pointer(), type(value)))) is not None:
            return Reference(met.path)
        if isinstance(value, bpy.types.ID):
            is_part = value.is_embedded_data or isinstance(value, bpy.types.Key)
            return self._claim(value, value, path) if is_part else named(value)
        return self._claim(value, owner, path) if value.id_data in (None, owner) else named(value)

    def _collection(self, struct: Any, name: str, item_type: str, owner: Any, path: str) -> Any:
        collection = get(struct, name)
        if isinstance(collection, Unreadable):
            return collection
        if len(collection) and (columns := columns_of(collection, item_type)):
            return _rows(collection, columns, path)
        keyed = ((key, item) for key, item in zip(keys(collection), collection, strict=True) if not _is_nothing(item))
        of = {key: self._target(item, owner, f"{path}[{key}]") for key, item in keyed}
        return Items(of, f"{_home_of(struct, name)}.{name}" not in UNORDERED) if of else None


def _is_nothing(item: Any) -> bool:
    """Whether it is there by chance.

    An attribute that every mesh has, and as well may not have while it has no points; an output for a pass that is off:
    of these Blender keeps some, by which came first.
    """
    if isinstance(item, bpy.types.NodeSocket):
        is_hidden = item.is_unavailable and not item.is_linked
        return is_hidden and isinstance(item.node, bpy.types.CompositorNodeRLayers)
    is_attribute = isinstance(item, bpy.types.Attribute)
    return is_attribute and item.is_required and len(item.data) == 0


def _rows(collection: Any, columns: tuple[Column, ...], path: str) -> Struct:
    rows = Struct(collection[0].bl_rna.identifier, path)
    for name, is_user, dtype, width in columns:
        column = np.empty(len(collection) * width, dtype)
        collection.foreach_get(name, column)
        if collection[0].bl_rna.properties[name].type == "ENUM":
            column = _by_name(collection, name, column)
        (rows.user if is_user else rows.fields)[name] = column.reshape(-1, width) if width > 1 else column
    return rows


def _by_name(collection: Any, name: str, column: Any) -> Any:
    """An enum's numbers as its names: some are kept among flags that say something else."""
    names = {item.value: item.identifier for item in collection[0].bl_rna.properties[name].enum_items}
    numbers, places = np.unique(column, return_inverse=True)
    if all(number in names for number in numbers.tolist()):
        return np.array([names[number] for number in numbers.tolist()])[places]
    return np.array([getattr(item, name) for item in collection])


def _home_of(struct: Any, name: str) -> str:
    """The RNA type that brings a property, where `struct` may be of one that derives from it."""
    rna = struct.bl_rna
    while rna.base is not None and name in rna.base.properties:
        rna = rna.base
    return str(rna.identifier)
