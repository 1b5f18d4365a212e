"""Stars, moon, light, the world around, and the camera."""

from __future__ import annotations

import math
from typing import Any

import bpy  # noqa: F401  # brings the module below

# isort: split
from mathutils import Vector

from demo.blender import data, node_tree
from demo.island.tools import GLOW, add_nodes, ball, dice, link, material, shape, thing


def make_stars(where: Any) -> None:
    star = shape("Star", ball(0.22, 1))
    for number in range(44):
        turn, lift = dice.uniform(-0.75, 0.75), dice.uniform(0.13, 0.55)
        at = Vector((math.sin(turn), math.cos(turn), math.sin(lift))) * 120
        look = material("Star", (0.85, 0.9, 1.0), glow=7)
        thing(f"Star {number:02}", star, where, at, size=dice.uniform(0.4, 1.25), look=look)
    moon = shape("Moon", ball(6.5, 4), smooth=True)
    thing("Moon", moon, where, (-58, 112, 22), look=material("Moon", (1, 0.88, 0.72), glow=1.5))


def make_light(where: Any) -> None:
    """A low sun, a blue fill from above, and lamps where the lanterns hang."""
    sun = data.lights.new("Last sun", "SUN")
    sun.energy, sun.color, sun.angle = 2.6, (1.0, 0.50, 0.27), math.radians(4)
    thing("Last sun", sun, where, turn=(math.radians(68), 0, math.radians(-62)))
    fill = data.lights.new("Sky fill", "SUN")
    fill.energy, fill.color, fill.angle = 0.55, (0.40, 0.50, 1.0), math.radians(60)
    thing("Sky fill", fill, where, turn=(math.radians(35), 0, math.radians(40)))
    for number, at in enumerate(((3.0, -7.0, 1.9), (3.0, -9.8, 1.9), (3.6, -3.1, 2.4), (0.3, -4.6, 2.2))):
        lamp = data.lights.new(f"Lantern light {number}", "POINT")
        lamp.energy, lamp.color, lamp.shadow_soft_size = 110, GLOW, 0.6
        thing(f"Lantern light {number}", lamp, where, at)


def make_world(scene: Any) -> None:
    """A sky that goes from orange at the horizon to dark blue above."""
    world = data.worlds.new("Dusk")
    scene.world = world
    tree = node_tree(world)
    place, split, ramp = add_nodes(tree, "ShaderNodeTexCoord ShaderNodeSeparateXYZ ShaderNodeValToRGB")
    sky = ramp.color_ramp
    sky.elements[0].color, sky.elements[1].color = (0.95, 0.36, 0.13, 1), (0.010, 0.020, 0.075, 1)
    sky.elements[1].position = 0.62
    for position, colour in ((0.05, (0.80, 0.25, 0.17)), (0.15, (0.36, 0.13, 0.25)), (0.32, (0.075, 0.06, 0.20))):
        sky.elements.new(position).color = (*colour, 1)
    link(
        tree,
        (place.outputs["Generated"], split.inputs[0]),
        (split.outputs["Z"], ramp.inputs["Fac"]),
        (ramp.outputs["Color"], tree.nodes["Background"].inputs["Color"]),
    )
    tree.nodes["Background"].inputs["Strength"].default_value = 0.9


def make_camera(scene: Any, where: Any) -> None:
    """It looks at a point above the island, whatever is moved."""
    camera = data.cameras.new("Camera")
    camera.lens = 34
    eye = thing("Camera", camera, where, (2.2, -26.0, 8.4))
    aim = thing("Aim", None, where, (0.2, 0, 3.0))
    track = eye.constraints.new("TRACK_TO")
    track.target, track.track_axis, track.up_axis = aim, "TRACK_NEGATIVE_Z", "UP_Y"
    scene.camera = eye
