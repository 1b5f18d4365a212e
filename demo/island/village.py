"""What people built on land: houses and the lighthouse with its beam and flag."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, Final

import bpy  # brings the modules below

# isort: split
import bmesh
import numpy as np
from mathutils import Matrix, Vector

from demo.blender import node_tree
from demo.island.land import HOUSES, LIGHTHOUSE, height_at
from demo.island.tools import (
    GLOW,
    ROCK,
    WHITE,
    WOOD,
    Colour,
    add_nodes,
    box,
    collection,
    cone,
    dice,
    link,
    material,
    shape,
    thing,
)

RED: Final[Colour] = (0.55, 0.06, 0.05)
ROOFS: Final[tuple[Colour, ...]] = ((0.42, 0.09, 0.06), (0.10, 0.17, 0.30), (0.36, 0.19, 0.05))


def make_houses(where: Any) -> None:
    window, door = shape("Window", box(0.26, 0.03, 0.30)), shape("Door", box(0.30, 0.04, 0.55))
    for number, spot in enumerate(HOUSES):
        long, deep, high = dice.uniform(1.25, 1.6), dice.uniform(1.0, 1.2), dice.uniform(0.85, 1.15)
        home = collection(f"House {number}", where)
        at = Vector((spot.x, spot.y, height_at(spot.x, spot.y) - 0.15))
        walls = thing(f"Walls {number}", shape(f"Walls {number}", box(long, deep, high)), home, at)
        walls.data.materials.append(material("Plaster", WHITE))
        walls.rotation_euler.z = dice.uniform(-0.35, 0.35)
        walls.modifiers.new("Bevel", "BEVEL").width = 0.03
        roof_shape = shape(f"Roof {number}", gable(long + 0.25, deep + 0.3, 0.75))
        roof = thing(f"Roof {number}", roof_shape, home, (0, 0, high))
        roof.data.materials.append(material(f"Roof {number % 3}", ROOFS[number % 3], roughness=0.7))
        parts = [roof, thing(f"Door {number}", door, home, (0, -deep / 2, 0), look=material("Door", WOOD))]
        for side in (-1, 1):
            at_wall = (side * long * 0.31, -deep / 2, high * 0.42)
            look = material("Window", GLOW, glow=9)
            parts.append(thing(f"Window {number} {'LR'[side > 0]}", window, home, at_wall, look=look))
        chimney = shape(f"Chimney {number}", box(0.18, 0.18, 0.6))
        parts.append(
            thing(f"Chimney {number}", chimney, home, (long * 0.25, 0.1, high + 0.3), look=material("Rock", ROCK))
        )
        for part in parts:
            part.parent = walls


def gable(x: float, y: float, z: float) -> Callable[[Any], object]:
    def build(bm: Any) -> None:
        corners = [bm.verts.new((sx * x / 2, sy * y / 2, 0)) for sx, sy in ((-1, -1), (1, -1), (1, 1), (-1, 1))]
        ridge = [bm.verts.new((sx * x / 2, 0, z)) for sx in (-1, 1)]
        a, b, c, d = corners
        for face in ((a, b, ridge[1], ridge[0]), (c, d, ridge[0], ridge[1]), (b, c, ridge[1]), (d, a, ridge[0])):
            bm.faces.new(face)
        bm.faces.new((d, c, b, a))

    return build


def make_lighthouse(where: Any) -> None:
    root = thing("Lighthouse", None, where, LIGHTHOUSE - Vector((0, 0, 0.25)))
    z, radius = 0.0, 0.95
    for number in range(7):
        look = material("Stripe red", RED) if number % 2 else material("Stripe white", WHITE)
        band = shape(f"Band {number}", cone(radius, radius - 0.075, 0.72, 24), smooth=False)
        thing(f"Band {number}", band, where, (0, 0, z), look=look, parent=root)
        z, radius = z + 0.72, radius - 0.075
    parts = (
        ("Gallery", cone(0.72, 0.78, 0.14, 24), 0.0, material("Iron", (0.03, 0.03, 0.04), roughness=0.4, metal=0.8)),
        ("Lamp", cone(0.22, 0.22, 0.45, 12), 0.2, material("Lamp", (1.0, 0.78, 0.42), glow=60)),
        ("Cap", cone(0.52, 0.04, 0.5, 24), 0.78, material("Stripe red", RED)),
    )
    for name, build, above, look in parts:
        thing(name, shape(name, build), where, (0, 0, z + above), look=look, parent=root)
    for number in range(8):
        turn = number * math.tau / 8
        post = shape("Mullion", cone(0.025, 0.025, 0.66, 6)) if number == 0 else bpy.data.meshes["Mullion"]
        at = (0.45 * math.cos(turn), 0.45 * math.sin(turn), z + 0.13)
        thing(f"Mullion {number}", post, where, at, look=bpy.data.materials["Iron"], parent=root)
    make_beam(where, root, z + 0.42)
    make_flag(where, root, z + 1.28)


def make_beam(where: Any, root: Any, z: float) -> None:
    """The light turns with the frame, by a driver, and the beam is a cone that fades."""
    turner = thing("Turner", None, where, (0, 0, z), parent=root)
    turner.driver_add("rotation_euler", 2).driver.expression = "frame * 0.05 - 0.85"
    glow = bpy.data.materials.new("Beam")
    tree = node_tree(glow)
    tree.nodes.clear()
    place, split, fade, light, clear, mix, out = add_nodes(
        tree,
        """ShaderNodeTexCoord ShaderNodeSeparateXYZ ShaderNodeValToRGB ShaderNodeEmission ShaderNodeBsdfTransparent
        ShaderNodeMixShader ShaderNodeOutputMaterial""",
    )
    light.inputs["Color"].default_value = (1, 0.8, 0.5, 1)
    light.inputs["Strength"].default_value = 1.6
    fade.color_ramp.elements[0].color, fade.color_ramp.elements[1].color = (0.2, 0.2, 0.2, 1), (0, 0, 0, 1)
    fade.color_ramp.elements[1].position = 0.85
    link(
        tree,
        (place.outputs["Generated"], split.inputs[0]),
        (split.outputs["X"], fade.inputs["Fac"]),
        (fade.outputs["Color"], mix.inputs[0]),
        (clear.outputs[0], mix.inputs[1]),
        (light.outputs[0], mix.inputs[2]),
        (mix.outputs[0], out.inputs["Surface"]),
    )
    for side, name in ((0, "Beam A"), (math.pi, "Beam B")):
        build = Matrix.Rotation(-math.pi / 2, 4, "Y") @ Matrix.Translation((0, 0, -7))

        def rays(bm: Any, build: Matrix = build) -> None:
            bmesh.ops.create_cone(bm, segments=20, radius1=1.25, radius2=0.12, depth=14, matrix=build)

        beam = thing(name, shape(name, rays, smooth=True), where, turn=(0, 0, side), look=glow, parent=turner)
        beam.visible_shadow = False


def make_flag(where: Any, root: Any, z: float) -> None:
    """A cloth with an image on it and two shape keys; an action waves it."""
    pole = thing("Flagpole", shape("Flagpole", cone(0.03, 0.02, 1.6, 6)), where, (0, 0, z), look=material("Iron", ROCK))

    def cloth(bm: Any) -> None:
        layer = bm.loops.layers.uv.new("UVMap")
        place = (
            Matrix.Translation((0.72, 0, 1.1))
            @ Matrix.Rotation(math.pi / 2, 4, "X")
            @ Matrix.Diagonal((0.7, 0.42, 1, 1))
        )
        bmesh.ops.create_grid(bm, x_segments=14, y_segments=8, size=1, matrix=place)
        for face in bm.faces:
            for loop in face.loops:
                loop[layer].uv = ((loop.vert.co.x - 0.02) / 1.4, (loop.vert.co.z - 0.68) / 0.84)

    flag = thing("Flag", shape("Flag", cloth, smooth=True), where, look=flag_material())
    pole.parent, flag.parent = root, pole
    flag.shape_key_add(name="Basis")
    for name, bend in (("Wave", lambda x: 0.16 * math.sin(x * 5.5)), ("Gust", lambda x: -0.35 * x * x)):
        key = flag.shape_key_add(name=name)
        for point in key.data:
            point.co.y += bend(point.co.x) * min(1.0, point.co.x * 2)
    wave = flag.data.shape_keys.key_blocks["Wave"]
    for frame, value in ((1, 0.35), (12, 1.0), (24, 0.35)):
        wave.value = value
        wave.keyframe_insert("value", frame=frame)


def flag_material() -> Any:
    """Two pennants' colours, meeting in waves, painted pixel by pixel."""
    size = 64
    y, x = np.mgrid[0:size, 0:size] / size
    pixels = np.ones((size, size, 4), np.float32)
    border = 0.5 + 0.12 * np.sin(x * math.tau)
    pixels[..., :3] = np.where((y > border)[..., None], (0.95, 0.55, 0.10), (0.05, 0.30, 0.45))
    pixels[np.hypot(x - 0.5, y - 0.5) < 0.2, :3] = (0.98, 0.93, 0.80)
    image: Any = bpy.data.images.new("Flag", size, size)
    image.pixels.foreach_set(pixels.ravel())
    image.pack()
    made = material("Flag", WHITE)
    tree = node_tree(made)
    (texture,) = add_nodes(tree, "ShaderNodeTexImage")
    texture.image = image
    link(tree, (texture.outputs["Color"], tree.nodes["Principled BSDF"].inputs["Base Color"]))
    return made
