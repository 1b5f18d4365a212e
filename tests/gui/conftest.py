"""The extension, built and installed for a user of its own."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest

from .window import ROOT, Window, blender_gui, environment

BUILD_SECONDS: Final = 300  # it fetches wheels the first time
SETUP_SECONDS: Final = 500  # the window's Blender is set up the first time
INSTALL_SECONDS: Final = 300


@pytest.fixture(scope="session")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The home of a user who installed the zip from the command line."""
    try:
        subprocess.run(blender_gui("blender", "--version"), cwd=ROOT, check=True, timeout=SETUP_SECONDS)
    except (OSError, subprocess.SubprocessError) as exc:
        pytest.skip(f"MIXER_BLENDER_GUI starts no Blender here: {exc}")
    output, home = tmp_path_factory.mktemp("dist"), tmp_path_factory.mktemp("home")
    build = [sys.executable, "-m", "tools.build_extension", "--platform", "linux-x64", "--output", str(output)]
    subprocess.run(build, cwd=ROOT, check=True, timeout=BUILD_SECONDS)
    [zip_file] = output.glob("*.zip")
    install = ["--command", "extension", "install-file", "-r", "user_default", "-e", str(zip_file)]
    done = subprocess.run(
        blender_gui("blender", *install), cwd=ROOT, env=environment(home), timeout=INSTALL_SECONDS, check=False
    )
    assert done.returncode == 0
    return home


@pytest.fixture
def window(home: Path) -> Iterator[Window]:
    """One that has the extension enabled, with its tab open."""
    with Window(home) as window:
        window.run(
            "from bl_ext.user_default.mixer import session, watch\n"
            "from bl_ext.user_default.mixer.ui import timer\n"
            "from bl_ext.user_default.mixer.ui.lobby import lobby\n"
            "view().spaces.active.show_region_ui = True"
        )
        window.run("show_tab()")
        yield window
        assert not window.failed, window.said
