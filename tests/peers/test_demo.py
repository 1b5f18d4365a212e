"""`python -m demo`, as a newcomer runs it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Final

import pytest

from .processes import ROOT

DEMO_SECONDS: Final = 240


def demo(*arguments: object) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "demo", *map(str, arguments)]
    return subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)


def ended(process: subprocess.Popen[str]) -> tuple[int, str]:
    try:
        out, _ = process.communicate(timeout=DEMO_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        raise
    return process.returncode, out


def children(parent: int) -> list[int]:
    """The processes that `parent` started and that still run."""
    found = []
    for entry in Path("/proc").iterdir():
        try:
            stat = (entry / "stat").read_text()
        except OSError:
            continue  # no process, or one that just ended
        if int(stat.rsplit(")", 1)[1].split()[1]) == parent:
            found.append(int(entry.name))
    return found


def test_both_blenders_end_up_with_the_same(tmp_path: Path) -> None:
    code, out = ended(demo("--keep", tmp_path))
    assert code == 0, out
    assert "both hold the same" in out
    picture = (tmp_path / "side_by_side.png").read_bytes()
    assert picture.startswith(b"\x89PNG") and len(picture) > 50_000, "no picture"  # noqa: PT018
    assert out.count(" edits;") == 2, out


def test_a_file_that_is_not_there_is_said_in_one_line(tmp_path: Path) -> None:
    code, out = ended(demo("--scene", tmp_path / "missing.blend", "--keep", tmp_path / "kept"))
    assert (code, len(out.splitlines())) == (1, 1)
    assert "missing.blend" in out


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="sees processes in /proc")
@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM], ids=lambda how: how.name)
def test_stopped_it_leaves_nothing_running(how: signal.Signals, tmp_path: Path) -> None:
    process = demo("--keep", tmp_path)
    assert process.stdout is not None
    for line in process.stdout:
        if line.startswith("joiner       holds"):
            break
    started = children(process.pid)
    assert len(started) == 3
    process.send_signal(how)
    code, out = ended(process)
    assert code == 1, out
    assert "demo: stopped" in out
    assert [pid for pid in started if os.path.exists(f"/proc/{pid}")] == []
