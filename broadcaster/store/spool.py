"""Blobs between memory and disk: large ones on their way to a file, small ones that are likely to be asked for."""

from __future__ import annotations

import os
from collections.abc import Awaitable, Callable
from io import FileIO
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self

import trio

from .. import wire
from ..errors import Unavailable

RECENT_BYTES: Final = 32 * wire.MIB
LARGEST_RECENT_BYTES: Final = wire.MIB


class FileSpool:
    """Parts into a file, which appears in its place whole, and stays, or not at all.

    Each part is flushed before the next: a disk that owes much to one file lets the logs of all rooms wait.
    """

    def __init__(self, path: Path, place: Callable[[], Awaitable[Path]], kept: Callable[[], None]) -> None:
        self._path = path
        self._place = place
        self._kept = kept
        self._file: FileIO | None = None
        self._written = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._file is not None:
            self._file.close()
        self._path.unlink(missing_ok=True)

    async def write(self, data: bytes) -> None:
        await _reach_disk(self._write, data)
        self._written += len(data)

    def _write(self, data: bytes) -> None:
        if self._file is None:
            self._file = FileIO(self._path, "wb")
        self._file.seek(self._written)  # not behind half a part that failed
        view = memoryview(data)
        while view:
            view = view[self._file.write(view) :]
        os.fsync(self._file.fileno())

    async def keep(self) -> None:
        await _reach_disk(self._move, await self._place())
        self._kept()

    def _move(self, place: Path) -> None:
        assert self._file is not None
        self._file.close()
        if self._path.exists():
            place.parent.mkdir(exist_ok=True)
            self._path.replace(place)
        sync_folder(place.parent)
        sync_folder(place.parent.parent)


async def _reach_disk(work: Callable[[Any], None], what: Any) -> None:
    try:
        await trio.to_thread.run_sync(work, what)
    except OSError as exc:
        raise Unavailable(failure(exc)) from exc


def failure(exc: OSError) -> str:
    """For people."""
    return f"the broadcaster cannot write to its disk: {exc.strerror}"


def sync_folder(folder: Path) -> None:
    """So that the names in it are on disk; where folders cannot be opened that is done without asking."""
    if hasattr(os, "O_DIRECTORY"):
        descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


class Recent:
    """Small blobs that were stored or read last: what one member sends, all others ask for."""

    def __init__(self, max_bytes: int = RECENT_BYTES) -> None:
        self._left_bytes = max_bytes
        self._blobs: dict[str, bytes] = {}

    def get(self, sha: str) -> bytes | None:
        return self._blobs.get(sha)

    def add(self, sha: str, data: bytes) -> None:
        if sha in self._blobs or len(data) > LARGEST_RECENT_BYTES:
            return
        self._blobs[sha] = data
        self._left_bytes -= len(data)
        while self._left_bytes < 0:
            self.drop(next(iter(self._blobs)))

    def drop(self, sha: str) -> None:
        self._left_bytes += len(self._blobs.pop(sha, b""))
