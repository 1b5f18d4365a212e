"""The splines of a curve or surface: rows of one value, their points as arrays."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import bpy
import numpy as np

from broadcaster.errors import RemoteProtocolError
from broadcaster.tree import Tree, tag

from . import values
from .arrays import Array, Hashes, decode, encode, header
from .context import Blobs, Busy, Context, Struct
from .fields import WRITE_ERRORS, Fields
from .moment import moment
from .reuse import reuse

# In the order of writing. The types of points and how many there are is a spline's shape, which never changes.
SCALARS: Final = (
    *("use_cyclic_u", "use_cyclic_v", "use_endpoint_u", "use_endpoint_v", "use_bezier_u", "use_bezier_v"),
    *("order_u", "order_v", "resolution_u", "resolution_v", "tilt_interpolation", "radius_interpolation"),
    *("use_smooth", "hide", "material_index"),
)
ORDERS: Final = ("order_u", "order_v")
LEAST_ORDER: Final = 2  # Blender's operators make splines of less where it does not count, and nobody can write it
NEW_ORDER: Final = 4  # of a new spline, also where it has fewer points: what is written is at most as many
HELD_BY: Final = {"order_u": ("use_endpoint_u", "use_bezier_u"), "order_v": ("use_endpoint_v", "use_bezier_v")}
Field = tuple[str, str, tuple[int, ...]]  # property, dtype, shape of one value
_OF_ALL: Final[tuple[Field, ...]] = (
    ("tilt", "<f4", ()),
    ("radius", "<f4", ()),
    ("weight_softbody", "<f4", ()),
    ("hide", "|b1", ()),
)
BEZIER: Final[tuple[Field, ...]] = (
    ("handle_left_type", "|i1", ()),
    ("handle_right_type", "|i1", ()),
    ("co", "<f4", (3,)),
    ("handle_left", "<f4", (3,)),
    ("handle_right", "<f4", (3,)),
    *_OF_ALL,
)
OTHERS: Final[tuple[Field, ...]] = (("co", "<f4", (4,)), *_OF_ALL)  # the fourth is the weight
TYPES: Final = ("POLY", "BEZIER", "NURBS")
HANDLE_TYPES: Final = 5
POINTS: Final = "points"
HASHES: Final = "splines"  # handle: Hashes by place and property


@dataclass(frozen=True, slots=True)
class SplinesProxy:
    """All splines of a curve or surface, one value; those of a text are made of its letters.

    To write a curve in edit mode raises Busy.
    """

    name: str
    pseudo: bool = False

    def read(self, ctx: Context, struct: Struct, prev: Tree, fields: Fields) -> Tree:
        if isinstance(struct, bpy.types.TextCurve):
            return None
        hashes: dict[str, Hashes] = ctx.handles().setdefault(HASHES, {})
        tree = [_read(spline, f"{place} ", ctx.blobs, hashes) for place, spline in enumerate(struct.splines)]
        return reuse(prev, tree)

    def write(self, ctx: Context, struct: Struct, live: Tree, new: Tree, fields: Fields) -> None:
        if isinstance(struct, bpy.types.TextCurve):
            return
        if struct.is_editmode:
            raise Busy("the curve is in edit mode")
        if type(new) is not list:
            raise RemoteProtocolError("malformed splines")
        rows = [_checked(row, ctx.blobs) for row in new]
        splines = struct.splines
        pairs = enumerate(zip(splines, rows, strict=False))
        least = min(len(splines), len(rows))
        keep = next((place for place, (spline, row) in pairs if not _can_become(spline, row)), least)
        if keep < max(len(splines), len(rows)):
            _remake(ctx, struct, keep, [row.shape for row in rows])
        for place, row in enumerate(rows[: len(splines)]):
            if place >= keep or type(live) is not list or live[place] != new[place]:
                _write(ctx, splines[place], row)
        struct.update_tag()


@dataclass(frozen=True, slots=True)
class _Shape:
    type: str
    count_u: int
    count_v: int

    @property
    def points(self) -> int:
        return self.count_u * self.count_v


@dataclass(frozen=True, slots=True)
class _Row:
    """A checked row."""

    shape: _Shape
    scalars: Mapping[str, Any]
    points: Mapping[str, Array]


# Reading ------------------------------------------------------------------------------------------------------------


def _points(spline: Any) -> Any:
    return spline.bezier_points if spline.type == "BEZIER" else spline.points


def _fields(kind: str) -> tuple[Field, ...]:
    return BEZIER if kind == "BEZIER" else OTHERS


def _shape(spline: Any) -> _Shape:
    if spline.type == "BEZIER":
        return _Shape(spline.type, len(spline.bezier_points), 1)
    return _Shape(spline.type, spline.point_count_u, spline.point_count_v)


def _read(spline: Any, place: str, blobs: Blobs, hashes: dict[str, Hashes]) -> Tree:
    shape, points = _shape(spline), _points(spline)
    arrays = {
        name: encode(_read_points(points, name, dtype, width), blobs, hashes.setdefault(place + name, Hashes()))
        for name, dtype, width in _fields(shape.type)
    }
    scalars = {name: values.encode(getattr(spline, name)) for name in SCALARS}
    scalars |= {name: max(scalars[name], LEAST_ORDER) for name in ORDERS}
    return {"type": shape.type, "count_u": shape.count_u, "count_v": shape.count_v, **scalars, POINTS: arrays}


def _read_points(points: Any, name: str, dtype: str, width: tuple[int, ...]) -> Array:
    array = np.empty((len(points), *width), np.int32 if dtype == "|i1" else dtype)
    points.foreach_get(name, array.reshape(-1))
    return array.astype(dtype, copy=False)


# Checking -----------------------------------------------------------------------------------------------------------


def _checked(row: Tree, blobs: Blobs) -> _Row:
    """Raises RemoteProtocolError unless a row is a spline whose points are as many as it says."""
    if tag(row) != "" or row.get("type") not in TYPES or type(row.get(POINTS)) is not dict:
        raise RemoteProtocolError("malformed spline")
    shape = _Shape(row["type"], row.get("count_u"), row.get("count_v"))
    if not all(type(count) is int and count > 0 for count in (shape.count_u, shape.count_v)):
        raise RemoteProtocolError("a spline without points")
    if shape.type == "BEZIER" and shape.count_v > 1:
        raise RemoteProtocolError("a surface of Bezier points")
    arrays = dict(_checked_points(shape, row[POINTS], blobs))
    return _Row(shape, {name: values.decode(row[name]) for name in SCALARS if name in row}, arrays)


def _checked_points(shape: _Shape, arrays: Mapping[str, Tree], blobs: Blobs) -> Iterator[tuple[str, Array]]:
    for name, dtype, width in _fields(shape.type):
        found, size, _ = header(arrays.get(name))
        if found != np.dtype(dtype) or size != (shape.points, *width):
            raise RemoteProtocolError(f"{name!r} does not fit its spline")
        array = decode(arrays[name], blobs)
        if dtype == "|i1" and not 0 <= array.min() <= array.max() < HANDLE_TYPES:
            raise RemoteProtocolError("an unknown type of handle")
        yield name, array


# Writing ------------------------------------------------------------------------------------------------------------


def _remake(ctx: Context, curve: Any, keep: int, shapes: Sequence[_Shape]) -> None:
    """Makes all splines behind the first `keep` anew: their number and order changes in no other way."""
    if curve.shape_keys is not None:
        with moment(curve) as thing:
            thing.shape_key_clear()  # they were made for other points; whoever mirrors them makes them again
    for spline in list(curve.splines)[keep:]:
        curve.splines.remove(spline)
    for shape in shapes[keep:]:
        if shape.count_v == 1:
            _add(curve, shape.type, shape.points)
        else:
            _add_surface(curve, shape)
        if _shape(curve.splines[-1]) != shape:
            ctx.refuse(curve, "splines", f"Blender makes no surface of {shape.count_u} by {shape.count_v} points")
            for place in range(len(curve.splines) - 1, keep - 1, -1):
                curve.splines.remove(curve.splines[place])
            return


def _can_become(spline: Any, row: _Row) -> bool:
    """Whether writing is enough: not where the points are others, or fewer than the order of a spline that is new."""
    counts = {"order_u": row.shape.count_u, "order_v": row.shape.count_v}
    return _shape(spline) == row.shape and not any(
        row.scalars.get(name) == NEW_ORDER > count
        and getattr(spline, name) != NEW_ORDER
        and not any(row.scalars.get(switch) for switch in HELD_BY[name])
        for name, count in counts.items()
    )


def _add(curve: Any, kind: str, count: int) -> Any:
    spline = curve.splines.new(kind)
    _points(spline).add(count - 1)
    return spline


def _add_surface(curve: Any, shape: _Shape) -> None:
    """Rows of points, joined: only an operator makes them a surface, of what is selected."""
    for spline in curve.splines:
        _points(spline).foreach_set("select", [False] * len(_points(spline)))
    for row in range(shape.count_u):
        points = _points(_add(curve, shape.type, shape.count_v))
        corners = np.ones((shape.count_v, 4), np.float32)
        corners[:, 0], corners[:, 1] = np.arange(shape.count_v), row
        points.foreach_set("co", corners.reshape(-1))
        points.foreach_set("select", [True] * shape.count_v)
    with moment(curve) as thing:
        bpy.ops.object.mode_set(mode="EDIT")
        try:
            with bpy.context.temp_override(edit_object=thing):
                bpy.ops.curve.make_segment()
        finally:
            bpy.ops.object.mode_set(mode="OBJECT")


def _write(ctx: Context, spline: Any, row: _Row) -> None:
    points = _points(spline)
    for name, dtype, _ in _fields(row.shape.type):
        array = row.points[name].reshape(-1)
        points.foreach_set(name, array if dtype == "<f4" else array.tolist())
    for name in SCALARS:
        if name in row.scalars and getattr(spline, name) != row.scalars[name]:
            try:
                setattr(spline, name, row.scalars[name])
            except WRITE_ERRORS as exc:
                ctx.refuse(spline, name, exc)
