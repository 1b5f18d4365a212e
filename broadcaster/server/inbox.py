"""What a member asks of its room, in order: a transaction waits for its blobs, and what comes later waits behind it."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import Final, NamedTuple, TypeAlias

import trio

from ..document import check_deltas
from ..limits import Limits
from ..wire import Message
from .belongings import Belongings

Request: TypeAlias = tuple[Message, bytes | bytearray]  # what is asked, and the same as it came


class _Waiting(NamedTuple):
    request: Request
    shas: set[str]


NONE: Final[set[str]] = set()


class Inbox:
    """The requests of one seat on their way to its room."""

    def __init__(self, submit: Callable[[list[Request]], None], blobs: Belongings, limits: Limits) -> None:
        self._submit = submit
        self._blobs = blobs
        self._limits = limits
        self._waiting: deque[_Waiting] = deque()
        self._bytes = 0
        self._missing: set[str] = set()  # blobs of the first one
        self._moved = trio.Event()

    def take(self, requests: list[Request]) -> None:
        """Submits each as soon as the room has the blobs that it and those before it name.

        Raises RemoteProtocolError if the deltas of one are malformed; those before it are taken.
        """
        ready: list[Request] = []
        try:
            for request in requests:
                message, data = request
                shas = check_deltas(message["deltas"], self._limits) if message["type"] == "tx" else NONE
                if not self._waiting and not (shas and self._absent(shas)):
                    ready.append(request)
                else:
                    self._waiting.append(_Waiting(request, shas))
                    self._bytes += len(data)
        finally:
            if ready:
                self._submit(ready)
            if self._waiting and not self._missing:
                self._advance()

    @property
    def is_full(self) -> bool:
        """Whether so much waits for blobs that nothing more should be taken."""
        return self._bytes > self._limits.waiting_bytes

    async def wait_for_space(self) -> None:
        self._moved = trio.Event()
        await self._moved.wait()

    def arrived(self, sha: str) -> None:
        self._missing.discard(sha)
        if not self._missing:
            self._advance()

    def close(self) -> None:
        """What still waits is not done: its sender will send it again."""
        for sha in self._missing:
            self._blobs.forget(sha, self)
        self._missing.clear()
        self._waiting.clear()
        self._bytes = 0
        self._moved.set()

    def _absent(self, shas: set[str]) -> set[str]:
        return {sha for sha in shas if not self._blobs.has(sha)}

    def _advance(self) -> None:
        ready: list[Request] = []
        while self._waiting:
            self._missing = self._absent(self._waiting[0].shas)
            if self._missing:
                for sha in self._missing:
                    self._blobs.expect(sha, self)
                break
            request, _ = self._waiting.popleft()
            self._bytes -= len(request[1])
            ready.append(request)
        if ready:
            self._submit(ready)
        self._moved.set()
