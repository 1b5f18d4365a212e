"""Keys, curves and drivers."""

from __future__ import annotations

from random import Random
from typing import Any, Final

import bpy

from .register import deed, name_of, pick

PATHS_OF: Final = {
    "objects": "location rotation_euler scale hide_render color",
    "materials": "diffuse_color roughness metallic",
    "lights": "energy color",
    "cameras": "lens shift_x",
    "scenes": "frame_step",
}


@deed("animation", "animation", "animation")
def keyframe(chance: Random) -> str:
    kind = pick(chance, PATHS_OF)
    one = pick(chance, getattr(bpy.data, kind))
    path = pick(chance, PATHS_OF[kind].split())
    frame = chance.randint(1, 40)
    done = one.keyframe_insert(path, frame=frame) if chance.random() < 0.7 else one.keyframe_delete(path, frame=frame)
    return f"{one!r} {path} at {frame}: {done}"


def curves_of() -> list[Any]:
    return [
        curve
        for action in bpy.data.actions
        for curve in (
            action.fcurves
            if hasattr(action, "fcurves")
            else [
                c for layer in action.layers for strip in layer.strips for bag in strip.channelbags for c in bag.fcurves
            ]
        )
    ]


@deed("animation")
def edit_curve(chance: Random) -> str:
    curve = pick(chance, curves_of())
    match chance.randrange(5):
        case 0:
            curve.modifiers.new(pick(chance, ["CYCLES", "NOISE", "LIMITS", "STEPPED", "GENERATOR"]))
        case 1:
            curve.modifiers.remove(pick(chance, curve.modifiers))
        case 2:
            curve.mute = not curve.mute
        case 3:
            curve.keyframe_points.remove(pick(chance, curve.keyframe_points))
        case _:
            point = pick(chance, curve.keyframe_points)
            point.co = (chance.randint(1, 40), chance.uniform(-3, 3))
            point.interpolation = chance.choice(("BEZIER", "LINEAR", "CONSTANT", "BOUNCE"))
            curve.update()
    return f"{curve!r} edited"


@deed("animation")
def animation_data(chance: Random) -> str:
    one = pick(chance, [*bpy.data.objects, *bpy.data.materials, *bpy.data.armatures])
    match chance.randrange(5):
        case 0:
            one.animation_data_clear()
        case 1:
            one.animation_data_create().action = pick(chance, bpy.data.actions)
        case 2:
            track = one.animation_data_create().nla_tracks.new()
            track.strips.new(name_of(chance), chance.randint(1, 50), pick(chance, bpy.data.actions))
        case 3:
            one.animation_data.nla_tracks.remove(pick(chance, one.animation_data.nla_tracks))
        case _:
            one.animation_data.action = None
    return f"{one!r} animated"


@deed("drivers")
def drive(chance: Random) -> str:
    one = pick(chance, bpy.data.objects)
    if chance.random() < 0.3:
        return f"{one!r} undriven: {one.driver_remove('location', chance.randrange(3))}"
    driver = one.driver_add("location", chance.randrange(3)).driver
    driver.expression = chance.choice(("frame * 0.1", "var + 1", "sin(frame)"))
    variable = driver.variables.new()
    variable.targets[0].id = pick(chance, bpy.data.objects)
    variable.targets[0].data_path = "location.x"
    return f"{one!r} driven"
