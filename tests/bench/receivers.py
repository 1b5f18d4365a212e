"""The process that holds all receivers: `python -m tests.bench.receivers KIND PORT SIZE COUNT FILE`.

How many messages the last of them has is written to FILE, where the sender sees it without asking.
"""

from __future__ import annotations

import mmap
import selectors
import sys
from pathlib import Path
from struct import Struct
from typing import Final

from .relays import KINDS, Receiver

COUNT: Final = Struct("<q")  # -1 until all receivers have joined
READ_BYTES: Final = 1 << 20


def main(kind: str, port: str, size: str, count: str, file: str) -> None:
    relay = KINDS[kind](int(port), int(size))
    receivers = [relay.receiver(number) for number in range(int(count))]
    with Path(file).open("r+b") as shared, mmap.mmap(shared.fileno(), COUNT.size) as seen:
        COUNT.pack_into(seen, 0, 0)
        read(receivers, seen)


def read(receivers: list[Receiver], seen: mmap.mmap) -> None:
    selector = selectors.DefaultSelector()
    for receiver in receivers:
        for sock in receiver.sockets:
            selector.register(sock, selectors.EVENT_READ, receiver)
    buffer = bytearray(READ_BYTES)
    view = memoryview(buffer)
    while True:
        for key, _ in selector.select():
            length = key.fileobj.recv_into(view)  # type: ignore[union-attr]
            if not length:
                return  # the server ended
            key.data.take(key.fileobj, view[:length].tobytes())
        COUNT.pack_into(seen, 0, min(receiver.count for receiver in receivers))


if __name__ == "__main__":
    main(*sys.argv[1:])
