"""What is done about a database whose file is damaged: all that can still be read is put into a new one."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from hashlib import sha256
from pathlib import Path
from typing import Any, Final
from zlib import crc32

import orjson

DAMAGED: Final = "damaged"
KEPT_BYTES: Final = 4 * 1024 * 1024  # of blobs, at once


def check(path: Path) -> str | None:
    """What is wrong with the database; None if it is whole, or not there."""
    if not path.exists():
        return "it is missing" if _wal(path).exists() else None
    if path.stat().st_size == 0 and _wal(path).exists():
        return "it is empty"
    try:
        with closing(sqlite3.connect(path)) as database:
            database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
            pages, page_bytes = (
                database.execute(f"PRAGMA {name}").fetchone()[0] for name in ("page_count", "page_size")
            )
            if path.stat().st_size < pages * page_bytes:
                return "it is cut off"
            found: str = database.execute("PRAGMA quick_check(1)").fetchone()[0]
    except sqlite3.DatabaseError as exc:
        return str(exc)
    return None if found == "ok" else found.splitlines()[-1]


def check_batches(path: Path) -> str | None:
    """What is wrong with the logs in it, if anything: SQLite does not see that the end of a long row is gone."""
    if not path.exists():
        return None
    try:
        with closing(sqlite3.connect(path)) as database:
            database.create_function("crc32", 1, crc32, deterministic=True)
            if not database.execute("SELECT 1 FROM sqlite_master WHERE name = 'batches'").fetchone():
                return None
            found = database.execute("SELECT 1 FROM batches WHERE crc32(entries) != crc LIMIT 1").fetchone()
    except sqlite3.DatabaseError as exc:
        return str(exc)
    return "a part of its log is not what was written" if found else None


def _wal(path: Path) -> Path:
    return path.with_name(f"{path.name}-wal")


def set_aside(path: Path) -> Path:
    """Moves a database with its log into a folder of its own, for whoever wants to look; where it is now."""
    number = 1
    while (folder := path.with_name(f"{DAMAGED}-{number}")).exists():
        number += 1
    folder.mkdir()
    for file in path.parent.glob(f"{path.name}*"):
        file.replace(folder / file.name)
    return folder / path.name


def salvage(path: Path, make: Callable[[], sqlite3.Connection]) -> list[str]:
    """Sets the database aside and copies what can be read into one that `make` makes; what became of it."""
    old = set_aside(path)
    said = [f"it is in {old.parent.name} now"]
    with closing(make()) as new:
        try:
            with closing(sqlite3.connect(old, isolation_level=None)) as damaged:
                damaged.execute("PRAGMA writable_schema = ON")  # SQLite then reads a file that is too short, too
                rooms = list(_rows(damaged, "SELECT id, name, epoch FROM rooms ORDER BY id"))
                said += [_salvage_room(damaged, new, *room) for room in rooms]
        except sqlite3.DatabaseError:
            rooms = []
        if not rooms:
            said.append("nothing of it can be read: all rooms are gone")
    return said


def _salvage_room(damaged: sqlite3.Connection, new: sqlite3.Connection, id: int, name: str, epoch: str) -> str:
    if not (isinstance(name, str) and isinstance(epoch, str)):
        return "a room whose name cannot be read is gone"
    number = _salvage_snapshot(damaged, new, id)
    start = number or 0
    end = start
    batches = _rows(damaged, "SELECT * FROM batches WHERE room = ? AND number + count > ? ORDER BY number", id, start)
    new.execute("BEGIN")
    for row in batches:
        if row[1] > end or crc32(row[5]) != row[4]:
            break
        new.execute("INSERT INTO batches VALUES (?, ?, ?, ?, ?, ?)", row)
        end = row[1] + row[2]
    found = number is not None or end > 0
    if found:
        new.execute("INSERT INTO rooms VALUES (?, ?, ?)", (id, name, epoch))
    new.execute("COMMIT")
    return f"room {name!r} is read up to entry {end} of its log" if found else f"room {name!r} is gone"


def _salvage_snapshot(damaged: sqlite3.Connection, new: sqlite3.Connection, room: int) -> int | None:
    """The number of the latest snapshot that is whole."""
    found = list(_rows(damaged, "SELECT number, parts FROM snapshots WHERE room = ? ORDER BY number DESC", room))
    for number, count in found:
        new.execute("BEGIN")
        copied = 0
        rows = _rows(damaged, "SELECT * FROM parts WHERE room = ? AND number = ? ORDER BY part", room, number)
        for row in rows:
            if row[2] != copied or not all(map(_is_json, row[3].splitlines())):
                break
            new.execute("INSERT INTO parts VALUES (?, ?, ?, ?)", row)
            copied += 1
        if copied == count:
            new.execute("INSERT INTO snapshots VALUES (?, ?, ?)", (room, number, count))
            new.execute("COMMIT")
            return int(number)
        new.execute("ROLLBACK")
    return None


def salvage_blobs(path: Path, keep: Callable[[list[tuple[bytes, bytes]]], None]) -> list[str]:
    """Brings over what blobs a database of an earlier version has, as far as they are what their names say."""
    if (why := check(path)) is None and not path.exists():
        return []
    old = path if why is None else set_aside(path)
    copied = lost = size = 0
    some: list[tuple[bytes, bytes]] = []
    with closing(sqlite3.connect(old, isolation_level=None)) as database:
        for (sha,) in _names(database):
            data = next(_rows(database, "SELECT data FROM blobs WHERE sha = ?", sha), (b"",))[0]
            if sha256(data).digest() != sha:
                lost += 1
                continue
            copied += 1
            some.append((sha, data))
            if (size := size + len(data)) >= KEPT_BYTES:
                keep(some)
                some, size = [], 0
    keep(some)
    if why is None and lost:
        why, old = "some of its blobs are not what was written", set_aside(path)
    if why is None:
        for file in sorted(path.parent.glob(f"{path.name}*"), reverse=True):  # the log of the database first
            file.unlink()
        return []
    where = f"it is in {old.parent.name} now: {copied} blobs are read, {lost} known ones are gone"
    return [f"{path.name} is damaged ({why})", where]


def _names(damaged: sqlite3.Connection) -> Iterator[tuple[Any, ...]]:
    try:
        damaged.execute("PRAGMA writable_schema = ON")
    except sqlite3.DatabaseError:
        return iter(())
    return _rows(damaged, "SELECT sha FROM blobs")


def _rows(database: sqlite3.Connection, query: str, *values: object) -> Iterator[tuple[Any, ...]]:
    """The rows as far as they can be read."""
    try:
        yield from database.execute(query, values)
    except sqlite3.DatabaseError:
        return


def _is_json(data: bytes) -> bool:
    try:
        orjson.loads(data)
    except orjson.JSONDecodeError:
        return False
    return True
