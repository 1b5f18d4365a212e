"""Rooms in a directory: logs and snapshots in one SQLite database, blobs beside it."""

from __future__ import annotations

import shutil
import sqlite3
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Final

import orjson
import trio

from .. import wire
from ..errors import Refused
from ..room import Entry
from . import Blobs, Log, Stored
from .blobs import DiskBlobs
from .database import NOWHERE, Insert, Job, Place, Writer, connect, make_schema
from .head import HeadFile
from .repair import check, check_batches, salvage
from .rows import read_row, rows
from .turns import Turns

DATABASE: Final = "rooms.db"
UPLOADS: Final = "uploads"
VERSION: Final = 3  # since 2 there is a row for each batch, since 3 small blobs are in packs
SCHEMA: Final = """
    CREATE TABLE IF NOT EXISTS rooms (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, epoch TEXT NOT NULL);
    CREATE TABLE IF NOT EXISTS batches (
        room INTEGER, number INTEGER, count INTEGER, time REAL, crc INTEGER, entries BLOB, PRIMARY KEY (room, number)
    ) WITHOUT ROWID;
    CREATE TABLE IF NOT EXISTS snapshots (room INTEGER, number INTEGER, parts INTEGER, PRIMARY KEY (room, number));
    CREATE TABLE IF NOT EXISTS parts (room INTEGER, number INTEGER, part INTEGER, data BLOB);
    CREATE INDEX IF NOT EXISTS parts_of ON parts (room, number, part)
"""
ROW_BYTES: Final = wire.MIB  # about
COMMIT_BYTES: Final = wire.MIB  # of a snapshot in one go: edits are committed in between
TRIMMED_AT_ONCE: Final = 20  # rows
LONG_BYTES: Final = 8 * wire.MIB  # of log since the last snapshot: then, and past the size of that, another one is due
ENTRY_BYTES: Final = 512  # what an entry costs at a start, besides its bytes


INSERT: Final = "INSERT INTO batches VALUES (?, ?, ?, ?, ?, ?)"


@dataclass(frozen=True, slots=True)
class Window:
    """How much of a log is kept behind its snapshot: to see who did what. Whatever is older goes."""

    entries: int = 100_000
    seconds: float = 30 * 24 * 3600.0


class SqliteLog:
    """The log of one room, by its number in the database."""

    def __init__(self, writer: Writer, room: int, window: Window) -> None:
        self._writer = writer
        self._room = room
        self._window = window
        self._bytes = 0  # since the last snapshot
        self._snapshot_bytes = 0

    @property
    def is_long(self) -> bool:
        return self._bytes > max(LONG_BYTES, self._snapshot_bytes)

    async def append(self, entries: Sequence[Entry]) -> None:
        made = rows(self._room, entries, ROW_BYTES)
        size = sum(len(row[-1]) for row in made)
        await self._writer.commit(Insert(INSERT, made, (self._room, entries[-1].number)), size)
        self._bytes += ENTRY_BYTES * len(entries) + size

    async def read(self, name: str, epoch: str) -> Stored:
        """The latest snapshot and what came after it."""
        stored: Stored = await trio.to_thread.run_sync(self._read, name, epoch)
        return stored

    def _read(self, name: str, epoch: str) -> Stored:
        database, room, number = self._writer.database, self._room, 0
        snapshot = None
        found = database.execute("SELECT MAX(number) FROM snapshots WHERE room = ?", (room,)).fetchone()[0]
        if found is not None:
            number = found
            rows = database.execute(
                "SELECT data FROM parts WHERE room = ? AND number = ? ORDER BY part", (room, number)
            )
            snapshot = [data for (data,) in rows]
            self._snapshot_bytes = sum(map(len, snapshot))
        rows = database.execute(
            "SELECT number, time, entries FROM batches WHERE room = ? AND number + count > ? ORDER BY number",
            (room, number),
        )
        entries = []
        for first, time_, batch in rows:
            found = read_row(first, time_, batch)
            entries += found[max(number - first, 0) :]
            self._bytes += ENTRY_BYTES * len(found) + len(batch)
        return Stored(name, epoch, snapshot, entries, number + len(entries), self)

    async def keep_snapshot(self, number: int, parts: Iterable[bytes]) -> None:
        await self._write_snapshot(number, parts)
        await self._trim(number)

    async def begin(self, name: str, epoch: str, parts: Iterable[bytes]) -> None:
        """Makes the room, with its first snapshot or not at all."""

        def make(database: sqlite3.Connection) -> None:
            for table in ("batches", "snapshots"):  # of what was forgotten
                database.execute(f"DELETE FROM {table} WHERE room = ?", (self._room,))
            database.execute("INSERT INTO rooms VALUES (?, ?, ?)", (self._room, name, epoch))

        await self._write_snapshot(0, parts, make)

    async def _write_snapshot(self, number: int, parts: Iterable[bytes], first: Job | None = None) -> None:
        """In commits of bounded size: the last of them makes it valid."""
        self._bytes = self._snapshot_bytes = 0  # also if this fails: the next try comes later, not at once
        count = 0
        for some in _in_commits(parts):
            rows = [(self._room, number, part, data) for part, data in enumerate(some, count)]
            await self._writer.commit(partial(self._insert, number, rows), sum(map(len, some)))
            count += len(some)
            self._snapshot_bytes += sum(map(len, some))
            await trio.lowlevel.checkpoint()

        def finish(database: sqlite3.Connection) -> None:
            if first is not None:
                first(database)
            if count:
                database.execute("INSERT INTO snapshots VALUES (?, ?, ?)", (self._room, number, count))
                database.execute("DELETE FROM snapshots WHERE room = ? AND number < ?", (self._room, number))
                database.execute("DELETE FROM parts WHERE room = ? AND number < ?", (self._room, number))

        await self._writer.commit(finish)

    def _insert(self, number: int, rows: list[tuple[int, int, int, bytes]], database: sqlite3.Connection) -> None:
        if rows[0][2] == 0:  # what an earlier try left
            database.execute("DELETE FROM parts WHERE room = ? AND number = ?", (self._room, number))
        database.executemany("INSERT INTO parts VALUES (?, ?, ?, ?)", rows)

    async def _trim(self, number: int) -> None:
        """Drops what the snapshot holds and the window does not."""
        trimmed: list[int] = [TRIMMED_AT_ONCE]

        def drop(database: sqlite3.Connection) -> None:
            trimmed[0] = database.execute(
                "DELETE FROM batches WHERE room = ?1 AND number IN (SELECT number FROM batches"
                " WHERE room = ?1 AND number + count <= ?2 AND (number + count <= ?2 - ?3 OR time < ?4)"
                " ORDER BY number LIMIT ?5)",
                (self._room, number, self._window.entries, time.time() - self._window.seconds, TRIMMED_AT_ONCE),
            ).rowcount

        while trimmed[0] == TRIMMED_AT_ONCE:
            await self._writer.commit(drop, COMMIT_BYTES)


def _in_commits(parts: Iterable[bytes]) -> Iterator[list[bytes]]:
    some: list[bytes] = []
    size = 0
    for part in parts:
        some.append(part)
        size += len(part)
        if size >= COMMIT_BYTES:
            yield some
            some, size = [], 0
    if some:
        yield some


class SqliteStore:
    """The store of a broadcaster with --data. One process at a time holds a directory.

    Raises Refused if the directory cannot be used.
    """

    def __init__(self, directory: Path, window: Window | None = None) -> None:
        self.keeps = f"in {directory}"
        self._window = window or Window()
        try:
            directory.mkdir(parents=True, exist_ok=True)
            self._head = HeadFile(directory)
            self.findings: list[str] = []
            self._database, self.torn = self._open(directory)
            turns = Turns()
            self._disk_blobs = DiskBlobs(directory, self.findings, clean=self._head.was_closed, turns=turns)
            self._head.begin()
            self.folder: Path | None = _emptied(directory / UPLOADS)
        except (OSError, sqlite3.Error) as exc:
            raise Refused(f"rooms cannot be kept in {directory}: {exc}") from exc
        self.blobs: Blobs = self._disk_blobs
        self._writer = Writer(self._database, self._head.write, turns=turns)
        self._last: int = self._database.execute("SELECT IFNULL(MAX(id), 0) FROM rooms").fetchone()[0]

    def _open(self, directory: Path) -> tuple[sqlite3.Connection, bool]:
        path = directory / DATABASE
        torn = path.exists() and self._head.trusted is None
        if why := check(path) or check_batches(path):
            torn = True
            self.findings.append(f"{DATABASE} is damaged ({why})")
            self.findings += salvage(path, lambda: _prepare(path))
        database = _prepare(path)
        if not torn and not self._holds_end(database):
            torn = True
        if torn:
            self.findings.append("the end of the log may be missing: rooms go on in a new epoch")
        return database, torn

    def _holds_end(self, database: sqlite3.Connection) -> bool:
        """Whether the last entry that was written is there, or was folded into a snapshot or removed."""
        head = self._head.trusted
        if head is None or head.room == 0:
            return True
        found = database.execute(
            "SELECT 1 FROM batches WHERE room = ?1 AND number <= ?2 AND number + count > ?2"
            " UNION SELECT 1 FROM snapshots WHERE room = ?1 AND number > ?2",
            (head.room, head.number),
        )
        return found.fetchone() is not None

    async def rooms(self) -> list[str]:
        return [name for (name,) in self._database.execute("SELECT name FROM rooms ORDER BY id")]

    async def load(self, name: str) -> Stored:
        id, epoch = self._database.execute("SELECT id, epoch FROM rooms WHERE name = ?", (name,)).fetchone()
        log = SqliteLog(self._writer, id, self._window)
        return await log.read(name, epoch)

    async def create(self, name: str, epoch: str, parts: Iterable[bytes] = ()) -> Log:
        self._last += 1
        log = SqliteLog(self._writer, self._last, self._window)
        await log.begin(name, epoch, parts)
        return log

    async def delete(self, name: str) -> None:
        def forget(database: sqlite3.Connection) -> Place:
            room = database.execute("SELECT id FROM rooms WHERE name = ?", (name,)).fetchone()
            for table in ("batches", "snapshots", "parts"):
                database.execute(f"DELETE FROM {table} WHERE room = ?", room)
            database.execute("DELETE FROM rooms WHERE id = ?", room)
            return NOWHERE

        await self._writer.commit(forget)

    def close(self) -> None:
        self._database.close()
        self._disk_blobs.close()
        self._head.close()


def _emptied(folder: Path) -> Path:
    """Without what was there when the process ended."""
    if folder.exists():
        shutil.rmtree(folder)
    folder.mkdir()
    return folder


def _prepare(path: Path) -> sqlite3.Connection:
    database = connect(path)
    make_schema(database, path, VERSION, SCHEMA)
    if database.execute("SELECT 1 FROM sqlite_master WHERE name = 'entries'").fetchone():
        _upgrade(database)
    return database


def _upgrade(database: sqlite3.Connection) -> None:
    """Of a row for each entry, as version 1 had them, to one for those that were appended together."""
    database.execute("BEGIN")
    old = database.execute("SELECT room, number, time, member, request FROM entries ORDER BY room, number")
    for room, number, time_, member, request in old:
        database.executemany(INSERT, rows(room, [Entry(number, time_, member, orjson.loads(request))], ROW_BYTES))
    database.execute("DROP TABLE entries")
    database.execute("COMMIT")
