"""The one writer of a database, whom many ask at once. Disks take real time here, so the clock is real."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Awaitable, Callable
from functools import partial
from pathlib import Path
from typing import TypeAlias

import pytest
import trio
import trio.testing

from broadcaster.store.database import Job, Writer, connect

Ask: TypeAlias = Callable[[], Awaitable[None]]


class Counting(Writer):
    """Knows how many jobs were in each commit."""

    counts: tuple[int, ...] = ()

    def _commit(self, jobs: list[Job]) -> str | None:
        self.counts += (len(jobs),)
        return super()._commit(jobs)


class Disk:
    """A writer whose first commit lasts until it is let go."""

    def __init__(self, directory: Path) -> None:
        self.database = connect(directory / "some.db")
        self.database.execute("CREATE TABLE done (name TEXT)")
        self.writer = Counting(self.database, commit_bytes=1000)
        self.go = threading.Event()
        self.begun = trio.Event()
        self._token = trio.lowlevel.current_trio_token()

    def first(self, database: sqlite3.Connection) -> None:
        self._token.run_sync_soon(self.begun.set)
        self.go.wait()

    async def write(self, name: str, size: int = 0) -> None:
        await self.writer.commit(lambda database: self.insert(name, database), size)

    def insert(self, name: str, database: sqlite3.Connection) -> None:
        database.execute("INSERT INTO done VALUES (?)", (name,))

    async def while_busy(self, *asks: Ask, then: Callable[[], None] = lambda: None) -> None:
        """Asks one after the other while the first commit is under way, and lets it go; `then` is called at its end."""

        async def first() -> None:
            await self.writer.commit(self.first)
            then()

        async with trio.open_nursery() as nursery:
            nursery.start_soon(first)
            await self.begun.wait()
            for ask in asks:
                nursery.start_soon(ask)
                await trio.testing.wait_all_tasks_blocked()
            self.go.set()

    @property
    def done(self) -> list[str]:
        return [name for (name,) in self.database.execute("SELECT name FROM done ORDER BY rowid")]


def test_what_is_small_waits_for_nothing_large(tmp_path: Path) -> None:  # STORE20
    async def main() -> None:
        disk = Disk(tmp_path)
        sizes = {"a": 10**6, "b": 10**6, "c": 10**6, "small": 10, "tiny": 0}
        await disk.while_busy(*(partial(disk.write, *one) for one in sizes.items()))
        assert disk.writer.counts == (1, 3, 1, 1)
        assert disk.done == ["a", "small", "tiny", "b", "c"]
        disk.database.close()

    trio.run(main)


@pytest.mark.parametrize("given_up", [["a"], ["b"], ["a", "b"], ["a", "c"]])
def test_who_is_given_up_amid_a_commit_takes_nobody_along(tmp_path: Path, given_up: list[str]) -> None:  # STORE21
    async def main() -> None:
        disk, told = Disk(tmp_path), list[str]()
        scopes = {name: trio.CancelScope() for name in "abcd"}

        async def write(name: str) -> None:
            with scopes[name]:
                await disk.write(name)
                told.append(name)

        def give_up() -> None:
            for name in given_up:
                scopes[name].cancel()

        await disk.while_busy(*(partial(write, name) for name in "abcd"), then=give_up)
        assert {*"abcd"} - {*given_up} <= {*told} <= {*disk.done}
        disk.database.close()

    trio.run(main)


def test_a_job_that_cannot_be_done_takes_nobody_along(tmp_path: Path) -> None:  # STORE21
    async def main() -> None:
        disk, told = Disk(tmp_path), list[str]()

        def fail(database: sqlite3.Connection) -> None:
            raise sqlite3.IntegrityError("a fault of ours")

        async def write(name: str) -> None:
            await disk.write(name)
            told.append(name)

        async def write_wrongly() -> None:
            with pytest.raises(sqlite3.IntegrityError):
                await disk.writer.commit(fail)

        await disk.while_busy(write_wrongly, partial(write, "a"), partial(write, "b"))
        assert sorted(told) == sorted(disk.done) == ["a", "b"]
        disk.database.close()

    trio.run(main)
