"""A broadcaster on this machine, as a child process that ends with Blender."""

from __future__ import annotations

import atexit
import importlib.util
import os
import subprocess
import sys
import threading
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import IO, Final

from broadcaster.errors import MixerError

START_SECONDS: Final = 20.0
STOP_SECONDS: Final = 5.0
NEEDS: Final = ("broadcaster", "trio", "orjson", "h11", "outcome", "sniffio", "attr", "idna", "sortedcontainers")


class Host:
    """A running broadcaster. It ends when its standard input does, so also when Blender crashes."""

    def __init__(self, process: subprocess.Popen[str], address: str) -> None:
        self._process = process
        self.address = address
        atexit.register(self.stop)

    @classmethod
    def start(cls, data: Path | None = None) -> Host:
        """Starts one on a free port of the loopback; with `data` it keeps its rooms there.

        Raises MixerError with what it said, if it does not come up.
        """
        command = [sys.executable, "-m", "broadcaster", "serve", "--port", "0", "--http-port", "0", "--end-with-stdin"]
        if data is not None:
            command += ["--data", str(data)]
        process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            env=os.environ | {"PYTHONPATH": os.pathsep.join(_import_folders())},
        )
        assert process.stdout is not None
        lines: SimpleQueue[str] = SimpleQueue()
        threading.Thread(target=_read, args=(process.stdout, lines), name="mixer host", daemon=True).start()
        return cls(process, _wait_for_address(process, lines))

    def stop(self) -> None:
        """Ends it, and waits until it is gone."""
        atexit.unregister(self.stop)
        if self._process.stdin is not None:
            self._process.stdin.close()
        try:
            self._process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    @property
    def is_running(self) -> bool:
        return self._process.poll() is None


def _import_folders() -> list[str]:
    """Where this Python found what the broadcaster needs: an extension's wheels lie in a folder of their own."""
    folders: dict[str, None] = {}
    for name in NEEDS:
        spec = importlib.util.find_spec(name)
        if spec is not None and spec.origin is not None:
            origin = Path(spec.origin)
            folders[str(origin.parent.parent if origin.name == "__init__.py" else origin.parent)] = None
    return list(folders)


def _read(stream: IO[str], lines: SimpleQueue[str]) -> None:
    for line in stream:  # to the end, or the child would stall on a full pipe
        lines.put(line.strip())
    lines.put("")


def _wait_for_address(process: subprocess.Popen[str], lines: SimpleQueue[str]) -> str:
    said = []
    try:
        while line := lines.get(timeout=START_SECONDS):
            if line.startswith("listening on "):
                return line.removeprefix("listening on ").partition(",")[0]
            said.append(line)
    except Empty:
        said.append(f"it did not answer within {START_SECONDS:g} s")
    process.kill()
    process.wait()
    raise MixerError(f"the broadcaster did not start: {' '.join(said[-3:]) or 'it said nothing'}")
