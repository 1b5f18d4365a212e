"""What a data directory knows of its own end, beside the database: whether anything that was there is missing.

SQLite opens a log whose end was cut off as if that had never been there. So the last place written stands in a small
file too. It is not flushed: after the end of a process the kernel still has it, and after the end of the machine, known
by the id of its boot, the file is not believed and the end of the log counts as lost. A copy is another file.
"""

from __future__ import annotations

import os
import struct
import sys
import zlib
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Self

from ..errors import Refused

if sys.platform == "win32":
    import msvcrt
else:
    import fcntl

BOOT_ID: Final = Path("/proc/sys/kernel/random/boot_id")
NAME: Final = "head"
LOCKED_BYTE: Final = 512  # behind what is written: Windows forbids reading what is locked

_HEAD: Final = struct.Struct("<36sQ?QQ")
_CHECK: Final = struct.Struct("<I")


@dataclass(frozen=True, slots=True)
class Head:
    """What was written last. `room` 0: nothing that could be missed."""

    boot: bytes
    file: int  # the inode of the head itself
    clean: bool  # whether the process ended as it should
    room: int
    number: int

    def encode(self) -> bytes:
        data = _HEAD.pack(self.boot, self.file, self.clean, self.room, self.number)
        return data + _CHECK.pack(zlib.crc32(data))

    @classmethod
    def decode(cls, data: bytes) -> Self | None:
        if len(data) != _HEAD.size + _CHECK.size or _CHECK.pack(zlib.crc32(data[: _HEAD.size])) != data[_HEAD.size :]:
            return None
        boot, file, clean, room, number = _HEAD.unpack(data[: _HEAD.size])
        return cls(boot, file, clean, room, number)


class HeadFile:
    """Held open, and locked, by the one process that writes to a data directory."""

    def __init__(self, directory: Path) -> None:
        """Raises Refused if another process holds it."""
        self._file = os.open(directory / NAME, os.O_RDWR | os.O_CREAT | getattr(os, "O_BINARY", 0), 0o600)
        try:
            _lock(self._file)
        except OSError as exc:
            os.close(self._file)
            raise Refused(f"another broadcaster keeps its rooms in {directory}") from exc
        self._boot = BOOT_ID.read_bytes().strip()[:36] if BOOT_ID.exists() else b""
        self._inode = os.fstat(self._file).st_ino
        self._found = Head.decode(os.read(self._file, _HEAD.size + _CHECK.size))
        self._place = (0, 0)
        if (found := self.trusted) is not None:
            self._place = (found.room, found.number)

    @property
    def trusted(self) -> Head | None:
        """What the process before this one wrote last; None if that is not known, as after a loss of power."""
        found = self._found
        if found is None or found.file != self._inode:
            return None
        same_boot = self._boot != b"" and found.boot == self._boot.ljust(36, b"\0")
        return found if found.clean or same_boot else None

    @property
    def was_closed(self) -> bool:
        """Whether the process before this one ended as it should."""
        return self.trusted is not None and self.trusted.clean

    def write(self, place: tuple[int, int]) -> None:
        """To be called right after each commit."""
        self._place = place
        self._write(clean=False)

    def begin(self) -> None:
        """From now on the process may end at any moment."""
        self._write(clean=False)
        os.fsync(self._file)

    def close(self) -> None:
        """The process ends as it should."""
        try:
            self._write(clean=True)
            os.fsync(self._file)
        finally:
            os.close(self._file)

    def _write(self, *, clean: bool) -> None:
        data = Head(self._boot, self._inode, clean, *self._place).encode()
        with suppress(OSError):  # the disk is full: what stands there is older, and misses less
            if sys.platform == "win32":
                os.lseek(self._file, 0, os.SEEK_SET)
                os.write(self._file, data)
            else:
                os.pwrite(self._file, data, 0)


def _lock(file: int) -> None:
    if sys.platform == "win32":
        os.lseek(file, LOCKED_BYTE, os.SEEK_SET)
        msvcrt.locking(file, msvcrt.LK_NBLCK, 1)
    else:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
