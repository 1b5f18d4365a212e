"""Keeps nothing beyond the process: the rooms themselves are the only copy."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Callable, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final

import trio

from ..errors import Refused
from ..limits import DEFAULTS
from ..room import Entry
from . import Blobs, Log, Spool, Stored
from .spool import LARGEST_RECENT_BYTES


class MemoryLog:
    """Forgets what it is given: nobody could read it after the process."""

    is_long = False

    async def append(self, entries: Sequence[Entry]) -> None:
        await trio.lowlevel.checkpoint()

    async def keep_snapshot(self, number: int, parts: Iterable[bytes]) -> None:
        await trio.lowlevel.checkpoint()


class MemoryBlobs:
    """Blobs in a dict, up to a limit."""

    def __init__(self, max_bytes: int, clock: Callable[[], float]) -> None:
        self._blobs: dict[str, bytes] = {}
        self._asked: dict[str, float] = {}  # when, last
        self._left_bytes = max_bytes
        self._clock = clock

    def has(self, sha: str) -> bool:
        if sha not in self._blobs:
            return False
        self._asked[sha] = self._clock()
        return True

    def recent(self, sha: str) -> bytes | None:
        data = self._blobs[sha] if self.has(sha) else None
        return None if data is None or len(data) > LARGEST_RECENT_BYTES else data

    async def get(self, sha: str) -> bytes | None:
        return self._blobs.get(sha)

    async def size(self, sha: str) -> int | None:
        return len(self._blobs[sha]) if self.has(sha) else None

    async def head(self, sha: str, length: int) -> tuple[int, bytes] | None:
        return (len(self._blobs[sha]), self._blobs[sha][:length]) if self.has(sha) else None

    async def read(self, sha: str, start: int, stop: int) -> bytes | None:
        return self._blobs[sha][start:stop] if self.has(sha) else None

    async def put(self, blobs: Mapping[str, bytes]) -> None:
        for sha, data in blobs.items():
            if self.has(sha):
                continue
            if len(data) > self._left_bytes:
                raise Refused("the broadcaster has no space left for blobs")
            self._left_bytes -= len(data)
            self._blobs[sha] = data
            self._asked[sha] = self._clock()

    @asynccontextmanager
    async def spool(self, sha: str, total: int) -> AsyncIterator[Spool]:
        if not self.has(sha) and total > self._left_bytes:
            raise Refused("the broadcaster has no space left for blobs")
        yield _MemorySpool(self, sha)

    def idle(self, seconds: float) -> set[str]:
        since = self._clock() - seconds
        return {sha for sha, asked in self._asked.items() if asked < since}

    async def remove(self, shas: Iterable[str], seconds: float) -> set[str]:
        idle = self.idle(seconds).intersection(shas)
        for sha in idle:
            del self._asked[sha]
            self._left_bytes += len(self._blobs.pop(sha))
        return idle


class _MemorySpool:
    """The parts, until they are all there."""

    is_calm: Final = True  # there is no disk

    def __init__(self, blobs: MemoryBlobs, sha: str) -> None:
        self._blobs = blobs
        self._sha = sha
        self._parts: list[bytes] = []

    async def calm(self) -> None:
        """It always is."""

    async def write(self, parts: Sequence[bytes]) -> None:
        self._parts += parts
        await trio.lowlevel.checkpoint()

    async def keep(self) -> None:
        await self._blobs.put({self._sha: b"".join(self._parts)})


class MemoryStore:
    """The store of a broadcaster without --data."""

    keeps = "in memory only"
    folder: Path | None = None
    findings: Sequence[str] = ()
    torn = False

    def __init__(self, max_blob_bytes: int = DEFAULTS.blobs_bytes, clock: Callable[[], float] = time.monotonic) -> None:
        self.blobs: Blobs = MemoryBlobs(max_blob_bytes, clock)

    async def rooms(self) -> list[str]:
        return []

    async def load(self, name: str) -> Stored:
        raise AssertionError(f"room {name!r} is kept nowhere")

    async def create(self, name: str, epoch: str, parts: Iterable[bytes] = ()) -> Log:
        return MemoryLog()

    async def delete(self, name: str) -> None:
        await trio.lowlevel.checkpoint()

    def close(self) -> None:
        pass
