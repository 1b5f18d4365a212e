"""What moves: the sea serpent, the balloon, the gulls."""

from __future__ import annotations

import math
from itertools import pairwise
from typing import Any, Final

import bpy  # brings the modules below

# isort: split
import bmesh
from mathutils import Vector

from demo.blender import context, node_tree
from demo.island.land import LIGHTHOUSE
from demo.island.tools import WHITE, WOOD, add_nodes, ball, box, cone, dice, link, material, shape, thing

LENGTH: Final = 7.4  # of the serpent, in m
BONES: Final = 9


def make_serpent(where: Any) -> None:
    """A tube in three humps, skinned to a chain of bones that is posed a little."""
    armature = bpy.data.armatures.new("Serpent bones")
    armature.display_type = "STICK"
    rig = thing("Serpent", armature, where, (-15.2, 2.2, 0), turn=(0, 0, -0.16))
    context.view_layer.objects.active = rig
    bpy.ops.object.mode_set(mode="EDIT")
    parent = None
    for number in range(BONES):
        bone = armature.edit_bones.new(f"Spine {number}")
        bone.head, bone.tail = spine(number / BONES), spine((number + 1) / BONES)
        bone.parent, bone.use_connect = parent, parent is not None
        parent = bone
    bpy.ops.object.mode_set(mode="OBJECT")

    skin = material("Serpent", (0.04, 0.26, 0.20), roughness=0.32)
    body = thing("Serpent body", shape("Serpent body", serpent, smooth=True), where, look=skin, parent=rig)
    for number in range(BONES):
        group = body.vertex_groups.new(name=f"Spine {number}")
        for vertex in body.data.vertices:
            near = 1 - abs(vertex.co.x / LENGTH * BONES - number - 0.5)
            if near > 0:
                group.add([vertex.index], near, "REPLACE")
    body.modifiers.new("Skin", "ARMATURE").object = rig
    body.modifiers.new("Smooth", "SUBSURF").levels = 1
    for name, angle in (("Spine 7", 0.25), ("Spine 8", -0.30)):
        bone = rig.pose.bones[name]
        bone.rotation_mode = "XYZ"
        bone.rotation_euler.x = angle
    for side in (-1, 1):
        look = material("Eye", (1, 0.85, 0.3), glow=5)
        at = (side * 0.2, -0.12, 0.2)
        eye = thing(f"Eye {'LR'[side > 0]}", shape("Eye", ball(0.09, 2)), where, at, look=look, parent=rig)
        eye.parent_type, eye.parent_bone = "BONE", f"Spine {BONES - 1}"


def spine(t: float) -> Vector:
    """Where the serpent's spine is, from the tail at 0 to the head at 1."""
    hump = 0.95 * math.sin(t * 15 - 1.2) * (1 - 0.45 * t)
    return Vector((LENGTH * t, 0.5 * math.sin(t * 4), hump - 0.1 + 0.9 * t**6))


def serpent(bm: Any) -> None:
    """A tube of rings along the spine."""
    rings, turns = 72, [math.tau * side / 12 for side in range(12)]
    loops = []
    for t in (ring / (rings - 1) for ring in range(rings)):
        radius = 0.46 * math.sin(min(1.0, t * 1.6 + 0.04) * math.pi / 2) * (1 - 0.25 * t)
        across = (spine(t + 0.01) - spine(t - 0.01)).to_track_quat("X", "Z").to_matrix()
        around = [Vector((0, radius * math.cos(turn), radius * math.sin(turn))) for turn in turns]
        loops.append([bm.verts.new(spine(t) + across @ at) for at in around])
    for one, two in pairwise(loops):
        for side in range(len(turns)):
            bm.faces.new((one[side - 1], one[side], two[side], two[side - 1]))
    bm.faces.new(loops[-1])


def make_balloon(where: Any) -> None:
    """Striped by a colour attribute; an action lets it drift."""
    root = thing("Balloon", None, where, (7.6, 6.5, 8.2))

    def envelope(bm: Any) -> None:
        bmesh.ops.create_uvsphere(bm, u_segments=24, v_segments=14, radius=1.5)
        for vertex in bm.verts:
            if vertex.co.z < 0:
                vertex.co.xy *= 1 - 0.5 * (vertex.co.z / 1.5) ** 2
                vertex.co.z *= 1.35

    cloth = shape("Envelope", envelope)
    stripes = cloth.color_attributes.new("Stripes", "FLOAT_COLOR", "CORNER")
    colours = ((0.75, 0.16, 0.10), (0.92, 0.72, 0.40), (0.85, 0.38, 0.12))
    for polygon in cloth.polygons:
        turn = math.atan2(polygon.center.y, polygon.center.x) / math.tau * 12
        for corner in polygon.loop_indices:
            stripes.data[corner].color = (*colours[int(turn + 12) % 3], 1)
    look = material("Balloon", WHITE, glow=0.35)
    tree = node_tree(look)
    (paint,) = add_nodes(tree, "ShaderNodeVertexColor")
    paint.layer_name = "Stripes"
    inputs = tree.nodes["Principled BSDF"].inputs
    link(tree, *((paint.outputs["Color"], inputs[name]) for name in ("Base Color", "Emission Color")))
    thing("Envelope", cloth, where, look=look, parent=root)
    basket = shape("Basket", box(0.5, 0.5, 0.42))
    thing("Basket", basket, where, (0, 0, -3.1), look=material("Plank", WOOD), parent=root)
    rope = shape("Rope", cone(0.012, 0.012, 1.0, 4))
    for x, y in ((-1, -1), (-1, 1), (1, -1), (1, 1)):
        thing(f"Rope {x} {y}", rope, where, (x * 0.23, y * 0.23, -2.75), look=material("Rope", WOOD), parent=root)
    for frame, height in ((1, 8.2), (60, 8.9), (120, 8.2)):
        root.location.z = height
        root.keyframe_insert("location", frame=frame)


def make_gulls(where: Any) -> None:
    """They follow a circle round the lighthouse and look at it."""
    ring = bpy.data.curves.new("Flight", "CURVE")
    ring.dimensions = "3D"
    spline = ring.splines.new("BEZIER")
    spline.use_cyclic_u = True
    spline.bezier_points.add(3)
    for point, turn in zip(spline.bezier_points, range(4), strict=True):
        angle = turn * math.tau / 4
        point.co = (6 * math.cos(angle), 5 * math.sin(angle), 0.8 * math.sin(angle * 2 + 1))
        point.handle_left_type = point.handle_right_type = "AUTO"
    path = thing("Flight", ring, where, LIGHTHOUSE + Vector((1, 0, 5.0)))

    def wings(bm: Any) -> None:
        points = ((0, 0.28, 0), (0, -0.22, 0), (0.5, 0, 0.2), (1.0, -0.12, 0.1), (-0.5, 0, 0.2), (-1.0, -0.12, 0.1))
        a, b, c, d, e, f = (bm.verts.new(at) for at in points)
        for face in ((a, b, c), (c, b, d), (b, a, e), (b, e, f)):
            bm.faces.new(face)

    bird = shape("Gull", wings)
    for number in range(9):
        gull = thing(f"Gull {number}", bird, where, size=0.42, look=material("Gull", (0.75, 0.72, 0.72)))
        follow = gull.constraints.new("FOLLOW_PATH")
        follow.target, follow.use_curve_follow, follow.use_fixed_location = path, True, True
        follow.offset_factor = number / 9 + dice.uniform(-0.03, 0.03)
