"""A line with latency between whole peers and a real broadcaster."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from queue import SimpleQueue
from random import Random

import trio

from tests.server.link import Link, Weather

PIECE_BYTES = 65536


@contextmanager
def slow_line(address: str, weather: Weather) -> Iterator[str]:
    """An address at which `address` is reached through such weather."""
    host, _, port = address.rpartition(":")

    async def carry(source: trio.abc.Stream, target: trio.abc.Stream) -> None:
        while data := await source.receive_some(PIECE_BYTES):
            await target.send_all(bytes(data))
        await target.aclose()

    async def line(member: trio.SocketStream) -> None:
        link = Link(weather, Random(0))
        try:
            async with await trio.open_tcp_stream(host, int(port)) as broadcaster, trio.open_nursery() as nursery:
                nursery.start_soon(link.run)
                for one, other in ((member, link.near), (broadcaster, link.far)):
                    nursery.start_soon(carry, one, other)
                    nursery.start_soon(carry, other, one)
        except* (OSError, trio.BrokenResourceError, trio.ClosedResourceError):
            pass  # one of the two has left

    async def serve() -> None:
        listeners = await trio.open_tcp_listeners(0, host="127.0.0.1")
        with trio.CancelScope() as scope:
            token = trio.lowlevel.current_trio_token()
            started.put((listeners[0].socket.getsockname()[1], token, scope))
            await trio.serve_listeners(line, listeners)

    started: SimpleQueue[tuple[int, trio.lowlevel.TrioToken, trio.CancelScope]] = SimpleQueue()
    thread = threading.Thread(target=trio.run, args=(serve,), daemon=True)
    thread.start()
    its_port, token, scope = started.get()
    try:
        yield f"127.0.0.1:{its_port}"
    finally:
        token.run_sync_soon(scope.cancel)
        thread.join()
