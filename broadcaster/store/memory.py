"""Keeps nothing beyond the process: the rooms themselves are the only copy."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import trio

from .. import wire
from ..errors import Refused
from ..room import Entry
from . import Blobs, Log, Stored


class MemoryLog:
    """Forgets what it is given: nobody could read it after the process."""

    is_long = False

    async def append(self, entries: Sequence[Entry]) -> None:
        await trio.lowlevel.checkpoint()

    async def keep_snapshot(self, number: int, parts: Iterable[bytes]) -> None:
        await trio.lowlevel.checkpoint()


class MemoryBlobs:
    """Blobs in a dict, up to a limit."""

    def __init__(self, max_bytes: int) -> None:
        self._blobs: dict[str, bytes] = {}
        self._left_bytes = max_bytes

    def has(self, sha: str) -> bool:
        return sha in self._blobs

    async def get(self, sha: str) -> bytes | None:
        return self._blobs.get(sha)

    async def put(self, sha: str, data: bytes) -> None:
        if sha in self._blobs:
            return
        if len(data) > self._left_bytes:
            raise Refused("the broadcaster has no space left for blobs")
        self._left_bytes -= len(data)
        self._blobs[sha] = data


class MemoryStore:
    """The store of a broadcaster without --data."""

    keeps = "in memory only"
    findings: Sequence[str] = ()
    torn = False

    def __init__(self, max_blob_bytes: int = wire.STORED_BLOB_BYTES) -> None:
        self.blobs: Blobs = MemoryBlobs(max_blob_bytes)

    async def rooms(self) -> list[str]:
        return []

    async def load(self, name: str) -> Stored:
        raise AssertionError(f"room {name!r} is kept nowhere")

    async def create(self, name: str, epoch: str) -> Log:
        return MemoryLog()

    def close(self) -> None:
        pass
