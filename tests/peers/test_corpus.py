"""Two peers on real scenes that nobody here made, each with more than 40 edits at once."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final

import pytest

from .test_demo import demo, ended

SCENES: Final = (
    "gltf_blender_io/RobotExpressive.blend",
    "morse_tum_kitchen/tum_kitchen.blend",
    "armory_examples/material_batch/material_batch.blend",
    "gdquest_mannequiny/mannequiny.blend",
    "vrm_addon/mtoon1_2_20_61_vrm1.blend",
)
CORPUS: Final = os.environ.get("MIXER_CORPUS")


@pytest.mark.skipif(CORPUS is None, reason="MIXER_CORPUS names no folder of scenes")
@pytest.mark.parametrize("scene", SCENES)
def test_a_real_scene_ends_the_same_on_both_sides(scene: str, tmp_path: Path) -> None:  # PEER9
    code, out = ended(demo("--scene", Path(CORPUS or "") / scene, "--keep", tmp_path))
    assert code == 0, out
