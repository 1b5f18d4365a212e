"""Real processes: a broadcaster on a free port of the loopback, and its command line."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from broadcaster import invitation

ROOT = Path(__file__).parent.parent.parent
START = [sys.executable, "-m", "broadcaster"]
COMMAND_SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class Broadcaster:
    """One that runs."""

    process: subprocess.Popen[str]
    host: str
    port: int
    http: str  # http://HOST:PORT

    @property
    def address(self) -> str:
        return f"{self.host}:{self.port}"

    def stop(self) -> int:
        """Asks it to end; its exit code."""
        self.process.terminate()
        return self.process.wait(COMMAND_SECONDS)


@contextmanager
def broadcaster(*options: str, port: int = 0, said: Path | None = None, verbose: int = 0) -> Iterator[Broadcaster]:
    """A broadcaster that ends with the block. What it says on standard error goes into the file `said`."""
    command = [*START, *["--verbose"] * verbose, "serve", "--port", str(port), "--http-port", "0", *options]
    with (
        (said or Path(os.devnull)).open("w") as errors,
        subprocess.Popen(
            command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=errors, text=True
        ) as process,
    ):
        try:
            assert process.stdout is not None
            line = process.stdout.readline().strip()
            assert line.startswith("listening on "), line
            members, people = line.removeprefix("listening on ").split(", ")
            host, _, number = members.rpartition(":")
            yield Broadcaster(process, host, int(number), people)
        finally:
            process.kill()


def token_of(line: str) -> str:
    """What lets in, of an invitation as `invite` prints it."""
    invited = invitation.read(line)
    assert invited is not None
    return invited.token


def command(*arguments: str) -> subprocess.CompletedProcess[str]:
    """Runs the command line to its end."""
    return subprocess.run(
        [*START, *arguments], cwd=ROOT, capture_output=True, text=True, timeout=COMMAND_SECONDS, check=False
    )
