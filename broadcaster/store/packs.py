"""Small blobs behind one another in files: each byte is written once, and one flush serves all that came meanwhile.

A record is its head and the blob. The newest pack grows; in the others blobs are only marked as gone, and one of which
little lives is written anew behind the newest. Nothing else knows what is where: the heads are read at the start.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Collection, Iterable, Iterator
from contextlib import suppress
from hashlib import sha256
from io import FileIO
from pathlib import Path
from struct import Struct
from typing import BinaryIO, Final, NamedTuple, TypeAlias
from zlib import crc32

import trio

from .. import wire
from ..errors import Unavailable
from .commits import Commits
from .spool import AHEAD_BYTES, failure, flush, sync_folder, take_ahead, write_at

PACK_BYTES: Final = 64 * wire.MIB  # about: then another one is begun
COMMIT_BYTES: Final = wire.MIB  # about: the logs of all rooms may have to wait for it
LIVING: Final = 0.5  # of a pack: if it is less, it is written anew
MOVED_AT_ONCE: Final = 16  # blobs

_HEAD: Final = Struct("<32sI")  # key and length; the mark stands before it, the check behind it
_CHECK: Final = Struct("<I")
MARK: Final = b"\x93MB1"
HEAD_BYTES: Final = len(MARK) + _HEAD.size + _CHECK.size
GONE: Final = bytes(32)  # the key of what is gone

Job: TypeAlias = Iterable[tuple[bytes, bytes | None]]  # keys, and what is to be stored by them; None is removed


class Place(NamedTuple):
    """Where a blob begins in which pack, and how long it is."""

    pack: int
    at: int
    length: int

    def encode(self) -> int:
        """A number: many are kept."""
        return self.pack << 64 | self.at << 32 | self.length

    @classmethod
    def decode(cls, number: int) -> Place:
        return cls(number >> 64, number >> 32 & 0xFFFFFFFF, number & 0xFFFFFFFF)


class Packs(Commits[Job]):
    """The packs in a folder. After a `clean` end the newest is whole; else its end may be what was never answered.

    Raises OSError if the folder cannot be used.
    """

    def __init__(self, folder: Path, findings: list[str], *, clean: bool) -> None:
        super().__init__(COMMIT_BYTES)
        folder.mkdir(exist_ok=True)
        self._folder = folder
        self._places: dict[bytes, int] = {}
        self._living: Counter[int] = Counter()  # bytes, by packs
        self._sizes: dict[int, int] = {}
        packs = sorted(int(file.name) for file in folder.iterdir() if file.name.isdecimal())
        damaged: list[int] = []
        for pack in packs:
            newest = pack == packs[-1]
            self._sizes[pack], whole = self._read_pack(pack, verified=newest)
            if not whole:
                damaged.append(pack)
                if clean or not newest:
                    left = self._living[pack]
                    findings.append(f"{folder.name}/{pack} is damaged: {left} bytes of blobs are left of it")
        self._file: FileIO | None = None
        self._newest = packs[-1] if packs else 0
        self._end = self._sizes[self._newest] if packs and self._newest not in damaged else PACK_BYTES
        self._taken = 0  # of the disk, for the newest
        for pack in damaged:
            with suppress(OSError):  # then it is found again
                for blobs in self._living_in(pack):
                    self._append(blobs)
                self._unlink(pack)

    def _read_pack(self, pack: int, *, verified: bool) -> tuple[int, bool]:
        """Where its last blob ends, and whether nothing else is in it."""
        end, whole = 0, True
        with self._path(pack).open("rb") as file:
            size = os.fstat(file.fileno()).st_size
            for at, key, length in _records(file, size):
                if at != end + HEAD_BYTES:
                    whole, verified = False, True  # no head is believed any more that may have been in a blob
                file.seek(at)
                if verified and key != GONE and sha256(file.read(length)).digest() != key:
                    whole = False
                    continue
                if key != GONE:
                    self._put(key, Place(pack, at, length))
                end = at + length
            file.seek(end)
            return end, whole and not file.read().strip(b"\0")

    def _put(self, key: bytes, place: Place) -> None:
        self._forget(key)
        self._places[key] = place.encode()
        self._living[place.pack] += HEAD_BYTES + place.length

    def _forget(self, key: bytes) -> Place | None:
        if (number := self._places.pop(key, None)) is None:
            return None
        place = Place.decode(number)
        self._living[place.pack] -= HEAD_BYTES + place.length
        return place

    # What is there

    def __contains__(self, key: bytes) -> bool:
        return key in self._places

    def __iter__(self) -> Iterator[bytes]:
        return iter(self._places)

    def size(self, key: bytes) -> int | None:
        number = self._places.get(key)
        return None if number is None else Place.decode(number).length

    def read(self, key: bytes) -> bytes | None:
        """What is there by this name; it takes a while, and may be damaged. Raises OSError."""
        while (number := self._places.get(key)) is not None:
            place = Place.decode(number)
            try:
                with self._path(place.pack).open("rb", buffering=0) as file:
                    file.seek(place.at)
                    return file.read(place.length)
            except FileNotFoundError:
                if self._places.get(key) == number:  # it was not moved
                    raise
        return None

    # What is written

    async def add(self, blobs: Collection[tuple[bytes, bytes]]) -> None:
        """Returns once they are on the disk. Raises Unavailable."""
        await self.commit(blobs, sum(len(data) for _, data in blobs))

    async def remove(self, keys: Iterable[bytes]) -> None:
        """Raises Unavailable. Nobody adds these meanwhile."""
        await self.commit([(key, None) for key in keys])

    async def tidy(self) -> None:
        """Writes anew what little lives in some packs. Raises Unavailable. Nobody removes anything meanwhile."""
        try:
            packs = list(self._sizes)
            for pack in sorted(packs, key=self._living.__getitem__):  # what frees most first
                if pack != self._newest and self._living[pack] <= LIVING * self._sizes[pack]:
                    await self._move(pack)
        except OSError as exc:
            raise Unavailable(failure(exc)) from exc

    async def _move(self, pack: int) -> None:
        groups = self._living_in(pack)
        while (blobs := await trio.to_thread.run_sync(next, groups, None)) is not None:
            await self.add(blobs)
        await trio.to_thread.run_sync(self._unlink, pack)

    def _living_in(self, pack: int) -> Iterator[list[tuple[bytes, bytes]]]:
        """Some at a time. What is damaged is left out."""
        keys = self._keys_in(pack)
        for start in range(0, len(keys), MOVED_AT_ONCE):
            blobs = ((key, self.read(key)) for key in keys[start : start + MOVED_AT_ONCE])
            yield [(key, data) for key, data in blobs if data is not None and sha256(data).digest() == key]

    def _keys_in(self, pack: int) -> list[bytes]:
        return [key for key, number in list(self._places.items()) if number >> 64 == pack]

    def _unlink(self, pack: int) -> None:
        for key in self._keys_in(pack):  # damaged
            self._forget(key)
        self._path(pack).unlink()
        del self._sizes[pack]

    def add_now(self, blobs: Iterable[tuple[bytes, bytes]]) -> None:
        """Before anybody else is there. Raises OSError."""
        self._append(blobs)

    def _commit(self, jobs: list[Job]) -> str | None:
        changes = [change for job in jobs for change in job]
        try:
            self._append((key, data) for key, data in changes if data is not None)
            self._mark(key for key, data in changes if data is None)
        except OSError as exc:
            return failure(exc)
        return None

    def _append(self, blobs: Iterable[tuple[bytes, bytes]]) -> None:
        """Behind the newest, at the same place again if that fails."""
        parts: list[bytes] = []
        places: dict[bytes, Place] = {}
        if self._end >= PACK_BYTES:
            self._begin()
        end = self._end
        for key, data in blobs:
            parts += (_head(key, len(data)), data)
            places[key] = Place(self._newest, end + HEAD_BYTES, len(data))
            end += HEAD_BYTES + len(data)
        if not parts:
            return
        self._write(parts, end)
        self._sizes[self._newest] = self._end = end
        for key, place in places.items():
            self._put(key, place)

    def _begin(self) -> None:
        """Another pack."""
        self._close()
        file = FileIO(self._path(self._newest + 1), "wb")
        sync_folder(self._folder)
        sync_folder(self._folder.parent)
        self._file = file
        self._newest += 1
        self._end = self._taken = 0

    def _write(self, parts: list[bytes], end: int) -> None:
        if self._file is None:
            self._file = FileIO(self._path(self._newest), "r+b")
        if end > self._taken:
            self._taken = take_ahead(self._file, self._end, end + AHEAD_BYTES)
        write_at(self._file, self._end, parts)
        flush(self._file)

    def _mark(self, keys: Iterable[bytes]) -> None:
        """Not flushed: what comes back after a loss of power goes again."""
        for key in keys:
            if (place := self._forget(key)) is not None:
                with self._path(place.pack).open("r+b", buffering=0) as file:
                    file.seek(place.at - HEAD_BYTES)
                    file.write(_head(GONE, place.length))

    def close(self) -> None:
        self._close()

    def _close(self) -> None:
        """Ends the newest where its last blob ends."""
        if self._file is not None:
            self._file.truncate(self._end)
            os.fsync(self._file.fileno())
            self._file.close()
            self._file = None

    def _path(self, pack: int) -> Path:
        return self._folder / str(pack)


def _head(key: bytes, length: int) -> bytes:
    head = MARK + _HEAD.pack(key, length)
    return head + _CHECK.pack(crc32(head))


def _records(file: BinaryIO, size: int) -> Iterator[tuple[int, bytes, int]]:
    """Where each blob begins, its key and its length; where no head is the next is looked for."""
    at = 0
    while at >= 0:
        file.seek(at)
        head = file.read(HEAD_BYTES)
        if _is_head(head) and at + HEAD_BYTES + (length := _HEAD.unpack_from(head, len(MARK))[1]) <= size:
            yield at + HEAD_BYTES, head[len(MARK) : len(MARK) + 32], length
            at += HEAD_BYTES + length
        else:
            at = _next_head(file, at + 1)


def _is_head(data: bytes) -> bool:
    whole = len(data) == HEAD_BYTES and data.startswith(MARK)
    return whole and _CHECK.pack(crc32(data[: -_CHECK.size])) == data[-_CHECK.size :]


def _next_head(file: BinaryIO, start: int) -> int:
    """From `start` on; -1 if there is none."""
    file.seek(start)
    rest = file.read()
    place = rest.find(MARK)
    while place >= 0 and not _is_head(rest[place : place + HEAD_BYTES]):
        place = rest.find(MARK, place + 1)
    return start + place if place >= 0 else -1
