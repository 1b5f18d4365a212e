"""What a store promises, asked of each of them without a server. Disks take real time here, so the clock is real."""

from __future__ import annotations

import json
import os
import sqlite3
from collections.abc import Awaitable, Callable, Iterable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
import trio
import trio.testing

from broadcaster import snapshot
from broadcaster.errors import Refused, Unavailable
from broadcaster.room import Entry, Room
from broadcaster.server import Server
from broadcaster.server.gate import Visitor
from broadcaster.store import Store, blobs, sqlite
from broadcaster.store.memory import MemoryStore
from broadcaster.store.spool import LARGEST_RECENT_BYTES, Recent
from broadcaster.store.sqlite import SqliteLog, SqliteStore, Window
from broadcaster.wire import sha_of

CUBE = ["cube", ["create", "objects", {"name": "Cube", "x": 0}]]


def entries(*numbers: int, time: float = 1.0) -> list[Entry]:
    """The first three: somebody comes in, makes a cube, moves it."""
    asked: list[dict[str, Any]] = [
        {"type": "join", "name": "ann"},
        {"type": "tx", "seq": 1, "base": 0, "deltas": [CUBE]},
    ]
    return [
        Entry(
            number,
            time,
            "ann",
            asked[number]
            if number < 2
            else {"type": "tx", "seq": number, "base": 1, "deltas": [["cube", ["patch", {"x": ["put", number]}]]]},
        )
        for number in numbers
    ]


def plain(entries: Iterable[Entry]) -> list[tuple[Any, ...]]:
    return [(entry.number, entry.time, entry.member, entry.request) for entry in entries]


def room_of(name: str, *numbers: int) -> Room:
    room = Room(name, "epoch")
    for entry in entries(*numbers):
        room.fold(entry)
    return room


def batches(store: SqliteStore) -> list[tuple[int, int]]:
    """The rows of all logs: from which entry on, how many."""
    return list(store._database.execute("SELECT number, count FROM batches ORDER BY number"))


def real(test: Callable[[], Awaitable[None]]) -> None:
    """Runs `test` on the real clock."""

    async def within_limit() -> None:
        with trio.fail_after(60):
            await test()

    trio.run(within_limit)


@pytest.fixture(params=["memory", "sqlite"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    store: Store = MemoryStore() if request.param == "memory" else SqliteStore(tmp_path)
    yield store
    store.close()


# Logs


def test_a_log_that_is_kept_is_read_back_where_it_ended(tmp_path: Path) -> None:  # STORE2
    async def write() -> None:
        log = await store.create("r", "epoch")
        await log.append(entries(0))
        await log.append(entries(1, 2))

    async def read() -> None:
        assert await store.rooms() == ["r"]
        stored = await store.load("r")
        assert (stored.name, stored.epoch, stored.number, stored.snapshot) == ("r", "epoch", 3, None)
        assert plain(stored.entries) == plain(entries(0, 1, 2))

    for step in (write, read):
        store = SqliteStore(tmp_path)
        assert (store.torn, list(store.findings)) == (False, [])
        real(step)
        store.close()


def test_what_is_asked_for_at_once_is_kept_in_its_order(store: Store) -> None:  # STORE3
    async def test() -> None:
        log = await store.create("r", "epoch")
        async with trio.open_nursery() as nursery:
            for number in range(0, 60, 2):
                nursery.start_soon(log.append, entries(number, number + 1))
                await trio.lowlevel.checkpoint()
        if store.keeps != "in memory only":
            assert [entry.number for entry in (await store.load("r")).entries] == list(range(60))

    real(test)


def test_commits_are_grouped_while_one_is_under_way(tmp_path: Path) -> None:  # STORE3
    store = SqliteStore(tmp_path)
    commits: list[int] = []

    async def test() -> None:
        logs = [await store.create(str(number), "epoch") for number in range(20)]
        writer = store._writer
        commit = writer._commit
        writer._commit = lambda jobs: commits.append(len(jobs)) or commit(jobs)  # type: ignore[method-assign, func-returns-value]
        async with trio.open_nursery() as nursery:
            for log in logs:
                nursery.start_soon(log.append, entries(0))

    real(test)
    store.close()
    assert sum(commits) == 20
    assert len(commits) <= 2


def test_a_snapshot_takes_the_place_of_what_it_holds(tmp_path: Path) -> None:  # STORE4
    store = SqliteStore(tmp_path, Window(entries=2))
    room = room_of("r", *range(10))

    async def test() -> None:
        log = await store.create("r", "epoch")
        for number in range(10):
            await log.append(entries(number, time=2.0**40))
        await log.keep_snapshot(10, snapshot.parts(room))
        await log.append(entries(10, 11))
        stored = await store.load("r")
        assert (plain(stored.entries), stored.number) == (plain(entries(10, 11)), 12)
        assert batches(store) == [(8, 1), (9, 1), (10, 2)]
        assert stored.snapshot is not None
        again = Room("r", stored.epoch)
        snapshot.restore(again, stored.snapshot)
        for entry in stored.entries:
            again.fold(entry)
            room.fold(entry)
        assert list(snapshot.parts(again)) == list(snapshot.parts(room))

    real(test)
    store.close()


def test_what_is_too_old_is_dropped_behind_a_snapshot_alone(tmp_path: Path) -> None:  # STORE4
    store = SqliteStore(tmp_path, Window(seconds=100.0))

    async def test() -> None:
        log = await store.create("r", "epoch")
        for numbers in ((0, 1), (2, 3, 4), (5,)):
            await log.append(entries(*numbers, time=1.0))
        await log.keep_snapshot(4, snapshot.parts(room_of("r", *range(4))))
        assert batches(store) == [(2, 3), (5, 1)]  # what was appended together goes together
        stored = await store.load("r")
        assert (plain(stored.entries), stored.number) == (plain(entries(4, 5)), 6)

    real(test)
    store.close()


def test_what_is_appended_together_is_kept_in_rows_of_bounded_size(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:  # STORE2
    monkeypatch.setattr(sqlite, "ROW_BYTES", 150)
    store = SqliteStore(tmp_path)

    async def test() -> None:
        await (await store.create("r", "epoch")).append(entries(*range(7)))
        assert batches(store) == [(0, 3), (3, 2), (5, 2)]
        assert plain((await store.load("r")).entries) == plain(entries(*range(7)))

    real(test)
    store.close()


def test_a_log_of_the_first_version_is_read(tmp_path: Path) -> None:  # STORE30
    with closing(sqlite3.connect(tmp_path / sqlite.DATABASE, isolation_level=None)) as old:
        old.executescript("""
            CREATE TABLE rooms (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, epoch TEXT NOT NULL);
            CREATE TABLE entries (
                room INTEGER, number INTEGER, time REAL, member TEXT, request BLOB, PRIMARY KEY (room, number)
            ) WITHOUT ROWID;
            INSERT INTO rooms VALUES (1, 'r', 'epoch');
            PRAGMA user_version = 1""")
        rows = [(1, *kept, json.dumps(request).encode()) for *kept, request in plain(entries(*range(5)))]
        old.executemany("INSERT INTO entries VALUES (?, ?, ?, ?, ?)", rows)
    for _ in range(2):
        store = SqliteStore(tmp_path)
        stored = trio.run(store.load, "r")
        assert (plain(stored.entries), stored.number) == (plain(entries(*range(5))), 5)
        store.close()


def test_a_snapshot_is_kept_while_the_room_goes_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:  # STORE5
    monkeypatch.setattr(snapshot, "PART_BYTES", 10)
    monkeypatch.setattr(sqlite, "COMMIT_BYTES", 100)
    room = room_of("r", 0, 1)
    wanted = list(snapshot.parts(room))
    parts = snapshot.parts(room)
    first = next(parts)
    for entry in entries(2, 3, 4):
        room.fold(entry)
    assert [first, *parts] == wanted


def test_a_long_log_asks_for_a_snapshot(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:  # STORE5
    monkeypatch.setattr(sqlite, "LONG_BYTES", 2000)
    store = SqliteStore(tmp_path)

    async def test() -> None:
        log = await store.create("r", "epoch")
        await log.append(entries(0, 1))
        assert not log.is_long
        await log.append(entries(*range(2, 6)))
        assert log.is_long
        assert (await store.load("r")).log.is_long
        await log.keep_snapshot(6, snapshot.parts(room_of("r", *range(6))))
        assert not log.is_long

    real(test)
    store.close()


def test_a_room_goes_on_by_its_snapshot(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:  # STORE5
    monkeypatch.setattr(sqlite, "LONG_BYTES", 0)
    digests = []

    async def test() -> None:
        async with trio.open_nursery() as nursery:
            server = Server(nursery, store)
            await server.restore()
            if not server.rooms.hosts:
                await server.rooms.enter({"room": "r", "create": True}, Visitor())
            host = server.rooms.hosts["r"]
            for entry in entries(0, 1, 2) if not digests else []:
                host.submit(entry.member, entry.request)
            while host.room.revision < 2 or host._keeping or (digests and host.room.present):
                await trio.sleep(0.01)
            digests.append((host.room.epoch, host.room.document.digest()))
            nursery.cancel_scope.cancel()

    for _ in range(2):
        store = SqliteStore(tmp_path)
        real(test)
        snapshots = store._database.execute("SELECT COUNT(*) FROM snapshots").fetchone()
        assert snapshots == (1,)
        store.close()
    assert digests[0] == digests[1]


def test_a_failed_commit_keeps_nothing_and_the_next_one_goes_on(tmp_path: Path) -> None:  # STORE6
    store = SqliteStore(tmp_path)

    async def test() -> None:
        log = await store.create("r", "epoch")
        await log.append(entries(0))
        pages = store._database.execute("PRAGMA page_count").fetchone()[0]
        store._database.execute(f"PRAGMA max_page_count = {pages}")
        big = Entry(1, 1.0, "ann", {"type": "tx", "text": "x" * 100_000})
        with pytest.raises(Unavailable, match="it is full"):
            await log.append([big])
        store._database.execute("PRAGMA max_page_count = 1000000")
        assert (await store.load("r")).number == 1
        await log.append([big])
        assert (await store.load("r")).number == 2

    real(test)
    store.close()


# The directory


def test_two_processes_do_not_share_a_directory(tmp_path: Path) -> None:  # STORE7
    store = SqliteStore(tmp_path)
    with pytest.raises(Refused, match="another broadcaster"):
        SqliteStore(tmp_path)
    store.close()
    SqliteStore(tmp_path).close()


def test_a_directory_of_a_later_version_is_left_alone(tmp_path: Path) -> None:  # STORE7
    store = SqliteStore(tmp_path)
    store._database.execute("PRAGMA user_version = 99")
    store.close()
    with pytest.raises(Refused, match="later version"):
        SqliteStore(tmp_path)


def test_a_room_of_another_version_is_refused() -> None:  # STORE7
    state, *records = snapshot.parts(room_of("r", 0, 1))
    other = state.replace(b'"fold":1', b'"fold":2')
    with pytest.raises(Refused, match="another version"):
        snapshot.restore(Room("r", "epoch"), [other, *records])


# Blobs


def stored_files(directory: Path) -> list[Path]:
    """Where blobs are."""
    return [*(directory / "packs").iterdir(), *(directory / "blobs").glob("??/*")]


@pytest.mark.parametrize("size", [0, 1, 5000, blobs.LARGE_BYTES - 1, blobs.LARGE_BYTES, 3_000_000])
def test_blobs_of_any_size_come_back(store: Store, size: int) -> None:  # STORE8
    data = os.urandom(size)

    async def test() -> None:
        assert not store.blobs.has(sha_of(data))
        assert await store.blobs.get(sha_of(data)) is None
        await store.blobs.put({sha_of(data): data})
        await store.blobs.put({sha_of(data): data})
        assert store.blobs.has(sha_of(data))
        assert await store.blobs.get(sha_of(data)) == data
        assert await store.blobs.size(sha_of(data)) == size
        for start, stop in [(0, size), (0, 1), (size // 2, size // 2 + 1000), (size, size + 1)]:
            assert await store.blobs.read(sha_of(data), start, stop) == data[start:stop]

    real(test)


def test_blobs_are_kept(tmp_path: Path) -> None:  # STORE8
    made = [os.urandom(size) for size in (0, 100, 20_000, blobs.LARGE_BYTES)]

    async def write() -> None:
        async with trio.open_nursery() as nursery:
            for data in made:
                nursery.start_soon(store.blobs.put, {sha_of(data): data})

    async def read() -> None:
        assert [await store.blobs.get(sha_of(data)) for data in made] == made

    for step in (write, read):
        store = SqliteStore(tmp_path)
        real(step)
        store.close()


@pytest.mark.parametrize("size", [5000, blobs.LARGE_BYTES])
def test_a_blob_that_is_damaged_on_disk_is_nowhere(tmp_path: Path, size: int) -> None:  # STORE9
    data = os.urandom(size)
    store = SqliteStore(tmp_path)

    async def test() -> None:
        store._disk_blobs._recent = Recent(0)
        await store.blobs.put({sha_of(data): data})
        for file in stored_files(tmp_path):
            file.write_bytes(file.read_bytes().replace(data, bytes(size)))
        assert await store.blobs.get(sha_of(data)) is None
        assert not store.blobs.has(sha_of(data))
        assert await store.blobs.size(sha_of(data)) is None
        await store.blobs.put({sha_of(data): data})  # somebody has it still
        assert await store.blobs.get(sha_of(data)) == data

    real(test)
    store.close()


@pytest.mark.parametrize("size", [5000, blobs.LARGE_BYTES])
def test_no_part_of_a_damaged_blob_is_read(tmp_path: Path, size: int) -> None:  # STORE9
    data = os.urandom(size)

    async def write() -> None:
        await store.blobs.put({sha_of(data): data})
        for file in stored_files(tmp_path):
            file.write_bytes(file.read_bytes().replace(data, data[1:] + data[:1]))

    async def read() -> None:
        assert await store.blobs.read(sha_of(data), 0, 1) is None
        assert not store.blobs.has(sha_of(data))

    for step in (write, read):
        store = SqliteStore(tmp_path)
        real(step)
        store.close()


def test_a_half_written_file_is_removed(tmp_path: Path) -> None:  # STORE9
    (tmp_path / "blobs" / "ab").mkdir(parents=True)
    (tmp_path / "blobs" / "ab" / f".{'ab' * 32}").write_bytes(b"half")
    SqliteStore(tmp_path).close()
    assert list((tmp_path / "blobs").glob("??/.*")) == []


def test_a_blob_comes_in_parts_and_is_there_when_it_is_kept(store: Store) -> None:  # STORE18
    parts = [os.urandom(100_000) for _ in range(3)]
    name = sha_of(b"".join(parts))

    async def test() -> None:
        for kept in (False, True):
            async with store.blobs.spool(name, 300_000) as spool:
                await spool.write(parts[:1])
                await spool.write(parts[1:])
                assert not store.blobs.has(name)
                if kept:
                    await spool.keep()
            assert store.blobs.has(name) == kept
        assert await store.blobs.get(name) == b"".join(parts)

    real(test)


def test_a_part_that_could_not_be_written_is_written_again(tmp_path: Path) -> None:  # STORE18
    store = SqliteStore(tmp_path)
    name = sha_of(b"onetwo")

    async def test() -> None:
        async with store.blobs.spool(name, 6) as spool:
            await spool.write([b"one"])
            descriptor = os.dup(spool._file.fileno())  # type: ignore[attr-defined]
            (tmp_path / "else").touch()
            with (tmp_path / "else").open("rb") as closed:
                os.dup2(closed.fileno(), spool._file.fileno())  # type: ignore[attr-defined]
            with pytest.raises(Unavailable, match="cannot write"):
                await spool.write([b"two"])
            os.dup2(descriptor, spool._file.fileno())  # type: ignore[attr-defined]
            os.close(descriptor)
            await spool.write([b"two"])
            await spool.keep()
        assert await store.blobs.get(name) == b"onetwo"
        assert not list((tmp_path / "blobs").glob(".*"))

    real(test)
    store.close()


def test_a_blob_that_is_shorter_than_was_said_is_as_long_as_it_is(tmp_path: Path) -> None:  # STORE18
    store = SqliteStore(tmp_path)

    async def test() -> None:
        async with store.blobs.spool(sha_of(b"short"), 1000) as spool:
            await spool.write([b"short"])
            await spool.keep()
        assert await store.blobs.get(sha_of(b"short")) == b"short"

    real(test)
    store.close()


def test_recent_blobs_are_bounded() -> None:  # STORE19
    recent = Recent(10)
    for name in "abc":
        recent.add(name, name.encode() * 4)
    assert [recent.get(name) for name in "abc"] == [None, b"bbbb", b"cccc"]
    recent.drop("b")
    recent.add("d", b"dddd")
    assert [recent.get(name) for name in "bcd"] == [None, b"cccc", b"dddd"]
    recent.add("e", b"x" * (LARGEST_RECENT_BYTES + 1))
    assert recent.get("e") is None


def test_logs_and_blobs_of_the_contract_are_of_their_kind(store: Store) -> None:  # STORE2
    async def test() -> None:
        log = await store.create("r", "epoch")
        assert not log.is_long
        assert isinstance(log, SqliteLog) == (store.keeps != "in memory only")
        await log.keep_snapshot(1, snapshot.parts(room_of("r", 0)))

    real(test)


@pytest.mark.parametrize("size", [5000, blobs.LARGE_BYTES])
def test_idle_blobs_are_removed_and_come_back(tmp_path: Path, size: int) -> None:  # STORE14
    now = [0.0]
    one, two = os.urandom(size), os.urandom(size)
    disk = blobs.DiskBlobs(tmp_path, [], clock=lambda: now[0])

    async def test() -> None:
        for data in (one, two):
            await disk.put({sha_of(data): data})
        now[0] = 50.0
        assert disk.has(sha_of(two))
        now[0] = 101.0
        assert disk.idle(100.0) == {sha_of(one)}
        assert await disk.remove([sha_of(one), sha_of(two)], 100.0) == {sha_of(one)}
        assert [disk.has(sha_of(data)) for data in (one, two)] == [False, True]
        await disk.put({sha_of(one): one})
        assert await disk.get(sha_of(one)) == one
        now[0] = 1000.0
        async with trio.open_nursery() as nursery:
            nursery.start_soon(disk.remove, [sha_of(one)], 100.0)
            await trio.testing.wait_all_tasks_blocked()
            await disk.put({sha_of(one): one})  # while it goes
        assert await disk.get(sha_of(one)) == one

    real(test)
    disk.close()
    again = blobs.DiskBlobs(tmp_path, [])
    assert again.has(sha_of(one))
    again.close()


def test_a_room_that_fails_is_read_again(tmp_path: Path) -> None:  # STORE15
    store = SqliteStore(tmp_path)

    async def test() -> None:
        async with trio.open_nursery() as nursery:
            server = Server(nursery, store)
            await server.restore()
            await server.rooms.enter({"room": "r", "create": True}, Visitor())
            first = server.rooms.hosts["r"]
            requests = [entry.request for entry in entries(0, 1)]
            for request in [*requests, {"type": "poison"}]:
                first.submit("ann", request)
            while server.rooms.hosts.get("r", first) is first:
                await trio.sleep(0.01)
            again = server.rooms.hosts["r"].room
            assert (again.epoch, again.revision) == (first.room.epoch, 1)
            while again.present:  # whoever was there is to come back
                await trio.sleep(0.01)
            nursery.cancel_scope.cancel()

    real(test)
    store.close()


def test_rooms_begin_with_a_snapshot_and_are_deleted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:  # STORE16
    monkeypatch.setattr(snapshot, "PART_BYTES", 1)
    monkeypatch.setattr(sqlite, "COMMIT_BYTES", 1)
    parts = list(snapshot.parts(room_of("r", 0, 1)))

    def half() -> Iterator[bytes]:
        yield from parts
        raise ZeroDivisionError

    async def write() -> None:
        for name in ("one", "two", "three"):
            await (await store.create(name, "epoch", parts)).append(entries(0))
        with pytest.raises(ZeroDivisionError):
            await store.create("half", "epoch", half())
        await store.delete("three")
        await store.delete("one")

    async def read() -> None:
        assert await store.rooms() == ["two"]
        stored = await store.load("two")
        assert (stored.snapshot, plain(stored.entries), stored.number) == (parts, plain(entries(0)), 1)
        await store.create("four", "epoch")
        four = await store.load("four")
        assert (four.snapshot, list(four.entries)) == (None, [])

    for step in (write, read):
        store = SqliteStore(tmp_path)
        assert not store.torn
        real(step)
        store.close()
