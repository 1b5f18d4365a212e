"""Datablocks as such: names, custom properties, making, copying, removing, collections, scenes."""

from __future__ import annotations

from random import Random
from typing import Final

import bpy

from ..anything import any_datablock, kinds
from .register import deed, name_of, pick, vector


@deed("names")
def rename(chance: Random) -> str:
    one = any_datablock(chance)
    before = repr(one)
    one.name = name_of(chance)
    return f"{before} is {one.name!r}"


@deed("custom")
def custom(chance: Random) -> str:
    one = any_datablock(chance)
    if chance.random() < 0.2 and len(one.keys()):
        key = chance.choice([key for key in one.keys() if not key.startswith("mixer") and key != "cycles"])  # noqa: SIM118
        del one[key]
        return f"del {one!r}[{key!r}]"
    key = chance.choice("abc")
    value = chance.choice([1, 2.5, "text", [1, 2, 3], [0.5, 1.5], {"in": {"ner": 1}}, True, "", b"bytes"])
    if chance.random() < 0.2:
        value = any_datablock(chance)
        if isinstance(value, bpy.types.Key):
            raise LookupError("a part of its owner, which nothing can name")
    one[key] = value
    return f"{one!r}[{key!r}] = {value!r}"


@deed("move", "move", "move")
def move(chance: Random) -> str:
    one = pick(chance, bpy.data.objects)
    one.location = vector(chance)
    return f"{one.name} moved"


@deed("move")
def point(chance: Random) -> str:
    mesh = pick(chance, bpy.data.meshes)
    pick(chance, mesh.vertices).co = vector(chance)
    return f"a point of {mesh.name}"


@deed("remove")
def remove(chance: Random) -> str:
    some = [kind for kind in kinds() if len(getattr(bpy.data, kind)) > 1 and kind not in ("shape_keys", "fonts")]
    kind = chance.choice(some)
    one = pick(chance, getattr(bpy.data, kind))
    told = repr(one)
    getattr(bpy.data, kind).remove(one)
    return f"{told} removed"


@deed("purge")
def purge(chance: Random) -> str:
    return f"{bpy.data.orphans_purge(do_recursive=chance.random() < 0.5)} purged"


MAKERS: Final = """
    materials worlds cameras armatures metaballs actions collections texts lattices speakers palettes masks linestyles
    particles meshes"""


@deed("new")
def new(chance: Random) -> str:
    kind = pick(chance, MAKERS.split())
    return f"{getattr(bpy.data, kind).new(name_of(chance))!r} made"


@deed("new")
def new_typed(chance: Random) -> str:
    kind, types = chance.choice(
        (
            ("lights", "POINT SUN SPOT AREA"),
            ("lightprobes", "SPHERE PLANE VOLUME"),
            ("textures", "CLOUDS IMAGE WOOD VORONOI"),
            ("curves", "CURVE SURFACE FONT"),
            ("node_groups", "ShaderNodeTree GeometryNodeTree TextureNodeTree"),
        )
    )
    return f"{getattr(bpy.data, kind).new(name_of(chance), pick(chance, types.split()))!r} made"


@deed("new")
def copy(chance: Random) -> str:
    one = any_datablock(chance)
    if isinstance(one, bpy.types.Scene):
        return f"{bpy.ops.scene.new(type='FULL_COPY')}"  # a copy by the API has no user, and is not saved
    return f"{one.copy()!r} copied of {one!r}"


@deed("new", "collection")
def new_object(chance: Random) -> str:
    kind = pick(chance, ["meshes", "curves", "lights", "cameras", "armatures", "lattices", "metaballs", "speakers"])
    data = chance.choice([*getattr(bpy.data, kind), None])
    one = bpy.data.objects.new(name_of(chance), data)
    if chance.random() < 0.9:
        pick(chance, [*bpy.data.collections, bpy.context.scene.collection]).objects.link(one)
    return f"{one!r} made of {data!r}"


@deed("new", "mesh")
def new_mesh(chance: Random) -> str:
    mesh = bpy.data.meshes.new(name_of(chance))
    count = chance.randint(3, 6)
    mesh.from_pydata([vector(chance) for _ in range(count)], [], [tuple(range(count))])
    one = bpy.data.objects.new(name_of(chance), mesh)
    bpy.context.scene.collection.objects.link(one)
    return f"{mesh!r} on {one!r}"


@deed("collection")
def collection_tree(chance: Random) -> str:
    parent = pick(chance, [*bpy.data.collections, *(scene.collection for scene in bpy.data.scenes)])
    match chance.randrange(4):
        case 0:
            child = pick(chance, bpy.data.collections)
            parent.children.link(child)
        case 1:
            child = pick(chance, parent.children)
            parent.children.unlink(child)
        case 2:
            child = pick(chance, bpy.data.objects)
            parent.objects.link(child)
        case _:
            child = pick(chance, parent.objects)
            parent.objects.unlink(child)
    return f"{parent!r} {child!r}"


@deed("collection")
def exclude(chance: Random) -> str:
    layer = pick(chance, pick(chance, bpy.data.scenes).view_layers)
    one = pick(chance, layer.layer_collection.children)
    one.exclude = not one.exclude
    return f"{layer.name} {one.name} excluded: {one.exclude}"


@deed("parents")
def parent(chance: Random) -> str:
    one, other = pick(chance, bpy.data.objects), chance.choice([*bpy.data.objects, None])
    one.parent = other
    return f"{one!r} below {other!r}"


@deed("materials")
def slots(chance: Random) -> str:
    one = pick(chance, [one for one in bpy.data.objects if hasattr(one.data, "materials")])
    materials = one.data.materials
    match chance.randrange(5):
        case 0 | 1:
            materials.append(chance.choice([*bpy.data.materials, None]))
        case 2 if len(materials) > 1:  # the last one would leave the object a slot, which is Blender's fault
            materials.pop(index=chance.randrange(len(materials)))
        case 3:
            materials.clear()
        case _:
            slot = pick(chance, one.material_slots)
            slot.link = chance.choice(("OBJECT", "DATA"))
            slot.material = chance.choice([*bpy.data.materials, None])
    return f"slots of {one!r}"


@deed("scene")
def scenes(chance: Random) -> str:
    match chance.randrange(6):
        case 0:
            one = bpy.data.scenes.new(name_of(chance))
        case 1 if len(bpy.data.scenes) > 1:
            one = bpy.context.scene
            bpy.data.scenes.remove(pick(chance, bpy.data.scenes))
            return "a scene removed"
        case 2:
            one = pick(chance, bpy.data.scenes)
            bpy.context.window.scene = one
        case 3:
            one = pick(chance, bpy.data.scenes).view_layers.new(name_of(chance))
        case 4:
            one = pick(chance, bpy.data.scenes)
            one.timeline_markers.new(name_of(chance), frame=chance.randint(1, 40))
        case _:
            one = pick(chance, bpy.data.scenes)
            one.frame_set(chance.randint(1, 40))
    return f"{one!r}"
