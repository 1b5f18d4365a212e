"""What fits nowhere else."""

from __future__ import annotations

from typing import Final

from .rule import Items, Rule, names

MISC: Final = {
    "Mask": Rule(
        per_user=names("active_layer_index"),
        write_first=("frame_start", "frame_end"),
        items={"layers": Items(new="new", args=("name=name",))},
    ),
    "MaskLayer": Rule(per_user=names("select"), items={"splines": Items(new="new", rows=True)}),
    "MaskSpline": Rule(items={"points": Items(new="add", args=("count:1",), rows=True)}),
    "MaskSplinePoint": Rule(
        per_user=names("select select_control_point select_left_handle select_right_handle select_single_handle"),
        todo=names("feather_points"),  # the RNA cannot make them
        write_first=("handle_left_type", "handle_right_type"),
    ),
    "MaskParent": Rule(write_first=("id_type", "id")),
    "LineStyleModifier": Rule(per_user=names("expanded"), by={"type": "constant"}),
}
