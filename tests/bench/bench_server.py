"""The broadcaster alone: how long edits take, what waiting members and a room cost, how long a late join takes."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, fields
from pathlib import Path
from statistics import median
from typing import Final

import orjson

from broadcaster import wire
from tests.peers.processes import ROOT, Broadcaster

from .figures import Figure, Scale, show
from .guest import CREATE, Guest, drain, push

MEMBERS: Final = 32
EDITS_PER_SECOND: Final = 200.0
UPLOAD_BYTES: Final = 1 << 30
SILENT: Final = 100
ENTITIES: Final = 1000
TRANSACTIONS: Final = 100_000
IN_A_WRITE: Final = 500
ROOM_BYTES: Final = 64 * wire.MIB
ENTITY_BYTES: Final = 2048
ROOMS, PER_ROOM, ROOM_EDITS_PER_SECOND = 100, 10, 5.0
JOINS: Final = 15


def run(scale: Scale) -> None:
    """Prints figures beside their budgets."""
    for measure in (_latency, _idle, _late_join, _memory, _crowd):
        with tempfile.TemporaryDirectory() as folder, Broadcaster("--data", folder) as server:
            measure(server, scale)


def _latency(server: Broadcaster, scale: Scale) -> None:
    port = _port(server)
    edits = _Edits([Guest(port, "editor", "room 0")], EDITS_PER_SECOND)
    size = int(UPLOAD_BYTES * scale.size)
    with _listeners(port, 1, MEMBERS) as report:
        alone = _median([edits.run(report, lambda elapsed: elapsed > scale.seconds) for _ in range(scale.rounds)])
        with _program("uploader", str(port), str(size)) as upload:
            during = edits.run(report, lambda _: upload.poll() is not None)
            if upload.wait():
                raise RuntimeError("the upload failed")
    what = f"an edit to {MEMBERS} members at {EDITS_PER_SECOND:g}/s"
    beside = f"{during.seconds:.1f} s; p50 {during.p50:.2f} ms, alone {alone.p99:.2f} ms"
    show(
        Figure(f"{what}: p50", alone.p50, "ms"),
        Figure(f"{what}: p99", alone.p99, "ms"),
        Figure(f"{what} while {size >> 20} MiB come: p99", during.p99, "ms", 2 * alone.p99, beside),
    )


def _idle(server: Broadcaster, scale: Scale) -> None:
    guests = [Guest(_port(server), f"silent {number}") for number in range(SILENT)]
    time.sleep(1.0)
    before, start = _cpu_seconds(server), time.monotonic()
    time.sleep(4 * scale.seconds)
    share = (_cpu_seconds(server) - before) / (time.monotonic() - start)
    show(Figure(f"{len(guests)} silent members: CPU of the broadcaster", 100 * share, "%", 1.0))


def _late_join(server: Broadcaster, scale: Scale) -> None:
    """The same content twice: made by many transactions, and by few."""
    count = int(TRANSACTIONS * scale.size)
    text = "x" * 1000
    uuids = [f"entity{number:06d}" for number in range(ENTITIES)]
    create = [[uuid, ["create", "notes", {"text": text, "at": 1_000_000}]] for uuid in uuids]
    rooms = {"few": 0, "many": count}
    for room, edits in rooms.items():
        guest = Guest(_port(server), "editor", room)
        guest.edit(1, create)
        for start in range(0, edits, IN_A_WRITE):
            frames = []
            for number in range(start, start + IN_A_WRITE):
                deltas = [[uuids[number % ENTITIES], ["patch", {"at": ["put", 1_000_000 + number]}]]]
                frames.append(wire.encode({"type": "tx", "seq": number + 2, "base": 1, "deltas": deltas}))
            guest.socket.sendall(b"".join(frames))
            guest.until_revision(min(start + IN_A_WRITE, edits) + 1)
    times: dict[str, list[float]] = {room: [] for room in rooms}
    for number in range(JOINS):
        for room in rooms:
            start_time = time.perf_counter()
            joiner = Guest(_port(server), f"late {number}", room)
            times[room].append((time.perf_counter() - start_time) * 1000)
            joiner.socket.close()
    few, many = (median(times[room]) for room in rooms)
    what = f"late join of {ENTITIES:,} entities after {count:,} transactions"
    show(Figure(what, many, "ms", 1.5 * few, f"after 1 transaction {few:.0f} ms"))


def _memory(server: Broadcaster, scale: Scale) -> None:
    guest = Guest(_port(server), "editor")
    guest.edit(1, CREATE)
    before = _resident_bytes(server)
    size = seq = 0
    while size < ROOM_BYTES:  # also in short: what a process needs anyway would be most of a small one
        seq += 1
        tree = {f"field{number}": [1.5 * number, "x" * 20, seq] for number in range(ENTITY_BYTES // 45)}
        text = orjson.dumps(tree)
        deltas = [[f"entity{seq:06d}{place:03d}", ["create", "notes", tree]] for place in range(100)]
        size += 100 * len(text)
        guest.edit(seq + 1, deltas)
    time.sleep(scale.seconds)
    grown = _resident_bytes(server) - before
    what = f"a room with a snapshot of {size / 1e6:.0f} MB: memory beside it"
    show(Figure(what, grown / size, "x", 2.0, f"{grown / 1e6:.0f} MB"))


def _crowd(server: Broadcaster, scale: Scale) -> None:
    port = _port(server)
    rooms = max(int(ROOMS * min(2 * scale.size, 1.0)), 1)
    editors = [Guest(port, "editor", f"room {room}") for room in range(rooms)]
    edits = _Edits(editors, rooms * ROOM_EDITS_PER_SECOND)
    with _listeners(port, rooms, PER_ROOM - 1) as report:
        before, start = _cpu_seconds(server), time.monotonic()
        took = _median([edits.run(report, lambda elapsed: elapsed > 2 * scale.seconds) for _ in range(scale.rounds)])
        share = (_cpu_seconds(server) - before) / (time.monotonic() - start)
    what = f"{rooms * PER_ROOM} members in {rooms} rooms at {ROOM_EDITS_PER_SECOND:g} edits/s each: p99"
    show(Figure(what, took.p99, "ms", 100.0, f"p50 {took.p50:.2f} ms; {100 * share:.0f} % of a core"))


# Edits at a pace


@dataclass(frozen=True, slots=True)
class _Took:
    seconds: float
    p50: float  # ms
    p99: float


def _median(runs: list[_Took]) -> _Took:
    return _Took(*(median(getattr(run, field.name) for run in runs) for field in fields(_Took)))


class _Edits:
    """Edits that bear the time at which they were sent, by one member after another."""

    def __init__(self, guests: list[Guest], per_second: float) -> None:
        self._guests = guests
        self._seqs = [1] * len(guests)
        self._per_second = per_second
        for guest in guests:
            guest.edit(1, CREATE)

    def run(self, report: Callable[[], dict[str, float]], is_over: Callable[[float], bool]) -> _Took:
        """Sends until `is_over` of the seconds gone by; what the listeners then say."""
        report()  # what was before
        start = time.monotonic()
        sent = 0
        while not is_over(time.monotonic() - start):
            time.sleep(max(start + sent / self._per_second - time.monotonic(), 0.0))
            self._send(sent % len(self._guests))
            sent += 1
        seconds = time.monotonic() - start
        time.sleep(0.5)
        said = report()
        if not said["count"]:
            raise RuntimeError("no edit came")
        return _Took(seconds, said["p50"], said["p99"])

    def _send(self, place: int) -> None:
        guest = self._guests[place]
        self._seqs[place] += 1
        deltas = [["target", ["patch", {"text": ["put", f"~{time.monotonic_ns()}~" + "x" * 80]}]]]
        push(guest.socket, wire.encode({"type": "tx", "seq": self._seqs[place], "base": 1, "deltas": deltas}))
        drain(guest.socket)


# Processes


@contextmanager
def _program(name: str, *arguments: str) -> Iterator[subprocess.Popen[str]]:
    command = [sys.executable, "-m", f"tests.bench.{name}", *arguments]
    process = subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    try:
        yield process
    finally:
        process.kill()
        process.wait()
        for pipe in (process.stdin, process.stdout):
            if pipe is not None:
                pipe.close()


@contextmanager
def _listeners(port: int, rooms: int, members: int) -> Iterator[Callable[[], dict[str, float]]]:
    with _program("listeners", str(port), str(rooms), str(members)) as process:
        tell, hear = process.stdin, process.stdout
        assert tell is not None
        assert hear is not None
        assert hear.readline() == "ready\n"

        def report() -> dict[str, float]:
            tell.write("\n")
            tell.flush()
            said: dict[str, float] = orjson.loads(hear.readline())
            return said

        yield report


def _port(server: Broadcaster) -> int:
    return int(server.address.rpartition(":")[2])


def _cpu_seconds(server: Broadcaster) -> float:
    """Linux alone tells that of another process."""
    fields = Path(f"/proc/{server.process.pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _resident_bytes(server: Broadcaster) -> int:
    pages = Path(f"/proc/{server.process.pid}/statm").read_text().split()[1]
    return int(pages) * os.sysconf("SC_PAGE_SIZE")
