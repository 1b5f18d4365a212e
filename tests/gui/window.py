"""A Blender window with the extension installed, driven from outside."""

from __future__ import annotations

import json
import os
import shlex
import signal
import subprocess
import time
from contextlib import suppress
from pathlib import Path
from queue import Empty, SimpleQueue
from threading import Thread
from types import TracebackType
from typing import IO, Any, Final

from .driver_path import ANSWER, DRIVER, ROOT

FIRST_DISPLAY: Final = 90
START_SECONDS: Final = 60
ANSWER_SECONDS: Final = 30
STOP_SECONDS: Final = 10
POLL_SECONDS: Final = 0.1
LAST_CHARS: Final = 3000


def blender_gui(*arguments: str) -> list[str]:
    """The command that MIXER_BLENDER_GUI names."""
    return [*shlex.split(os.environ["MIXER_BLENDER_GUI"]), *arguments]


def environment(home: Path) -> dict[str, str]:
    """Its own preferences and extensions."""
    return os.environ | {"BLENDER_GUI_HOME": str(home)}


def is_running(pid: int) -> bool:
    """Whether a process works; one that ended and was not waited for does not."""
    try:
        status = Path(f"/proc/{pid}/stat").read_text()
    except FileNotFoundError:
        return False
    return status.rpartition(")")[2].split()[0] not in "ZX"
