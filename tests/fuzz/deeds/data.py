"""What objects share: splines, texts, metaballs, lattices, images, attributes."""

from __future__ import annotations

from random import Random
from typing import Final

import bpy

from .register import deed, name_of, pick, vector


@deed("curve")
def splines(chance: Random) -> str:
    curves = [one for one in bpy.data.curves if type(one).__name__ == "Curve"]
    curve = pick(chance, [one for one in curves if one.shape_keys is None])  # which would be of other points then
    if chance.random() < 0.3:
        curve.splines.remove(pick(chance, curve.splines))
        return f"{curve!r} lost a spline"
    spline = curve.splines.new(chance.choice(("BEZIER", "POLY", "NURBS")))
    (spline.bezier_points if spline.type == "BEZIER" else spline.points).add(chance.randint(1, 4))
    return f"{curve!r} got a spline"


@deed("text")
def text(chance: Random) -> str:
    if chance.random() < 0.5:
        one = pick(chance, bpy.data.texts)
        one.from_string(f"{name_of(chance)}\n{chance.random()}")
    else:
        one = pick(chance, [one for one in bpy.data.curves if type(one).__name__ == "TextCurve"])
        one.body = name_of(chance)
    return f"{one!r} written"


@deed("metaball")
def elements(chance: Random) -> str:
    ball = pick(chance, bpy.data.metaballs)
    if chance.random() < 0.3:
        ball.elements.remove(pick(chance, ball.elements))
    else:
        ball.elements.new(type=chance.choice(("BALL", "CUBE", "CAPSULE"))).co = vector(chance)
    return f"{ball!r}: {len(ball.elements)} elements"


@deed("lattice")
def lattice(chance: Random) -> str:
    one = pick(chance, bpy.data.lattices)
    one.points_u = chance.randint(1, 4)
    pick(chance, one.points).co_deform = vector(chance)
    return f"{one!r} bent"


@deed("images")
def image(chance: Random) -> str:
    match chance.randrange(6):
        case 0 | 1:
            one = bpy.data.images.new(
                name_of(chance), chance.randint(1, 40), chance.randint(1, 40), float_buffer=chance.random() < 0.3
            )
        case 2:
            one = pick(chance, bpy.data.images)
            one.pack()
        case 3:
            one = pick(chance, bpy.data.images)
            one.scale(chance.randint(1, 20), chance.randint(1, 20))
        case 4:
            one = pick(chance, bpy.data.images)
            one.generated_type = chance.choice(("BLANK", "UV_GRID", "COLOR_GRID"))
        case _:
            one = pick(chance, bpy.data.images)
            count = len(one.pixels)
            one.pixels.foreach_set([chance.random()] * count)
            one.update()
    return f"{one!r} painted"


ATTRIBUTES: Final = "FLOAT INT BOOLEAN FLOAT_VECTOR FLOAT_COLOR BYTE_COLOR FLOAT2 INT8 QUATERNION STRING"


@deed("attributes")
def attribute(chance: Random) -> str:
    mesh = pick(chance, bpy.data.meshes)
    match chance.randrange(3):
        case 0:
            mesh.attributes.new(
                name_of(chance),
                pick(
                    chance,
                    [
                        "FLOAT",
                        "INT",
                        "BOOLEAN",
                        "FLOAT_VECTOR",
                        "FLOAT_COLOR",
                        "BYTE_COLOR",
                        "FLOAT2",
                        "INT8",
                        "QUATERNION",
                        "STRING",
                    ],
                ),
                pick(chance, ["POINT", "EDGE", "FACE", "CORNER"]),
            )
        case 1:
            mesh.attributes.remove(pick(chance, [one for one in mesh.attributes if not one.is_required]))
        case _:
            pick(chance, mesh.attributes).name = name_of(chance)
    return f"attributes of {mesh!r}"
