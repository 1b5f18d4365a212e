"""The pier with its sign and lanterns, and the boats."""

from __future__ import annotations

import math
from typing import Any

import bpy  # brings the modules below

# isort: split
import bmesh
from mathutils import Matrix, Vector

from demo.island.land import PIER
from demo.island.tools import GLOW, WHITE, WOOD, ball, box, cone, dice, material, shape, thing


def make_pier(where: Any) -> None:
    plank = shape("Plank", box(1.5, 0.34, 0.08))
    post = shape("Post", cone(0.09, 0.08, 1.6, 8))
    for number in range(16):
        at = PIER + Vector((dice.uniform(-0.03, 0.03), 0.9 - number * 0.42, 0.42))
        thing(
            f"Plank {number:02}", plank, where, at, turn=(0, 0, dice.uniform(-0.04, 0.04)), look=material("Plank", WOOD)
        )
    for number in range(12):
        side, row = number % 2 * 2 - 1, number // 2
        at = PIER + Vector((side * 0.72, 0.7 - row * 1.2, -0.9))
        thing(f"Post {number:02}", post, where, at, look=material("Plank", WOOD))
    board = thing("Sign", shape("Sign", box(2.3, 0.1, 0.75)), where, PIER + Vector((-2.35, -0.3, 0.85)))
    board.data.materials.append(material("Plank", WOOD))
    board.rotation_euler.z = 0.12
    for side in (-1, 1):
        leg = thing(f"Leg {side}", post, where, (side * 0.8, 0.02, -1.2))
        leg.parent = board
    letters: Any = bpy.data.curves.new("Welcome", "FONT")
    letters.body, letters.size, letters.extrude, letters.align_x = "MIXER", 0.62, 0.03, "CENTER"
    letters.materials.append(material("Letters", GLOW, glow=4))
    written = thing("Welcome", letters, where, (0, -0.08, 0.16), turn=(math.pi / 2, 0, 0))
    written.parent = board


def make_boats(where: Any) -> None:
    def hull(bm: Any) -> None:
        bmesh.ops.create_cube(bm, size=1, matrix=Matrix.Diagonal((1.9, 0.75, 0.45, 1)))
        bmesh.ops.subdivide_edges(bm, edges=bm.edges[:], cuts=4, use_grid_fill=True)
        for vertex in bm.verts:
            along = vertex.co.x / 0.95
            vertex.co.y *= 1 - abs(along) ** 2.2 * 0.92
            vertex.co.z += 0.16 * along * along
            vertex.co.y *= 0.72 + (vertex.co.z + 0.2)

    sail = shape(
        "Sail", lambda bm: bm.faces.new([bm.verts.new(at) for at in ((0, 0, 0), (0.95, 0.05, 0), (0, 0, 1.9))])
    )
    paints = ((0.45, 0.10, 0.06), (0.06, 0.22, 0.33), (0.50, 0.34, 0.10), (0.13, 0.28, 0.16))
    places = ((5.4, -9.4, 0.5), (0.2, -9.2, -0.4), (9.6, -6.2, 1.2), (-7.4, -9.2, 2.6))
    for number, ((x, y, turn), paint) in enumerate(zip(places, paints, strict=True)):
        boat = thing(f"Boat {number}", shape(f"Hull {number}", hull), where, (x, y, 0.12), turn=(0, 0, turn))
        boat.data.materials.append(material(f"Hull {number}", paint, roughness=0.5))
        mast = thing(
            f"Mast {number}", shape("Mast", cone(0.04, 0.03, 2.4, 6)), where, (0, 0, 0.1), look=material("Bark", WOOD)
        )
        cloth = thing(f"Sail {number}", sail, where, (0.05, 0, 0.4), look=material("Sail", WHITE))
        mast.parent, cloth.parent = boat, mast
        if number:
            follow = boat.constraints.new("COPY_ROTATION")  # all roll with the first
            follow.target, follow.use_z, follow.mix_mode, follow.influence = (
                bpy.data.objects["Boat 0"],
                False,
                "ADD",
                0.6,
            )


def make_lanterns(where: Any) -> None:
    """Strings of light along the pier: a curve sags between poles, lanterns hang on it."""
    string = bpy.data.curves.new("String", "CURVE")
    string.dimensions, string.bevel_depth = "3D", 0.018
    string.materials.append(material("Rope", (0.05, 0.03, 0.02)))
    poles = [
        PIER + Vector((side * 0.85, y, 2.2)) for side, y in ((-1, 0.9), (1, -0.8), (-1, -2.6), (1, -4.4), (-1, -5.6))
    ]
    pole, lamp = shape("Pole", cone(0.05, 0.04, 2.2, 6)), shape("Lantern", ball(0.13, 2), smooth=True)
    for number, top in enumerate(poles):
        thing(f"Pole {number}", pole, where, top - Vector((0, 0, 2.2)), look=material("Bark", WOOD))
    spline = string.splines.new("BEZIER")
    spline.bezier_points.add(len(poles) - 1)
    for point, at in zip(spline.bezier_points, poles, strict=True):
        point.co, point.handle_left_type, point.handle_right_type = at, "FREE", "FREE"
        point.handle_left = at + Vector((0, 0.45, -0.75))
        point.handle_right = at + Vector((0, -0.45, -0.75))
    thing("String", string, where)
    for number in range(20):
        start, end = poles[number // 5], poles[number // 5 + 1]
        t = (number % 5 + 0.5) / 5
        at = start.lerp(end, t) - Vector((0, 0, 0.12 + 2.1 * t * (1 - t)))
        thing(f"Lantern {number:02}", lamp, where, at, look=material("Lantern", GLOW, glow=10))
