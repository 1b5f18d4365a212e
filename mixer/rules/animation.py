"""Actions, drivers, the NLA, and which datablocks can be animated."""

from __future__ import annotations

from typing import Final

from .rule import Items, Rule, names

_ANIMATED: Final = names(
    "Armature CacheFile Camera Curve Curves FreestyleLineStyle Key Lattice Light LightProbe Mask Material Mesh MetaBall"
    " NodeTree Object ParticleSettings PointCloud Scene Speaker Texture Volume World"
)

ANIMATION: Final = {
    **{
        name: Rule(make={"animation_data": ("animation_data_create", "animation_data_clear")})
        for name in sorted(_ANIMATED)
    },
    "AnimData": Rule(
        derived=names(
            "action_slot_handle action_slot_handle_tweak_storage action_tweak_storage last_slot_identifier"
            " use_tweak_mode"
        ),
        view=names("action_suitable_slots"),
        per_user=names("use_pin"),
        write_first=("action",),
        items={"nla_tracks": Items(new="new")},
        by={"action": "animated_by", "action_slot": "slot", "drivers": "drivers"},
    ),
    "Action": Rule(
        derived=names("id_root"),
        view=names("fcurves frame_range groups layers slots"),  # all in "action"
        write_first=("use_frame_range",),
        items={"pose_markers": Items(new="new", args=("name",))},
        by={"action": "action"},
    ),
    "ActionSlot": Rule(per_user=names("select show_expanded")),
    "ActionLayer": Rule(by={"strips": "action"}),
    "ActionStrip": Rule(),
    "ActionKeyframeStrip": Rule(by={"channelbags": "action"}),
    "ActionChannelbag": Rule(by={"fcurves": "action", "groups": "action", "slot": "slot"}),
    "ActionGroup": Rule(view=names("channels"), per_user=names("select show_expanded show_expanded_graph use_pin")),
    "FCurve": Rule(
        derived=names("is_valid"),
        per_user=names("hide select"),
        todo=names("sampled_points"),
        items={"modifiers": Items(new="new", args=("type",), kind="type")},
        by={"group": "action", "keyframe_points": "action"},
    ),
    "Keyframe": Rule(
        view=names("co_ui"), per_user=names("select_control_point select_left_handle select_right_handle")
    ),
    "FModifier": Rule(
        per_user=names("active show_expanded"),
        write_first=("use_restricted_range", "frame_start", "frame_end"),  # they bound the blending
        by={"type": "constant"},
    ),
    "FModifierEnvelope": Rule(by={"control_points": "action"}),
    "FModifierGenerator": Rule(write_first=("mode", "poly_order", "coefficients")),
    "Driver": Rule(
        derived=names("is_valid"),
        write_first=("variables", "type"),
        items={"variables": Items(new="new")},
        by={"expression": "drivers"},  # muted until it is known to be harmless
    ),
    "DriverVariable": Rule(write_first=("type",), items={"targets": Items(rows=True, remove="")}),
    "DriverTarget": Rule(write_first=("id_type", "id"), by={"id": "drivers"}),
    "NlaTrack": Rule(per_user=names("is_solo select"), by={"strips": "nla"}),
    "NlaStrip": Rule(
        derived=names("action_slot_handle last_slot_identifier"),
        view=names("action_suitable_slots frame_end frame_end_ui frame_start frame_start_ui"),
        per_user=names("select"),
        todo=names("fcurves strips"),  # animated influence and time; strips inside meta strips
        write_first=(
            "action",
            "action_frame_start",
            "action_frame_end",
            "scale",
            "repeat",
            "frame_start_raw",
            "frame_end_raw",
        ),
        items={"modifiers": Items(rows=True, remove="")},
        by={"action_slot": "slot", "type": "constant"},
    ),
    "TimelineMarker": Rule(per_user=names("select"), plain=names("frame name")),
}
