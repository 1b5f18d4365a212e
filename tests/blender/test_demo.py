"""The demo's scene and edit scripts, without a room: what they promise of themselves."""

from __future__ import annotations

import json
import os
from collections import Counter
from pathlib import Path
from typing import Any

import bpy
import pytest

from demo import scene

EDITS = 40  # that each script makes, whatever the scene
SCRIPTS = ("host_edits.py", "joiner_edits.py")
CORPUS = Path(os.environ.get("MIXER_CORPUS", ""))
SCENES = ("RobotExpressive", "tum_kitchen", "material_batch", "mannequiny", "mtoon1_2_20_61_vrm1", "with_sequencer")


class Alone:
    """A session of one, in which nothing travels."""

    revision = 0

    def pump(self, seconds: float) -> None:
        bpy.context.view_layer.update()

    def settle(self, timeout: float = 30) -> None:
        bpy.context.view_layer.update()

    def barrier(self, name: str, count: int) -> None:
        pass

    def digest(self) -> str:
        return ""

    def stats(self) -> dict[str, Any]:
        nothing = {"transactions": 0, "bytes": 0}
        return {"revision": 0, "sent": nothing, "received": nothing}


def run(script: str, capsys: pytest.CaptureFixture[str]) -> list[str]:
    """What the script edited, in its own words."""
    path = Path(scene.__file__).with_name(script)
    capsys.readouterr()
    exec(compile(path.read_text(), str(path), "exec"), {"__name__": "__main__", "session": Alone()})
    told = [json.loads(line) for line in capsys.readouterr().out.splitlines() if line.startswith('{"demo"')]
    assert [told[0]["demo"], told[-1]["demo"]] == ["ready", "end"]
    return [one["text"] for one in told if one["demo"] == "edit"]


@pytest.fixture(scope="module")
def island(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("demo") / "island.blend"
    scene.main(str(path))
    return path


def test_the_scene_has_one_of_nearly_everything(island: Path) -> None:
    bpy.ops.wm.open_mainfile(filepath=str(island))
    data = bpy.data
    assert len(data.objects) >= 200
    kinds = (data.armatures, data.actions, data.shape_keys, data.images, data.lights, data.cameras, data.worlds)
    assert all(map(len, kinds))
    assert any(len(one.node_tree.nodes) > 3 for one in data.materials)
    assert any(child.children for child in data.scenes[0].collection.children)
    types = Counter(modifier.type for thing in data.objects for modifier in thing.modifiers)
    assert {"ARMATURE", "NODES", "BEVEL", "SUBSURF"} <= types.keys()
    assert {"CURVE", "FONT", "MESH", "ARMATURE", "EMPTY"} <= {thing.type for thing in data.objects}
    assert any(thing.constraints for thing in data.objects)


@pytest.mark.parametrize("script", SCRIPTS)
def test_every_edit_works_on_the_island(script: str, island: Path, capsys: pytest.CaptureFixture[str]) -> None:
    bpy.ops.wm.open_mainfile(filepath=str(island))
    edited = run(script, capsys)
    source = Path(scene.__file__).with_name(script).read_text()
    assert len(edited) == source.count("\n@edits\n") >= EDITS


@pytest.mark.skipif(not CORPUS.name, reason="MIXER_CORPUS names no folder of scenes")
@pytest.mark.parametrize("name", SCENES)
@pytest.mark.parametrize("script", SCRIPTS)
def test_the_edits_work_on_any_scene(script: str, name: str, capsys: pytest.CaptureFixture[str]) -> None:
    (path,) = CORPUS.rglob(f"{name}.blend")
    bpy.ops.wm.open_mainfile(filepath=str(path))
    edited = run(script, capsys)
    assert len(edited) >= EDITS
    assert len(set(edited)) == len(edited)
