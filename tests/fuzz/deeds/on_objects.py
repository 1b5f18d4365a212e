"""What objects have of their own: modifiers, constraints, weights, shape keys, poses."""

from __future__ import annotations

from random import Random
from typing import Any, Final

import bpy

from .register import SHAPED, deed, name_of, objects, pick, vector

MODIFIERS: Final = (
    "ARRAY BEVEL BOOLEAN BUILD DECIMATE EDGE_SPLIT MASK MIRROR SCREW SOLIDIFY SUBSURF TRIANGULATE WELD WIREFRAME"
    " ARMATURE CAST CURVE DISPLACE HOOK LATTICE MESH_DEFORM SHRINKWRAP SIMPLE_DEFORM SMOOTH WARP WAVE CLOTH COLLISION"
    " PARTICLE_SYSTEM SOFT_BODY DATA_TRANSFER NORMAL_EDIT UV_PROJECT UV_WARP VERTEX_WEIGHT_EDIT SURFACE_DEFORM"
    " MULTIRES"
)


@deed("modifiers")
def new_modifier(chance: Random) -> str:
    one = pick(chance, objects(SHAPED))
    return f"{one.modifiers.new(name_of(chance), pick(chance, MODIFIERS.split()))!r} made on {one!r}"


@deed("modifiers")
def edit_modifier(chance: Random) -> str:
    one = pick(chance, [one for one in bpy.data.objects if len(one.modifiers)])
    modifier = pick(chance, one.modifiers)
    told = repr(modifier)
    match chance.randrange(4):
        case 0:
            one.modifiers.remove(modifier)
        case 1:
            one.modifiers.move(chance.randrange(len(one.modifiers)), chance.randrange(len(one.modifiers)))
        case 2:
            modifier.name = name_of(chance)
        case _:
            modifier.show_viewport = not modifier.show_viewport
    return f"{told} edited"


def constrained() -> list[Any]:
    bones = [bone for one in objects("ARMATURE") if one.pose for bone in one.pose.bones]
    return [*bpy.data.objects, *bones]


@deed("constraints", "constraints")
def new_constraint(chance: Random) -> str:
    one = pick(chance, constrained())
    types = one.constraints.bl_rna.functions["new"].parameters["type"].enum_items
    constraint = one.constraints.new(pick(chance, [one.identifier for one in types]))
    if hasattr(constraint, "target"):
        constraint.target = pick(chance, bpy.data.objects)
    return f"{constraint!r} made"


@deed("constraints")
def edit_constraint(chance: Random) -> str:
    one = pick(chance, [one for one in constrained() if len(one.constraints)])
    constraint = pick(chance, one.constraints)
    told = repr(constraint)
    match chance.randrange(3):
        case 0:
            one.constraints.remove(constraint)
        case 1:
            one.constraints.move(chance.randrange(len(one.constraints)), chance.randrange(len(one.constraints)))
        case _:
            constraint.name = name_of(chance)
    return f"{told} edited"


@deed("vertex groups", "weights")
def weigh(chance: Random) -> str:
    one = pick(chance, objects("MESH"))
    match chance.randrange(4):
        case 0:
            group = one.vertex_groups.new(name=name_of(chance))
        case 1:
            group = pick(chance, one.vertex_groups)
            group.name = name_of(chance)
        case _:
            group = pick(chance, one.vertex_groups)
    some = [index for index in range(len(one.data.vertices)) if chance.random() < 0.3]
    group.add(some, chance.random(), chance.choice(("REPLACE", "ADD", "SUBTRACT")))
    return f"{one.name} {group.name}: {len(some)} weights"


@deed("shape keys", "shape keys")
def edit_shape_key(chance: Random) -> str:
    key = pick(chance, bpy.data.shape_keys)
    block = pick(chance, key.key_blocks)
    match chance.randrange(5):
        case 0:
            block.name = name_of(chance)
        case 1:
            block.value = chance.random()
        case 2:
            block.relative_key = pick(chance, key.key_blocks)
        case 3:
            block.mute = not block.mute
        case _:
            pick(chance, block.data).co = vector(chance)
    return f"{block!r} edited"


@deed("pose", "pose")
def pose(chance: Random) -> str:
    bone = pick(chance, [bone for one in objects("ARMATURE") if one.pose for bone in one.pose.bones])
    match chance.randrange(3):
        case 0:
            bone.location = vector(chance)
        case 1:
            bone.rotation_mode = chance.choice(("XYZ", "QUATERNION", "AXIS_ANGLE"))
        case _:
            bone.bone.name = name_of(chance)
    return f"{bone!r} posed"
