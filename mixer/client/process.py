"""The network process as Blender sees it. Nothing here waits but `wait` and `end`.

One connection leads there and one back: on one where nothing comes back all that was written arrives, though Blender
crashed meanwhile.
"""

from __future__ import annotations

import hmac
import logging
import secrets
import select
import socket
import subprocess
import time
from contextlib import suppress
from typing import Any, Final

from broadcaster.errors import MixerError

from .. import beside
from . import ipc
from .cache import BlobCache

log = logging.getLogger(__name__)

MODULE: Final = "mixer.network"
WRITTEN_AT_ONCE: Final = 4 * 1024 * 1024  # bytes, so that a tick stays short
READ_AT_ONCE: Final = 1024 * 1024
POLL_SECONDS: Final = 0.01
GREETING_SECONDS: Final = 0.2


class Process:
    """It is started at once, and what is said before it listens is kept. It ends when Blender does."""

    def __init__(self, options: dict[str, Any], blobs: BlobCache) -> None:
        """Raises MixerError if it cannot be started."""
        self._outbox = ipc.Outbox(blobs.get)
        self._rest = memoryview(b"")
        self._buffer = ipc.Buffer()
        self._sockets: dict[str, socket.socket] = {}  # by what they are for
        self._token = secrets.token_hex()
        self._listener = socket.create_server((ipc.LOOPBACK, 0))
        self._listener.setblocking(False)
        self.has_ended = False
        told = f"{self._listener.getsockname()[1]} {self._token}\n".encode()
        try:
            self._process = beside.start(MODULE, out=subprocess.DEVNULL, told=told)
        except MixerError:
            self._listener.close()
            raise
        self.say(["start", options])

    def say(self, head: ipc.Head, body: bytes = b"") -> None:
        self._outbox.say(head, body)
        self.flush()

    def give(self, sha: str) -> None:
        """A blob, before what is said next."""
        self._outbox.give(sha)

    def hear(self) -> list[ipc.Said]:
        """What it said, as much as one tick can take."""
        said: list[ipc.Said] = []
        self.flush()
        left = READ_AT_ONCE
        while self._is_connected and left > 0:
            try:
                data = self._sockets[ipc.FROM].recv(ipc.RECEIVE_BYTES)
            except BlockingIOError:
                break
            except OSError:
                data = b""
            if not data:
                self._close()
                break
            left -= len(data)
            said += self._buffer.feed(data)
        return said

    def flush(self) -> None:
        """Writes what it takes of what waits."""
        left = WRITTEN_AT_ONCE
        if not self._is_connected:
            self._connect()
        while self._is_connected and left > 0 and self.is_behind:
            if not self._rest:
                self._rest = memoryview(self._outbox.take())
            try:
                written = self._sockets[ipc.TO].send(self._rest)
            except BlockingIOError:
                return
            except OSError:  # what it said before it ended is still to be heard
                self._outbox.clear()
                self._rest = memoryview(b"")
                return
            self._rest = self._rest[written:]
            left -= written

    @property
    def is_behind(self) -> bool:
        """Whether something is still to be written."""
        return bool(self._rest or self._outbox)

    def wait(self, seconds: float) -> None:
        """Until there is something to hear, at most that long."""
        end = time.monotonic() + seconds
        while not self.has_ended and (rest := end - time.monotonic()) > 0:
            self.flush()
            if not self._is_connected:
                time.sleep(min(rest, POLL_SECONDS))
                continue
            waiting = [self._sockets[ipc.TO]] if self._rest else []
            readable, _, _ = select.select([self._sockets[ipc.FROM]], waiting, [], rest)
            if readable:
                return

    def end(self, seconds: float) -> None:
        """Waits for its end, then ends it."""
        end = time.monotonic() + seconds
        while self._process.poll() is None and time.monotonic() < end:
            self.hear()
            with suppress(subprocess.TimeoutExpired):
                self._process.wait(POLL_SECONDS)
        self._process.kill()
        self._process.wait()
        self._close()

    @property
    def _is_connected(self) -> bool:
        return len(self._sockets) == len(ipc.WAYS)

    def _connect(self) -> None:
        """Accepts the process, and nobody else."""
        while not self.has_ended and not self._is_connected:
            try:
                stream, _ = self._listener.accept()
            except BlockingIOError:
                if self._process.poll() is not None:
                    self._close()
                return
            if (way := self._greeted(stream)) is None:
                log.warning("somebody else on this computer tried to be our network process")
                stream.close()
                continue
            stream.setblocking(False)
            stream.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self._sockets[way] = stream
        self._listener.close()

    def _greeted(self, stream: socket.socket) -> str | None:
        """What a connection is for, which the process says at once."""
        stream.settimeout(GREETING_SECONDS)
        try:
            said = list(ipc.Buffer().feed(stream.recv(ipc.RECEIVE_BYTES)))
        except (OSError, ValueError):
            return None
        match said:
            case [(["hello", str(token), str(way)], _)] if way in ipc.WAYS and way not in self._sockets:
                return way if hmac.compare_digest(token.encode(), self._token.encode()) else None
        return None

    def _close(self) -> None:
        self.has_ended = True
        self._listener.close()
        for stream in self._sockets.values():
            stream.close()
        self._sockets.clear()
