"""`install_extension.py ZIP FOLDER`: run in a Blender without a window whose user's files lie in FOLDER."""

from __future__ import annotations

import importlib
import sys
from typing import Final

import bpy

NAME: Final = "bl_ext.user_default.mixer"
OURS: Final = ("broadcaster.server", "trio", "orjson", "xxhash")  # the server is what "Host here" runs


def main(zip_file: str, folder: str) -> None:
    """Raises AssertionError or RuntimeError with what went wrong."""
    install, preferences = bpy.ops.extensions.package_install_files, bpy.ops.preferences
    assert install(filepath=zip_file, repo="user_default", enable_on_install=True) == {"FINISHED"}
    assert NAME in bpy.context.preferences.addons
    assert _has_panel(), "enabled, but its panel is not there"
    for name in OURS:
        module = importlib.import_module(name)
        assert module.__file__ is not None
        assert module.__file__.startswith(folder), f"{name} is not the extension's own: {module.__file__}"

    assert preferences.addon_disable(module=NAME) == {"FINISHED"}
    assert not _has_panel(), "disabled, but its panel is still there"
    assert preferences.addon_enable(module=NAME) == {"FINISHED"}
    assert _has_panel(), "enabled again, but its panel is not there"
    print("installed in Blender", bpy.app.version_string)


def _has_panel() -> bool:
    return hasattr(bpy.types, "MIXER_PT_room")


if __name__ == "__main__":
    main(*sys.argv[1:])
