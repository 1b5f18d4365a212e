"""A member that stores large blobs: `python -m tests.bench.uploader PORT BYTES`. It ends when all are stored."""

from __future__ import annotations

import os
import sys
from hashlib import sha256
from typing import Final

from broadcaster import wire
from broadcaster.wire import Piece

from .guest import Guest

BLOB_BYTES: Final = 256 * wire.MIB


def main(port: str, size: str) -> None:
    guest = Guest(int(port), "uploader", "room 0")
    blobs = guest.attached()
    left = int(size)
    names = []
    while left:
        data = os.urandom(wire.MIB) * -(-min(left, BLOB_BYTES) // wire.MIB)
        data = data[: min(left, BLOB_BYTES)]
        left -= len(data)
        name = sha256(data).hexdigest()
        names.append(name)
        for start in range(0, len(data), wire.MAX_PIECE_BYTES):
            part = data[start : start + wire.MAX_PIECE_BYTES]
            blobs.sendall(wire.encode_piece(Piece(name, start, len(data), part)))
    blobs.sendall(wire.encode({"type": "has", "shas": names}))
    answer = blobs.recv(1 << 16)
    assert answer.endswith(b'"shas":[]}'), answer


if __name__ == "__main__":
    main(*sys.argv[1:])
