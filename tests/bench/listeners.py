"""Members that only listen: `python -m tests.bench.listeners PORT ROOMS MEMBERS`, so many in each room.

Says "ready" once all are in step. For each line on its standard input it says how long edits took since the last one,
from when they were sent to when this process read them, as JSON: how many, p50 and p99 in ms.
"""

from __future__ import annotations

import re
import selectors
import sys
import time
from typing import Final

import orjson

from .guest import Guest

STAMP: Final = re.compile(rb"~(\d+)~")
KEPT_BYTES: Final = 400  # of what was read, for a stamp that is cut in two


def main(port: str, rooms: str, members: str) -> None:
    guests = [
        Guest(int(port), f"listener {number}", f"room {room}")
        for room in range(int(rooms))
        for number in range(int(members))
    ]
    print("ready", flush=True)
    selector = selectors.DefaultSelector()
    selector.register(sys.stdin.buffer, selectors.EVENT_READ)
    for guest in guests:
        selector.register(guest.socket, selectors.EVENT_READ, bytearray())
    taken: list[int] = []
    while True:
        for key, _ in selector.select():
            if key.data is None:
                if not sys.stdin.buffer.readline():
                    return
                print(orjson.dumps(summary(taken)).decode(), flush=True)
                taken.clear()
            else:
                taken += read(key.fileobj.recv(1 << 20), key.data)  # type: ignore[union-attr]


def read(data: bytes, kept: bytearray) -> list[int]:
    """How many ns ago what now came was sent."""
    now = time.monotonic_ns()
    kept += data
    end = 0
    found = []
    for stamp in STAMP.finditer(kept):
        found.append(now - int(stamp[1]))
        end = stamp.end()
    del kept[: max(end, len(kept) - KEPT_BYTES)]
    return found


def summary(taken: list[int]) -> dict[str, float]:
    ordered = sorted(taken) or [0]
    p50, p99 = (ordered[int(len(ordered) * part)] / 1e6 for part in (0.5, 0.99))
    return {"count": len(taken), "p50": p50, "p99": p99}


if __name__ == "__main__":
    main(*sys.argv[1:])
