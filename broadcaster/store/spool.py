"""Blobs between memory and disk: large ones on their way to a file, small ones that are likely to be asked for."""

from __future__ import annotations

import os
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from functools import partial
from io import FileIO
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self, TypeAlias

import trio

from .. import wire
from ..errors import Unavailable
from .turns import Turns

AHEAD_BYTES: Final = 4 * wire.MIB
RECENT_BYTES: Final = 32 * wire.MIB
LARGEST_RECENT_BYTES: Final = wire.MIB
MOST_PARTS: Final = 1024  # that the kernel takes at once

Part: TypeAlias = bytes | memoryview


class FileSpool:
    """Parts into a file of `total` bytes, which appears in its place whole, and stays, or not at all.

    What is written is flushed before the next: a disk that owes much to one file lets the logs of all rooms wait.
    """

    def __init__(
        self, path: Path, total: int, turns: Turns, place: Callable[[], Awaitable[Path]], kept: Callable[[], None]
    ) -> None:
        self._path = path
        self._total = total
        self._turns = turns
        self._place = place
        self._kept = kept
        self._file: FileIO | None = None
        self._written = 0
        self._taken = 0  # of the disk

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._file is not None:
            self._file.close()
        self._path.unlink(missing_ok=True)

    @property
    def is_calm(self) -> bool:
        return self._turns.are_calm

    async def calm(self) -> None:
        await self._turns.calm()

    async def write(self, parts: Sequence[bytes]) -> None:
        left: Sequence[Part] = parts
        end = self._written
        while left:
            async with self._turns.of_blob(sum(map(len, left))) as most:
                some, left = _cut(left, most)
                await _reach_disk(partial(self._write, end), some)
            end += sum(map(len, some))
        self._written = end

    def _write(self, start: int, parts: list[Part]) -> None:
        if self._file is None:
            self._file = FileIO(self._path, "wb")
        end = start + sum(map(len, parts))
        if end > self._taken:
            self._taken = take_ahead(self._file, start, min(end + AHEAD_BYTES, self._total))
        write_at(self._file, start, parts)  # not behind half of them, if that failed before
        flush(self._file)
        forget(self._file)

    async def keep(self) -> None:
        place = await self._place()
        async with self._turns.of_blob(0):
            await _reach_disk(self._move, place)
        self._kept()

    def _move(self, place: Path) -> None:
        assert self._file is not None
        if self._taken > self._written:  # it is shorter than was said
            self._file.truncate(self._written)
            flush(self._file)
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


def _cut(parts: Sequence[Part], most: int) -> tuple[list[Part], Sequence[Part]]:
    """The first `most` bytes, and the rest."""
    some: list[Part] = []
    for place, part in enumerate(parts):
        if len(part) > most:
            view = memoryview(part)
            return [*some, view[:most]], [view[most:], *parts[place + 1 :]]
        some.append(part)
        most -= len(part)
    return some, ()


def write_at(file: FileIO, start: int, parts: Sequence[Part]) -> None:
    """All of them, without putting them together where that can be."""
    file.seek(start)
    written = os.writev(file.fileno(), parts) if hasattr(os, "writev") and len(parts) <= MOST_PARTS else 0
    if written < sum(map(len, parts)):
        view = memoryview(b"".join(parts))[written:]
        while view:
            view = view[file.write(view) :]


def take_ahead(file: FileIO, start: int, end: int) -> int:
    """Takes so much of the disk, up to where it says: to flush a file that grew takes longer."""
    if hasattr(os, "posix_fallocate"):
        with suppress(OSError):  # a matter of speed
            os.posix_fallocate(file.fileno(), start, end - start)
    return end


def flush(file: FileIO) -> None:
    """Its bytes and its length are on the disk then."""
    getattr(os, "fdatasync", os.fsync)(file.fileno())


def forget(file: FileIO) -> None:
    """Does not keep in memory what was flushed: fresh memory for all of it takes longer than the disk does."""
    if hasattr(os, "posix_fadvise"):
        with suppress(OSError):  # a matter of speed
            os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)


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
