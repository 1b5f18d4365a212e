"""The groups of the curves of one slot of an action."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from broadcaster.tree import Tree, items

from .context import Context, Struct
from .fields import Fields
from .keying import name_of, recognised, structs_of
from .reuse import reuse
from .struct import read_struct, write_struct

GROUPS: Final = "groups"  # handle: pointer of a group -> key, while its slot is at work


@dataclass(frozen=True, slots=True)
class GroupOfCurve:
    """The group of a curve, by its key. To write it is the action's work, which knows the groups."""

    name: str
    pseudo: bool = False

    def read(self, ctx: Context, struct: Struct, prev: Tree, fields: Fields) -> Tree:
        group = struct.group
        return None if group is None else ctx.handles().get(GROUPS, {}).get(group.as_pointer())

    def write(self, ctx: Context, struct: Struct, live: Tree, new: Tree, fields: Fields) -> None:
        """Nothing."""


def read_groups(ctx: Context, bag: Any, prev: Tree) -> Tree:
    """The groups of a slot, and whose key is whose for the curves that are read next."""
    old, groups = structs_of(prev), list(bag.groups) if bag is not None else []
    order = {key: place for place, key in enumerate(old)}
    ways = ((lambda i: groups[i].name, lambda key: name_of(old[key])), (lambda i: i, order.__getitem__))
    keys = recognised(len(groups), list(old), ways)
    ctx.handles()[GROUPS] = {group.as_pointer(): key for key, group in zip(keys, groups, strict=True)}
    tree = items({key: _read_group(ctx, group, old.get(key)) for key, group in zip(keys, groups, strict=True)})
    return reuse(prev, tree)


def _read_group(ctx: Context, group: Struct, prev: Fields | None) -> Fields:
    """One group. Its colours are somebody's only where they are chosen: else each has those of the theme."""
    tree = read_struct(ctx, group, prev)
    if tree["color_set"] != "CUSTOM":
        tree = {name: value for name, value in tree.items() if name != "colors"}
    return reuse(prev, tree)  # type: ignore[no-any-return]


class Groups:
    """The groups of one bag while it is written. Blender drops one when its last curve leaves, so none is held."""

    def __init__(self, ctx: Context, bag: Any, before: dict[str, Fields], after: dict[str, Fields]) -> None:
        self.ctx, self.bag, self.before, self.after = ctx, bag, before, after
        self.keys: dict[int, str] = {
            group.as_pointer(): key for group, key in zip(bag.groups, before, strict=False)
        }  # they were just read, in this order

    def key_of(self, group: Any) -> str | None:
        return None if group is None else self.keys.get(group.as_pointer())

    def get(self, key: str) -> Any:
        """The group of a key, made if need be."""
        for group in self.bag.groups:
            if self.key_of(group) == key:
                return group
        made = self.bag.groups.new(name_of(self.after[key]))
        self.keys[made.as_pointer()] = key
        write_struct(self.ctx, made, _read_group(self.ctx, made, None), self.after[key])
        return made

    def finish(self) -> None:
        """Removes and makes what is left to, and writes what changed."""
        for group in list(self.bag.groups):
            if self.key_of(group) not in self.after:
                self.keys.pop(group.as_pointer(), None)
                self.bag.groups.remove(group)
        for key, tree in self.after.items():
            group = self.get(key)
            if key in self.before and self.before[key] is not tree:
                write_struct(self.ctx, group, self.before[key], tree)
