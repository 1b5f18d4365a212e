"""What is read again and found the same is what was read before, so that whoever compares the two sees it at once."""

from __future__ import annotations

from typing import Final

from broadcaster.tree import Tree, parts, tag

PARTED: Final = frozenset({"", "items"})  # the tags of trees that have parts of their own


def reuse(prev: Tree, tree: Tree) -> Tree:
    """`prev` itself if `tree`, read after it, is the same; else `tree` with those values of `prev` that it equals.

    Parts that are structs or items were read in this way, too, and are the same if they are one: the custom properties
    in them may be equal without that, as 1 and True are. All other values have their types from RNA.
    """
    if (kind := tag(tree)) not in PARTED or kind != tag(prev):
        return prev if prev == tree else tree
    before, after = parts(prev), parts(tree)
    if prev == tree and not any(value is not before[name] and tag(value) in PARTED for name, value in after.items()):
        return prev
    return {name: _of(before.get(name), value) for name, value in after.items()} if kind == "" else tree


def _of(old: Tree, value: Tree) -> Tree:
    return old if old == value and tag(value) not in PARTED else value
