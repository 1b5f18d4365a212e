"""`python -m tests.fuzz.guided`: atheris looks for bytes that make a parser fail, by what code they reach.

A failure, more memory than MEMORY_MB, or an input that takes longer than SLOW_SECONDS ends it with that input in hex,
for tests/fuzz/test_parsers.py to keep. All that they reach is instrumented, so each has a process of its own.
"""

from __future__ import annotations

import argparse
import importlib.util
import re
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Final

NAMES: Final = ("frames", "messages", "deltas", "mixroom")  # as in parsers.PARSERS, which is imported instrumented only
SECONDS: Final = 600.0
MEMORY_MB: Final = 512
SLOW_SECONDS: Final = 10
MAX_BYTES: Final = 1000  # of an input
DONE: Final = re.compile(r"Done (\d+) runs")
INSTRUMENTED: Final = ["broadcaster", "tests.fuzz.parsers", "tests.fuzz.company", "zipfile"]


def main() -> int:
    """How many parsers failed, at most 1."""
    parser = argparse.ArgumentParser(prog="tests.fuzz.guided", description=__doc__)
    parser.add_argument("parser", nargs="?", choices=NAMES, help="only this one")
    parser.add_argument("--seconds", type=float, default=SECONDS, help="for all of them (default: %(default)s)")
    asked = parser.parse_args()
    if importlib.util.find_spec("atheris") is None:
        print("== fuzzing by coverage is LEFT OUT, because there is no atheris for this Python and machine")
        return 0
    names = [asked.parser] if asked.parser else NAMES
    return max(look(name, max(1, round(asked.seconds / len(names)))) for name in names)


def look(name: str, seconds: int) -> int:
    """1 if an input was found that makes the parser fail, which is told."""
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", __spec__.name, "--child", name, f"-max_total_time={seconds}"]
        options = [f"-rss_limit_mb={MEMORY_MB}", f"-timeout={SLOW_SECONDS}", f"-max_len={MAX_BYTES}"]
        done = subprocess.run(
            [*command, *options, f"-artifact_prefix={folder}/"], capture_output=True, text=True, check=False
        )
        if done.returncode == 0 and (runs := DONE.search(done.stderr)) is not None:
            print(f"{name}: {runs[1]} inputs in {seconds} s, all well", flush=True)
            return 0
        found = [file.read_bytes().hex() for file in Path(folder).iterdir()]
    print(f"{done.stdout[-4000:]}{done.stderr[-2000:]}\n{name} FAILED on {' '.join(found) or 'no input'}", flush=True)
    return 1


def child(name: str, options: list[str]) -> None:
    """Never returns."""
    atheris = importlib.import_module("atheris")
    with atheris.instrument_imports(include=INSTRUMENTED):
        parsers = importlib.import_module(f"{__spec__.parent}.parsers")
    atheris.Setup([name, *options], parsers.PARSERS[name])
    atheris.Fuzz()


if __name__ == "__main__":
    if sys.argv[1:2] == ["--child"]:
        child(sys.argv[2], sys.argv[3:])
    raise SystemExit(main())
