"""Materials, textures and line styles."""

from __future__ import annotations

from typing import Final

from .nodes import NODE_TREE
from .rule import Items, Rule, names

_STYLE_MODIFIERS: Final = Items(new="new", args=("name", "type"), kind="type")

MATERIALS: Final = {
    "Material": Rule(
        derived=names("texture_paint_images texture_paint_slots"),
        # older names of surface_render_method, use_transparency_overlap and use_raytrace_refraction
        view=names("blend_method shadow_method show_transparent_back use_screen_refraction"),
        per_user=names("paint_active_slot paint_clone_slot preview_render_type use_preview_world"),
        todo=names("grease_pencil"),
        make=NODE_TREE,
        blind=names("cycles"),
        write_first=("use_nodes",),
    ),
    # the class of a texture follows its type
    "Texture": Rule(
        make={**NODE_TREE, "color_ramp": ("use_color_ramp", "")}, write_first=("type", "use_nodes", "use_color_ramp")
    ),
    "TextureSlot": Rule(view=names("output_node")),
    "FreestyleLineStyle": Rule(
        view=names("active_texture"),
        per_user=names("active_texture_index panel"),
        todo=names("texture_slots"),
        make=NODE_TREE,
        write_first=("use_nodes",),
        items={
            "alpha_modifiers": _STYLE_MODIFIERS,
            "color_modifiers": _STYLE_MODIFIERS,
            "geometry_modifiers": _STYLE_MODIFIERS,
            "thickness_modifiers": _STYLE_MODIFIERS,
        },
    ),
}
