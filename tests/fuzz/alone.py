"""The edits of a story in one Blender without a room: what ends Blender here is its own fault, not the mirror's.

`python -m tests.fuzz.alone --seeds N [--edits M]` tells each in a process of its own, and how many of them ended before
their time: to compare with, where a Blender of a story ends.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from random import Random
from typing import Final

import bpy

from mixer.proxy.undo_steps import Whole
from tests.peers.processes import ROOT

from .artist import Artist

EDITS: Final = 660  # as each of three has in a story of 2,000
EDIT_SECONDS: Final = 0.2
TAIL: Final = 160  # characters of what was done last


class Nobody:
    """A session in no room."""

    def pump(self, seconds: float) -> None:
        """What a window does between two edits."""
        bpy.context.view_layer.update()

    def disconnect(self) -> None:
        """There is no line to lose."""

    def reconnect(self) -> None:
        """There is none to get back."""


def play(seed: int, edits: int, folder: Path) -> None:
    """All edits of the first artist of a story."""
    artist = Artist(Nobody(), folder, seed=seed, peer=0, peers=1, edits=edits, only="")
    Whole().begin()  # as in a room
    artist.begin()
    bpy.ops.ed.undo_push(message="begin")
    for step in range(edits):
        artist.step(step, Random(f"{seed} 0 {step}"))


def tell(seed: int, edits: int, folder: Path) -> str | None:
    """What Blender died of, None if it did not."""
    command = [
        sys.executable,
        "-m",
        "tests.fuzz.alone",
        "--play",
        str(folder),
        "--first",
        str(seed),
        "--edits",
        str(edits),
    ]
    try:
        done = subprocess.run(command, cwd=ROOT, capture_output=True, timeout=60 + EDIT_SECONDS * edits)
        why = f"ended with {done.returncode}" if done.returncode else None
    except subprocess.TimeoutExpired:
        why = "did not come to an end"
    last = (folder / "0.journal").read_text().splitlines()[-1:]
    return why and f"{why}: {''.join(last)[:TAIL]}"


def main() -> int:
    parser = argparse.ArgumentParser(prog="tests.fuzz.alone", description=__doc__)
    parser.add_argument("--first", type=int, default=1, help="seed of the first story (default: %(default)s)")
    parser.add_argument("--seeds", type=int, default=20, help="how many (default: %(default)s)")
    parser.add_argument("--edits", type=int, default=EDITS, help="of each (default: %(default)s)")
    parser.add_argument("--play", type=Path, help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.play is not None:
        play(asked.first, asked.edits, asked.play)
        sys.stdout.flush()
        os._exit(0)  # Blender's own exit can hang
    ended = 0
    with tempfile.TemporaryDirectory() as folder:
        for seed in range(asked.first, asked.first + asked.seeds):
            if (why := tell(seed, asked.edits, Path(folder))) is not None:
                ended += 1
                print(f"seed {seed} {why}", flush=True)
    print(f"{ended} of {asked.seeds} Blenders alone, with {asked.edits} edits each, ended before their time")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
