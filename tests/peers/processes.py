"""Real broadcasters and real peers, as processes that are ended by their id."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import textwrap
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

ROOT: Final = Path(__file__).resolve().parents[2]
PEER_SECONDS: Final = 150
START_SECONDS: Final = 100  # more than a busy machine takes


class Broadcaster:
    """`python -m broadcaster serve` on a free port."""

    def __init__(self, *arguments: str) -> None:
        command = [sys.executable, "-m", "broadcaster", "serve", "--port", "0", "--http-port", "0", *arguments]
        command.append("--end-with-stdin")  # also when the tests were killed
        self.process = subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        assert line.startswith("listening on "), line
        self.address = line.removeprefix("listening on ").partition(",")[0]

    def stop(self) -> int:
        self.process.terminate()
        try:
            return self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            raise

    def __enter__(self) -> Broadcaster:
        return self

    def __exit__(self, *_: object) -> None:
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        for pipe in (self.process.stdin, self.process.stdout):
            if pipe is not None:
                pipe.close()


@dataclass(frozen=True, slots=True)
class At:
    """Where a broadcaster is that somebody else started."""

    address: str


@dataclass(slots=True)
class Ended:
    """What a peer left behind."""

    code: int
    out: str
    error: str
    stats: dict[str, Any] = field(default_factory=dict)
    said: list[Any] = field(default_factory=list)  # what its script handed to say()


PRELUDE: Final = """\
import json, math, os, time
import bpy
def say(value):
    print("SAID " + json.dumps(value), flush=True)
"""


class Peer:
    """`python -m mixer peer` with a script, given as text."""

    def __init__(self, server: Broadcaster | At, folder: Path, name: str, script: str = "", *arguments: str) -> None:
        self.stats = folder / f"{name}.json"
        command = [sys.executable, "-m", "mixer", "peer", "--server", server.address, "--room", "room", "--name", name]
        command += ["--stats", str(self.stats), "--timeout", str(PEER_SECONDS - 20), *arguments]
        if script:
            path = folder / f"{name}.py"
            path.write_text(PRELUDE + textwrap.dedent(script))
            command += ["--run", str(path)]
        self.log, self.errors = folder / f"{name}.out", folder / f"{name}.err"
        with self.log.open("w") as out, self.errors.open("w") as err:
            self.process = subprocess.Popen(command, cwd=ROOT, stdout=out, stderr=err, env=os.environ | {"PEER": name})

    def wait(self) -> Ended:
        """Waits for its end; a peer that hangs is killed and told as a failure."""
        try:
            code = self.process.wait(PEER_SECONDS)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            code = -9
        out = self.log.read_text()
        said = [json.loads(line[5:]) for line in out.splitlines() if line.startswith("SAID ")]
        stats = json.loads(self.stats.read_text()) if self.stats.exists() else {}
        return Ended(code, out, self.errors.read_text(), stats, said)

    def wait_for(self, text: str) -> None:
        """Until its script has printed `text`."""
        end = time.monotonic() + START_SECONDS
        while text not in self.log.read_text():
            assert time.monotonic() < end, f"{text!r} never came: {self.errors.read_text()[-2000:]}"
            assert self.process.poll() is None, self.errors.read_text()[-2000:]
            time.sleep(0.02)


def run_together(server: Broadcaster, folder: Path, host: str, joiner: str, *open_file: str) -> tuple[Ended, Ended]:
    """Two peers, the first with a scene to share, the second joining; both run their scripts at once."""
    first = Peer(server, folder, "host", "say('sharing')\n" + textwrap.dedent(host), *open_file)
    try:
        first.wait_for('SAID "sharing"')
        second = Peer(server, folder, "joiner", joiner)
    except AssertionError:
        first.process.kill()
        raise
    return first.wait(), second.wait()


def in_step(*peers: Ended, repaired: int = 0) -> None:
    """Asserts that the peers ended well, hold the same document, sent nothing back and had nothing to repair."""
    for peer in peers:
        assert peer.code == 0, f"{peer.error[-3000:]}\n{peer.out[-2000:]}"
    assert len({peer.stats["digest"] for peer in peers}) == 1
    assert [peer.stats["echoes"] for peer in peers] == [0] * len(peers)
    assert [peer.stats["drift"] for peer in peers] == [0] * len(peers)
    assert sum(peer.stats["repaired"] for peer in peers) == repaired
