"""Transactions of 200 B and blobs of 64 KiB from one member to 1, 8 and 32 others, beside other servers.

Each server runs alone, fresh, for a moment, and in rounds that go through all of them, so that whatever else the
machine does meets all alike. One process sends, another holds all receivers. At most a window of messages is between
the sender and its last receiver, so no server drops anything. What counts is how many messages a second all have
received. What each has kept by the time it answers is printed first: the broadcaster flushes to disk before anybody
sees anything, as Redis does with its AOF set to `always`; JetStream leaves the flush to the kernel, unless it is told
otherwise; the others keep nothing.
"""

from __future__ import annotations

import mmap
import socket
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from typing import Final

from tests.peers.processes import ROOT

from .figures import Figure, Scale, show
from .receivers import COUNT
from .relays import (
    BATCH_BYTES,
    Broadcaster,
    BroadcasterBlobs,
    JetStream,
    JetStreamFlushed,
    Mosquitto,
    NatsCore,
    PlainBroadcaster,
    RedisPubSub,
    RedisStreams,
    Relay,
    TrioRelay,
)

RECEIVERS: Final = (1, 8, 32)
OTHERS: Final[tuple[type[Relay], ...]] = (
    PlainBroadcaster, JetStream, JetStreamFlushed, RedisStreams, NatsCore, RedisPubSub, Mosquitto, TrioRelay
)  # fmt: skip
WINDOWS: Final = {200: 8192, 65536: 64}  # messages between the sender and its last receiver, by their size
NAMES: Final = {200: "200 B", 65536: "64 KiB"}
STALLED_SECONDS: Final = 60.0
YARDSTICK: Final = 32  # receivers, to which nats core is to be equalled


def run(scale: Scale) -> None:
    """Prints messages a second in and delivered to all, the broadcaster's ratio to each other server beside it."""
    lacking = {kind: kind.lacking() for kind in OTHERS}
    kinds = [kind for kind in OTHERS if lacking[kind] is None]
    for kind in (Broadcaster, *OTHERS):
        print(f"{kind.name}: {lacking.get(kind) or f'when it answers it has kept: {kind.at_ack}'}", flush=True)
    for size, ours in ((200, Broadcaster), (65536, BroadcasterBlobs)):
        for count in RECEIVERS:
            rates: dict[type[Relay], list[float]] = defaultdict(list)
            beside = [kind for kind in kinds if not issubclass(kind, Broadcaster) or ours is Broadcaster]
            for _ in range(scale.rounds):
                for kind in (ours, *beside):
                    rates[kind].append(_rate(kind, size, count, scale.seconds))
            _show(size, count, ours, {kind: median(of) for kind, of in rates.items()})


def _show(size: int, count: int, ours: type[Relay], rates: dict[type[Relay], float]) -> None:
    what = f"relay of {NAMES[size]} to {count}: "
    show(Figure(what + ours.name, rates[ours], "/s"))
    for kind, rate in rates.items():
        if kind is not ours:
            goal = (
                1.0
                if (kind.keeps and kind is not PlainBroadcaster) or (kind is NatsCore and count == YARDSTICK)
                else None
            )
            beside = f"{kind.name} {rate:,.0f} /s"
            show(Figure(what + f"times {kind.name}", rates[ours] / rate, "x", goal, beside, at_least=True))


def _rate(kind: type[Relay], size: int, count: int, seconds: float) -> float:
    with tempfile.TemporaryDirectory() as folder:
        relay = kind(_free_port(), size)
        (Path(folder) / "data").mkdir()
        seen = Path(folder) / "seen"
        seen.write_bytes(COUNT.pack(-1))
        with _process(relay.command(Path(folder) / "data")):
            relay.open()
            told = [kind.__name__, str(relay.port), str(size), str(count), str(seen)]
            with (
                _process([sys.executable, "-m", "tests.bench.receivers", *told]),
                seen.open("r+b") as shared,
                mmap.mmap(shared.fileno(), COUNT.size) as counted,
            ):
                return _flow(relay, counted, seconds)


def _flow(relay: Relay, counted: mmap.mmap, seconds: float) -> float:
    def received() -> int:
        return int(COUNT.unpack_from(counted)[0])

    _wait(relay, lambda: received() == 0)
    window = WINDOWS[relay.size]
    batch = max(BATCH_BYTES // relay.size, 1)
    sent = 0
    start = time.perf_counter()
    while time.perf_counter() - start < seconds:
        if sent - received() + batch > window:
            relay.idle()
            time.sleep(0.0002)
        else:
            relay.send(sent, batch)
            sent += batch
    _wait(relay, lambda: received() == sent)
    return sent / (time.perf_counter() - start)


def _wait(relay: Relay, condition: Callable[[], bool]) -> None:
    end = time.monotonic() + STALLED_SECONDS
    while not condition():
        if time.monotonic() > end:
            raise RuntimeError(f"{relay.name}: not all that was sent came")
        relay.idle()
        time.sleep(0.0002)


@contextmanager
def _process(command: list[str]) -> Iterator[None]:
    process = subprocess.Popen(
        command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        yield
    finally:
        process.kill()
        process.wait()
        assert process.stdin is not None
        process.stdin.close()


def _free_port() -> int:
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return int(sock.getsockname()[1])
