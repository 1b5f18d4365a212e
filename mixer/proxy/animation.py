"""What curves and drivers control is theirs while they do: it is derived, and no edit of anybody's."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Any, Final

from .context import Datablock

Controlled = Mapping[tuple[int, str], frozenset[int]]
NOTHING: Final[Controlled] = MappingProxyType({})

# ID.id_type -> the part that is a datablock with animation of its own
PARTS: Final[Mapping[str, str]] = MappingProxyType(
    {
        **dict.fromkeys(("LIGHT", "LINESTYLE", "MATERIAL", "SCENE", "TEXTURE", "WORLD"), "node_tree"),
        **dict.fromkeys(("CURVE", "LATTICE", "MESH"), "shape_keys"),
    }
)


def derived(datablock: Datablock) -> Controlled:
    """(pointer of a struct, property) -> the array indices that an unmuted curve or a driver controls, 0 for a scalar.

    A custom property is named '["name"]'. The pointers hold until Blender next frees something.
    """
    part = PARTS.get(datablock.id_type)
    owners = (datablock,) if part is None else (datablock, getattr(datablock, part, None))
    found: dict[tuple[int, str], frozenset[int]] = {}
    for owner in owners:
        if (data := getattr(owner, "animation_data", None)) is not None:
            _collect(owner, data, found)
    return found or NOTHING


def _collect(owner: Datablock, data: Any, found: dict[tuple[int, str], frozenset[int]]) -> None:
    paths: dict[str, set[int]] = {}
    for curve in _curves(data):
        if not curve.mute:
            paths.setdefault(curve.data_path, set()).add(curve.array_index)
    pointers: dict[str, int | None] = {"": owner.as_pointer()}
    for path, indices in paths.items():
        holder, name = _split(path)
        if holder not in pointers:
            pointers[holder] = _pointer(owner, holder)
        if (pointer := pointers[holder]) is not None:
            found[pointer, name] = found.get((pointer, name), frozenset()) | indices


def _split(path: str) -> tuple[str, str]:
    """The path of the struct that has the property, and the property."""
    if path.endswith('"]'):
        holder, _, name = path.rpartition('["')
        return holder, f'["{name}'
    holder, _, name = path.rpartition(".")
    return holder, name


def _pointer(owner: Datablock, path: str) -> int | None:
    """Where the struct at `path` lies; None if the path leads nowhere."""
    try:
        pointer: int = owner.path_resolve(path).as_pointer()
    except (ValueError, AttributeError):
        return None
    return pointer


def _curves(data: Any) -> Iterator[Any]:
    yield from data.drivers
    if data.action is not None:
        yield from curves_of(data.action, getattr(data, "action_slot", None))
    if data.use_nla:
        for track in data.nla_tracks:
            if not track.mute:
                yield from _strip_curves(track.strips)


def _strip_curves(strips: Any) -> Iterator[Any]:
    for strip in strips:
        if not strip.mute:
            yield from _strip_curves(strip.strips)  # of a meta strip
            if strip.action is not None:
                yield from curves_of(strip.action, getattr(strip, "action_slot", None))


def curves_of(action: Any, slot: Any) -> Iterator[Any]:
    """The F-curves of an action, of one slot where this Blender has slots."""
    if not hasattr(action, "layers"):
        yield from action.fcurves
    elif slot is not None:
        for layer in action.layers:
            for strip in layer.strips:
                if (bag := strip.channelbag(slot)) is not None:
                    yield from bag.fcurves
