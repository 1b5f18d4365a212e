"""`python -m tools.build_extension`: the zips that people install in Blender, one per platform, each validated.

A zip holds mixer/ at its top, the manifest, and wheels: the broadcaster's, and what both need that Blender lacks,
for every Python that a supported Blender runs on.
"""

from __future__ import annotations

import argparse
import hashlib
import importlib.util
import json
import shutil
import subprocess
import sys
import tempfile
import tomllib
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final

from broadcaster import VERSION

ROOT: Final = Path(__file__).resolve().parent.parent
CONSTRAINTS: Final = ROOT / "constraints.txt"
MANIFEST: Final = "blender_manifest.toml"
DOWNLOADS: Final = ROOT / "build" / "wheels"  # kept: the next build needs no network

PYTHONS: Final = ("3.11", "3.13", "3.14")  # Blender 4.2 to 5.0; 5.1 and 5.2; Debian's 5.2
WHEEL_TAGS: Final = {  # Blender's name of a platform -> the wheels that run on it
    "linux-x64": ("manylinux_2_28_x86_64", "manylinux_2_17_x86_64", "manylinux2014_x86_64"),
    "macos-arm64": ("macosx_11_0_arm64",),
    "windows-x64": ("win_amd64",),
}
MORE_FOR: Final = {"windows-x64": ("cffi",)}  # trio's; pip looks at markers of the machine it runs on
IN_BLENDER: Final = ("bpy", "numpy")
IGNORED: Final = shutil.ignore_patterns("__pycache__")


def main() -> int:
    """0 when every zip is there and valid; 1 with one line on standard error if not."""
    parser = argparse.ArgumentParser(prog="python -m tools.build_extension", description=__doc__.splitlines()[0])
    parser.add_argument("--output", type=Path, default=ROOT / "dist", metavar="DIR", help="where the zips go")
    parser.add_argument("--platform", action="append", choices=WHEEL_TAGS, help="only this one; may be repeated")
    args = parser.parse_args()
    try:
        for zip_file in build(args.platform or list(WHEEL_TAGS), args.output):
            print(f"{zip_file} ({zip_file.stat().st_size / 1e6:.1f} MB)", flush=True)
    except subprocess.CalledProcessError as exc:
        print(f"error: `{' '.join(map(str, exc.cmd[:5]))} ...` failed, see above", file=sys.stderr)
        return 1
    return 0


def build(platforms: list[str], output: Path) -> Iterator[Path]:
    """Yields the zip of each platform once it is valid. Raises CalledProcessError with what was printed above it."""
    output.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        ours = _build_broadcaster(folder)
        for platform in platforms:
            source = folder / platform
            shutil.copytree(ROOT / "mixer", source, ignore=IGNORED)
            (source / "wheels").mkdir()
            wheels = [ours, *_downloads(platform)]
            for wheel in wheels:
                shutil.copy(wheel, source / "wheels")
            (source / MANIFEST).write_text(_manifest(platform, wheels))
            _extension_tool("build", f"--source-dir={source}", f"--output-dir={output}", "--split-platforms")
            zip_file = output / f"mixer-{VERSION}-{platform.replace('-', '_')}.zip"
            _extension_tool("validate", str(zip_file))
            yield zip_file


def _manifest(platform: str, wheels: Iterable[Path]) -> str:
    """The manifest in the tree, with what is known only now at its top, before any table."""
    facts = {"version": VERSION, "platforms": [platform], "wheels": [f"./wheels/{wheel.name}" for wheel in wheels]}
    lines = [f"{name} = {json.dumps(value)}" for name, value in facts.items()]  # these are TOML as well
    return "\n".join([*lines, (ROOT / MANIFEST).read_text()])


def _build_broadcaster(folder: Path) -> Path:
    """Its wheel, built from a copy, so that nothing of an earlier build gets in."""
    copy = folder / "broadcaster"
    shutil.copytree(ROOT / "broadcaster", copy / "broadcaster", ignore=IGNORED)
    shutil.copy(ROOT / "pyproject.toml", copy)
    _pip("wheel", "--no-deps", "--build-constraint", str(CONSTRAINTS), "--wheel-dir", str(folder), str(copy))
    [wheel] = folder.glob("*.whl")
    return wheel


def _downloads(platform: str) -> list[Path]:
    """The wheels of others for one platform; fetched unless they are there."""
    requirements = [*_requirements(), *MORE_FOR.get(platform, ())]
    wanted = repr((requirements, PYTHONS, WHEEL_TAGS[platform], CONSTRAINTS.read_text()))
    folder = DOWNLOADS / f"{platform}-{hashlib.sha256(wanted.encode()).hexdigest()[:12]}"
    if not folder.is_dir():
        partial = folder.with_suffix(".partial")
        tags = [f"--platform={tag}" for tag in WHEEL_TAGS[platform]]
        for python in PYTHONS:
            options = [f"--python-version={python}", *tags, "--constraint", str(CONSTRAINTS), "--dest", str(partial)]
            _pip("download", "--only-binary=:all:", "--implementation=cp", *options, *requirements)
        partial.rename(folder)
    return sorted(folder.glob("*.whl"))


def _requirements() -> list[str]:
    """What the broadcaster and a peer need and Blender does not bring."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    found = [*project["dependencies"], *project["optional-dependencies"]["peer"]]
    return [requirement for requirement in found if not requirement.startswith(IN_BLENDER)]


def _pip(*arguments: str) -> None:
    subprocess.run([sys.executable, "-m", "pip", arguments[0], "--quiet", "--no-input", *arguments[1:]], check=True)


def _extension_tool(*arguments: str) -> None:
    """Blender's own, from the bpy wheel; it is plain Python and needs no Blender."""
    spec = importlib.util.find_spec("bpy")
    assert spec is not None
    assert spec.origin is not None
    [tool] = Path(spec.origin).parent.glob("*/scripts/addons_core/bl_pkg/cli/blender_ext.py")
    subprocess.run([sys.executable, str(tool), *arguments], check=True, stdout=subprocess.DEVNULL)


if __name__ == "__main__":
    sys.exit(main())
