"""What curves and drivers control is theirs while they do: it is derived, and no edit of anybody's."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Any, Final

from .context import Datablock

Controlled = Mapping[tuple[int, str], frozenset[int]]
NOTHING: Final[Controlled] = MappingProxyType({})
PARTS: Final = ("node_tree", "shape_keys")  # embedded datablocks with animation data of their own


def derived(datablock: Datablock) -> Controlled:
    """(pointer of a struct, property) -> the array indices that an unmuted curve or a driver controls, 0 for a scalar.

    A custom property is named '["name"]'.
    """
    found: dict[tuple[int, str], frozenset[int]] = {}
    for part in (datablock, *(getattr(datablock, name, None) for name in PARTS)):
        data = getattr(part, "animation_data", None)
        if data is None:
            continue
        paths: dict[str, set[int]] = {}
        for curve in _curves(data):
            if not curve.mute:
                paths.setdefault(curve.data_path, set()).add(curve.array_index)
        for path, indices in paths.items():
            if (place := _place(part, path)) is not None:
                found[place] = found.get(place, frozenset()) | indices
    return found or NOTHING


def _curves(data: Any) -> Iterator[Any]:
    yield from data.drivers
    if data.action is not None:
        yield from curves_of(data.action, getattr(data, "action_slot", None))
    for track in data.nla_tracks:
        for strip in track.strips:
            if strip.action is not None and not (strip.mute or track.mute):
                yield from curves_of(strip.action, getattr(strip, "action_slot", None))


def curves_of(action: Any, slot: Any) -> Iterator[Any]:
    """The F-curves of an action, of one slot where this Blender has slots."""
    if not hasattr(action, "layers"):
        yield from action.fcurves
        return
    for layer in action.layers:
        for strip in layer.strips:
            bag = strip.channelbag(slot) if slot is not None else None
            if bag is not None:
                yield from bag.fcurves


def _place(datablock: Datablock, path: str) -> tuple[int, str] | None:
    """Whose property `path` names; None if it leads nowhere."""
    if path.endswith('"]'):
        owner, _, name = path.rpartition('["')
        name = '["' + name
    else:
        owner, _, name = path.rpartition(".")
    try:
        struct = datablock.path_resolve(owner) if owner else datablock
        return struct.as_pointer(), name
    except (ValueError, AttributeError):
        return None
