"""Blobs at hand: in memory, and behind that on disk."""

from __future__ import annotations

import logging
import os
import tempfile
from collections import OrderedDict
from collections.abc import Iterable
from pathlib import Path
from typing import Final

from broadcaster.wire import sha_of

log = logging.getLogger(__name__)

MEMORY_BYTES: Final = 256 * 1024 * 1024
DISK_BYTES: Final = 8 * 1024 * 1024 * 1024


class BlobCache:
    """Keeps what it was given until `close`; a directory that was given, for the next time too.

    What does not fit into memory is on disk. A directory holds at most DISK_BYTES from one time to the next.
    """

    def __init__(
        self,
        directory: Path | None = None,
        *,
        memory_bytes: int = MEMORY_BYTES,
        on_disk: Iterable[str] | None = None,
    ) -> None:
        """`on_disk` names the blobs in the directory, if somebody has looked already."""
        self._memory: OrderedDict[str, bytes] = OrderedDict()
        self._bytes = 0
        self._max_bytes = memory_bytes
        self._temporary = tempfile.TemporaryDirectory(prefix="mixer-") if directory is None else None
        self._directory = directory or Path(self._temporary.name if self._temporary else "")
        self._directory.mkdir(parents=True, exist_ok=True)
        found = (path.name for path in self._directory.glob("??/*"))
        self._on_disk = set(found if on_disk is None else on_disk)

    @property
    def on_disk(self) -> frozenset[str]:
        return frozenset(self._on_disk)

    def put(self, data: bytes) -> str:
        """Keeps `data`; its sha256, in hex, is its name."""
        sha = sha_of(data)
        self.add(sha, data)
        return sha

    def add(self, sha: str, data: bytes) -> None:
        """Keeps `data`, which is known to be named so."""
        if sha in self._memory:
            return
        self._memory[sha] = data
        self._bytes += len(data)
        while self._bytes > self._max_bytes and len(self._memory) > 1:
            oldest, its_data = next(iter(self._memory.items()))
            if not self._write(oldest, its_data):
                break  # more memory, rather than lost work
            del self._memory[oldest]
            self._bytes -= len(its_data)

    def get(self, sha: str) -> bytes:
        """Raises KeyError if it is not here."""
        if (data := self._memory.get(sha)) is not None:
            self._memory.move_to_end(sha)
            return data
        if sha not in self._on_disk:
            raise KeyError(sha)
        try:
            data = self._path(sha).read_bytes()
        except OSError:  # another program that shares the directory took it away
            data = b""
        if sha_of(data) != sha:  # somebody else wrote there, or the disk is torn
            self._on_disk.discard(sha)
            raise KeyError(sha)
        return data

    def __contains__(self, sha: str) -> bool:
        return sha in self._memory or sha in self._on_disk

    def close(self) -> None:
        """Lets go of everything, but writes it to a directory that was given."""
        if self._temporary is not None:
            self._temporary.cleanup()
            self._on_disk.clear()
        else:
            if all(self._write(sha, data) for sha, data in self._memory.items()):
                self._prune()
        self._memory.clear()
        self._bytes = 0

    def _path(self, sha: str) -> Path:
        return self._directory / sha[:2] / sha

    def _write(self, sha: str, data: bytes) -> bool:
        """Whether it is on disk now."""
        if sha in self._on_disk:
            return True
        path = self._path(sha)
        partial = path.with_suffix(f".{os.getpid()}")  # several programs may share a directory
        try:
            path.parent.mkdir(exist_ok=True)
            partial.write_bytes(data)
            partial.replace(path)
        except OSError as exc:  # a full disk, most likely
            log.warning("cannot keep a blob in %s: %s", self._directory, exc)
            return False
        self._on_disk.add(sha)
        return True

    def _prune(self) -> None:
        files = [(path.stat(), path) for path in self._directory.glob("??/*")]
        left = DISK_BYTES
        for stat, path in sorted(files, key=lambda file: -file[0].st_mtime):
            left -= stat.st_size
            if left < 0:
                path.unlink(missing_ok=True)
