"""Modifiers, and the physics and particles that hang on them."""

from __future__ import annotations

from typing import Final

from .rule import Items, Rule, names

MODIFIERS: Final = {
    "Modifier": Rule(
        derived=names("is_active"),
        per_user=names(
            "open_adaptive_subdivision_panel open_advanced_panel open_bake_data_blocks_panel open_bake_panel"
            " open_constant_offset_panel open_curvature_panel open_custom_range_panel open_fading_panel"
            " open_falloff_panel open_frame_range_panel open_general_panel open_influence_panel open_manage_panel"
            " open_named_attributes_panel open_object_offset_panel open_output_attributes_panel open_random_panel"
            " open_randomize_panel open_relative_offset_panel open_warnings_panel"
            " segment_active_index show_expanded"
        ),
        by={"type": "constant"},
    ),
    "GreasePencilDashModifierData": Rule(todo=names("segments")),
    "GreasePencilTimeModifier": Rule(todo=names("segments")),
    "GreasePencilLineartModifier": Rule(derived=names("is_baked")),
    "HookModifier": Rule(todo=names("vertex_indices")),  # set by a method
    "MeshCacheModifier": Rule(withheld=names("filepath")),  # opened at evaluation
    "MultiresModifier": Rule(withheld=names("filepath")),
    "NodesModifier": Rule(
        derived=names("node_warnings"),
        view=names("properties"),  # from 5.2 on the inputs
        per_user=names("bake_directory bake_target panels show_group_selector show_manage_panel"),
        todo=names("bakes"),  # which nodes are baked where: the bytes of a bake are files
        write_first=("node_group",),
        blind=names("modifier_inputs"),
        by={"modifier_inputs": "modifier_inputs"},
    ),
    "OceanModifier": Rule(withheld=names("filepath")),
    "ParticleInstanceModifier": Rule(view=names("particle_system")),  # named by its index
    "SubsurfModifier": Rule(write_first=("subdivision_type",)),
    "SurfaceDeformModifier": Rule(write_first=("target",)),
    "UVProjectModifier": Rule(
        write_first=("projector_count",),
        items={"projectors": Items(rows=True, remove="")},
    ),
}

PHYSICS: Final = {
    "PointCache": Rule(  # each peer bakes on its own disk
        per_user=names("filepath index name point_caches use_disk_cache use_external use_library_path"),
        write_first=("frame_start", "frame_end"),
    ),
    "ClothModifier": Rule(derived=names("solver_result")),
    "ClothSettings": Rule(todo=names("rest_shape_key")),
    "DynamicPaintModifier": Rule(
        per_user=names("ui_type"),
        todo=names("brush_settings canvas_settings"),  # made by operators only
    ),
    "FluidModifier": Rule(write_first=("fluid_type",)),  # makes the settings
    "FluidDomainSettings": Rule(
        derived=names(
            "cache_frame_pause_data cache_frame_pause_guide cache_frame_pause_mesh cache_frame_pause_noise"
            " cache_frame_pause_particles has_cache_baked_any has_cache_baked_data has_cache_baked_guide"
            " has_cache_baked_mesh has_cache_baked_noise has_cache_baked_particles is_cache_baking_any"
            " is_cache_baking_data is_cache_baking_guide is_cache_baking_mesh is_cache_baking_noise"
            " is_cache_baking_particles"
        ),
        per_user=names("cache_directory export_manta_script"),
        write_first=("domain_type", "cache_type", "cache_frame_start", "cache_frame_end"),
    ),
    "FluidFlowSettings": Rule(todo=names("particle_system"), write_first=("flow_type",)),
    "FluidEffectorSettings": Rule(write_first=("effector_type",)),
    "SoftBodySettings": Rule(derived=names("location_mass_center rotation_estimate scale_estimate")),
    "FieldSettings": Rule(write_first=("type", "shape")),
    "ParticleSettings": Rule(
        view=names("active_instanceweight active_texture material_slot"),  # material_slot names material
        per_user=names("active_instanceweight_index active_texture_index"),
        todo=names("instance_weights texture_slots"),
        write_first=("type", "physics_type", "render_type", "frame_start", "frame_end"),
        make={f"{name}_curve": (f"use_{name}_curve", "") for name in ("clump", "roughness", "twist")},
    ),
    "ParticleSystem": Rule(  # mirrored as a part of its modifier
        derived=names("child_particles"),
        view=names("active_particle_target cloth"),
        per_user=names("active_particle_target_index"),
        todo=names("particles targets"),  # combed hair
        strong=names("settings"),  # removing them takes the object along
        by={"point_cache": "particle_cache"},
    ),
    "BoidSettings": Rule(
        view=names("active_boid_state"), per_user=names("active_boid_state_index"), todo=names("states")
    ),
}
