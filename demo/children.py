"""The programs that the demo runs: started, listened to, and ended whatever happens."""

from __future__ import annotations

import queue
import subprocess
import sys
import threading
import time
from pathlib import Path
from types import TracebackType
from typing import IO, Final

ROOT: Final = Path(__file__).resolve().parent.parent
END_SECONDS: Final = 5.0  # to end when asked to, before it is made to


class Failed(Exception):
    """The demo cannot go on; the message says why."""


class Child:
    """A Python program of this checkout. What it prints comes line by line; what it complains of goes to a file."""

    def __init__(self, name: str, log: Path, arguments: list[str]) -> None:
        self.name = name
        self.log = log
        self._lines: queue.Queue[str | None] = queue.Queue()
        with log.open("wb") as errors:
            self._process = subprocess.Popen(
                [sys.executable, *arguments],
                cwd=ROOT,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=errors,
                text=True,
                errors="replace",
                start_new_session=True,  # Ctrl-C comes to the demo alone, which ends its children in order
            )
        assert self._process.stdout is not None
        threading.Thread(target=self._read, args=(self._process.stdout,), daemon=True).start()

    def _read(self, output: IO[str]) -> None:
        for line in output:
            self._lines.put(line.rstrip())
        self._lines.put(None)

    def line(self, seconds: float) -> str | None:
        """The next line printed; None when there will be no more. Raises queue.Empty after that long."""
        line = self._lines.get(timeout=seconds)
        if line is None:
            self._lines.put(None)  # the end stays the end
        return line

    def expect(self, start: str, seconds: float) -> str:
        """The next line that starts so. Raises Failed if it does not come."""
        deadline = time.monotonic() + seconds
        while True:
            try:
                line = self.line(max(0.0, deadline - time.monotonic()))
            except queue.Empty:
                raise Failed(f"{self.name} did not say {start!r} within {seconds:g} s (see {self.log})") from None
            if line is None:
                raise self.fault()
            if line.startswith(start):
                return line

    def finish(self, seconds: float, codes: tuple[int, ...] = (0,)) -> list[str]:
        """Waits for its end; all lines it still printed. Raises Failed on another exit code or if it takes longer."""
        deadline = time.monotonic() + seconds
        lines: list[str] = []
        try:
            while (line := self.line(max(0.0, deadline - time.monotonic()))) is not None:
                lines.append(line)
            code = self._process.wait(max(0.1, deadline - time.monotonic()))
        except (queue.Empty, subprocess.TimeoutExpired):
            raise Failed(f"{self.name} did not end within {seconds:g} s (see {self.log})") from None
        if code not in codes:
            raise self.fault()
        return lines

    def fault(self) -> Failed:
        """What to tell of a child that ended before its time."""
        code = self._process.wait(END_SECONDS)
        said = self.log.read_text(errors="replace").strip().splitlines()
        return Failed(
            f"{self.name} ended with exit code {code}: {said[-1] if said else 'it said nothing'} (see {self.log})"
        )

    def end(self) -> None:
        """Asks it to end, and sees to it."""
        if self._process.poll() is None:
            self._process.terminate()
            try:
                self._process.wait(END_SECONDS)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()


class Children:
    """All children of one demo: none outlives the `with` block."""

    def __init__(self, logs: Path) -> None:
        self._logs = logs
        self._children: list[Child] = []

    def start(self, name: str, *arguments: object) -> Child:
        """Runs Python with these arguments."""
        child = Child(name, self._logs / f"{name}.log", [str(argument) for argument in arguments])
        self._children.append(child)
        return child

    def __enter__(self) -> Children:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, exc: BaseException | None, trace: TracebackType | None
    ) -> None:
        for child in reversed(self._children):
            child.end()
