"""The extension, built and installed for a user of its own."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest

from .window import Window, blender_gui, install

SETUP_SECONDS: Final = 500  # the window's Blender is set up the first time


@pytest.fixture(scope="session")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The home of a user who installed the zip from the command line."""
    output, home = tmp_path_factory.mktemp("dist"), tmp_path_factory.mktemp("home")
    try:
        subprocess.run(blender_gui("blender", "--version"), cwd=home, check=True, timeout=SETUP_SECONDS)
    except (OSError, subprocess.SubprocessError) as exc:
        pytest.skip(f"MIXER_BLENDER_GUI starts no Blender here: {exc}")
    install(home, output)
    with Window(home):  # or every test would wait for one that does not come
        return home


@pytest.fixture
def window(home: Path) -> Iterator[Window]:
    """One that has the extension enabled, with its tab open."""
    with Window(home) as window:
        window.show_mixer()
        yield window
        assert not window.failed, window.said
