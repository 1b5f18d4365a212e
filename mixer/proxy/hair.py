"""Hair curves and point clouds: points and their attributes as arrays of one layout, as far as Blender lets itself."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np

from broadcaster.errors import RemoteProtocolError
from broadcaster.tree import Tree, tag

from . import attributes
from .arrays import Array, Hashes, decode, encode, header
from .attributes import POSITION
from .context import Context, Datablock, Struct
from .fields import Fields
from .reuse import reuse

OFFSETS: Final = "topology/offsets"  # int32 (curves + 1,): the first point of each curve, and the count of all
CURVE_TYPE: Final = "CURVE/INT8/curve_type"
CURVE_TYPES: Final = ("CATMULL_ROM", "POLY", "BEZIER", "NURBS")  # in the order of their numbers
HASHES: Final = "geometry"


@dataclass(frozen=True, slots=True)
class HairProxy:
    """One layout. Where this Blender cannot make as many points or curves, that is noted and nothing written."""

    name: str
    pseudo: bool = True

    def read(self, ctx: Context, struct: Struct, prev: Tree, fields: Fields) -> Tree:
        if prev is not None and not ctx.geometry:
            return prev
        hashes: dict[str, Hashes] = ctx.handles().setdefault(HASHES, {})
        arrays = {OFFSETS: _offsets(struct), POSITION: np.empty((0, 3), np.float32)} | dict(attributes.read_all(struct))
        of = {key: encode(array, ctx.blobs, hashes.setdefault(key, Hashes())) for key, array in arrays.items()}
        before: Mapping[str, Tree] = prev["of"] if tag(prev) == "layout" else {}
        same = before.get(OFFSETS) == of[OFFSETS] and before[POSITION]["shape"] == of[POSITION]["shape"]
        tree = {"$": "layout", "id": prev["id"] if same else secrets.token_urlsafe(8), "of": of}
        return reuse(prev, tree)

    def write(self, ctx: Context, struct: Struct, live: Tree, new: Tree, fields: Fields) -> None:
        if tag(new) != "layout" or not {OFFSETS, POSITION} <= new["of"].keys():
            raise RemoteProtocolError("malformed hair")
        before: Mapping[str, Tree] = live["of"] if live is not None else {}
        offsets = _checked_offsets(decode(new["of"][OFFSETS], ctx.blobs), new["of"][POSITION])
        counts = {"POINT": header(new["of"][POSITION])[1][0], "CURVE": len(offsets) - 1}
        stays = before.get(OFFSETS) == new["of"][OFFSETS] and len(struct.points) == counts["POINT"]
        found: dict[str, Array] = {}
        for key, node in new["of"].items():
            if key != OFFSETS and not (stays and before.get(key) == node):
                attributes.check(key, node, counts)
                found[key] = decode(node, ctx.blobs)
        if not stays and not _replace(struct, offsets, counts["POINT"]):
            ctx.refuse(struct, self.name, "this Blender does not change the number of points")
            return
        for key in attributes.keys_of(struct).keys() - new["of"].keys():
            attributes.remove(struct, key)
        for key, array in found.items():
            if not _write(struct, key, array):
                ctx.refuse(struct, key, "this Blender does not take that attribute")
        struct.update_tag()


def _offsets(hair: Datablock) -> Array:
    """Of a point cloud, which has no curves, a single zero."""
    if not hasattr(hair, "curves"):
        return np.zeros(1, np.int32)
    offsets = np.zeros(len(hair.curves) + 1, np.int32)
    if len(hair.curves):
        hair.curve_offset_data.foreach_get("value", offsets)
    return offsets


def _checked_offsets(offsets: Array, position: Tree) -> Array:
    """Raises RemoteProtocolError unless they part the points into curves of at least one."""
    points = (*header(position)[1], 0)[0]
    if offsets.dtype != np.int32 or offsets.ndim != 1 or not len(offsets) or offsets[0] != 0:
        raise RemoteProtocolError("malformed hair: offsets")
    if len(offsets) > 1 and (offsets.min() < 0 or offsets[-1] != points or (np.diff(offsets) < 1).any()):
        raise RemoteProtocolError("malformed hair: curves")
    return offsets


def _replace(hair: Datablock, offsets: Array, points: int) -> bool:
    """Gives it other curves; False, and nothing done, if this Blender cannot."""
    if not hasattr(hair, "curves") or (len(offsets) == 1 and points):
        return len(hair.points) == points and len(offsets) == 1
    if len(hair.curves):
        if not hasattr(hair, "remove_curves"):
            return False
        hair.remove_curves()
    if len(offsets) > 1:
        hair.add_curves(np.diff(offsets).tolist())
    return True


def _write(hair: Datablock, key: str, array: Array) -> bool:
    if not attributes.is_supported(key):
        return False
    if key != CURVE_TYPE:
        return attributes.write(hair, key, array)
    if not hasattr(hair, "set_types"):
        return False
    for number in np.unique(array).tolist():
        if not 0 <= number < len(CURVE_TYPES):
            return False
        hair.set_types(type=CURVE_TYPES[number], indices=np.flatnonzero(array == number).tolist())
    return True
