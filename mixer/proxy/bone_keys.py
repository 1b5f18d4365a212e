"""How bones and collections of bones are known: by keys, since they name one another and an undo brings them back."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from broadcaster.tree import Tree

from . import values
from .context import Context, Struct
from .fields import Fields
from .keying import acyclic, name_of

BONES: Final = "bones"  # handle: name -> key
COLLECTIONS: Final = "collections"  # handle: name -> key
GONE: Final = "gone "  # handle, of bones or collections: key -> name, of those that an undo may bring back
HANDLES: Final = {"Bone": BONES, "BoneCollection": COLLECTIONS}


@dataclass(frozen=True, slots=True)
class Sibling:
    """A pointer to another bone of the armature, or another collection of bones, by its key."""

    name: str
    pseudo: bool = False

    def read(self, ctx: Context, struct: Struct, prev: Tree, fields: Fields) -> Tree:
        target = getattr(struct, self.name)
        return None if target is None else ctx.handles()[HANDLES[type(struct).__name__]].get(target.name)

    def write(self, ctx: Context, struct: Struct, live: Tree, new: Tree, fields: Fields) -> None:
        handle = HANDLES[type(struct).__name__]
        name = next((name for name, key in ctx.handles()[handle].items() if key == new), None)
        armature = struct.id_data
        siblings = armature.bones if handle == BONES else armature.collections_all
        setattr(struct, self.name, None if name is None else siblings.get(name))


@dataclass(frozen=True, slots=True)
class PoseSibling:
    """A pointer to another bone of the same pose, by its name."""

    name: str
    pseudo: bool = False

    def read(self, ctx: Context, struct: Struct, prev: Tree, fields: Fields) -> Tree:
        target = getattr(struct, self.name)
        return None if target is None else values.encode(target.name)

    def write(self, ctx: Context, struct: Struct, live: Tree, new: Tree, fields: Fields) -> None:
        bones = struct.id_data.pose.bones
        setattr(struct, self.name, None if new is None else bones.get(values.decode(new)))


PARENT: Final = Sibling("parent")


def gone_of(ctx: Context, handle: str) -> dict[str, str]:
    """The names of the bones or collections that were here once, by key: who undoes brings them back, as the same."""
    gone: dict[str, str] = ctx.handles().setdefault(GONE + handle, {})
    return gone


def note_gone(gone: dict[str, str], before: dict[str, Fields], keys: Iterable[str]) -> None:
    here = set(keys)
    gone.update({key: name_of(tree) for key, tree in before.items() if key not in here})
    for key in here & gone.keys():
        del gone[key]


def names_here(ctx: Context, handle: str) -> dict[str, str]:
    return {key: name for name, key in ctx.handles().get(handle, {}).items()}


def known_keys(before: dict[str, Fields], gone: dict[str, str]) -> list[str]:
    return [*before, *(key for key in reversed(gone) if key not in before)]


def parents_of(after: dict[str, Fields]) -> dict[str, str | None]:
    named = {key: tree.get("parent") for key, tree in after.items()}
    return acyclic({key: parent if type(parent) is str else None for key, parent in named.items()})
