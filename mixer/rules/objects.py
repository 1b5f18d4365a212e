"""Objects, collections and what every datablock has."""

from __future__ import annotations

from typing import Final

from .rule import Items, Rule, names

OBJECTS: Final = {
    "ID": Rule(
        derived=names("is_runtime_data preview use_extra_user"),
        view=names("library library_weak_reference original"),
        per_user=names("tag"),
        todo=names("asset_data override_library"),
        blind=names("use_fake_user"),
        by={"kept": "kept"},
    ),
    "Object": Rule(
        derived=names("dimensions motion_path"),
        view=names(
            "active_material active_shape_key collision matrix_basis matrix_local matrix_world particle_systems"
            " soft_body"  # these hang on modifiers, the matrices follow from location, rotation, scale and parent
            " use_mesh_mirror_x use_mesh_mirror_y use_mesh_mirror_z"  # of its mesh
        ),
        per_user=names("active_material_index active_selection_set active_shape_key_index animation_visualization"),
        # field, rigid_body and rigid_body_constraint are made by operators only
        todo=names("field grease_pencil_modifiers rigid_body rigid_body_constraint selection_sets"),
        plain=names(
            "color delta_location delta_rotation_euler delta_rotation_quaternion delta_scale hide_render hide_select"
            " hide_viewport location matrix_parent_inverse rotation_axis_angle rotation_euler rotation_quaternion scale"
        ),
        blind=names("cycles lightgroup"),
        blind_in=("modifiers", "pose"),
        strong=names("data"),
        write_first=("parent", "parent_type", "parent_bone", "rotation_mode"),  # a new mode converts the rotations
        items={
            "constraints": Items(new="new", args=("type",), kind="type", move="move", named_apart=True),
            "material_slots": Items(rows=True, remove=""),  # as many as the data has
            "modifiers": Items(
                new="new", args=("name", "type"), kind="type", move="move", by_product="particles", named_apart=True
            ),
            "shader_effects": Items(new="new", args=("name", "type"), kind="type", named_apart=True),
        },
        by={"vertex_groups": "vertex_groups"},  # of meshes, in the mesh
    ),
    "MaterialSlot": Rule(write_first=("link", "material"), by={"material": "slot_material"}),
    "Collection": Rule(
        view=names("all_objects"),
        per_user=names("active_exporter_index exporters"),  # where each exports to
        todo=names("collection_children collection_objects"),  # light linking of single members
        blind=names("color_tag name"),
        by={"children": "links", "objects": "links"},
    ),
    "ShaderFx": Rule(per_user=names("show_expanded"), by={"type": "constant"}),
}

_TARGETED: Final = names(
    "ChildOfConstraint ClampToConstraint CopyLocationConstraint CopyRotationConstraint CopyScaleConstraint"
    " CopyTransformsConstraint DampedTrackConstraint FloorConstraint FollowPathConstraint GeometryAttributeConstraint"
    " LimitDistanceConstraint LockedTrackConstraint PivotConstraint ShrinkwrapConstraint SplineIKConstraint"
    " StretchToConstraint TrackToConstraint TransformConstraint"
)

CONSTRAINTS: Final = {
    "Constraint": Rule(
        derived=names("active is_valid"),
        per_user=names("show_expanded"),
        view=names("enabled"),  # the opposite of mute
        by={"type": "constant"},
    ),
    # which spaces there are depends on the target, and a spline sets the joints
    **{name: Rule(write_first=("target",)) for name in _TARGETED},
    "ActionConstraint": Rule(
        derived=names("action_slot_handle last_slot_identifier"),
        view=names("action_suitable_slots"),
        write_first=("target", "action"),
        by={"action_slot": "slot"},
    ),
    "ArmatureConstraint": Rule(items={"targets": Items(new="new", rows=True)}),
    # A wish that Blender fulfils as it evaluates, for whoever has it: to others the matrix is told.
    "ChildOfConstraint": Rule(per_user=names("set_inverse_pending"), write_first=("target",), after=("inverse",)),
    "ObjectSolverConstraint": Rule(derived=names("set_inverse_pending")),
    "CameraSolverConstraint": Rule(write_first=("use_active_clip",)),
    "KinematicConstraint": Rule(write_first=("ik_type", "target", "pole_target")),
    "PythonConstraint": Rule(
        todo=names("targets"),  # gone since 4.5
        withheld=names("text"),
    ),
    "TransformCacheConstraint": Rule(write_first=("cache_file",)),
}
