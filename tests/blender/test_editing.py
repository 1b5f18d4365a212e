"""What is held for whoever is in a mode of its own."""

from __future__ import annotations

from typing import Any

import bpy
import pytest

from mixer.proxy import Mirror
from mixer.proxy.editing import edited

from .roundtrip import MemoryBlobs

pytestmark = pytest.mark.usefixtures("fresh")


def held(mirror: Mirror) -> set[str]:
    """The names of what is, with their types."""
    found = map(mirror.identity.find, edited(mirror.identity))
    return {f"{type(one).__name__} {one.name}" for one in found}


def put(name: str, data: Any) -> Any:
    thing = bpy.data.objects.new(name, data)
    bpy.context.scene.collection.objects.link(thing)
    return thing


def enter(thing: Any, mode: str) -> None:
    bpy.context.view_layer.objects.active = thing
    thing.select_set(True)
    bpy.ops.object.mode_set(mode=mode)
    assert thing.mode == mode


@pytest.mark.parametrize("mode", ["EDIT", "SCULPT", "VERTEX_PAINT", "WEIGHT_PAINT"])
def test_modes_of_a_mesh_hold_the_mesh(mode: str) -> None:  # LOCK1
    mirror = Mirror(MemoryBlobs())
    mirror.scan()
    assert held(mirror) == set()
    enter(bpy.data.objects["Cube"], mode)
    assert held(mirror) == {"Mesh Cube"}
    bpy.ops.object.mode_set(mode="OBJECT")
    assert held(mirror) == set()


def test_painting_a_texture_holds_the_images() -> None:  # LOCK1
    cube = bpy.data.objects["Cube"]
    tree = cube.active_material.node_tree
    node = tree.nodes.new("ShaderNodeTexImage")
    node.image = bpy.data.images.new("Painted", 8, 8)
    tree.links.new(node.outputs[0], tree.nodes["Principled BSDF"].inputs["Base Color"])
    mirror = Mirror(MemoryBlobs())
    mirror.scan()
    enter(cube, "TEXTURE_PAINT")
    assert held(mirror) == {"Image Painted"}


def test_a_pose_holds_its_object_and_the_bones_their_armature() -> None:  # LOCK1
    thing = put("Rig", bpy.data.armatures.new("Bones"))
    enter(thing, "EDIT")
    thing.data.edit_bones.new("one").tail = (0, 0, 1)
    bpy.ops.object.mode_set(mode="OBJECT")
    mirror = Mirror(MemoryBlobs())
    mirror.scan()
    enter(thing, "POSE")
    assert held(mirror) == {"Object Rig"}
    enter(thing, "EDIT")
    assert held(mirror) == {"Armature Bones"}
    bpy.ops.object.mode_set(mode="OBJECT")


def test_who_edits_several_at_once_holds_them_all() -> None:  # LOCK1
    curve = put("Curve", bpy.data.curves.new("Curve", "CURVE"))
    curve.data.splines.new("POLY")
    other = put("Other", bpy.data.meshes.new("Other"))
    put("Beside", bpy.data.meshes.new("Beside"))
    mirror = Mirror(MemoryBlobs())
    mirror.scan()
    other.select_set(True)
    enter(bpy.data.objects["Cube"], "EDIT")
    assert held(mirror) == {"Mesh Cube", "Mesh Other"}
    bpy.ops.object.mode_set(mode="OBJECT")
    bpy.ops.object.select_all(action="DESELECT")
    enter(curve, "EDIT")
    assert held(mirror) == {"Curve Curve"}
    bpy.ops.object.mode_set(mode="OBJECT")
