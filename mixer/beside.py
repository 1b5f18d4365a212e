"""Programs of ours that run beside Blender, each a process of its own.

Never a thread: up to Blender 5.0 an operator that is called inside of `temp_override` reads Python's objects whenever
any thread runs Python, also while that is another one, and Blender ends (Python before 3.12 cannot tell them apart).
"""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
from contextlib import suppress
from pathlib import Path
from typing import IO, Final

from broadcaster.errors import MixerError

HERE: Final = Path(__file__).parent
NEEDS: Final = ("broadcaster", "trio", "orjson", "outcome", "sniffio", "attr", "idna", "sortedcontainers")
NO_CONSOLE: Final = getattr(subprocess, "CREATE_NO_WINDOW", 0)  # Windows would open one
PART: Final = "mixer."  # whatever the folder is called that Blender installed it in


def start(
    module: str, *arguments: str, out: IO[bytes] | int, errors: int | None = None, told: bytes | None = None
) -> subprocess.Popen[bytes]:
    """Runs a module with this Python, its standard input a pipe. Raises MixerError.

    What it is `told` stands on that pipe, which is closed behind it: others on this computer read arguments.
    """
    name = f"{HERE.name}.{module.removeprefix(PART)}" if module.startswith(PART) else module
    more = {"PYTHONPATH": os.pathsep.join(_import_folders()), "PYTHONSAFEPATH": "1"}
    try:
        process = subprocess.Popen(
            [sys.executable, "-m", name, *arguments],
            stdin=subprocess.PIPE,
            stdout=out,
            stderr=errors,
            env=os.environ | more,
            creationflags=NO_CONSOLE,
            start_new_session=True,  # Ctrl-C in Blender's terminal is for Blender, which ends them itself
        )
    except OSError as exc:
        raise MixerError(f"no program can be started beside Blender: {exc}") from exc
    if told is not None:
        assert process.stdin is not None
        with suppress(OSError), process.stdin as stdin:  # it may have ended: whoever started it looks
            stdin.write(told)
    return process


def _import_folders() -> list[str]:
    """Where this Python found what they need: an extension's wheels lie in a folder of their own."""
    folders: dict[str, None] = {}
    for name in NEEDS:
        spec = importlib.util.find_spec(name)
        if spec is not None and spec.origin is not None:
            origin = Path(spec.origin)
            folders[str(origin.parent.parent if origin.name == "__init__.py" else origin.parent)] = None
    folders[str(HERE.parent)] = None  # the last: other extensions lie there too
    return list(folders)
