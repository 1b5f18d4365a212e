"""What the scenery is made with: collections, materials, meshes, objects, nodes."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any, Final

import bpy  # brings the modules below

# isort: split
import bmesh
from mathutils import Matrix

from demo.blender import context, node_tree

Colour = tuple[float, float, float]

WOOD: Final[Colour] = (0.20, 0.095, 0.045)
WHITE: Final[Colour] = (0.83, 0.78, 0.70)
ROCK: Final[Colour] = (0.17, 0.15, 0.19)
GLOW: Final[Colour] = (1.0, 0.52, 0.16)

dice = random.Random(7)  # one for all, so that the scene is the same every time


def collection(name: str, parent: Any = None) -> Any:
    made = bpy.data.collections.new(name)
    (parent or context.scene.collection).children.link(made)
    return made


def material(name: str, colour: Colour, *, roughness: float = 0.8, glow: float = 0.0, metal: float = 0.0) -> Any:
    """The material of that name, made on first use."""
    if (known := bpy.data.materials.get(name)) is not None:
        return known
    made = bpy.data.materials.new(name)
    inputs = node_tree(made).nodes["Principled BSDF"].inputs
    inputs["Base Color"].default_value = (*colour, 1)
    inputs["Roughness"].default_value = roughness
    inputs["Metallic"].default_value = metal
    inputs["Emission Color"].default_value = (*colour, 1)
    inputs["Emission Strength"].default_value = glow
    return made


def shape(name: str, build: Callable[[Any], object], *, smooth: bool = False) -> Any:
    """A mesh from what `build` does to an empty bmesh."""
    bm = bmesh.new()
    build(bm)
    mesh = bpy.data.meshes.new(name)
    bm.to_mesh(mesh)
    bm.free()
    mesh.polygons.foreach_set("use_smooth", [smooth] * len(mesh.polygons))
    return mesh


def thing(
    name: str,
    data: Any,
    where: Any,
    at: Any = (0, 0, 0),
    *,
    turn: Any = (0, 0, 0),
    size: Any = 1.0,
    look: Any = None,
    parent: Any = None,
) -> Any:
    """An object in a collection; an empty without data."""
    made = bpy.data.objects.new(name, data)
    made.location, made.rotation_euler, made.parent = at, turn, parent
    made.scale = (size, size, size) if isinstance(size, (int, float)) else size
    if look is not None and not data.materials:
        data.materials.append(look)
    where.objects.link(made)
    return made


def cone(bottom: float, top: float, height: float, sides: int = 8) -> Callable[[Any], object]:
    """Standing on the ground."""
    lift = Matrix.Translation((0, 0, height / 2))
    return lambda bm: bmesh.ops.create_cone(
        bm, cap_ends=True, segments=sides, radius1=bottom, radius2=top, depth=height, matrix=lift
    )


def box(x: float, y: float, z: float) -> Callable[[Any], object]:
    """Standing on the ground."""
    place = Matrix.Translation((0, 0, z / 2)) @ Matrix.Diagonal((x, y, z, 1))
    return lambda bm: bmesh.ops.create_cube(bm, size=1, matrix=place)


def ball(radius: float, detail: int = 2) -> Callable[[Any], object]:
    return lambda bm: bmesh.ops.create_icosphere(bm, subdivisions=detail, radius=radius)


def add_nodes(tree: Any, names: str) -> list[Any]:
    """New nodes of these types, in a row."""
    made = [tree.nodes.new(name) for name in names.split()]
    for column, node in enumerate(made):
        node.location = ((column - len(made)) * 190, -120 * (column % 3))
    return made


def link(tree: Any, *pairs: tuple[Any, Any]) -> None:
    """Links outputs to inputs."""
    for start, end in pairs:
        tree.links.new(start, end)
