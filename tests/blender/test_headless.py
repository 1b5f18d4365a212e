"""A Blender without a window: what it saves at its end."""

from __future__ import annotations

from pathlib import Path

import bpy
import pytest

from mixer.headless import save

pytestmark = pytest.mark.usefixtures("fresh")


@pytest.mark.parametrize("again", [False, True])
def test_what_blender_mended_is_saved(again: bool, tmp_path: Path) -> None:  # PEER17
    path = tmp_path / "saved.blend"
    if again:
        save(path)
    cube = bpy.data.objects["Cube"]
    cube.shape_key_add(name="Basis")
    cube.data.shape_keys.copy().use_fake_user = True
    bpy.data.meshes.remove(cube.data)
    bpy.data.texts.new("Written").use_fake_user = True
    save(path)  # of shape keys without an owner Blender says that it drops them
    bpy.ops.wm.open_mainfile(filepath=str(path))
    assert "Written" in bpy.data.texts


def test_what_cannot_be_saved_is_an_error(tmp_path: Path) -> None:  # PEER17
    with pytest.raises(RuntimeError):
        save(tmp_path / "missing" / "saved.blend")
