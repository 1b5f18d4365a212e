"""Small blobs in packs: what is there after cuts, spoilt sectors, removals and an upgrade. Disks are real."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Callable
from contextlib import closing
from hashlib import sha256
from pathlib import Path
from random import Random
from typing import Final

import pytest
import trio

from broadcaster.errors import Unavailable
from broadcaster.store import packs
from broadcaster.store.blobs import DATABASE, DiskBlobs
from broadcaster.store.packs import Packs
from broadcaster.store.spool import Recent
from broadcaster.wire import sha_of

SIZES: Final = (0, 1, 100, 3000, 20_000)
BLOBS: Final = 60
HARMS: Final = 40  # for each test
SECTOR_BYTES: Final = 512


@pytest.fixture(autouse=True)
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(packs, "PACK_BYTES", 100_000)
    monkeypatch.setattr(packs, "AHEAD_BYTES", 10_000)


def made(chance: Random) -> list[bytes]:
    return [chance.randbytes(chance.choice(SIZES)) + bytes([number]) for number in range(BLOBS)]


def key_of(data: bytes) -> bytes:
    return sha256(data).digest()


def record(data: bytes) -> bytes:
    return packs._head(key_of(data), len(data)) + data


def fill(folder: Path, datas: list[bytes]) -> Packs:
    opened = Packs(folder, [], clean=True)
    for data in datas:
        trio.run(opened.add, [(key_of(data), data)])
    return opened


def kill(opened: Packs) -> None:
    """Leaves the files as the end of a process does."""
    assert opened._file is not None
    opened._file.close()


def packed(folder: Path, datas: list[bytes]) -> dict[Path, bytes]:
    """What is in the files after a process was killed."""
    kill(fill(folder, datas))
    return {file: file.read_bytes() for file in files(folder)}


def lay(kept: dict[Path, bytes]) -> None:
    for file in files(next(iter(kept)).parent):
        file.unlink()
    for file, content in kept.items():
        file.write_bytes(content)


def found(opened: Packs | DiskBlobs, datas: list[bytes]) -> list[bytes]:
    if isinstance(opened, DiskBlobs):
        return [data for data in datas if trio.run(opened.get, sha_of(data)) == data]
    return [data for data in datas if opened.read(key_of(data)) == data]


def files(folder: Path) -> list[Path]:
    return sorted(folder.iterdir(), key=lambda file: int(file.name))


@pytest.mark.parametrize("end", [Packs.close, kill])
def test_what_is_packed_is_there_again(tmp_path: Path, end: Callable[[Packs], None]) -> None:  # STORE8
    datas = made(Random(1))
    for there in (0, 20, 40, BLOBS):
        findings: list[str] = []
        opened = Packs(tmp_path / "packs", findings, clean=end is Packs.close)
        assert (found(opened, datas), findings) == (datas[:there], [])
        trio.run(opened.add, [(key_of(data), data) for data in datas[there : there + 20] or [b"more"]])
        end(opened)
    assert len(files(tmp_path / "packs")) > 1


def test_of_a_pack_that_is_cut_anywhere_what_was_before_is_there(tmp_path: Path) -> None:  # STORE11, STORE17
    chance = Random(2)
    datas = made(chance)
    kept = packed(tmp_path / "packs", datas)
    newest = list(kept)[-1]
    for _ in range(HARMS):
        lay(kept)
        file = chance.choice(list(kept))
        size = chance.randrange(len(kept[file]))
        os.truncate(file, size)
        findings: list[str] = []
        opened = Packs(tmp_path / "packs", findings, clean=False)
        whole = [data for data in datas if record(data) not in kept[file] or record(data) in kept[file][:size]]
        assert {*opened} == {*map(key_of, whole)}
        assert (found(opened, datas), bool(findings)) == (whole, file != newest)
        trio.run(opened.add, [(key_of(data), data) for data in [*datas, b"more"] if data not in whole])
        opened.close()
        findings.clear()
        assert (found(Packs(tmp_path / "packs", findings, clean=True), datas), findings) == (datas, [])


def test_what_spoilt_sectors_do_not_touch_is_there(tmp_path: Path) -> None:  # STORE22
    chance = Random(3)
    datas = made(chance)
    kept = packed(tmp_path / "packs", datas)
    for _ in range(HARMS):
        lay(kept)
        file = chance.choice(list(kept))
        place = chance.randrange(len(kept[file]) // SECTOR_BYTES) * SECTOR_BYTES
        sector = chance.choice((bytes(SECTOR_BYTES), chance.randbytes(SECTOR_BYTES)))
        content = kept[file][:place] + sector + kept[file][place + SECTOR_BYTES :]
        file.write_bytes(content)
        opened = DiskBlobs(tmp_path, [])
        whole = {data for data in datas if record(data) not in kept[file] or record(data) in content}
        there = found(opened, datas)
        assert whole <= {*there}
        opened.close()
        findings: list[str] = []
        opened = DiskBlobs(tmp_path, findings)
        assert (found(opened, datas), findings) == (there, [])
        opened.close()


def test_no_head_within_a_blob_is_believed(tmp_path: Path) -> None:  # STORE22
    inner = b"never sent"
    hostile = packs._head(key_of(inner), len(inner)) + b"other bytes"
    fill(tmp_path / "packs", [hostile, b"x" * packs.PACK_BYTES, b"newest"]).close()
    first = files(tmp_path / "packs")[0]
    first.write_bytes(b"?" + first.read_bytes()[1:])
    findings: list[str] = []
    again = Packs(tmp_path / "packs", findings, clean=True)
    assert {*again} == {key_of(b"x" * packs.PACK_BYTES), key_of(b"newest")}
    again.close()
    assert "packs/1 is damaged" in findings[0]


def test_a_pack_of_which_little_lives_goes(tmp_path: Path) -> None:  # STORE23
    now = [0.0]
    datas = made(Random(4))
    disk = DiskBlobs(tmp_path, [], clock=lambda: now[0])
    disk._recent = Recent(0)

    async def test() -> None:
        for data in datas:
            await disk.put({sha_of(data): data})
        before = files(tmp_path / "packs")
        now[0] = 100.0
        for data in datas[::4]:
            assert disk.has(sha_of(data))
        gone = await disk.remove([sha_of(data) for data in datas], 50.0)
        assert gone == {sha_of(data) for data in datas if data not in datas[::4]}
        assert not {*before[:-1]} & {*files(tmp_path / "packs")}
        assert sum(file.stat().st_size for file in files(tmp_path / "packs")) < sum(map(len, datas))

    trio.run(test)
    for _ in range(2):
        assert found(disk, datas) == datas[::4]
        disk.close()
        findings: list[str] = []
        disk = DiskBlobs(tmp_path, findings, clean=True)
        assert findings == []
    disk.close()


def test_what_could_not_be_written_is_written_again(tmp_path: Path) -> None:  # STORE6
    opened = fill(tmp_path / "packs", [b"one"])

    async def test() -> None:
        assert opened._file is not None
        descriptor = os.dup(opened._file.fileno())
        with (tmp_path / "packs" / "1").open("rb") as closed:
            os.dup2(closed.fileno(), opened._file.fileno())
        with pytest.raises(Unavailable, match="cannot write"):
            await opened.add([(key_of(b"two"), b"two")])
        assert key_of(b"two") not in opened
        os.dup2(descriptor, opened._file.fileno())
        os.close(descriptor)
        await opened.add([(key_of(b"three"), b"three")])
        await opened.add([(key_of(b"two"), b"two")])

    trio.run(test)
    kill(opened)
    assert found(Packs(tmp_path / "packs", [], clean=False), [b"one", b"two", b"three"]) == [b"one", b"two", b"three"]


def old(directory: Path, datas: list[bytes]) -> Path:
    with closing(sqlite3.connect(directory / DATABASE)) as database:
        database.executescript("CREATE TABLE blobs (sha BLOB PRIMARY KEY, data BLOB NOT NULL); PRAGMA user_version = 1")
        database.executemany("INSERT INTO blobs VALUES (?, ?)", [(key_of(data), data) for data in datas])
        database.commit()
    return directory / DATABASE


def test_blobs_of_an_earlier_version_come_over(tmp_path: Path) -> None:  # STORE24
    datas = made(Random(5))
    old(tmp_path, datas)
    for _ in range(2):
        findings: list[str] = []
        disk = DiskBlobs(tmp_path, findings)
        assert (found(disk, datas), findings) == (datas, [])
        assert not list(tmp_path.glob(f"{DATABASE}*"))
        disk.close()


def test_what_can_be_read_of_a_damaged_database_comes_over(tmp_path: Path) -> None:  # STORE24
    datas = made(Random(6))
    file = old(tmp_path, datas)
    os.truncate(file, file.stat().st_size * 2 // 3)
    for said in (2, 0):
        findings: list[str] = []
        disk = DiskBlobs(tmp_path, findings)
        there = found(disk, datas)
        assert 0 < len(there) < len(datas)
        assert len(findings) == said
        disk.close()
    assert (tmp_path / "damaged-1" / DATABASE).exists()
