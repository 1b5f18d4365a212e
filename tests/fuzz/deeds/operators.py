"""Operators, by the mode they work in and the types of objects they work on."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from random import Random
from typing import Final

import bpy

from .. import legal
from .register import EVERY, SHAPED, pick

Tell = Callable[[str], object]


@dataclass(frozen=True, slots=True)
class Row:
    """Operators that work in one mode on objects of some types; each is called with random options."""

    mode: str
    types: str
    operators: str


OPERATORS: Final = {
    "add": Row(
        "OBJECT",
        "",
        """mesh.primitive_cube_add mesh.primitive_plane_add mesh.primitive_circle_add mesh.primitive_cone_add
        mesh.primitive_cylinder_add mesh.primitive_grid_add mesh.primitive_monkey_add mesh.primitive_torus_add
        mesh.primitive_uv_sphere_add curve.primitive_bezier_circle_add curve.primitive_bezier_curve_add
        curve.primitive_nurbs_circle_add curve.primitive_nurbs_path_add surface.primitive_nurbs_surface_sphere_add
        surface.primitive_nurbs_surface_torus_add object.armature_add object.text_add object.metaball_add
        object.empty_add object.light_add object.camera_add object.speaker_add object.lightprobe_add object.add
        object.curves_random_add object.collection_instance_add object.effector_add""",
    ),
    "object": Row(
        "OBJECT",
        EVERY,
        """object.delete object.delete object.duplicate object.join object.parent_set object.parent_clear object.convert
        object.make_single_user object.make_links_data object.origin_set object.transform_apply object.location_clear
        object.rotation_clear object.randomize_transform object.duplicates_make_real object.track_set object.track_clear
        object.hide_view_set object.hide_view_clear object.select_all object.constraints_copy
        object.visual_transform_apply object.transforms_to_deltas object.make_local object.material_slot_add
        object.material_slot_remove object.material_slot_copy object.shade_smooth object.shade_flat
        object.vertex_parent_set object.subdivision_set object.origin_clear object.scale_clear
        object.parent_no_inverse_set object.make_dupli_face object.quick_explode object.hook_add_newob
        transform.translate transform.rotate transform.resize transform.mirror""",
    ),
    "mesh": Row(
        "EDIT",
        "MESH",
        """mesh.subdivide mesh.delete mesh.extrude_region_move mesh.inset mesh.bevel mesh.duplicate mesh.merge
        mesh.dissolve_verts mesh.dissolve_faces mesh.poke mesh.spin mesh.separate mesh.split mesh.remove_doubles
        mesh.quads_convert_to_tris mesh.tris_convert_to_quads mesh.flip_normals mesh.mark_seam mesh.mark_sharp
        mesh.solidify mesh.wireframe mesh.vertices_smooth mesh.primitive_cube_add mesh.fill_holes mesh.symmetrize
        mesh.bisect mesh.sort_elements mesh.edge_split mesh.convex_hull mesh.bridge_edge_loops mesh.hide mesh.reveal
        mesh.customdata_custom_splitnormals_add mesh.faces_shade_smooth mesh.select_random mesh.decimate
        mesh.shape_propagate_to_all mesh.blend_from_shape mesh.unsubdivide mesh.mark_freestyle_edge uv.smart_project
        uv.cube_project uv.reset uv.unwrap transform.translate transform.resize transform.vertex_random
        transform.edge_crease transform.edge_bevelweight transform.shrink_fatten object.vertex_group_assign_new
        object.vertex_group_remove_from mesh.uvs_rotate""",
    ),
    "curve": Row(
        "EDIT",
        "CURVE SURFACE",
        """curve.subdivide curve.delete curve.duplicate curve.cyclic_toggle curve.spline_type_set curve.handle_type_set
        curve.switch_direction curve.extrude_move curve.smooth curve.separate curve.split curve.make_segment
        curve.radius_set curve.tilt_clear curve.decimate curve.spline_weight_set curve.dissolve_verts curve.hide
        curve.reveal transform.translate transform.tilt""",
    ),
    "armature": Row(
        "EDIT",
        "ARMATURE",
        """armature.bone_primitive_add armature.extrude_move armature.subdivide armature.delete armature.duplicate
        armature.parent_set armature.parent_clear armature.switch_direction armature.symmetrize armature.flip_names
        armature.autoside_names armature.calculate_roll armature.fill armature.split armature.dissolve
        armature.separate armature.hide armature.reveal armature.roll_clear transform.translate transform.rotate""",
    ),
    "bone collections": Row(
        "OBJECT",
        "ARMATURE",
        """armature.collection_add armature.collection_remove armature.collection_move
        armature.collection_remove_unused armature.collection_show_all""",
    ),
    "pose": Row(
        "POSE",
        "ARMATURE",
        """pose.constraint_add pose.constraints_clear pose.ik_add pose.ik_clear pose.rotation_mode_set
        pose.quaternions_flip pose.transforms_clear pose.armature_apply pose.hide pose.reveal pose.select_all
        pose.visual_transform_apply pose.push pose.flip_names pose.group_add transform.translate transform.rotate
        anim.keyframe_insert""",
    ),
    "lattice": Row("EDIT", "LATTICE", "lattice.flip lattice.make_regular transform.translate transform.resize"),
    "metaball": Row("EDIT", "META", "mball.delete_metaelems mball.duplicate_metaelems transform.translate"),
    "text": Row("EDIT", "FONT", "font.delete font.case_toggle font.style_toggle font.textbox_add font.text_insert"),
    "weights": Row(
        "WEIGHT_PAINT",
        "MESH",
        """paint.weight_set object.vertex_group_normalize object.vertex_group_invert object.vertex_group_levels
        object.vertex_group_smooth object.vertex_group_clean object.vertex_group_mirror""",
    ),
    "vertex groups": Row(
        "OBJECT",
        "MESH LATTICE",
        """object.vertex_group_add object.vertex_group_add object.vertex_group_remove object.vertex_group_copy
        object.vertex_group_move object.vertex_group_sort object.vertex_group_invert object.vertex_group_lock""",
    ),
    "shape keys": Row(
        "OBJECT",
        "MESH CURVE LATTICE SURFACE",
        """object.shape_key_add object.shape_key_add object.shape_key_remove object.shape_key_move
        object.shape_key_clear object.shape_key_mirror object.shape_key_retime object.join_shapes
        object.shape_key_transfer""",
    ),
    "modifiers": Row(
        "OBJECT",
        SHAPED,
        """object.modifier_add object.modifier_add object.modifier_apply object.modifier_remove object.modifier_copy
        object.modifier_move_up object.modifier_move_down object.modifier_apply_as_shapekey object.multires_subdivide
        object.geometry_nodes_move_to_nodes object.particle_system_add object.particle_system_remove
        object.skin_root_mark object.modifier_convert""",
    ),
    "collection": Row(
        "OBJECT",
        EVERY,
        """object.collection_add object.collection_link object.collection_remove object.move_to_collection
        object.collection_unlink collection.create collection.objects_remove collection.objects_remove_all
        collection.objects_add_active object.link_to_collection""",
    ),
    "scene": Row(
        "OBJECT",
        "",
        """scene.view_layer_add scene.view_layer_remove scene.view_layer_add_aov scene.view_layer_add_lightgroup
        scene.new scene.delete scene.render_view_add scene.render_view_remove scene.freestyle_lineset_add
        scene.freestyle_linestyle_new marker.add""",
    ),
    "animation": Row(
        "OBJECT",
        EVERY,
        """anim.keyframe_insert anim.keyframe_delete anim.keyframe_clear_v3d anim.keyframe_insert_by_name
        nla.bake object.paths_clear anim.channels_clean_empty""",
    ),
    "attributes": Row(
        "OBJECT",
        "MESH",
        """geometry.attribute_add geometry.attribute_remove geometry.attribute_convert geometry.color_attribute_add
        geometry.color_attribute_remove geometry.color_attribute_convert geometry.color_attribute_render_set
        mesh.uv_texture_add mesh.uv_texture_remove mesh.customdata_skin_add mesh.customdata_custom_splitnormals_clear
        mesh.customdata_custom_splitnormals_add""",
    ),
    "vertex paint": Row(
        "VERTEX_PAINT",
        "MESH",
        """paint.vertex_color_set paint.vertex_color_invert paint.vertex_color_smooth paint.vertex_color_from_weight
        paint.vertex_color_brightness_contrast""",
    ),
}

# Left out of the table: `sculpt.mesh_filter` crashes a Blender without a window, `mesh.knife_project` wants one,
# `object.data_transfer` crashes where it finds no faces to map, `object.quick_smoke` bakes for minutes,
# `object.voxel_remesh` may take all memory, `mesh.colors_rotate` crashes on any colors of corners.
OPTIONS_NEVER: Final = {  # option -> why it is never given
    "filepath": "no files",
    "directory": "no files",
    "orient_matrix": "must be a rotation",
    "align": "may want a window",
}
CONVERTED: Final = ("MESH", "CURVE")  # not to what is not mirrored
NEVER_MADE: Final = ("GPENCIL", "GREASEPENCIL")  # not mirrored


def call(chance: Random, kind: str, tell: Tell) -> str:
    """One operator of a kind, on something selected; what it did."""
    row = OPERATORS[kind]
    path = pick(chance, row.operators.split())
    if row.types:
        select(chance, row.types.split())
    if row.mode != "OBJECT":
        if not bpy.context.object.visible_get():
            raise LookupError("out of sight: windows offer no mode there, and to paint there ends Blender")
        bpy.ops.object.mode_set(mode=row.mode)
        _select_inside(chance, row)
    operator = legal.operator(path)
    chosen = legal.options(chance, operator, frozenset(OPTIONS_NEVER))
    if path == "object.convert":
        chosen["target"] = chance.choice(CONVERTED)
        if any(one.type == "META" for one in bpy.context.selected_objects):
            raise LookupError("Blender looks for the head of the family in the view layer, and ends where it is not")
    active = bpy.context.object
    if chosen.get("type") in NEVER_MADE:
        del chosen["type"]
    if path == "object.parent_set" and active.type != "ARMATURE":
        chosen.pop("type", None)  # Blender makes modifiers that point at what is no armature, which RNA refuses
    told = f"{path}({', '.join(f'{name}={value!r}' for name, value in chosen.items())}) on {active and active.name!r}"
    tell(told)  # it may be the last thing this Blender does
    try:
        done = operator("EXEC_DEFAULT", **chosen)
    except TypeError:  # an option that only the invoking interface can give
        done = operator("EXEC_DEFAULT")
    return str(sorted(done))


def select(chance: Random, types: list[str]) -> None:
    """Makes one object of the view layer active and selects it, and maybe some others."""
    here = bpy.context.view_layer.objects
    fitting = [one for one in here if one.type in types]
    active = pick(chance, fitting)
    for one in here:
        one.select_set(chance.random() < 0.1)
    active.hide_viewport = False
    active.hide_set(False)
    active.select_set(True)
    here.active = active


def _select_inside(chance: Random, row: Row) -> None:
    area = {"MESH": "mesh", "CURVE": "curve", "SURFACE": "curve", "ARMATURE": "armature", "LATTICE": "lattice"}
    area |= {"META": "mball"}
    name = area.get(bpy.context.object.type)
    if row.mode == "EDIT" and name is not None:
        getattr(bpy.ops, name).select_all(action=chance.choice(("SELECT", "SELECT", "INVERT")))
        if name == "mesh" and chance.random() < 0.5:
            bpy.ops.mesh.select_random(ratio=chance.random(), seed=chance.randrange(100))
    elif row.mode == "POSE":
        bpy.ops.pose.select_all(action="SELECT")
