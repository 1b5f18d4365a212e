"""The zip that people install: built, then installed and enabled in each Blender, with nothing of ours beside it."""

from __future__ import annotations

import os
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Final

import pytest

ROOT: Final = Path(__file__).resolve().parents[2]
SCRIPT: Final = Path(__file__).with_name("install_extension.py")
PLATFORM: Final = {"linux": "linux_x64", "darwin": "macos_arm64", "win32": "windows_x64"}[sys.platform]
BUILD_SECONDS: Final = 300  # it fetches wheels the first time
BLENDER_SECONDS: Final = 120
BROUGHT: Final = {"orjson", "outcome", "sniffio", "sortedcontainers", "trio", "xxhash"}  # as wheels in the zip


@pytest.fixture(scope="module")
def zips(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Platform -> what `make extension` makes for it."""
    output = tmp_path_factory.mktemp("dist")
    command = [sys.executable, "-m", "tools.build_extension", "--output", str(output)]
    subprocess.run(command, cwd=ROOT, check=True, timeout=BUILD_SECONDS)
    return {path.stem.rpartition("-")[2]: path for path in output.iterdir()}


def test_there_is_a_zip_for_each_platform(zips: dict[str, Path]) -> None:  # EXT1
    assert zips.keys() == {"linux_x64", "macos_arm64", "windows_x64"}


@pytest.mark.parametrize(
    ("platform", "compiled"),
    [
        ("linux_x64", {"orjson", "xxhash"}),
        ("macos_arm64", {"orjson", "xxhash"}),
        ("windows_x64", {"orjson", "xxhash", "cffi"}),
    ],
)
def test_a_zip_brings_wheels_for_every_python(zips: dict[str, Path], platform: str, compiled: set[str]) -> None:  # EXT2
    with zipfile.ZipFile(zips[platform]) as file:
        names = file.namelist()
    wheels = [Path(name).stem.split("-") for name in names if name.endswith(".whl")]
    pure = {name for name, _version, _python, _abi, tag in wheels if tag == "any"}
    pythons = {(name, python) for name, _version, python, _abi, tag in wheels if tag != "any"}
    assert pythons == {(name, python) for name in compiled for python in ("cp311", "cp313", "cp314")}
    assert pure >= {"mixer_broadcaster", "trio", "attrs", "idna", "outcome", "sniffio", "sortedcontainers"}
    assert {"__init__.py", "blender_manifest.toml", "LICENSE"} <= set(names)


def test_it_installs_enables_and_ends_cleanly(
    blender_python: Path, zips: dict[str, Path], tmp_path: Path
) -> None:  # EXT3
    user, packages = tmp_path / "user", _only_blender(blender_python, tmp_path / "packages")
    done = subprocess.run(
        [blender_python, "-S", SCRIPT, zips[PLATFORM], user],  # -S: without the environment's own packages
        cwd=tmp_path,
        env=os.environ | {"BLENDER_USER_RESOURCES": str(user), "PYTHONPATH": str(packages)},
        capture_output=True,
        text=True,
        timeout=BLENDER_SECONDS,
    )
    said = done.stdout + done.stderr
    assert "installed in Blender" in said, said
    assert "Traceback" not in said
    assert done.returncode == 0, said


def _only_blender(python: Path, folder: Path) -> Path:
    """A folder to import from: the environment without the checkout and what the extension has to bring."""
    [packages] = python.parent.parent.glob("lib/python3.*/site-packages")
    folder.mkdir()
    for found in packages.iterdir():
        if found.name not in BROUGHT:
            (folder / found.name).symlink_to(found)
    return folder
