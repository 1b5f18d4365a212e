"""Nothing that a hostile member sends runs, is read, crashes Blender, or leaves the mirror out of order.

The cases run in a child, where the end of Blender is the failure of one test.
"""

from __future__ import annotations

import ast
import subprocess
import sys
from collections import deque
from pathlib import Path
from typing import Final

import pytest

from .hostile_cases import CASES

ROOT: Final = Path(__file__).resolve().parents[2]
SECONDS: Final = 300  # for all cases on a busy machine, unless one hangs


@pytest.fixture(scope="module")
def outcomes() -> dict[str, str]:
    """What each case came to: "ok", or why not."""
    left = deque(CASES)
    found: dict[str, str] = {}
    while left:
        try:
            command = [sys.executable, "-m", "tests.blender.hostile_cases", *left]
            done = subprocess.run(command, cwd=ROOT, capture_output=True, timeout=SECONDS, check=False)
            out, end = (
                done.stdout,
                f"Blender ended with {done.returncode}: {done.stderr[-2000:].decode(errors='replace')}",
            )
        except subprocess.TimeoutExpired as exc:
            out, end = exc.stdout or b"", f"not done within {SECONDS} s"
        for line in out.decode(errors="replace").splitlines():
            if line.startswith("END "):
                found[left.popleft()] = ast.literal_eval(line.removeprefix("END "))
        if left:
            found[left.popleft()] = end
    return found


@pytest.mark.parametrize("name", CASES)
def test_nothing_comes_of(name: str, outcomes: dict[str, str]) -> None:  # TRUST10 to TRUST24, INPUT10
    assert outcomes[name] == "ok", outcomes[name]
