"""Curves, texts of curves, hair, lattices, metaballs, point clouds and volumes."""

from __future__ import annotations

from typing import Final

from .meshes import MATERIALS_OF_DATA, TEXTURE_SPACE
from .rule import Items, Rule, names

CURVES: Final = {
    "Curve": Rule(
        blind=names("cycles splines"),
        write_first=("dimensions", "splines"),  # a flat curve takes no depth; shape keys are as long as the splines
        items=MATERIALS_OF_DATA,
        make={"bevel_profile": ("bevel_mode=PROFILE", "")},
        by={"class": "class", "shape_keys": "shape_keys", "splines": "splines", **TEXTURE_SPACE},
    ),
    "TextCurve": Rule(
        derived=names("edit_format"),
        per_user=names("active_textbox"),
        write_first=("body", "body_format"),
        items={
            "body_format": Items(rows=True, remove=""),  # one a letter
            "text_boxes": Items(rows=True, remove=""),  # only operators add one
        },
    ),
    "Curves": Rule(
        view=names("attributes color_attributes curve_offset_data curves normals points position_data"),
        items=MATERIALS_OF_DATA,
        by={"geometry": "hair"},
    ),
    "PointCloud": Rule(
        view=names("attributes color_attributes points"),
        items=MATERIALS_OF_DATA,
        by={"geometry": "hair"},
    ),
    "Volume": Rule(
        derived=names("grids"),
        todo=names("packed_file"),
        withheld=names("filepath"),  # opened as soon as it is set
        items=MATERIALS_OF_DATA,
    ),
    "MetaBall": Rule(
        blind=names("cycles"),
        items={"elements": Items(new="new", args=("type=type",), rows=True), **MATERIALS_OF_DATA},
        by=TEXTURE_SPACE,
    ),
    "MetaElement": Rule(per_user=names("select"), write_first=("type",)),
    "Lattice": Rule(
        write_first=(
            "points_u",
            "points_v",
            "points_w",
            "interpolation_type_u",
            "interpolation_type_v",
            "interpolation_type_w",
        ),
        items={"points": Items(rows=True, remove="")},  # as many as the three numbers say
        by={"shape_keys": "shape_keys"},
    ),
    "LatticePoint": Rule(per_user=names("select"), todo=names("groups")),
    "CurveMapping": Rule(after=("curve_mapping",), items={"curves": Items(rows=True, remove="")}),
    "CurveMap": Rule(items={"points": Items(new="new", args=("position:0", "value:0"), rows=True)}),
    "CurveMapPoint": Rule(per_user=names("select")),
    "CurveProfile": Rule(
        derived=names("segments"),
        after=("curve_profile",),
        write_first=("preset",),
        items={"points": Items(new="add", args=("x:0", "y:0"), rows=True)},
    ),
    "CurveProfilePoint": Rule(per_user=names("select")),
    "ColorRamp": Rule(items={"elements": Items(new="new", args=("position",), rows=True)}),
    "ColorRampElement": Rule(view=names("alpha")),  # the fourth of color
}
