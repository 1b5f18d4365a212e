"""`python -m demo`: a broadcaster and two Blenders in one room. Both edit at once; then their files are compared.

    python -m demo [--scene FILE.blend] [--keep DIR]

Exits 0 if both hold the same at the end, and 1 if not or if anything goes wrong. Nothing it started outlives it.
"""

from __future__ import annotations

import argparse
import json
import queue
import signal
import sys
import time
from collections import Counter
from dataclasses import dataclass, field
from io import TextIOWrapper
from pathlib import Path
from types import FrameType
from typing import Any, Final

from demo.children import ROOT, Child, Children, Failed

START_SECONDS: Final = 30.0
EDIT_SECONDS: Final = 120.0  # for sharing, joining and all edits
LOOK_SECONDS: Final = 60.0  # for the comparison, and again for the pictures
LISTED: Final = 20  # properties that differ
PEERS: Final = ("host", "joiner")


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m demo", description=__doc__.split("\n")[0])
    parser.add_argument("--scene", type=Path, metavar="FILE.blend", help="what the host opens (default: an island)")
    parser.add_argument(
        "--keep",
        type=Path,
        metavar="DIR",
        default=Path("build/demo"),
        help="where both files, the picture and the logs go (default: build/demo)",
    )
    options = parser.parse_args(argv)
    signal.signal(signal.SIGTERM, _interrupt)
    if isinstance(sys.stdout, TextIOWrapper):
        sys.stdout.reconfigure(line_buffering=True)  # also where it goes to a file
    try:
        return demonstrate(options.scene, options.keep.resolve())
    except (Failed, OSError) as exc:
        print(f"demo: {exc}", file=sys.stderr)
    except KeyboardInterrupt:
        print("demo: stopped", file=sys.stderr)
    return 1


def _interrupt(signum: int, frame: FrameType | None) -> None:
    raise KeyboardInterrupt


def demonstrate(scene: Path | None, keep: Path) -> int:
    """The whole demo. Raises Failed if one of its programs fails."""
    if scene is not None and not scene.is_file():
        raise Failed(f"there is no file {scene}")
    begun = time.monotonic()
    keep.mkdir(parents=True, exist_ok=True)
    for old in ("host.blend", "joiner.blend", "host.json", "joiner.json", "side_by_side.png"):
        (keep / old).unlink(missing_ok=True)
    with Children(keep) as children:
        if scene is None:
            scene = keep / "island.blend"
            children.start("scene", "-m", "demo.scene", scene).finish(START_SECONDS)
        print(f"scene        {scene}")
        company = edit_together(children, scene.resolve(), keep)
        found = compare(children, keep)
        picture = keep / "side_by_side.png"
        children.start("picture", "-m", "demo.picture", *_files(keep), picture).finish(LOOK_SECONDS)
    print(f"picture      {picture}")
    return verdict(company, found, keep, time.monotonic() - begun)


# Two Blenders in a room ---------------------------------------------------------------------------------------------


@dataclass(slots=True)
class Peer:
    """What one of the two has told so far."""

    edits: int = 0
    skipped: int = 0
    end: dict[str, Any] = field(default_factory=dict)


def edit_together(children: Children, scene: Path, keep: Path) -> dict[str, Peer]:
    """Starts all three programs and follows the edits to the end."""
    served = children.start("broadcaster", "-m", "broadcaster", "serve", "--port", 0, "--http-port", 0)
    address = served.expect("listening on ", START_SECONDS).removeprefix("listening on ").split(",")[0]
    print(f"broadcaster  {address}")
    deadline = time.monotonic() + EDIT_SECONDS
    host = _peer(children, "host", address, keep, "--open", scene)
    host.expect('{"demo": "ready"', EDIT_SECONDS)  # the scene is in the room: now there is something to join
    print("host         shares the scene")
    joiner = _peer(children, "joiner", address, keep)
    joiner.expect('{"demo": "ready"', EDIT_SECONDS)
    print("joiner       holds the scene; both edit")
    company = {"host": Peer(), "joiner": Peer()}
    line = LiveLine()
    waiting = {"host": host, "joiner": joiner}
    while waiting:
        for name, child in list(waiting.items()):
            try:
                text = child.line(0.05)
            except queue.Empty:
                if time.monotonic() > deadline:
                    raise Failed(f"{name} did not come to an end within {EDIT_SECONDS:g} s (see {child.log})") from None
                continue
            if text is None:
                child.finish(START_SECONDS)
                del waiting[name]
            elif text.startswith('{"demo"'):
                _note(company[name], json.loads(text), line)
    line.close()
    return company


def _peer(children: Children, name: str, address: str, keep: Path, *more: object) -> Child:
    arguments = {
        "--server": address,
        "--room": "demo",
        "--name": name,
        "--run": ROOT / "demo" / f"{name}_edits.py",
        "--save": keep / f"{name}.blend",
        "--stats": keep / f"{name}.json",
        "--timeout": EDIT_SECONDS,
    }
    return children.start(name, "-m", "mixer", "peer", *(one for pair in arguments.items() for one in pair), *more)


def _note(peer: Peer, told: dict[str, Any], line: LiveLine) -> None:
    match told["demo"]:
        case "edit":
            peer.edits += 1
            line.show(told)
        case "skipped":
            peer.skipped += 1
        case "end":
            peer.end = told


class LiveLine:
    """One line about what travels, kept up to date on a terminal; elsewhere a line for each edit."""

    def __init__(self) -> None:
        self._edits: Counter[str] = Counter()
        self._is_terminal = sys.stdout.isatty()

    def show(self, told: dict[str, Any]) -> None:
        self._edits[told["who"]] += 1
        counts = "  ".join(f"{name} {self._edits[name]:2}" for name in PEERS)
        sent, received = (told[way]["bytes"] / 1000 for way in ("sent", "received"))
        text = (
            f"{counts}  rev {told['revision']:4}  {told['who']:6} ↑ {sent:8.1f} kB ↓ {received:8.1f} kB  {told['text']}"
        )
        if self._is_terminal:
            print(f"\r\x1b[K{text[:118]}", end="", flush=True)
        else:
            print(text, flush=True)

    def close(self) -> None:
        if self._is_terminal:
            print()


# What came of it ----------------------------------------------------------------------------------------------------


def _files(keep: Path) -> tuple[Path, Path]:
    return keep / "host.blend", keep / "joiner.blend"


def compare(children: Children, keep: Path) -> list[dict[str, Any]]:
    """The differences between the two files, as `python -m mixer compare` finds them."""
    told = children.start("compare", "-m", "mixer", "compare", *_files(keep), "--json").finish(LOOK_SECONDS, (0, 1))
    if not told:
        raise Failed(f"the comparison said nothing (see {keep / 'compare.log'})")
    found: list[dict[str, Any]] = json.loads(told[-1])["differences"]
    return found


def _left_out(figures: dict[str, Any]) -> dict[str, str]:
    """What the two say themselves that they do not mirror, or not before they are told to trust: by RNA type, why."""
    told = {where: why for stats in figures.values() for where, why in stats["not_mirrored"].items()}
    return {where.split(": ")[-1]: why for where, why in told.items() if ": " not in where or "withheld" in why}


def verdict(company: dict[str, Peer], found: list[dict[str, Any]], keep: Path, seconds: float) -> int:
    """Prints what came of it; 0 if both hold the same."""
    figures = {name: json.loads((keep / f"{name}.json").read_text()) for name in PEERS}
    for name, peer in company.items():
        sent, received = peer.end["sent"], peer.end["received"]
        skipped = f" ({peer.skipped} had nothing to edit)" if peer.skipped else ""
        sums = [f"{one['transactions']} transactions, {one['bytes'] / 1000:.1f} kB" for one in (sent, received)]
        print(f"{name:12} {peer.edits} edits{skipped}; sent {sums[0]}; received {sums[1]}")
    digests = {peer.end["digest"] for peer in company.values()}
    equal = len(digests) == 1
    print(
        f"document     {'equal' if equal else 'DIFFERENT'}: digest {' and '.join(one[:16] for one in sorted(digests))}"
    )
    for name, stats in figures.items():
        print(f"{name:12} {stats['echoes']} echoes, {stats['drift']} repairs")
    left_out = _left_out(figures)
    real = [one for one in found if one["where"] not in left_out]
    print(f"files        {len(real)} differences over the whole RNA tree")
    counts = Counter(one["where"] for one in real)
    first = {one["where"]: one for one in reversed(real)}
    for where, count in counts.most_common(LISTED):
        one = first[where]
        print(f"             {count} in {where}, first {one['path']}: {one['a']} != {one['b']}")
    for where, count in Counter(one["where"] for one in found if one["where"] in left_out).items():
        print(f"left out     {count} in {where}: {left_out[where]}")
    same = equal and not real
    print(
        f"verdict      {'both hold the same' if same else 'NOT the same'}, in {seconds:.0f} s; all of it is in {keep}"
    )
    return 0 if same else 1


if __name__ == "__main__":
    sys.exit(main())
