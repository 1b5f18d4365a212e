"""Two .blend files of one scene: whether they hold the same, over the whole RNA tree.

The judge of the mirror: it imports neither its rules nor its proxies, and looks at everything that RNA shows
apart from what `tables` names, with the reason.
"""

from __future__ import annotations

import argparse
import contextlib
import gc
import json
import os
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Final

from .differ import Difference, differences
from .walk import read_file

__all__ = ["Difference", "add_arguments", "compare", "differences", "main", "read_file", "run"]

LISTED: Final = 200


def compare(a: Path, b: Path) -> list[Difference]:
    """Every difference between two files, opened one after the other in this Blender.

    Raises RuntimeError if Blender cannot open one of them.
    """
    gc.disable()  # millions of values, no cycles among them: a third of the time
    try:
        return differences(read_file(a), read_file(b))
    finally:
        gc.enable()


def main(argv: Sequence[str] | None = None) -> int:
    """The command: 0 if the files hold the same scene, 1 if not or if one does not open, 2 on wrong arguments."""
    parser = argparse.ArgumentParser(prog="python -m mixer.compare", description="Compare two .blend files.")
    add_arguments(parser)
    return run(parser.parse_args(argv))


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("a", type=Path, metavar="A.blend")
    parser.add_argument("b", type=Path, metavar="B.blend")
    parser.add_argument("--json", action="store_true", help="print the differences as JSON")


def run(args: argparse.Namespace) -> int:
    """Compares, prints, and returns the exit code."""
    try:
        with _blender_on_stderr():
            found = compare(args.a, args.b)
    except RuntimeError as exc:
        print(f"cannot compare: {str(exc).strip()}", file=sys.stderr)
        return 1
    scene = [one for one in found if not one.per_user]
    per_user = [one for one in found if one.per_user]
    if args.json:
        print(json.dumps({"differences": list(map(asdict, scene)), "per_user": list(map(asdict, per_user))}))
    else:
        print(report(scene, "differences"))
        if per_user:
            print(report(per_user, "per user, as each person has it"))
    return 1 if scene else 0


@contextlib.contextmanager
def _blender_on_stderr() -> Iterator[None]:
    """What Blender prints while it opens files is not part of the answer."""
    sys.stdout.flush()
    kept = os.dup(1)
    os.dup2(2, 1)
    try:
        yield
    finally:
        os.dup2(kept, 1)
        os.close(kept)


def report(found: Sequence[Difference], title: str) -> str:
    """The differences as text: how many of each RNA type and property, then each by its path."""
    lines = [f"{len(found)} {title}"]
    lines += [f"  {count:6} {where}" for where, count in Counter(one.where for one in found).most_common()]
    lines += [f"  {one}" for one in found[:LISTED]]
    if len(found) > LISTED:
        lines.append(f"  ... and {len(found) - LISTED} more")
    return "\n".join(lines)
