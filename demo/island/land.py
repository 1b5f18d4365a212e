"""The sea, the island, and what grows and lies on it."""

from __future__ import annotations

import math
from typing import Any, Final

import bpy  # brings the modules below

# isort: split
import bmesh
from mathutils import Matrix, Vector

from demo.blender import node_tree
from demo.island.tools import ROCK, WOOD, Colour, add_nodes, ball, cone, dice, link, material, shape, thing

SAND: Final[Colour] = (0.72, 0.50, 0.30)
GRASS: Final[Colour] = (0.16, 0.27, 0.08)
PINE: Final[tuple[Colour, ...]] = ((0.035, 0.13, 0.10), (0.05, 0.19, 0.11), (0.10, 0.22, 0.08), (0.30, 0.20, 0.05))


def height_at(x: float, y: float) -> float:
    """The island's ground; the sea is at 0."""
    distance = math.hypot(x, y * 1.25)
    hill = 3.6 * math.exp(-(((x + 3.2) / 3.4) ** 2) - ((y - 1.6) / 3.0) ** 2)
    shore = 1.25 - (distance / 9.2) ** 3 * 1.9
    return shore + hill + 0.16 * math.sin(x * 1.3 + 0.5) * math.cos(y * 1.7)


HOUSES: Final = [Vector(at) for at in ((3.4, -1.6), (5.4, 0.2), (1.4, -3.3), (4.6, 2.6), (0.9, 0.3), (-1.6, -3.6))]
LIGHTHOUSE: Final = Vector((-3.2, 1.6, height_at(-3.2, 1.6)))
PIER: Final = Vector((3.0, -5.5, 0))


def make_sea(where: Any) -> None:
    water = bpy.data.materials.new("Water")
    tree = node_tree(water)
    bsdf = tree.nodes["Principled BSDF"]
    bsdf.inputs["Roughness"].default_value = 0.12
    place, scale, near, noise, ramp, bump = add_nodes(
        tree,
        """ShaderNodeTexCoord ShaderNodeMapping ShaderNodeTexGradient ShaderNodeTexNoise ShaderNodeValToRGB
        ShaderNodeBump""",
    )
    noise.inputs["Scale"].default_value = 0.9
    noise.inputs["Detail"].default_value = 4
    bump.inputs["Strength"].default_value = 0.22
    near.gradient_type = "SPHERICAL"
    scale.inputs["Scale"].default_value = (1 / 17, 1 / 13.5, 1)
    ramp.color_ramp.elements[0].color = (0.008, 0.03, 0.075, 1)
    ramp.color_ramp.elements[1].color = (0.05, 0.30, 0.30, 1)
    ramp.color_ramp.elements[1].position = 0.5
    link(
        tree,
        (place.outputs["Object"], noise.inputs["Vector"]),
        (place.outputs["Object"], scale.inputs["Vector"]),
        (scale.outputs["Vector"], near.inputs["Vector"]),
        (near.outputs["Fac"], ramp.inputs["Fac"]),
        (ramp.outputs["Color"], bsdf.inputs["Base Color"]),
        (noise.outputs[0], bump.inputs["Height"]),
        (bump.outputs["Normal"], bsdf.inputs["Normal"]),
    )
    disc = shape("Sea", lambda bm: bmesh.ops.create_circle(bm, cap_ends=True, segments=96, radius=220))
    thing("Sea", disc, where, look=water)


def make_island(where: Any) -> None:
    def ground(bm: Any) -> None:
        bmesh.ops.create_grid(bm, x_segments=64, y_segments=64, size=11)
        for vertex in bm.verts:
            vertex.co.z = height_at(vertex.co.x, vertex.co.y)
        under = [vertex for vertex in bm.verts if vertex.co.z < -1.6]
        bmesh.ops.delete(bm, geom=under, context="VERTS")

    land = bpy.data.materials.new("Land")
    tree = node_tree(land)
    bsdf = tree.nodes["Principled BSDF"]
    bsdf.inputs["Roughness"].default_value = 0.95
    place, split, stretch, ramp = add_nodes(
        tree, "ShaderNodeNewGeometry ShaderNodeSeparateXYZ ShaderNodeMapRange ShaderNodeValToRGB"
    )
    stretch.inputs["From Max"].default_value = 4.5
    colours = ramp.color_ramp
    colours.elements[0].color, colours.elements[1].color = (*SAND, 1), (0.30, 0.30, 0.12, 1)
    for position, colour in ((0.11, SAND), (0.15, GRASS), (0.5, (0.09, 0.22, 0.08))):
        colours.elements.new(position).color = (*colour, 1)
    link(
        tree,
        (place.outputs["Position"], split.inputs[0]),
        (split.outputs["Z"], stretch.inputs["Value"]),
        (stretch.outputs["Result"], ramp.inputs["Fac"]),
        (ramp.outputs["Color"], bsdf.inputs["Base Color"]),
    )
    island = thing("Island", shape("Island", ground, smooth=True), where, look=land)
    tufts = island.modifiers.new("Tufts", "NODES")
    tufts.node_group = scatter_group(material("Tuft", (0.21, 0.36, 0.08)))


def scatter_group(look: Any) -> Any:
    """Geometry nodes that put little cones on whatever faces up and is above the beach."""
    group = bpy.data.node_groups.new("Scatter tufts", "GeometryNodeTree")
    interface: Any = group.interface
    interface.new_socket("Geometry", in_out="INPUT", socket_type="NodeSocketGeometry")
    density = interface.new_socket("Density", in_out="INPUT", socket_type="NodeSocketFloat")
    seed = interface.new_socket("Seed", in_out="INPUT", socket_type="NodeSocketInt")
    interface.new_socket("Geometry", in_out="OUTPUT", socket_type="NodeSocketGeometry")
    density.default_value, density.min_value = 5.0, 0.0
    seed.default_value = 3

    start, position, split, above, points, tuft, paint, vary, instances, join, end = add_nodes(
        group,
        """NodeGroupInput GeometryNodeInputPosition ShaderNodeSeparateXYZ FunctionNodeCompare
        GeometryNodeDistributePointsOnFaces GeometryNodeMeshCone GeometryNodeSetMaterial FunctionNodeRandomValue
        GeometryNodeInstanceOnPoints GeometryNodeJoinGeometry NodeGroupOutput""",
    )
    above.inputs[1].default_value = 0.75
    tuft.inputs["Vertices"].default_value = 4
    tuft.inputs["Radius Bottom"].default_value = 0.045
    tuft.inputs["Depth"].default_value = 0.24
    paint.inputs["Material"].default_value = look
    least, most = (one for one in vary.inputs if one.enabled and one.name in ("Min", "Max"))
    least.default_value, most.default_value = 0.4, 1.3
    link(
        group,
        (position.outputs[0], split.inputs[0]),
        (split.outputs["Z"], above.inputs[0]),
        (start.outputs["Geometry"], points.inputs["Mesh"]),
        (above.outputs[0], points.inputs["Selection"]),
        (start.outputs["Density"], points.inputs["Density"]),
        (start.outputs["Seed"], points.inputs["Seed"]),
        (tuft.outputs["Mesh"], paint.inputs["Geometry"]),
        (points.outputs["Points"], instances.inputs["Points"]),
        (paint.outputs["Geometry"], instances.inputs["Instance"]),
        (next(one for one in vary.outputs if one.enabled), instances.inputs["Scale"]),
        (start.outputs["Geometry"], join.inputs[0]),
        (instances.outputs["Instances"], join.inputs[0]),
        (join.outputs[0], end.inputs["Geometry"]),
    )
    return group


def make_trees(where: Any) -> None:
    trunk = shape("Trunk", cone(0.10, 0.07, 0.6, 6))
    crowns = [shape(f"Crown {n}", pine) for n in range(len(PINE))]
    avoid = [*HOUSES, LIGHTHOUSE.xy, Vector((2.6, -4.2))]
    for number, spot in enumerate(spots(58, lowest=0.85, apart=0.85, avoid=avoid)):
        size = dice.uniform(0.65, 1.25)
        kind = dice.choices(range(4), (4, 4, 3, 1))[0]
        stem = thing(f"Trunk {number:02}", trunk, where, spot, size=size, look=material("Bark", WOOD))
        crown = thing(f"Pine {number:02}", crowns[kind], where, (0, 0, 0.35), look=material(f"Pine {kind}", PINE[kind]))
        crown.rotation_euler.z = dice.uniform(0, math.tau)
        crown.parent = stem


def pine(bm: Any) -> None:
    for height, radius in ((0.0, 0.62), (0.5, 0.48), (0.95, 0.33)):
        bmesh.ops.create_cone(
            bm,
            cap_ends=True,
            segments=7,
            radius1=radius,
            radius2=0.02,
            depth=0.85,
            matrix=Matrix.Translation((0, 0, height + 0.42)) @ Matrix.Rotation(height, 4, "Z"),
        )


def spots(count: int, *, lowest: float, apart: float, avoid: list[Vector]) -> list[Vector]:
    """Places on the island, none too near another or to one of `avoid`."""
    found: list[Vector] = []
    for _ in range(4000):
        x, y = dice.uniform(-8.5, 8.5), dice.uniform(-7, 7)
        spot = Vector((x, y, height_at(x, y)))
        if spot.z > lowest and all((spot.xy - other).length > apart for other in [*(one.xy for one in found), *avoid]):
            found.append(spot)
        if len(found) == count:
            break
    return found


def make_rocks(where: Any) -> None:
    for number in range(34):
        angle, distance = dice.uniform(0, math.tau), dice.uniform(0.93, 1.08)
        at = Vector((9.4 * math.cos(angle) * distance, 7.6 * math.sin(angle) * distance, -0.12))
        if (at - PIER).length < 3.2:
            continue
        rock = shape(f"Rock {number:02}", ball(dice.uniform(0.25, 0.8), 1))
        for vertex in rock.vertices:
            vertex.co *= dice.uniform(0.75, 1.2)
        turn = [dice.uniform(0, math.tau) for _ in range(3)]
        thing(f"Rock {number:02}", rock, where, at, turn=turn, size=(1, 1, 0.7), look=material("Rock", ROCK))
