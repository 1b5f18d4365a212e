"""A broadcaster on this machine, as a child process that ends with Blender."""

from __future__ import annotations

import atexit
import os
import socket
import subprocess
import tempfile
import time
from collections import deque
from pathlib import Path
from typing import Final

from broadcaster.errors import MixerError

from . import beside

LOOPBACK: Final = "127.0.0.1"
DEFAULT_PORT: Final = 12800
START_SECONDS: Final = 60.0  # a busy computer takes its time
STOP_SECONDS: Final = 5.0
LAST_WORDS: Final = 3  # lines that are told when it ends by itself
SAYS: Final = "listening on "


class Host:
    """One broadcaster, from now until `stop`. It ends when its standard input does, so also when Blender crashes."""

    def __init__(self) -> None:
        self.address = ""  # HOST:PORT, once it listens
        self._said: deque[str] = deque(maxlen=LAST_WORDS)
        self._deadline = time.monotonic() + START_SECONDS
        # No pipe: one that nobody reads would stop it. Opened once more to be read: one that is shared has one place.
        self._folder = tempfile.TemporaryDirectory(prefix="mixer-")
        self._out = Path(self._folder.name) / "out"
        self._read = 0  # bytes of that
        arguments = ["serve", "--host", LOOPBACK, "--port", str(_port()), "--http-port", "0", "--end-with-stdin"]
        with self._out.open("wb") as out:
            self._process = beside.start("broadcaster", *arguments, out=out, errors=subprocess.STDOUT)
        atexit.register(self.stop)

    @property
    def pid(self) -> int:
        return self._process.pid

    def poll(self) -> bool:
        """Whether it began to listen just now. Raises MixerError, with its last words, if it ended by itself."""
        has_ended = self._process.poll() is not None
        began = False
        for line in self._lines():
            if line.startswith(SAYS):
                self.address = line.removeprefix(SAYS).partition(",")[0]
                began = True
            elif line:
                self._said.append(line)
        if not has_ended:
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
        self._folder.cleanup()

    def _lines(self) -> list[str]:
        """What it said since the last time, as far as the lines are whole."""
        with self._out.open("rb") as out:
            out.seek(self._read)
            said = out.read()
        whole = said[: said.rfind(b"\n") + 1]
        self._read += len(whole)
        return whole.decode(errors="replace").splitlines()


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
