"""Compares trees: the delta that leads from one to the other."""

from __future__ import annotations

from bisect import bisect_left

from .values import Delta, Tree, head, same, tag


def diff(old: Tree, new: Tree) -> Delta | None:
    """The delta that makes `new` of `old`; None if they are equal."""
    if old is new:
        return None
    kind = tag(new)
    if kind is None or kind != tag(old):
        return None if same(old, new) else ["put", new]
    match kind:
        case "":
            changes = diff_fields(old, new)
            return ["patch", changes] if changes else None
        case "items":
            return _diff_items(old, new)
        case "set":
            before, after = set(old["of"]), set(new["of"])
            return None if before == after else ["link", sorted(after - before), sorted(before - after)]
        case "layout" if old["id"] == new["id"]:
            return _diff_arrays(old, new)
        case _:
            return None if same(old, new) else ["put", new]


def diff_fields(old: dict[str, Tree], new: dict[str, Tree]) -> dict[str, Delta]:
    """The deltas of the fields of two structs."""
    changes: dict[str, Delta] = {}
    for name, value in new.items():
        if name not in old:
            changes[name] = ["put", value]
        elif (delta := diff(old[name], value)) is not None:
            changes[name] = delta
    for name in old:
        if name not in new:
            changes[name] = ["remove"]
    return changes


def _diff_items(old: Tree, new: Tree) -> Delta | None:
    before, after = old["of"], new["of"]
    changes: dict[str, Delta] = {key: ["remove"] for key in old["order"] if key not in after}
    stay = _stay([key for key in old["order"] if key in after], new["order"])
    previous: str | None = None
    for key in new["order"]:
        if key not in before:
            changes[key] = ["insert", previous, after[key]]
        else:
            inner = diff(before[key], after[key])
            if key not in stay:
                changes[key] = ["move", previous] if inner is None else ["move", previous, inner]
            elif inner is not None:
                changes[key] = inner
        previous = key
    return ["patch", changes] if changes else None


def _stay(before: list[str], after: list[str]) -> set[str]:
    """The most keys that can stay where they are: a longest increasing subsequence."""
    place = {key: index for index, key in enumerate(before)}
    if [key for key in after if key in place] == before:
        return set(before)
    tails: list[int] = []
    chains: list[list[str]] = []
    for key in after:
        if (index := place.get(key)) is not None:
            at = bisect_left(tails, index)
            chain = [*chains[at - 1], key] if at else [key]
            tails[at : at + 1], chains[at : at + 1] = [index], [chain]
    return set(chains[-1]) if chains else set()


def _diff_arrays(old: Tree, new: Tree) -> Delta | None:
    changes: dict[str, Delta] = {}
    for name, array in new["of"].items():
        if (change := _diff_array(old["of"].get(name), array)) is not None:
            changes[name] = change
    changes |= {name: ["remove"] for name in old["of"] if name not in new["of"]}
    return ["arrays", new["id"], changes] if changes else None


def _diff_array(old: Tree, new: Tree) -> Delta | None:
    if old == new:
        return None
    alike = old is not None and "chunks" in old and "chunks" in new
    if not alike or (old["dtype"], old["shape"]) != (new["dtype"], new["shape"]):
        return ["put", new]
    pairs = enumerate(zip(old["chunks"], new["chunks"], strict=True))
    return ["chunks", {str(index): b for index, (a, b) in pairs if a != b}, head(new)]
