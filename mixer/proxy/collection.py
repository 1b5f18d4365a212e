"""Proxies of RNA collections: items that keep a key for life, and rows that have a place only."""

from __future__ import annotations

from collections import defaultdict, deque
from dataclasses import dataclass
from typing import Any

import bpy

from broadcaster.errors import RemoteProtocolError
from broadcaster.tree import Tree, items, new_uuid, same, tag

from ..rules import WITHHELD_NODES
from ..rules.rule import Items
from . import values
from .context import MAX_REASON_CHARS, Context, Struct
from .fields import WRITE_ERRORS, Fields, resolve
from .keying import free_names, structs_of, unlike_names
from .reuse import reuse
from .struct import read_struct, write_struct


@dataclass(frozen=True, slots=True)
class ItemsProxy:
    """A keyed collection. An item is known by its name until it is renamed, then by its place."""

    name: str
    rule: Items

    def read(self, ctx: Context, struct: Struct, prev: Tree, fields: Fields) -> Tree:
        collection = getattr(struct, self.name)
        prev = prev if tag(prev) == "items" else None
        before = prev["of"] if prev else {}
        if self.rule.fixed:  # their order is not theirs to tell
            named = sorted((self.key_of(ctx, struct, item), place) for place, item in enumerate(collection))
            of = {key: read_struct(ctx, collection[place], before.get(key)) for key, place in named}
        else:
            elements = list(collection)
            keys = self._keys(elements, prev)
            if self.rule.unordered:
                keys, elements = _sorted(keys, elements)
            of = {key: read_struct(ctx, item, before.get(key)) for key, item in zip(keys, elements, strict=True)}
        return reuse(prev, items(of))

    def key_of(self, ctx: Context, struct: Struct, item: Struct) -> str:
        """The key of an item that Blender made: its name, the same on every peer, or the uuid of what it shows."""
        if self.rule.shown:
            target = getattr(item, self.rule.shown)
            if (uuid := ctx.directory.uuid_of(target)) is not None:
                return uuid
            ctx.meet(target)
        return str(getattr(item, self.rule.name)) or "-"

    def _keys(self, elements: list[Struct], prev: Tree) -> list[str]:
        """The keys of live items: by name, then, for what was renamed, by place; new ones for the rest."""
        if not prev:
            return [new_uuid() for _ in elements]
        named: dict[tuple[str, str], deque[str]] = defaultdict(deque)
        for key in prev["order"]:
            named[self._label(prev["of"][key])].append(key)
        keys: list[str | None] = []
        for item in elements:
            known = named.get(self._live_label(item))
            keys.append(known.popleft() if known else None)
        lost = {index: key for index, key in enumerate(prev["order"]) if key not in keys}
        for index, key in enumerate(keys):
            if key is None:
                old = lost.get(index)
                same = old is not None and self._same_kind(elements[index], prev["of"][old])
                keys[index] = lost.pop(index) if same else new_uuid()
        return [key for key in keys if key is not None]

    def _label(self, tree: Tree) -> tuple[str, str]:
        fields: Fields = tree if tag(tree) == "" else {}
        return _text(fields.get(self.rule.name)), _text(fields.get(self.rule.kind))

    def _live_label(self, item: Struct) -> tuple[str, str]:
        kind = values.encode(getattr(item, self.rule.kind)) if self.rule.kind else None
        return _text(values.encode(getattr(item, self.rule.name)) if self.rule.name else None), _text(kind)

    def _same_kind(self, item: Struct, tree: Tree) -> bool:
        if tag(tree) != "":
            return False
        return not self.rule.kind or values.encode(getattr(item, self.rule.kind)) == tree.get(self.rule.kind)

    def write(self, ctx: Context, struct: Struct, live: Tree, new: Tree, fields: Fields) -> None:
        if tag(new) != "items":
            raise RemoteProtocolError("malformed items")
        new = items(structs_of(new))
        collection = getattr(struct, self.name)
        if self.rule.fixed:
            self._write_fixed(ctx, struct, collection, live, new)
            return
        order = self._keys(list(collection), live)
        of = live["of"] if live else {}
        for index in range(len(order) - 1, -1, -1):
            if order[index] not in new["of"]:
                _remove(collection, self.rule, index)
                del order[index]
        made: dict[str, Fields] = {}
        for key in new["order"]:
            if key not in of and make(ctx, collection, self.rule, new["of"][key]):
                order.append(key)
                made[key] = read_struct(ctx, collection[-1], new["of"][key])
        self._sort(collection, order, new["order"])
        names = self._names(new)
        if names:  # or Blender numbers a name that is still another's
            free_names({key: collection[index] for index, key in enumerate(order) if key in names}, names)
        for index, key in enumerate(order):
            tree = new["of"][key]
            if names.get(key, tree.get("name")) != tree.get("name"):
                tree = {**tree, "name": names[key]}
            write_struct(ctx, collection[index], made.get(key) or of[key], tree)

    def _names(self, new: Tree) -> dict[str, str]:
        """What items are to be named here, where Blender has no two of one name."""
        if not self.rule.named_apart:
            return {}
        return unlike_names({key: name for key in new["order"] if type(name := new["of"][key].get("name")) is str})

    def _write_fixed(self, ctx: Context, struct: Struct, collection: Any, live: Tree, new: Tree) -> None:
        before = live["of"] if live else {}
        for item in collection:
            key = self.key_of(ctx, struct, item)
            if (tree := new["of"].get(key)) is not None and not same(tree, before.get(key)):
                write_struct(ctx, item, before.get(key) or read_struct(ctx, item, tree), tree)

    def _sort(self, collection: Any, order: list[str], wanted: list[str]) -> None:
        """Moves items into the wanted order, where Blender can move them."""
        if not self.rule.move:
            return
        goal = [key for key in wanted if key in order]
        for place, key in enumerate(goal):
            if (at := order.index(key)) != place:
                getattr(collection, self.rule.move)(at, place)
                order.insert(place, order.pop(at))


@dataclass(frozen=True, slots=True)
class RowsProxy:
    """A collection whose items have no identity: one value, a list of structs."""

    name: str
    rule: Items

    def read(self, ctx: Context, struct: Struct, prev: Tree, fields: Fields) -> Tree:
        before = prev if type(prev) is list else []
        rows = []
        for index, row in enumerate(getattr(struct, self.name)):
            old = before[index] if index < len(before) else None
            rows.append(read_row(ctx, row, old))
        return reuse(prev, rows)

    def write(self, ctx: Context, struct: Struct, live: Tree, new: Tree, fields: Fields) -> None:
        if type(new) is not list:
            raise RemoteProtocolError("malformed rows")
        collection = getattr(struct, self.name)
        if self.rule.remove == "pop" and not new:
            collection.clear()  # popping the last material would leave the objects a slot
        elif self.rule.remove:
            for index in range(len(collection) - 1, len(new) - 1, -1):
                _remove(collection, self.rule, index)
        if self.rule.new:
            for tree in new[len(collection) :]:
                if not make(ctx, collection, self.rule, tree):
                    break
        for index, tree in enumerate(new):
            if index >= len(collection):
                break
            self._write_row(ctx, collection, index, tree)

    def _write_row(self, ctx: Context, collection: Any, index: int, tree: Tree) -> None:
        if type(tree) is dict and "$" not in tree:
            row = collection[index]
            write_struct(ctx, row, read_struct(ctx, row, tree), tree)
        elif collection[index] != (target := resolve(ctx, tree)):
            collection[index] = target


def _text(tree: Tree) -> str:
    return tree if type(tree) is str else repr(tree)


def _sorted(keys: list[str], elements: list[Struct]) -> tuple[list[str], list[Struct]]:
    places = sorted(range(len(keys)), key=keys.__getitem__)
    return [keys[place] for place in places], [elements[place] for place in places]


def read_row(ctx: Context, row: Any, prev: Tree) -> Tree:
    """A row is a struct, or a reference where the collection holds datablocks (None for an empty place)."""
    if row is None:
        return None
    if (uuid := ctx.directory.uuid_of(row)) is not None:
        return {"$": "ref", "to": uuid}
    return read_struct(ctx, row, prev)


def make(ctx: Context, collection: Any, rule: Items, tree: Tree) -> bool:
    """Adds an item for `tree` at the end of `collection`; False, and noted, if Blender does not make it."""
    try:
        if tree_is_withheld(ctx, tree):
            return False
        args, keywords = _arguments(ctx, collection, rule, tree)
        before = _uids(rule.by_product)
        getattr(collection, rule.new)(*args, **keywords)
    except WRITE_ERRORS as exc:
        what = tree.get(rule.kind or rule.name) if tag(tree) == "" else tree
        ctx.refused[f"{collection.rna_type.identifier}: {str(what)[:60]}"] = str(exc)[:MAX_REASON_CHARS]
        return False
    ctx.by_products += ((rule.by_product, uid) for uid in _uids(rule.by_product) - before)
    return True


def _arguments(ctx: Context, collection: Any, rule: Items, tree: Tree) -> tuple[list[Any], dict[str, Any]]:
    args: list[Any] = []
    keywords: dict[str, Any] = {}
    for arg in rule.args:
        keyword, is_named, name = arg.rpartition("=")
        constant, is_constant, text = arg.partition(":")
        if is_constant:
            keywords[constant] = int(text) if text.isdigit() else text
        elif is_named:
            keywords[keyword] = argument(ctx, tree.get(name))
        else:
            args.append(argument(ctx, tree if name == "." else tree.get(name)))
    return _as_declared(collection, rule.new, args), keywords


def _as_declared(collection: Any, method: str, args: list[Any]) -> list[Any]:
    """Whole numbers where Blender's function wants them: what it takes as a frame, the strip tells as a float."""
    declared = [one for one in collection.rna_type.functions[method].parameters if not one.is_output]
    pairs = zip(args, declared, strict=False)
    return [int(arg) if type(arg) is float and one.type == "INT" else arg for arg, one in pairs]


def _uids(kind: str) -> set[int]:
    return {datablock.session_uid for datablock in getattr(bpy.data, kind)} if kind else set()


def tree_is_withheld(ctx: Context, tree: Tree) -> bool:
    """Whether a node runs code or opens a path, and the room is not trusted."""
    idname = tree.get("bl_idname") if type(tree) is dict else None
    if ctx.trusted or idname not in WITHHELD_NODES:
        return False
    ctx.withheld[f"{tree.get('name')}: {idname}"] = "withheld: not trusted"
    return True


def argument(ctx: Context, tree: Tree) -> Any:
    return resolve(ctx, tree) if type(tree) is dict and tree.get("$") == "ref" else values.decode(tree)


def _remove(collection: Any, rule: Items, index: int) -> None:
    if rule.remove == "pop":
        collection.pop(index=index)
    else:
        getattr(collection, rule.remove)(collection[index])
