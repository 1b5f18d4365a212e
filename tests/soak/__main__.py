"""`python -m tests.soak --minutes 30`: a broadcaster with a crowd in some rooms, and a room that must not notice.

It keeps its rooms on disk. It fails if an edit of the calm room does not come to all its members, if one of them loses
its line, if the memory of the broadcaster is not flat, if it logged a fault, or if after a restart the calm room is
another one. Memory is flat if the median of the last third is at most GROWTH times that of the second third, and
GROWTH_MB; the first third is for warming up.
"""

from __future__ import annotations

import argparse
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import orjson
import trio

from broadcaster.member import Member
from broadcaster.wire import MIB, Piece
from tests.server.line import line
from tests.server.processes import ROOT, Broadcaster, broadcaster

from .calm import FOLDED, MEMBERS, ROOM, Calm, Seen

GROWTH: Final = 1.1
GROWTH_MB: Final = (
    64.0  # what a burst of blobs and floods leaves behind for a while; a leak is more, or comes out in half an hour
)
SAMPLE_SECONDS: Final = 1.0
LIMITS: Final = {  # so that what takes hours, by default, comes round many times in minutes
    "greeting_seconds": 5,
    "stalled_seconds": 5,
    "idle_seconds": 60,
    "empty_seconds": 5,
    "blob_grace_seconds": 10,
    "members": 24,
    "remembered": 16,
    "leases": 20,
    "outbox_bytes": MIB,
    "waiting_bytes": MIB,
    "connections": 60,
}


def main() -> int:
    """How many things were wrong, at most 1."""
    parser = argparse.ArgumentParser(prog="tests.soak", description=__doc__)
    parser.add_argument("--minutes", type=float, default=30.0, help="(default: %(default)s)")
    seconds = parser.parse_args().minutes * 60
    with tempfile.TemporaryDirectory() as folder:
        said = Path(folder, "said")
        options = [word for name, value in LIMITS.items() for word in ("--limit", f"{name}={value}")]
        serve: Callable[[], Any] = lambda: broadcaster("--data", str(Path(folder, "data")), *options, said=said)  # noqa: E731
        with serve() as server:
            seen, memory, counts = trio.run(_soak, server, seconds)
            ended = server.stop()
        faults = said.read_text().count("Traceback")
        with serve() as server:
            again = trio.run(_digest, server)
    return _judge(seen, memory, counts, {"exit code": ended, "faults": faults}, again)


async def _soak(server: Broadcaster, seconds: float) -> tuple[Seen, list[float], dict[str, int]]:
    calm, memory, counts = Calm((server.host, server.port)), list[float](), dict[str, int]()
    command = [sys.executable, "-m", "tests.soak.crowd", server.host, str(server.port), str(seconds)]

    async def crowd() -> None:
        done = await trio.run_process(command, capture_stdout=True, cwd=ROOT)
        counts.update(orjson.loads(done.stdout))

    async def weigh() -> None:
        while True:
            memory.append(_resident(server.process.pid))
            await trio.sleep(SAMPLE_SECONDS)

    async with trio.open_nursery() as nursery:
        nursery.start_soon(weigh)
        async with trio.open_nursery() as both:
            both.start_soon(crowd)
            both.start_soon(calm.stay, seconds)
        nursery.cancel_scope.cancel()
    return calm.seen, memory, counts


def _resident(pid: int) -> float:
    """Megabytes of a process that are in memory."""
    asked = subprocess.run(["ps", "-o", "rss=", "-p", str(pid)], capture_output=True, text=True, check=True)
    return int(asked.stdout) / 1024


async def _digest(server: Broadcaster) -> str:
    """Of the calm room."""
    async with line((server.host, server.port)) as one:
        member = Member(one.member)
        member.begin(await one.join(ROOM, create=False, role="viewer"))
        while not member.ready:
            message = await one.next()
            if not isinstance(message, Piece) and message["type"] in FOLDED:
                member.receive([message])
        return member.confirmed.digest()


def _judge(seen: Seen, memory: list[float], counts: dict[str, int], ended: dict[str, int], again: str) -> int:
    third = len(memory) // 3
    warm, late = statistics.median(memory[third : 2 * third]), statistics.median(memory[-third:])
    taken = sorted(seen.seconds)
    half, most = statistics.median(taken), taken[len(taken) * 99 // 100]
    print("the crowd: " + ", ".join(f"{name} {count:,}" for name, count in sorted(counts.items())))
    print(f"the calm room: {seen.made:,} edits, {seen.arrived:,} arrivals, {seen.made * (MEMBERS - 1):,} expected")
    print(f"  after {half * 1e3:.0f} ms half of them, after {most * 1e3:.0f} 99 %, after {taken[-1] * 1e3:.0f} all")
    print(f"memory: {warm:.0f} MB in the second third, {late:.0f} MB in the last, at most {max(memory):.0f} MB")
    wrong = [f"{name}: {count}" for name, count in ended.items() if count]  # SOAK3
    if seen.arrived != seen.made * (MEMBERS - 1):  # SOAK1
        wrong.append("an edit did not come to all, or twice")
    if late > warm * GROWTH + GROWTH_MB:  # SOAK2
        wrong.append("memory grows")
    if seen.digests != {again}:
        wrong.append(f"the calm room was {seen.digests}, and is {again} after a restart")
    print("; ".join(wrong) or "all well")
    return 1 if wrong else 0


if __name__ == "__main__":
    raise SystemExit(main())
