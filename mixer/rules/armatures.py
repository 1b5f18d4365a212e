"""Armatures and poses."""

from __future__ import annotations

from typing import Final

from .rule import Items, Rule, names

ARMATURES: Final = {
    "Armature": Rule(
        view=names("bones collections collections_all edit_bones"),  # all in "skeleton"
        by={"skeleton": "bones"},
    ),
    "Bone": Rule(
        view=names("children collections parent"),
        per_user=names("select select_head select_tail"),
        by={"bbone_custom_handle_end": "bones", "bbone_custom_handle_start": "bones"},
    ),
    "EditBone": Rule(
        view=names("collections matrix"),
        per_user=names("lock select select_head select_tail"),
        by={"bbone_custom_handle_end": "bones", "bbone_custom_handle_start": "bones", "parent": "bones"},
    ),
    "BoneCollection": Rule(
        derived=names("child_number"),
        view=names("bones children"),
        per_user=names("is_expanded is_solo"),
        by={"parent": "bones"},
    ),
    "BoneColor": Rule(write_first=("palette",)),
    "Pose": Rule(
        per_user=names("animation_visualization use_auto_ik use_mirror_relative use_mirror_x"),
        write_first=("ik_solver",),
        blind_in=("bones",),
        items={"bones": Items(fixed=True)},
    ),
    "PoseBone": Rule(
        derived=names("motion_path"),
        view=names("bbone_custom_handle_end bbone_custom_handle_start bone child matrix matrix_basis name parent"),
        per_user=names("select"),
        plain=names("location rotation_axis_angle rotation_euler rotation_quaternion scale"),
        write_first=("rotation_mode",),  # a new mode converts the rotations
        items={"constraints": Items(new="new", args=("type",), kind="type", move="move", named_apart=True)},
        by={"custom_shape_transform": "pose_bone"},
    ),
}
