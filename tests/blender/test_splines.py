"""Curves and surfaces: their splines survive the way into another, and nothing malformed reaches one."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import bpy
import numpy as np
import orjson
import pytest

from broadcaster.errors import RemoteProtocolError
from broadcaster.tree import Tree
from mixer.proxy import arrays
from mixer.proxy.context import Busy, Context
from mixer.proxy.splines import SplinesProxy

from .roundtrip import MemoryBlobs, Nobody, unlike

pytestmark = pytest.mark.usefixtures("empty")

SPLINES = SplinesProxy("splines")
BLOBS = MemoryBlobs()


def context(uuid: str = "curve") -> Context:
    return Context(Nobody(), BLOBS, uuid=uuid)


def curve(kind: str = "CURVE") -> Any:
    made = bpy.data.curves.new("curve", kind)
    made.dimensions = "3D"
    bpy.context.scene.collection.objects.link(bpy.data.objects.new("curve", made))
    return made


def beziers() -> Any:
    bpy.ops.curve.primitive_bezier_circle_add()
    made = bpy.context.object.data
    spline = made.splines.new("BEZIER")
    spline.bezier_points.add(2)
    for place, point in enumerate(spline.bezier_points):
        point.co, point.handle_left, point.handle_right = (place, 0, 0), (place - 1, 1, 0), (place + 1, -1, place)
        point.handle_left_type = point.handle_right_type = ("FREE", "ALIGNED", "VECTOR")[place]
        point.tilt, point.radius, point.weight_softbody = place / 4, 2.0, 0.5
    spline.use_cyclic_u, spline.resolution_u, spline.tilt_interpolation = False, 7, "EASE"
    spline.bezier_points[1].hide = True
    return made


def lines() -> Any:
    made = curve()
    for kind in ("POLY", "NURBS"):
        spline = made.splines.new(kind)
        spline.points.add(6)
        for place, point in enumerate(spline.points):
            point.co = (place, place % 2, 0.5, 1.0 + place)
        spline.use_endpoint_u, spline.order_u, spline.material_index, spline.use_smooth = True, 5, 2, False
    return made


def torus() -> Any:
    bpy.ops.surface.primitive_nurbs_surface_torus_add()
    return bpy.context.object.data


def sphere() -> Any:
    bpy.ops.surface.primitive_nurbs_surface_sphere_add()
    made = bpy.context.object.data
    spline = made.splines.new("NURBS")  # a single row beside it
    spline.points.add(3)
    return made


def nothing() -> Any:
    return curve()


def shapes(made: Any) -> list[tuple[Any, ...]]:
    return [(one.type, one.point_count_u, len(one.points), len(one.bezier_points)) for one in made.splines]


def read(ctx: Context, made: Any, prev: Tree = None) -> Tree:
    return SPLINES.read(ctx, made, prev, {})


def write(ctx: Context, made: Any, new: Tree) -> Tree:
    """Writes as the mirror does; what the curve then reads."""
    live = read(ctx, made, new)
    if live != new:
        SPLINES.write(ctx, made, live, new, {})
    return read(ctx, made, new)


def sent(tree: Tree) -> Tree:
    return orjson.loads(orjson.dumps(tree))


@pytest.mark.parametrize("make", [beziers, lines, nothing])
@pytest.mark.parametrize("target", [nothing, beziers, lines])
def test_splines_survive_the_way_into_another(make: Callable[[], Any], target: Callable[[], Any]) -> None:  # SPLINE1
    made = make()
    tree, ctx = sent(read(context(), made)), context("copy")
    other = target()
    assert unlike(tree, write(ctx, other, tree)) == []
    assert shapes(other) == shapes(made)
    assert ctx.refused == {}


@pytest.mark.parametrize("make", [torus, sphere])
def test_surfaces_survive_the_way_into_another(make: Callable[[], Any]) -> None:  # SPLINE2
    made = make()
    tree, ctx, other = sent(read(context(), made)), context("copy"), curve("SURFACE")
    before = [len(collection) for collection in (bpy.data.objects, bpy.data.scenes)]
    assert unlike(tree, write(ctx, other, tree)) == []
    assert shapes(other) == shapes(made)
    assert ctx.refused == {}
    assert [len(collection) for collection in (bpy.data.objects, bpy.data.scenes)] == before


def test_a_moved_point_remakes_nothing() -> None:  # SPLINE3
    made, ctx = beziers(), context()
    tree = read(ctx, made)
    assert read(ctx, made, tree) is tree
    made.splines[1].bezier_points[2].co.z = 9.0
    new, other = read(ctx, made, tree), context("copy")
    assert new[0] == tree[0]
    copy = curve()
    write(other, copy, tree)
    first = copy.splines[0].bezier_points[0]
    assert write(other, copy, new) == new
    assert first.co == made.splines[0].bezier_points[0].co  # the reference still holds
    assert copy.splines[1].bezier_points[2].co.z == 9.0


def test_splines_that_come_and_go_leave_those_before_them() -> None:  # SPLINE3
    made, ctx, copy = lines(), context("copy"), curve()
    write(ctx, copy, read(context(), made))
    made.splines.remove(made.splines[1])
    shorter = read(context(), made)
    assert write(ctx, copy, shorter) == shorter
    made.splines.new("BEZIER").bezier_points.add(4)
    longer = read(context(), made)
    assert write(ctx, copy, longer) == longer


def test_a_spline_gets_an_order_above_its_points_as_a_new_one_has_it() -> None:  # SPLINE7
    made = curve()
    made.splines.new("NURBS").points.add(2)
    tree = read(context(), made)
    assert tree[0]["order_u"] > len(made.splines[0].points)  # as it does not when somebody sets it
    made.splines[0].order_u = 4
    assert made.splines[0].order_u == 3
    assert write(context("copy"), made, tree) == tree


def test_a_text_has_no_splines_of_its_own() -> None:  # SPLINE4
    made = curve("FONT")
    made.body = "Text"
    bpy.context.view_layer.update()
    assert read(context(), made) is None


def test_a_curve_in_edit_mode_is_read_and_not_written() -> None:  # SPLINE5
    made, ctx = beziers(), context()
    tree = read(ctx, made)
    bpy.ops.object.mode_set(mode="EDIT")
    made.splines[0].bezier_points[0].co.x = 3.0
    moved = read(ctx, made, tree)
    assert moved != tree
    with pytest.raises(Busy):
        SPLINES.write(ctx, made, moved, tree, {})


def with_points(row: Tree, **changes: Any) -> Tree:
    new = {name: arrays.encode(np.asarray(array), BLOBS) for name, array in changes.items()}
    return {**row, "points": row["points"] | new}


HOSTILE: Final[dict[str, Callable[[Tree], Tree]]] = {
    "no list": lambda row: {"$": "set", "of": []},
    "a row that is no struct": lambda row: [3],
    "an unknown type": lambda row: [{**row, "type": "CODE"}],
    "no points": lambda row: [{**row, "points": {}}],
    "fewer points than it says": lambda row: [{**row, "count_u": 2}],
    "more points than there are": lambda row: [{**row, "count_u": 1 << 40}],
    "a count that is no number": lambda row: [{**row, "count_u": "3"}],
    "a count below one": lambda row: [{**row, "count_u": -3, "count_v": -1}],
    "a surface of Bezier points": lambda row: [{**row, "count_u": 1, "count_v": 3}],
    "handles of an unknown type": lambda row: [with_points(row, handle_left_type=np.full(3, 77, np.int8))],
    "coordinates that are integers": lambda row: [with_points(row, co=np.zeros((3, 3), np.int32))],
    "coordinates in a plane": lambda row: [with_points(row, co=np.zeros((3, 2), np.float32))],
}


@pytest.mark.parametrize("change", HOSTILE.values(), ids=HOSTILE.keys())
def test_what_is_malformed_changes_nothing(change: Callable[[Tree], Tree]) -> None:  # SPLINE6
    row = read(context(), beziers())[1]
    other, ctx = lines(), context("copy")
    live = read(ctx, other)
    with pytest.raises(RemoteProtocolError):
        SPLINES.write(ctx, other, live, change(row), {})
    assert read(ctx, other, live) == live


def test_a_value_that_blender_does_not_take_is_noted() -> None:  # SPLINE6
    tree = read(context(), beziers())
    other, ctx = curve(), context("copy")
    got = write(ctx, other, [{**tree[0], "tilt_interpolation": "CODE", "resolution_u": "many"}])
    assert got[0]["points"] == tree[0]["points"]
    assert ctx.refused.keys() == {"Spline.tilt_interpolation", "Spline.resolution_u"}


def test_a_surface_that_blender_cannot_join_is_noted_and_left_out() -> None:  # SPLINE2
    row = next(row for row in read(context(), torus()))
    small = {**row, "count_u": 2, "count_v": 2}
    points = {name: arrays.decode(node, BLOBS)[:4] for name, node in row["points"].items()}
    other, ctx = curve("SURFACE"), context("copy")
    got = write(ctx, other, [with_points(small, **points)])
    assert (len(got), ctx.refused.keys()) in ((1, set()), (0, {"SurfaceCurve.splines"}))
