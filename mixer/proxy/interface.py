"""The interface of a node group: its sockets and panels.

Blender numbers sockets as they are made (`Socket_3`), so one socket has another identifier on each peer. The document
names it by its key; `identifiers` says which is which here.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import bpy

from broadcaster.errors import RemoteProtocolError
from broadcaster.tree import Tree, items, new_uuid

from . import values
from .context import Context, Datablock, Struct
from .fields import WRITE_ERRORS, Fields
from .keying import name_of, recognised, structs_of
from .reuse import reuse
from .struct import read_struct, write_struct

INTERFACE: Final = "interface"
PANELS: Final = "interface_panels"
PANEL: Final = "PANEL"
HINT: Final = re.compile(r"Socket_(\d{1,6})~")  # how a key begins: the identifier its socket has where it was made
UNNAMED: Final = "" if (4, 5) <= bpy.app.version < (5, 2) else "Socket"  # 4.2 and 5.2 end where an input has no name
MAX_NAME_BYTES: Final = 63 if bpy.app.version >= (5, 2) else 1 << 20  # 5.2 may end where an input's name is longer
MAX_DUMMIES: Final = 1000  # sockets made and removed to reach an identifier, 40 us each


# Which socket bears which key ---------------------------------------------------------------------------------------


def key_of(ctx: Context, group: Datablock, identifier: str) -> str:
    """The key of a socket of `group`; `identifier` itself where it is no socket of the interface."""
    uuid = ctx.directory.uuid_of(group)
    if uuid is None:
        return identifier
    table = identifiers(ctx, uuid)
    if identifier not in table:
        learn(ctx, uuid, group, (ctx.items_of(uuid) or {}).get(INTERFACE))
    return table.get(identifier, identifier)


def identifiers(ctx: Context, uuid: str) -> dict[str, str]:
    """Identifier here -> key, of the sockets of a group that were met so far."""
    table: dict[str, str] = ctx.local.setdefault(uuid, {}).setdefault(INTERFACE, {})
    return table


def learn(ctx: Context, uuid: str, group: Datablock, prev: Tree) -> None:
    """Gives each socket without a key one of `prev` that fits, or a new one."""
    table = identifiers(ctx, uuid)
    sockets = [one for one in group.interface.items_tree if one.item_type != PANEL]
    fresh = [one for one in sockets if one.identifier not in table]
    if not fresh:
        return
    taken = {table[one.identifier] for one in sockets if one.identifier in table}
    old = {key: tree for key, tree in structs_of(prev).items() if key not in taken and tree.get("item_type") != PANEL}
    ways = (
        (lambda i: (fresh[i].identifier, fresh[i].in_out), lambda key: (key.partition("~")[0], old[key].get("in_out"))),
        (lambda i: (fresh[i].name, fresh[i].in_out), lambda key: (name_of(old[key]), old[key].get("in_out"))),
    )
    known = recognised(len(fresh), list(old), ways)
    for socket, key in zip(fresh, known, strict=True):
        _bears(table, socket.identifier, key if key in old else f"{socket.identifier}~{new_uuid()}")


def _bears(table: dict[str, str], identifier: str, key: str) -> None:
    """Whose key it was is gone: after an undo Blender may give that identifier to another socket."""
    for other in [one for one, known in table.items() if known == key]:
        del table[other]
    table[identifier] = key


def users_of(ctx: Context, group: Datablock) -> list[str]:
    """Who has nodes or modifiers of `group`: writing its interface changes their sockets and inputs too."""
    users = bpy.data.user_map(subset={group})[group]
    return sorted(uuid for one in users if (uuid := ctx.directory.uuid_of(one)) is not None)


def _keys(ctx: Context, group: Datablock, elements: list[Struct], prev: Tree) -> list[str]:
    """The keys of all items of the interface at hand."""
    learn(ctx, ctx.uuid, group, prev)
    table = identifiers(ctx, ctx.uuid)
    panels = iter(_panel_keys(ctx, [one for one in elements if one.item_type == PANEL], prev))
    return [next(panels) if one.item_type == PANEL else table[one.identifier] for one in elements]


def _panel_keys(ctx: Context, panels: list[Struct], prev: Tree) -> list[str]:
    """The keys of panels: by what Blender numbers them with (not in 4.2), by name, by place."""
    table: dict[int, str] = ctx.handles().setdefault(PANELS, {})
    old = [key for key, tree in structs_of(prev).items() if tree.get("item_type") == PANEL]
    before = list(dict.fromkeys([*table.values(), *old]))
    named, place = structs_of(prev), {key: index for index, key in enumerate(old)}
    uids = {key: uid for uid, key in table.items()}
    ways = (
        (lambda i: getattr(panels[i], "persistent_uid", None), lambda key: uids.get(key, key)),
        (lambda i: panels[i].name, lambda key: name_of(named[key]) if key in named else None),
        (lambda i: i, lambda key: place.get(key, key)),
    )
    keys = recognised(len(panels), before, ways)
    _remember_panels(ctx, dict(zip(keys, panels, strict=True)))
    return keys


def _remember_panels(ctx: Context, panels: Mapping[str, Struct]) -> None:
    table: dict[int, str] = ctx.handles().setdefault(PANELS, {})
    table.update((one.persistent_uid, key) for key, one in panels.items() if hasattr(one, "persistent_uid"))


# The proxy ----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class InterfaceProxy:
    """Sockets and panels in one order, each with the key of the panel it lies in."""

    name: str
    pseudo: bool = False

    def read(self, ctx: Context, struct: Struct, prev: Tree, fields: Fields) -> Tree:
        elements = list(getattr(struct, self.name).items_tree)
        keys = _keys(ctx, struct, elements, prev) if elements else []
        above = {one.index: key for key, one in zip(keys, elements, strict=True)}
        before = structs_of(prev)
        of = {
            key: _read_item(ctx, one, before.get(key), above.get(one.parent.index))
            for key, one in zip(keys, elements, strict=True)
        }
        return reuse(prev, items(of))

    def write(self, ctx: Context, struct: Struct, live: Tree, new: Tree, fields: Fields) -> None:
        interface = getattr(struct, self.name)
        wanted = structs_of(new)
        here = _here(ctx, struct, live)
        for key in [key for key in here if key not in wanted]:
            interface.remove(here.pop(key), move_content_to_parent=True)
        made = dict(here)
        for key in sorted((key for key in wanted if key not in here), key=_hinted):
            if (item := _make(ctx, interface, key, wanted[key])) is not None:
                made[key] = item
        _remember_panels(ctx, {key: one for key, one in made.items() if one.item_type == PANEL})
        _arrange(interface, made, wanted)
        before = structs_of(live)
        for key, item in made.items():
            if key not in here or before.get(key) != wanted[key]:
                _write_item(ctx, interface, item, wanted[key])


def _here(ctx: Context, group: Datablock, live: Tree) -> dict[str, Struct]:
    elements = list(group.interface.items_tree)
    return dict(zip(_keys(ctx, group, elements, live), elements, strict=True))


def _read_item(ctx: Context, item: Struct, prev: Fields | None, parent: str | None) -> Fields:
    tree = {**read_struct(ctx, item, prev), "item_type": item.item_type, "parent": parent}
    if item.item_type != PANEL:
        tree["in_out"] = item.in_out
    return reuse(prev, tree)  # type: ignore[no-any-return]


def _hinted(key: str) -> tuple[int, str]:
    """Sockets in the order of their making, so that numbers come out the same where they can; panels last."""
    hint = HINT.match(key)
    return (int(hint[1]) if hint else 10**6, key)


def _make(ctx: Context, interface: Any, key: str, tree: Fields) -> Struct | None:
    """A new item for `key`, as yet at the end of the interface."""
    try:
        if tree.get("item_type") == PANEL:
            return interface.new_panel(_cut(name_of(tree)))
        made = _new_socket(interface, tree)
        wanted = HINT.match(key)
        missing = int(wanted[1]) - int(made.identifier.rpartition("_")[2]) if wanted else 0
        if 0 < missing <= MAX_DUMMIES:
            for _ in range(missing):  # the counter only goes up
                interface.remove(made)
                made = _new_socket(interface, tree)
    except WRITE_ERRORS as exc:
        ctx.refuse(interface, "new_socket", exc)
        return None
    _bears(identifiers(ctx, ctx.uuid), made.identifier, key)
    return made


def _new_socket(interface: Any, tree: Fields) -> Struct:
    if tree.get("in_out") not in ("INPUT", "OUTPUT"):
        raise RemoteProtocolError("a socket that is neither input nor output")
    return interface.new_socket(
        UNNAMED if _is_empty(tree) else _cut(name_of(tree)),
        description=values.decode(tree.get("description", "")),
        in_out=tree["in_out"],
        socket_type=values.decode(tree.get("socket_type")),
    )


def _is_empty(tree: Fields) -> bool:
    """Whether the name is one to Blender, which reads to the first zero."""
    name = tree.get("name")
    return type(name) is str and not name.partition("\0")[0]


def _cut(name: str) -> str:
    """As much of a name as is safe here."""
    data = name.encode(errors="surrogateescape")
    return name if len(data) <= MAX_NAME_BYTES else data[:MAX_NAME_BYTES].decode(errors="ignore")


def _fitting(tree: Fields) -> Fields:
    """`tree` with as much of its name as is safe here."""
    try:
        name = name_of(tree)
    except RemoteProtocolError:
        return tree  # which `write_struct` tells
    return tree if name == _cut(name) else {**tree, "name": _cut(name)}


def _arrange(interface: Any, here: Mapping[str, Struct], wanted: Mapping[str, Fields]) -> None:
    """Puts items into their panels, in order; where Blender has rules of its own for that, these win."""
    levels: dict[str | None, list[str]] = {}
    for key in wanted:
        if key in here:
            levels.setdefault(_panel_of(here, wanted, key), []).append(key)
    todo: list[str | None] = [None]
    while todo:
        above = todo.pop()
        for place, key in enumerate(levels.pop(above, ())):
            item = here[key]
            if _index(item.parent) != (-1 if above is None else here[above].index):
                interface.move_to_parent(item, _root(interface) if above is None else here[above], place)
            elif item.position > place:
                interface.move(item, place)
            todo.append(key)
    for keys in levels.values():  # panels that two members put into one another
        for key in keys:
            interface.move_to_parent(here[key], _root(interface), len(interface.items_tree))


def _panel_of(here: Mapping[str, Struct], wanted: Mapping[str, Fields], key: str) -> str | None:
    parent = wanted[key].get("parent")
    return parent if type(parent) is str and parent in here and here[parent].item_type == PANEL else None


def _root(interface: Any) -> Struct:
    return next(one.parent for one in interface.items_tree if one.parent.index == -1)


def _index(panel: Struct) -> int:
    return int(panel.index)


def _write_item(ctx: Context, interface: Any, item: Struct, tree: Fields) -> None:
    if item.item_type != PANEL and tree.get("socket_type") != item.socket_type:
        index = item.index
        try:
            item.socket_type = values.decode(tree.get("socket_type"))
        except WRITE_ERRORS as exc:
            ctx.refuse(item, "socket_type", exc)
        item = interface.items_tree[index]  # its class follows its type
    if UNNAMED and item.item_type != PANEL and _is_empty(tree):
        ctx.refuse(item, "name", "this Blender ends where an input has no name")
        tree = {**tree, "name": item.name}
    elif (fitting := _fitting(tree)) is not tree:
        ctx.refuse(item, "name", f"longer than the {MAX_NAME_BYTES} bytes that are safe in this Blender")
        tree = fitting
    write_struct(ctx, item, read_struct(ctx, item, tree), tree)
