"""Where the tests stand, and the Blenders they find."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Final

import pytest

ROOT: Final = Path(__file__).resolve().parent.parent
FOLDERS: Final = ("unit", "fuzz", "server", "blender", "peers", "gui")  # each is also a marker
CACHE: Final = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
VENVS: Final = Path(os.environ.get("MIXER_VENVS") or CACHE / "mixer")  # kept outside the tree, as .ci/run makes them


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Marks each test with its folder; a window is only opened where MIXER_BLENDER_GUI says how."""
    for item in items:
        folder = item.path.relative_to(ROOT / "tests").parts[0]
        if folder in FOLDERS:
            item.add_marker(folder)
        if folder == "gui" and not os.environ.get("MIXER_BLENDER_GUI"):
            item.add_marker(pytest.mark.skip(reason="MIXER_BLENDER_GUI names no command that opens a Blender window"))


STATUS: Final = pytest.StashKey[int]()


def pytest_sessionfinish(session: pytest.Session, exitstatus: int) -> None:
    session.config.stash[STATUS] = int(exitstatus)


@pytest.hookimpl(trylast=True)
def pytest_unconfigure(config: pytest.Config) -> None:
    """Blender's own exit may hang or crash after so much was made and unmade: all is said by now."""
    if "bpy" in sys.modules and STATUS in config.stash:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(config.stash[STATUS])


def _blenders(venv: Path) -> set[str]:
    return {folder.name for folder in venv.glob("lib/python3.*/site-packages/bpy/[0-9]*")}


@pytest.fixture(params=sorted({"4.2", "4.5", "5.0"} | _blenders(Path(sys.prefix))))
def blender_python(request: pytest.FixtureRequest) -> Path:
    """A Python that has the bpy of one version: the one that runs the tests, or another that is kept beside it."""
    version: str = request.param
    for venv in (Path(sys.prefix), ROOT / ".venv", VENVS / f"bpy-{version}"):
        if version in _blenders(venv):
            return venv / "bin" / "python"
    pytest.skip(f"no bpy {version}: `python -m tools.make_venv {VENVS}/bpy-{version} --bpy {version}.N` makes one")
