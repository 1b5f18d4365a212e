"""A broadcaster on this machine, as a child process that ends with Blender."""

from __future__ import annotations

import atexit
import importlib.util
import os
import socket
import subprocess
import sys
import threading
import time
from collections import deque
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import IO, Final

from broadcaster.errors import MixerError

LOOPBACK: Final = "127.0.0.1"
DEFAULT_PORT: Final = 12800
START_SECONDS: Final = 60.0  # a busy computer takes its time
STOP_SECONDS: Final = 5.0
LAST_WORDS: Final = 3  # lines that are told when it ends by itself
SAYS: Final = "listening on "
NEEDS: Final = ("broadcaster", "trio", "orjson", "outcome", "sniffio", "attr", "idna", "sortedcontainers")
NO_CONSOLE: Final = getattr(subprocess, "CREATE_NO_WINDOW", 0)  # Windows would open one


class Host:
    """One broadcaster, from now until `stop`. It ends when its standard input does, so also when Blender crashes."""

    def __init__(self) -> None:
        self.address = ""  # HOST:PORT, once it listens
        self._said: deque[str] = deque(maxlen=LAST_WORDS)
        self._lines: SimpleQueue[str | None] = SimpleQueue()
        self._deadline = time.monotonic() + START_SECONDS
        command = [sys.executable, "-m", "broadcaster", "serve", "--host", LOOPBACK, "--port", str(_port())]
        self._process = subprocess.Popen(
            [*command, "--http-port", "0", "--end-with-stdin"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            env=os.environ | {"PYTHONPATH": os.pathsep.join(_import_folders())},
            creationflags=NO_CONSOLE,
        )
        atexit.register(self.stop)
        threading.Thread(target=_read, args=(self._process.stdout, self._lines), name="mixer host", daemon=True).start()

    @property
    def pid(self) -> int:
        return self._process.pid

    def poll(self) -> bool:
        """Whether it began to listen just now. Raises MixerError, with its last words, if it ended by itself."""
        began = False
        try:
            while (line := self._lines.get_nowait()) is not None:
                if line.startswith(SAYS):
                    self.address = line.removeprefix(SAYS).partition(",")[0]
                    began = True
                elif line:
                    self._said.append(line)
        except Empty:
            if self.address or time.monotonic() < self._deadline:
                return began
            self._said.append(f"it did not answer within {START_SECONDS:g} s")
        self.stop()
        if self.address:
            raise MixerError("the server on this computer ended, and its rooms with it")
        raise MixerError(f"the server on this computer did not start: {' '.join(self._said) or 'it said nothing'}")

    def stop(self) -> None:
        """Ends it, and waits until it is gone."""
        atexit.unregister(self.stop)
        assert self._process.stdin is not None
        self._process.stdin.close()
        try:
            self._process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()


def _port() -> int:
    """The usual one if it is free, so that others on this machine need not look it up; else 0, any."""
    with socket.socket() as probe:
        if os.name == "posix":
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # it may have been in use a moment ago
        try:
            probe.bind((LOOPBACK, DEFAULT_PORT))
        except OSError:
            return 0
    return DEFAULT_PORT


def _import_folders() -> list[str]:
    """Where this Python found what the broadcaster needs: an extension's wheels lie in a folder of their own."""
    folders: dict[str, None] = {}
    for name in NEEDS:
        spec = importlib.util.find_spec(name)
        if spec is not None and spec.origin is not None:
            origin = Path(spec.origin)
            folders[str(origin.parent.parent if origin.name == "__init__.py" else origin.parent)] = None
    return list(folders)


def _read(stream: IO[str], lines: SimpleQueue[str | None]) -> None:
    """All it says, to the end: it would stall on a full pipe. None stands for the end."""
    with stream:
        for line in stream:
            lines.put(line.strip())
    lines.put(None)
