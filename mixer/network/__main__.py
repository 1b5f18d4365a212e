"""The network process: `python -m mixer.network`, with a port of Blender's and a token on its standard input."""

from __future__ import annotations

import logging
import sys
from collections import deque
from pathlib import Path
from typing import Any, Final

import trio

from broadcaster import wire

from ..client import BlobCache, Server, ipc
from .network import Arrived, Network, Outgoing

STATE_SECONDS: Final = 0.2  # after which Blender is told how transfers go
MEMORY_BYTES: Final = 64 * 1024 * 1024  # of blobs: Blender has them too


class Apart:
    """What stands between Blender's process and the network."""

    def __init__(self, hears: trio.SocketStream, tells: trio.SocketStream) -> None:
        self._hears, self._tells = hears, tells
        self._buffer = ipc.Buffer()
        self._said: deque[ipc.Said] = deque()
        self._wake = trio.Event()
        self._taken = 0
        self._ended = False
        self._blobs: BlobCache
        self._outbox: ipc.Outbox
        self._network: Network

    async def run(self, token: str) -> None:
        """Raises nothing that Blender may cause once it has greeted: it is let go of as it ends."""
        for way, stream in ((ipc.TO, self._hears), (ipc.FROM, self._tells)):
            await stream.send_all(ipc.encode(["hello", token, way]))
        if (first := await self._heard()) is None:
            return
        self._begin(**first[0][1])
        async with trio.open_nursery() as nursery:
            nursery.start_soon(self._listen)
            nursery.start_soon(self._tell, nursery.cancel_scope)
            await self._network.run()
            self._ended = True
            self._wake.set()

    def _begin(
        self,
        server: list[Any],
        join: wire.Message,
        held: tuple[str, int] | None,
        cache_dir: str | None,
        on_disk: list[str],
    ) -> None:
        directory = Path(cache_dir) if cache_dir else None
        self._blobs = BlobCache(directory, memory_bytes=MEMORY_BYTES, on_disk=on_disk)
        self._outbox = ipc.Outbox(self._blobs.get)
        self._network = Network(Server(*server), join, self._blobs, self._hand_over, self._outbox.give, held)

    def _hand_over(self, arrived: Arrived) -> None:
        payload = arrived.payload or wire.encode(arrived.message)[wire.HEADER_BYTES :]
        self._outbox.say(["arrived", arrived.life], payload)
        self._wake.set()

    async def _heard(self) -> ipc.Said | None:
        """The next that Blender says; None once it is gone."""
        while not self._said:
            try:
                data = await self._hears.receive_some(ipc.RECEIVE_BYTES)
            except trio.BrokenResourceError:
                data = b""
            if not data:
                return None
            self._said += self._buffer.feed(data)
        return self._said.popleft()

    async def _listen(self) -> None:
        network = self._network
        calls = {one.__name__: one for one in (network.hold, network.resume, network.reload, network.stop)}
        while (said := await self._heard()) is not None:
            match said:
                case ["send", life, shas], frame:
                    self._taken += 1
                    network.post(Outgoing(life, frame, shas))
                case ["blob", sha], data:
                    self._blobs.add(sha, data)
                case ["call", name], _:
                    calls[name]()
        network.finish()  # Blender ended without a word: what it said last still goes out

    async def _tell(self, scope: trio.CancelScope) -> None:
        """What is to be told, with how things stand just then; ends the process behind the last of it."""
        told = None
        while self._outbox or not self._ended or told != self._state():
            if not self._outbox and not self._ended:
                with trio.move_on_after(STATE_SECONDS):
                    await self._wake.wait()
                self._wake = trio.Event()
            state = self._state()
            news = b"" if state == told else ipc.encode(["state", *state])
            told = state
            try:
                await self._tells.send_all(news + self._outbox.take())
            except trio.BrokenResourceError:
                return  # `_listen` sees to it
        scope.cancel()

    def _state(self) -> ipc.State:
        network = self._network
        traffic = network.traffic
        return ipc.State(
            network.link.name,
            traffic.sent_bytes,
            traffic.received_bytes,
            self._taken,
            network.unanswered + len(network.outgoing),
            network.transfer.pending,
        )


async def _main() -> None:
    port, token = sys.stdin.readline().split()
    async with (
        await trio.open_tcp_stream(ipc.LOOPBACK, int(port)) as hears,
        await trio.open_tcp_stream(ipc.LOOPBACK, int(port)) as tells,
    ):
        await Apart(hears, tells).run(token)


if __name__ == "__main__":
    logging.basicConfig(level=logging.WARNING, format="mixer network: %(message)s")
    trio.run(_main)
