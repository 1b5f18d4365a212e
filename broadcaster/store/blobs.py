"""Blobs on disk: small ones packed together, large ones a file each. What is read is verified."""

from __future__ import annotations

import logging
import time
from collections.abc import AsyncIterator, Callable, Iterable, Mapping
from contextlib import asynccontextmanager
from hashlib import file_digest, sha256
from pathlib import Path
from typing import Final

import trio

from .. import wire
from ..errors import Unavailable
from . import Spool
from .packs import Packs
from .repair import salvage_blobs
from .spool import FileSpool, Recent, failure
from .turns import Turns

DATABASE: Final = "blobs.db"  # where earlier versions had the small ones
FOLDER: Final = "blobs"
PACKS: Final = "packs"
REMOVED_AT_ONCE: Final = 1000
LARGE_BYTES: Final = wire.MIB  # from here on a blob is a file of its own

log = logging.getLogger(__name__)


class DiskBlobs:
    """The blobs of all rooms, in a directory; whether its last user had a `clean` end.

    Raises sqlite3.Error or OSError if it cannot be used.
    """

    def __init__(
        self,
        directory: Path,
        findings: list[str],
        clock: Callable[[], float] = time.monotonic,
        *,
        clean: bool = False,
        turns: Turns | None = None,
    ) -> None:
        self._clock = clock
        self._turns = turns or Turns()
        self._folder = directory / FOLDER
        self._folder.mkdir(exist_ok=True)
        self._packs = Packs(directory / PACKS, findings, clean=clean)
        findings += salvage_blobs(directory / DATABASE, self._packs.add_now)
        now = int(clock())
        self._asked = dict.fromkeys(self._packs, now)  # sha -> when, last
        self._files: set[bytes] = set()
        self._verified: set[bytes] = set()  # of these, since the start
        for file in (*self._folder.glob("??/*"), *self._folder.glob(".*")):
            if file.name.startswith("."):
                file.unlink()  # half written when the process ended
            else:
                self._files.add(bytes.fromhex(file.name))
        self._asked.update(dict.fromkeys(self._files, now))
        self._spooled = 0
        self._recent = Recent()
        self._going: set[bytes] = set()  # are removed at this moment
        self._removing = trio.Lock()

    def has(self, sha: str) -> bool:
        key = bytes.fromhex(sha)
        if key not in self._asked:
            return False
        self._asked[key] = int(self._clock())
        return True

    def recent(self, sha: str) -> bytes | None:
        return data if (data := self._recent.get(sha)) is not None and self.has(sha) else None

    async def get(self, sha: str) -> bytes | None:
        if not self.has(sha):
            return None
        if (data := self._recent.get(sha)) is not None:
            return data
        data = await trio.to_thread.run_sync(self._read, bytes.fromhex(sha))
        if data is None:
            await self._drop(sha)
        else:
            self._recent.add(sha, data)
        return data

    async def size(self, sha: str) -> int | None:
        return await trio.to_thread.run_sync(self._size, bytes.fromhex(sha)) if self.has(sha) else None

    async def head(self, sha: str, length: int) -> tuple[int, bytes] | None:
        if bytes.fromhex(sha) in self._files:
            total, part = await self.size(sha), await self.read(sha, 0, length)
            return None if total is None or part is None else (total, part)
        data = await self.get(sha)
        return None if data is None else (len(data), data[:length])

    async def read(self, sha: str, start: int, stop: int) -> bytes | None:
        if (key := bytes.fromhex(sha)) not in self._files:
            data = await self.get(sha)
            return None if data is None else data[start:stop]
        if not self.has(sha):
            return None
        part = await trio.to_thread.run_sync(self._read_part, key, start, stop)
        if part is None:
            await self._drop(sha)
        return part

    async def put(self, blobs: Mapping[str, bytes]) -> None:
        small: list[tuple[bytes, bytes]] = []
        for sha, data in blobs.items():
            if self.has(sha):
                continue
            if len(data) >= LARGE_BYTES:
                async with self.spool(sha, len(data)) as spool:
                    await spool.write([data])
                    await spool.keep()
            else:
                small.append((bytes.fromhex(sha), data))
                await self._until_gone(small[-1][0])
        if small:
            await self._packs.add(small)
            now = int(self._clock())
            for key, data in small:
                self._recent.add(key.hex(), data)
                self._asked[key] = now

    @asynccontextmanager
    async def spool(self, sha: str, total: int) -> AsyncIterator[Spool]:
        key = bytes.fromhex(sha)

        async def place() -> Path:
            await self._until_gone(key)
            return self._path(key)

        def kept() -> None:
            self._files.add(key)
            self._asked[key] = int(self._clock())

        self._spooled += 1
        with FileSpool(self._folder / f".{self._spooled}", total, self._turns, place, kept) as spool:
            yield spool

    async def _until_gone(self, key: bytes) -> None:
        """Returns once it is not being removed."""
        while key in self._going:
            async with self._removing:
                pass

    def idle(self, seconds: float) -> set[str]:
        since = self._clock() - seconds
        return {key.hex() for key, asked in self._asked.items() if asked < since}

    async def remove(self, shas: Iterable[str], seconds: float) -> set[str]:
        since = self._clock() - seconds
        keys = [key for sha in shas if self._asked.get(key := bytes.fromhex(sha), since) < since]
        for start in range(0, len(keys), REMOVED_AT_ONCE):
            part = keys[start : start + REMOVED_AT_ONCE]
            for key in part:
                del self._asked[key]
                self._recent.drop(key.hex())
            await self._remove(part)
        return {key.hex() for key in keys}

    async def _remove(self, keys: list[bytes]) -> None:
        """Whoever stores one of them anew waits until it is gone."""
        self._going.update(keys)
        async with self._removing:
            files = self._files.intersection(keys)
            try:
                await self._packs.remove(keys)
                await trio.to_thread.run_sync(self._unlink, files)
            except OSError as exc:
                raise Unavailable(failure(exc)) from exc
            finally:
                self._files -= files
                self._verified -= files
                self._going.difference_update(keys)
            await self._packs.tidy()

    def _unlink(self, keys: Iterable[bytes]) -> None:
        for key in keys:
            self._path(key).unlink(missing_ok=True)

    def close(self) -> None:
        self._packs.close()

    def _path(self, key: bytes) -> Path:
        name = key.hex()
        return self._folder / name[:2] / name

    def _read(self, key: bytes) -> bytes | None:
        """The blob, verified; None if it is not what it should be."""
        try:
            data = self._path(key).read_bytes() if key in self._files else self._packs.read(key)
        except OSError:
            return None
        return data if data is not None and sha256(data).digest() == key else None

    def _size(self, key: bytes) -> int | None:
        try:
            return self._path(key).stat().st_size if key in self._files else self._packs.size(key)
        except OSError:
            return None

    def _read_part(self, key: bytes, start: int, stop: int) -> bytes | None:
        """Of a file. All of it is verified at its first use: in parts it could not be."""
        try:
            with self._path(key).open("rb") as file:
                if key not in self._verified and file_digest(file, "sha256").digest() != key:
                    return None
                self._verified.add(key)
                file.seek(start)
                return file.read(stop - start)
        except OSError:
            return None

    async def _drop(self, sha: str) -> None:
        log.error("blob %s is damaged on disk: it is dropped", sha)
        key = bytes.fromhex(sha)
        self._asked.pop(key, None)
        self._recent.drop(sha)
        try:
            await self._remove([key])
        except Unavailable as exc:
            log.warning("a damaged blob stays on disk: %s", exc)
