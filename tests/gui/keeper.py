"""`python -m tests.gui.keeper GROUP DISPLAY`: ends a window when its own standard input ends.

That is when a test is done with the window, and also when the tests were killed and could end nothing themselves.
"""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Final

STOP_SECONDS: Final = 10
POLL_SECONDS: Final = 0.05
DEAD: Final = "ZX"  # ended, and nobody waited for it yet


def lock_of(display: int) -> Path:
    """The file by which an X server says that it has a display."""
    return Path(f"/tmp/.X{display}-lock")


def is_running(pid: int) -> bool:
    """Whether a process works; one that ended and nobody waited for does not."""
    state = _state_and_group(pid)
    return state is not None and state[0] not in DEAD


def _state_and_group(pid: int) -> tuple[str, int] | None:
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return None
    return fields[0], int(fields[2])


def _members(group: int) -> Iterator[int]:
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit():
            state = _state_and_group(int(folder.name))
            if state is not None and state[1] == group and state[0] not in DEAD:
                yield int(folder.name)


def end(group: int) -> None:
    """Ends all processes of a group, and waits until they are gone."""
    for stop in (signal.SIGTERM, signal.SIGKILL):
        with suppress(ProcessLookupError):
            os.killpg(group, stop)
        deadline = time.monotonic() + STOP_SECONDS
        while any(_members(group)):
            if time.monotonic() > deadline:
                break
            time.sleep(POLL_SECONDS)
        else:
            return


def free(display: int) -> None:
    """Removes what an X server that was killed leaves behind."""
    lock = lock_of(display)
    with suppress(FileNotFoundError):
        if not is_running(int(lock.read_text())):
            lock.unlink()
            Path(f"/tmp/.X11-unix/X{display}").unlink()


if __name__ == "__main__":
    GROUP, DISPLAY = map(int, sys.argv[1:])
    sys.stdin.read()
    end(GROUP)
    free(DISPLAY)
