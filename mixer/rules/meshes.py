"""Meshes and shape keys."""

from __future__ import annotations

from typing import Final

from .rule import Items, Rule, names

MATERIALS_OF_DATA: Final = {"materials": Items(new="append", args=(".",), remove="pop", rows=True)}

TEXTURE_SPACE: Final = dict.fromkeys(("texspace_location", "texspace_size"), "texture_space")

MESHES: Final = {
    "Mesh": Rule(
        derived=names("corner_normals loop_triangle_polygons loop_triangles polygon_normals vertex_normals"),
        view=names(
            "attributes color_attributes edges loops polygons uv_layers vertices"  # all in "geometry"
            " auto_texspace vertex_colors"
            " texture_mesh"  # texco_mesh under another name
        ),
        per_user=names("uv_layer_clone uv_layer_clone_index uv_layer_stencil uv_layer_stencil_index"),
        todo=names("skin_vertices"),
        blind=names("cycles geometry"),
        write_first=("geometry",),  # shape keys are as long as it says
        items=MATERIALS_OF_DATA,
        by={"geometry": "geometry", "shape_keys": "shape_keys", **TEXTURE_SPACE},
    ),
    "Key": Rule(view=names("key_blocks reference_key user"), by={"name": "first_name"}),  # the rest in "shape_keys"
    "ShapeKey": Rule(
        todo=names("frame"), write_first=("slider_min", "slider_max"), view=names("data points relative_key")
    ),
}
