"""The points of one shape key, of a mesh, a curve or a lattice, as one array."""

from __future__ import annotations

from typing import Any, Final

import numpy as np

from broadcaster.errors import RemoteProtocolError
from broadcaster.tree import Tree

from .arrays import Array, Hashes, decode, encode
from .context import Blobs

WIDTHS: Final = {"co": 3, "handle_left": 3, "handle_right": 3, "radius": 1, "tilt": 1}  # numbers in each
OWN: Final = {"MESH": ("vertices", "co"), "LATTICE": ("points", "co_deform")}  # where an owner has its own points
FIELDS: Final = {  # type of point -> what a shape key of a curve moves
    "ShapeKeyBezierPoint": ("co", "handle_left", "handle_right", "radius", "tilt"),
    "ShapeKeyCurvePoint": ("co", "radius", "tilt"),
}


def read_data(block: Any, blobs: Blobs, cache: Hashes | None) -> Tree:
    """The node of a block's points: float32, (points, 3) of meshes and lattices, flat of curves."""
    return encode(_read(block), blobs, cache)


def write_data(block: Any, node: Tree, blobs: Blobs) -> None:
    """Moves the points. Raises RemoteProtocolError if the array was not made for as many, and of the same types."""
    array, here = decode(node, blobs), _read(block)
    if array.dtype != here.dtype or array.shape != here.shape:
        raise RemoteProtocolError(f"a shape key of {array.shape} numbers where {here.shape} are")
    if _is_curve(block):
        _write_curve(block, array.tolist())
    else:
        block.points.foreach_set("co", array.reshape(-1))


def write_own(block: Any) -> None:
    """Puts the points where those of its owner are: what all do alike with an array that does not fit."""
    owner = block.id_data.user
    if _is_curve(block):
        _write_curve(block, _of_splines(owner))
        return
    points, name = OWN[owner.id_type]
    array = np.empty((len(getattr(owner, points)), 3), np.float32)
    getattr(owner, points).foreach_get(name, array.reshape(-1))
    block.points.foreach_set("co", array.reshape(-1))


def _of_splines(curve: Any) -> list[float]:
    """What the points of a curve say of themselves, as `_read` gives them."""
    flat: list[float] = []
    for spline in curve.splines:
        for point in spline.bezier_points:
            flat += (*point.co, *point.handle_left, *point.handle_right, point.radius, point.tilt)
        for point in spline.points:
            flat += (*point.co[:3], point.radius, point.tilt)
    return flat


def _is_curve(block: Any) -> bool:
    return len(block.data) > 0 and type(block.data[0]).__name__ in FIELDS


def _read(block: Any) -> Array:
    if not _is_curve(block):
        array = np.empty((len(block.points), 3), np.float32)
        block.points.foreach_get("co", array.reshape(-1))  # much quicker than `data`
        return array
    flat: list[float] = []
    for point in block.data:
        for name in FIELDS[type(point).__name__]:
            value = getattr(point, name)
            flat.extend((value,) if WIDTHS[name] == 1 else value)
    return np.array(flat, np.float32)


def _write_curve(block: Any, numbers: list[float]) -> None:
    place = 0
    for point in block.data:
        for name in FIELDS[type(point).__name__]:
            end = place + WIDTHS[name]
            setattr(point, name, numbers[place] if WIDTHS[name] == 1 else numbers[place:end])
            place = end
