"""One HTTP connection, spoken by hypercorn. Without hypercorn there is none."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable
from typing import Any, Final, cast

import trio

from ..limits import Limits

try:
    from hypercorn.config import Config
    from hypercorn.protocol.h11 import H11Protocol
    from hypercorn.trio.task_group import TaskGroup
    from hypercorn.trio.tcp_server import TCPServer
    from hypercorn.trio.worker_context import WorkerContext
    from hypercorn.typing import ConnectionState
    from hypercorn.utils import wrap_app
except ImportError:  # Blender's Python, in which the panel hosts
    IS_THERE = False
else:
    IS_THERE = True

    class _Http1(H11Protocol):
        async def _check_protocol(self, event: Any) -> None:
            """Goes over to no HTTP/2, which has ways of its own to take time and memory."""

    class _Connection(TCPServer):
        async def run(self) -> None:
            """As it does it itself, but with that protocol, and inside whatever TLS there is."""
            here, there = self.stream.socket.getsockname()[:2], self.stream.socket.getpeername()[:2]
            try:
                async with TaskGroup() as self._task_group:
                    protocol = _Http1(
                        self.app, self.config, self.context, self._task_group, ConnectionState(self.state),
                        False, there, here, self.protocol_send,
                    )  # fmt: skip
                    self.protocol = cast("Any", protocol)  # in place of the wrapper that changes to HTTP/2
                    await self.idle_task.restart(self._task_group, self._idle_timeout)
                    await self._read_data()
                    await self.idle_task.stop()  # it would wait for a request that cannot come any more
            finally:
                await self._close()


RECEIVE_BYTES: Final = 16 * 1024
LINGER_SECONDS: Final = 2.0  # for the last words

log = logging.getLogger(__name__)


class Line:
    """A connection as hypercorn uses one. What hypercorn sends it shields from being cancelled: here it ends anyway."""

    def __init__(self, stream: trio.abc.HalfCloseableStream, limits: Limits) -> None:
        self._stream = stream
        self._stalled_seconds = limits.stalled_seconds
        self._max_bytes = max(limits.web_head_bytes, 1)  # h11 measures only what is not whole yet
        self._scope = trio.CancelScope()
        transport: Any = getattr(stream, "transport", stream)  # inside TLS
        self.socket: trio.socket.SocketType = transport.socket
        try:
            self.address: str = self.socket.getpeername()[0]
        except OSError:
            self.address = ""  # it is gone already

    async def receive_some(self, max_bytes: int) -> bytes | bytearray:
        return await self._stream.receive_some(min(max_bytes, self._max_bytes))

    async def send_all(self, data: bytes | bytearray | memoryview) -> None:
        """Ends whatever `run` runs if the other side is gone, or takes nothing for long: hypercorn would wait on."""
        with trio.move_on_after(self._stalled_seconds):
            try:
                await self._stream.send_all(data)
            except (trio.BrokenResourceError, trio.ClosedResourceError):
                self._scope.cancel()
                raise
            return
        self._scope.cancel()
        raise trio.BrokenResourceError("nothing was read from it for long")

    async def send_eof(self) -> None:
        await self._stream.send_eof()

    async def aclose(self) -> None:
        """Reads on for a while: closing at once would take the last words back. Ends whatever `run` runs."""
        try:
            with trio.move_on_after(LINGER_SECONDS):
                await self._stream.send_eof()
                while await self._stream.receive_some(RECEIVE_BYTES):
                    pass
        except (trio.BusyResourceError, trio.BrokenResourceError, trio.ClosedResourceError):
            pass  # there is nobody, or somebody reads already
        self._scope.cancel()
        await trio.aclose_forcefully(self._stream)

    async def run(self, work: Awaitable[None]) -> None:
        """Until `work` is done, this line is closed, or all is cancelled."""
        with self._scope:
            async with trio.open_nursery() as nursery:
                nursery.start_soon(self._close_in_the_end)
                await work
                nursery.cancel_scope.cancel()

    async def _close_in_the_end(self) -> None:
        try:
            await trio.sleep_forever()
        finally:
            self.socket.close()  # wakes up whoever sends behind a shield


def configure(limits: Limits) -> Config:
    """How hypercorn is to speak."""
    config = Config()
    config.errorlog = log
    config.include_server_header = False
    config.keep_alive_timeout = limits.web_seconds
    config.h11_max_incomplete_size = limits.web_head_bytes
    return config


async def serve(line: Line, app: Callable[..., Awaitable[None]], config: Config) -> None:
    """Speaks HTTP until either side ends the connection."""
    wrapped = wrap_app(app, 0, "asgi")
    stream = cast("trio.SSLStream[trio.SocketStream]", line)  # as much of one as it uses
    await line.run(_Connection(wrapped, config, WorkerContext(None), {}, stream))
