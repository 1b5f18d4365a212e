"""Any property of anything, to any legal value: found through RNA, so that nothing is forgotten. Runs in a Blender."""

from __future__ import annotations

from collections.abc import Callable
from random import Random
from typing import Any, Final

import bpy

from .legal import SCALARS, put, random_value

# What is never set, and why: "Type.property", or "*.property" for all.
LEFT_OUT: Final = {
    "names the datablock for the mirror": "*.mixer_uuid Scene.mixer_room Scene.mixer_held",
    "crashes Blender 4.2 when it is read": "ToolSettings.uv_sculpt",
    "the slots of an action, seen from who uses it: a name set there ends Blender": "*.action_suitable_slots",
    "each person's tools: not the scene": "Scene.tool_settings",
    "todo: the texture slots of line styles": "FreestyleLineStyle.active_texture",
    "Blender makes room for a pin of each face, not of each corner, and writes behind it": "MeshUVLoop.pin_uv",
    "a thumbnail; a negative size of one ends Blender": "*.preview",
    "another path to another datablock: it would be written twice": "NodeLink.from_node NodeLink.to_node Bone.parent",
    "what is so is not saved": "ID.is_runtime_data",
    "holds a datablock in this Blender alone: a scene without it is not saved": "ID.use_extra_user",
    "Blender counts a user for it, forgets it as it undoes, and then saves a mesh in use no more": """
        Mesh.texco_mesh Mesh.texture_mesh""",
    "makes a mesh no mesh, which others refuse": """
        MeshLoop.edge_index MeshLoop.vertex_index MeshEdge.vertices MeshPolygon.vertices MeshPolygon.loop_start
        IntAttributeValue.value Int2AttributeValue.value""",
    "what Blender keeps aside while one person tweaks a strip, and that person's mode": """
        AnimData.action_tweak_storage AnimData.action_slot_handle_tweak_storage AnimData.use_tweak_mode""",
    "of actions of older files: their slots say it": "Action.id_root",
    "what the declaration of a node says of its sockets; Blender keeps what somebody sets, for a while": """
        NodeSocket.description NodeSocket.display_shape NodeSocket.enabled NodeSocket.hide_value NodeSocket.link_limit
        NodeSocket.name NodeSocket.type""",
    "what an engine makes of a shader's text": "Camera.custom_bytecode Camera.custom_bytecode_hash",
    "the sound device of this machine": "Scene.use_audio",
    "takes minutes, or all memory, to evaluate": """
        RemeshModifier.octree_depth RemeshModifier.voxel_size OceanModifier.viewport_resolution Mesh.remesh_voxel_size
        FluidDomainSettings.resolution_max VolumeDisplaceModifier.strength MeshToVolumeModifier.voxel_amount
        MeshToVolumeModifier.voxel_size SkinModifier.branch_smoothing Object.show_instancer_for_viewport""",
}
OUT: Final = frozenset(" ".join(LEFT_OUT.values()).split())
PATHS: Final = {"FILE_PATH", "DIR_PATH", "FILE_NAME"}  # what stands there is opened
KINDS_OUT: Final = frozenset(
    ["screens", "workspaces", "window_managers", "libraries", "brushes", "paint_curves", "all_ids"]
)
TRIES: Final = 30
DEEP: Final = 6


def kinds() -> list[str]:
    """The collections of bpy.data of which anything may be edited."""
    found = [prop.identifier for prop in bpy.data.bl_rna.properties if prop.type == "COLLECTION"]
    return sorted(name for name in found if name not in KINDS_OUT)


def any_datablock(chance: Random) -> Any:
    """Any datablock; each kind is as likely as another."""
    some = [found for kind in kinds() if (found := [one for one in getattr(bpy.data, kind) if not _is_output(one)])]
    return chance.choice(chance.choice(some))


def _is_output(datablock: Any) -> bool:
    """Whether it is what was rendered last, or what a viewer node shows: each person's own."""
    return isinstance(datablock, bpy.types.Image) and datablock.source == "VIEWER"


def edit_anything(chance: Random, tell: Callable[[str], object]) -> str:
    """Sets one property somewhere; to what. Tells which first. Raises LookupError if it found nothing to set."""
    for _ in range(TRIES):
        found = _descend(chance, any_datablock(chance))
        if found is not None:
            struct, prop, where = found
            value = _any_value(chance, struct, prop)
            tell(f"{where}.{prop.identifier} = ")  # it may be the last thing this Blender does
            return repr(put(struct, prop.identifier, value, chance))
    raise LookupError("nothing to set")


def _descend(chance: Random, datablock: Any) -> tuple[Any, Any, str] | None:
    struct, where = datablock, repr(datablock)
    for _ in range(DEEP):
        some = [prop for prop in struct.bl_rna.properties if _is_allowed(struct, prop)]
        if not some:
            return None
        prop = chance.choice(some)
        if prop.type in SCALARS:
            return (struct, prop, where)
        inner = getattr(struct, prop.identifier)
        if prop.type == "POINTER":
            if not prop.is_readonly and _is_of(prop.fixed_type, "ID"):
                return (struct, prop, where)
            if inner is None or (isinstance(inner, bpy.types.ID) and not _is_part(inner)):
                return None
            struct, where = inner, f"{where}.{prop.identifier}"
        else:
            if len(inner) == 0:
                return None
            place = chance.randrange(len(inner))
            item = inner[place]
            if item is None or isinstance(item, bpy.types.ID):
                return None
            struct, where = item, f"{where}.{prop.identifier}[{place}]"
    return None


def _is_part(datablock: Any) -> bool:
    return datablock.is_embedded_data or isinstance(datablock, bpy.types.Key)


def _is_allowed(struct: Any, prop: Any) -> bool:
    name = prop.identifier
    if name == "rna_type" or getattr(prop, "subtype", "") in PATHS or getattr(prop, "is_deprecated", False):
        return False
    if prop.type in SCALARS and (prop.is_readonly or struct.is_property_readonly(name)):
        return False
    rna = struct.bl_rna
    while rna is not None:
        if f"{rna.identifier}.{name}" in OUT:
            return False
        rna = rna.base
    return f"*.{name}" not in OUT


def _is_of(rna: Any, base: str) -> bool:
    while rna is not None:
        if rna.identifier == base:
            return True
        rna = rna.base
    return False


def _any_value(chance: Random, struct: Any, prop: Any) -> Any:
    if prop.type != "POINTER":
        return random_value(chance, prop)
    wanted = prop.fixed_type.identifier
    fitting = [
        one for kind in kinds() for one in getattr(bpy.data, kind) if _is_of(one.bl_rna, wanted) and not _is_part(one)
    ]
    return chance.choice([*fitting, None])
