"""Lights, light probes, cameras, worlds and speakers."""

from __future__ import annotations

from typing import Final

from .nodes import NODE_TREE
from .rule import Items, Rule, names

LIGHTS: Final = {
    # the class of a light follows its type; what a class has is written after that
    "Light": Rule(make=NODE_TREE, blind=names("cycles"), write_first=("type", "use_nodes")),
    "LightProbe": Rule(by={"type": "constant"}),
    "Camera": Rule(
        derived=names("custom_bytecode custom_bytecode_hash"),
        view=names("angle_x angle_y"),  # of lens and sensor
        withheld=names("custom_filepath custom_mode custom_shader"),  # OSL
        blind=names("cycles_custom"),
        write_first=("type", "sensor_fit", "sensor_width", "sensor_height"),
        items={"background_images": Items(new="new", rows=True)},
        by={"angle": "beyond"},
    ),
    "CameraBackgroundImage": Rule(per_user=names("show_expanded"), write_first=("source",)),
    "MovieClipUser": Rule(derived=names("frame_current")),
    "World": Rule(make=NODE_TREE, blind=names("cycles cycles_visibility lightgroup"), write_first=("use_nodes",)),
}
