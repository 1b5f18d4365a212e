"""A relay in bare trio: what Python could do if nothing was checked or kept. `python -m tests.bench.trio_relay PORT`.

A frame is its length (4 bytes, little-endian) and that many bytes. Each is cut out and queued to everybody else.
"""

from __future__ import annotations

import socket
import sys
from struct import Struct
from typing import Final

import trio

LENGTH: Final = Struct("<I")
RECEIVE_BYTES: Final = 256 * 1024


class Peer:
    """What waits for one connection."""

    def __init__(self) -> None:
        self._frames: list[bytes] = []
        self._wake = trio.Event()

    def post(self, frames: list[bytes]) -> None:
        self._frames += frames
        self._wake.set()

    async def write(self, stream: trio.SocketStream) -> None:
        while True:
            await self._wake.wait()
            self._wake = trio.Event()
            frames, self._frames = self._frames, []
            await stream.send_all(b"".join(frames))


async def main(port: int) -> None:
    peers: list[Peer] = []

    async def serve(stream: trio.SocketStream) -> None:
        stream.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        peer = Peer()
        peers.append(peer)
        peer.post([b"+"])  # it is in
        buffer = bytearray()
        async with trio.open_nursery() as nursery:
            nursery.start_soon(peer.write, stream)
            async for data in stream:
                buffer += data
                frames = cut(buffer)
                for other in peers:
                    if other is not peer:
                        other.post(frames)
            nursery.cancel_scope.cancel()
        peers.remove(peer)

    await trio.serve_tcp(serve, port, host="127.0.0.1")


def cut(buffer: bytearray) -> list[bytes]:
    """Takes whole frames off the front."""
    frames, start = [], 0
    while len(buffer) - start >= LENGTH.size:
        end = start + LENGTH.size + LENGTH.unpack_from(buffer, start)[0]
        if end > len(buffer):
            break
        frames.append(bytes(memoryview(buffer)[start:end]))
        start = end
    del buffer[:start]
    return frames


if __name__ == "__main__":
    trio.run(main, int(sys.argv[1]))
