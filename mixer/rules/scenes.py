"""Scenes, view layers and rendering."""

from __future__ import annotations

from typing import Final

from .nodes import NODE_TREE
from .rule import Items, Rule, names

SCENES: Final = {
    "Scene": Rule(
        view=names("frame_float keying_sets_all objects"),
        # where each member stands in time, what each hears, and with which tools and what pivot each works
        per_user=names(
            "active_clip cursor frame_current frame_preview_end frame_preview_start frame_subframe"
            " lock_frame_selection_to_range show_keys_from_selected_only show_subframe sync_mode time_jump_delta"
            " time_jump_unit tool_settings transform_orientation_slots use_audio use_audio_scrub use_preview_range"
        ),
        todo=names("annotation grease_pencil keying_sets rigidbody_world sequence_editor"),
        embedded=names("collection"),
        make=NODE_TREE,
        blind=names("cycles cycles_curves timeline_markers"),
        blind_in=("view_layers",),
        # display devices have views, views have looks; both ends of the frame range drag each other
        write_first=("display_settings", "view_settings", "use_nodes", "frame_start", "frame_end"),
        items={
            "timeline_markers": Items(new="new", args=("name", "frame=frame")),
            "view_layers": Items(new="new", args=("name",), move="move", named_apart=True),
        },
    ),
    "UnitSettings": Rule(write_first=("system",)),
    "SceneDisplay": Rule(per_user=names("viewport_aa")),
    "View3DShading": Rule(
        derived=names("selected_studio_light"),
        per_user=names("aov_name cycles render_pass use_compositor wireframe_color_type"),  # of viewports only
        write_first=("type", "light", "color_type", "background_type"),
    ),
    "SceneEEVEE": Rule(write_first=("ray_tracing_method",)),
    "CyclesRenderSettings": Rule(  # what this machine has, and how its user watches
        per_user=names(
            "debug_bvh_layout debug_use_cpu_avx2 debug_use_cpu_sse42 debug_use_cuda_adaptive_compile"
            " debug_use_hip_adaptive_compile debug_use_metal_adaptive_compile debug_use_optix_debug denoising_use_gpu"
            " device preview_denoising_use_gpu preview_pause"
        ),
        write_first=("feature_set", "use_denoising", "denoiser"),
    ),
    "ColorManagedDisplaySettings": Rule(write_first=("display_device",)),
    "ColorManagedViewSettings": Rule(
        write_first=("view_transform", "look", "use_curve_mapping"),
        make={"curve_mapping": ("use_curve_mapping", "")},
        by={"white_balance_whitepoint": "beyond"},
    ),
}

RENDER: Final = {
    "RenderSettings": Rule(
        view=names("stereo_views"),
        per_user=names(
            "compositor_device compositor_denoise_device preview_pixel_size sequencer_gl_preview threads threads_mode"
            " use_lock_interface"
        ),
        withheld=names("filepath"),  # rendering writes there
        write_first=("engine", "image_settings", "use_multiview", "views_format", "fps", "fps_base"),
        items={"views": Items(new="new", args=("name",))},
    ),
    "ImageFormatSettings": Rule(
        todo=names("linear_colorspace_settings"),  # mostly unset, which its enum cannot say
        write_first=("media_type", "file_format", "color_mode", "color_depth", "color_management", "views_format"),
    ),
    "FFmpegSettings": Rule(write_first=("format", "codec", "audio_codec")),
    "BakeSettings": Rule(withheld=names("filepath"), write_first=("image_settings",)),
}

VIEW_LAYERS: Final = {
    "ViewLayer": Rule(
        view=names("active_aov active_lightgroup depsgraph objects"),
        per_user=names("active_aov_index active_layer_collection active_lightgroup_index"),
        blind=names("cycles"),
        items={
            "aovs": Items(new="add"),
            "lightgroups": Items(new="add", args=("name=name",)),
        },
    ),
    "LayerCollection": Rule(
        view=names("collection"),
        # excluding overwrites the children's own exclude
        write_first=("exclude",),
        items={"children": Items(fixed=True, shown="collection")},
    ),
    "FreestyleSettings": Rule(
        withheld=names("modules"),  # Python that runs at render
        items={
            "linesets": Items(new="new", args=("name",), by_product="linestyles"),
            "modules": Items(new="new", rows=True),
        },
    ),
    "FreestyleLineSet": Rule(by={"linestyle": "line_style"}),
    "FreestyleModuleSettings": Rule(withheld=names("script use")),
}
