"""The points of one shape key, of a mesh, a curve or a lattice."""

from __future__ import annotations

from typing import Any, Final

import numpy as np

from broadcaster.errors import RemoteProtocolError
from broadcaster.tree import Tree

from .arrays import Array, Hashes, decode, encode
from .context import Blobs

CURVE_POINT: Final = ("co", "handle_left", "handle_right")  # of a Bezier point, three numbers each
SPLINE_POINT: Final = ("co",)  # of any other
FREE: Final = ("radius", "tilt")  # of both


def read_data(block: Any, blobs: Blobs, cache: Hashes | None) -> Tree:
    """The array node of a block's points: float32, (points, 3) for meshes and lattices, flat for curves."""
    return encode(_read(block), blobs, cache)


def write_data(block: Any, node: Tree, blobs: Blobs) -> None:
    """Moves the points. Raises RemoteProtocolError if the array is not of this block's shape."""
    array, here = decode(node, blobs), _read(block)
    if array.dtype != here.dtype or array.shape != here.shape:
        raise RemoteProtocolError(f"a shape key of {array.shape} does not fit {here.shape}")
    if not _is_curve(block):
        block.points.foreach_set("co", np.ascontiguousarray(array).reshape(-1))
        return
    values, place = array.tolist(), 0
    for point in block.data:
        for name in _fields(point):
            width = 1 if name in FREE else 3
            setattr(point, name, values[place] if width == 1 else values[place : place + 3])
            place += width


def _is_curve(block: Any) -> bool:
    return not len(block.points) and len(block.data) > 0


def _fields(point: Any) -> tuple[str, ...]:
    return (*(CURVE_POINT if hasattr(point, "handle_left") else SPLINE_POINT), *FREE)


def _read(block: Any) -> Array:
    if not _is_curve(block):
        array = np.empty(len(block.points) * 3, np.float32)
        block.points.foreach_get("co", array)  # a hundred times quicker than through data
        return array.reshape(-1, 3)
    flat: list[float] = []
    for point in block.data:
        for name in _fields(point):
            value = getattr(point, name)
            flat += [value] if name in FREE else list(value)
    return np.array(flat, np.float32)
