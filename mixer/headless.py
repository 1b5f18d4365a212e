"""A session without a window: the loop that Blender's timers are otherwise, and the handle that scripts get."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import bpy

from broadcaster.errors import MixerError

from .arrival import State
from .proxy.along import evaluate
from .session import Session

IDLE_SECONDS: Final = 0.005
TICK_SECONDS: Final = 0.05  # no window to keep smooth

log = logging.getLogger(__name__)


class Peer:
    """What a script run by `mixer peer --run` knows as `session`."""

    def __init__(self, session: Session, *, timeout: float | None = None) -> None:
        self._session = session
        self._deadline = None if timeout is None else time.monotonic() + timeout

    @property
    def revision(self) -> int:
        return self._session.revision

    @property
    def members(self) -> dict[str, dict[str, Any]]:
        """Who is here: member id -> {"name", "color", "role", ...}."""
        return dict(self._session.people.members)

    def digest(self) -> str:
        """Equal on members that hold the same document."""
        return self._session.digest()

    def stats(self) -> dict[str, Any]:
        """The figures of `--stats` at this moment."""
        return self._session.report()

    def disconnect(self) -> None:
        """Loses the connection as a broken network would; edits go on and stay pending."""
        self._session.client.disconnect()

    def reconnect(self) -> None:
        self._session.client.reconnect()

    def pump(self, seconds: float) -> None:
        """Keeps in step for that long. Raises MixerError if the room was lost."""
        end = time.monotonic() + seconds
        self._run_until(lambda: time.monotonic() >= end, None, "")

    def settle(self, timeout: float = 30) -> None:
        """Until nothing of ours is unanswered and nothing came for half a second.

        Finds every edit made before, also those that Blender reports to nobody. Raises TimeoutError.
        """
        self.wait_for_content(timeout)
        evaluate()
        self._session.look_everywhere()
        self._run_until(self._session.is_quiet, timeout, "the room did not come to rest")

    def wait_for_content(self, timeout: float) -> None:
        """Until the room's content is here. Raises TimeoutError."""
        self._run_until(lambda: self._session.state is State.IN_STEP, timeout, "the room's content did not come")

    def barrier(self, name: str, count: int, timeout: float = 60) -> None:
        """Until `count` members have come to the barrier of that name. Raises TimeoutError."""
        self._session.reach(name)
        reached = self._session.people.barriers
        self._run_until(lambda: reached[name] >= count, timeout, f"barrier {name!r}: fewer than {count} came")

    def _run_until(self, done: Callable[[], bool], timeout: float | None, why: str) -> None:
        end = None if timeout is None else time.monotonic() + timeout
        while True:
            evaluate()
            busy = self._session.tick(TICK_SECONDS)
            if done():
                return
            now = time.monotonic()
            if end is not None and now > end:
                raise TimeoutError(f"{why} within {timeout:g} s")
            if self._deadline is not None and now > self._deadline:
                raise TimeoutError("the time of --timeout is over")
            if self._session.state is State.LEFT:
                raise MixerError(self._session.error or "the room was left")
            if not busy:
                time.sleep(IDLE_SECONDS)


def save(path: Path) -> None:
    """Writes what Blender holds. Raises RuntimeError if it cannot; what it mended as it wrote is only told."""
    before, said = _file(path), ""
    try:
        bpy.ops.wm.save_as_mainfile(filepath=str(path.resolve()), copy=True)
    except RuntimeError as exc:
        said = str(exc).strip()
    if _file(path) == before:  # Blender writes another one, and then renames it
        raise RuntimeError(said or f"{path} is not written")
    if said:
        log.warning("saved, and Blender says: %s", said)


def _file(path: Path) -> int | None:
    """Which one has that name; None if none has."""
    return path.stat().st_ino if path.exists() else None
