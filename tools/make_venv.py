"""`python -m tools.make_venv FOLDER`: a virtual environment with everything that Mixer runs and is tested with.

Done before and nothing changed since: it does nothing. It runs under any Python 3, to say which ones will do.
"""

from __future__ import annotations

import argparse
import hashlib
import platform
import subprocess
import sys
import time
from pathlib import Path

if sys.version_info >= (3, 11):
    import tomllib

ROOT = Path(__file__).resolve().parent.parent
PYPROJECT = ROOT / "pyproject.toml"
CONSTRAINTS = ROOT / "constraints.txt"
BLENDERS = {(3, 11): "4.5 LTS", (3, 13): "5.2 LTS"}  # Python -> the Blender whose bpy wheel pyproject.toml names for it


def main() -> int:
    """0 when the environment is there; 1 with one line on standard error when it cannot be."""
    parser = argparse.ArgumentParser(prog="python -m tools.make_venv", description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path, help="where the environment is, or will be")
    parser.add_argument("--bpy", metavar="VERSION", help="another Blender; the environment then serves any checkout")
    args = parser.parse_args()
    blender = BLENDERS.get(sys.version_info[:2])
    if blender is None:
        choices = ", ".join(f"PYTHON=python{major}.{minor} ({name})" for (major, minor), name in BLENDERS.items())
        return _fail(f"no Blender comes as a wheel for Python {platform.python_version()}: give make one of {choices}")
    folder = args.folder.absolute()
    stamp, wanted = folder / "mixer-setup", _fingerprint(args.bpy)
    if stamp.is_file() and stamp.read_text() == wanted:
        return 0
    started = time.monotonic()
    print(f"setting up {args.folder} with Blender {args.bpy or blender}: its wheel is about 370 MB", flush=True)
    stamp.unlink(missing_ok=True)
    try:
        _install(folder, args.bpy)
    except subprocess.CalledProcessError as exc:
        return _fail(f"{args.folder} was not set up: `{' '.join(map(str, exc.cmd[:5]))} ...` failed, see above")
    stamp.write_text(wanted)
    print(f"{args.folder} is ready ({time.monotonic() - started:.0f} s)", flush=True)
    return 0


def _fingerprint(bpy: str | None) -> str:
    """Of all that decides what is in the environment."""
    parts = [platform.python_version(), bpy or str(ROOT), PYPROJECT.read_text(), CONSTRAINTS.read_text()]
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()


def _install(folder: Path, bpy: str | None) -> None:
    """Raises CalledProcessError. A folder that another Python made is made anew."""
    if _python_of(folder) != platform.python_version():
        _run(sys.executable, "-m", "venv", "--clear", "--without-pip", folder)  # Debian's venv module brings no pip
    python = folder / "bin" / "python"
    constraints = folder / "constraints.txt"
    constraints.write_text(_constraints(bpy))
    _run(sys.executable, "-m", "pip", "--python", python, "install", "--quiet", "--constraint", constraints, "pip")
    exact = ("--constraint", constraints, "--build-constraint", constraints)
    _run(python, "-m", "pip", "install", "--no-input", *exact, *_requirements(bpy))


def _python_of(folder: Path) -> str | None:
    """The version of the Python that the environment was made with; None if there is none."""
    config = folder / "pyvenv.cfg"
    if not (folder / "bin" / "python").exists() or not config.is_file():
        return None
    facts = dict(line.split(" = ", 1) for line in config.read_text().splitlines() if " = " in line)
    return facts.get("version")


def _constraints(bpy: str | None) -> str:
    lines = CONSTRAINTS.read_text().splitlines(keepends=True)
    return "".join(line for line in lines if bpy is None or not line.startswith("bpy=="))


def _requirements(bpy: str | None) -> list[str]:
    """This checkout with all its extras; or, for another Blender, only what it and its tests need."""
    if bpy is None:
        return ["--editable", f"{ROOT}[peer,test,dev,admin]"]
    project = tomllib.loads(PYPROJECT.read_text())["project"]
    extras = project["optional-dependencies"]
    return [f"bpy=={bpy}", *project["dependencies"], *extras["test"], *extras["admin"]]


def _run(*command: str | Path) -> None:
    subprocess.run(command, check=True)


def _fail(why: str) -> int:
    print(f"error: {why}", file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main())
