"""One SQLite database and its only writer: what is asked for while a commit runs is committed together, after it."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Final, TypeAlias

import trio

from ..errors import Refused, Unavailable

Place: TypeAlias = tuple[int, int]  # a room and the number of an entry of its log
NOWHERE: Final[Place] = (0, 0)  # what was written last is no entry, and nothing before it can be missed
Job: TypeAlias = Callable[[sqlite3.Connection], Place | None]  # what it returns is the last that it wrote

BUSY_SECONDS: Final = 10.0  # for somebody who takes a back-up meanwhile
SMALL_BYTES: Final = 16 * 1024  # of a job
COMMIT_BYTES: Final = 256 * 1024  # about, of large jobs in one commit
JOURNAL_BYTES: Final = 64 * 1024 * 1024  # what stays of the WAL file after a large transaction


def connect(path: Path, *, page_bytes: int = 4096) -> sqlite3.Connection:
    """Opens or makes a database of which nothing that was committed is lost, not by a loss of power either."""
    database = sqlite3.connect(path, timeout=BUSY_SECONDS, isolation_level=None, check_same_thread=False)
    try:
        database.execute(f"PRAGMA page_size = {page_bytes}")
        database.execute("PRAGMA journal_mode = WAL")
        database.execute("PRAGMA synchronous = FULL")
        database.execute(f"PRAGMA journal_size_limit = {JOURNAL_BYTES}")
    except sqlite3.Error:
        database.close()
        raise
    return database


class _Ticket:
    """One job on its way into a commit."""

    __slots__ = ("called", "done", "error", "job", "size")

    def __init__(self, job: Job, size: int) -> None:
        self.job = job
        self.size = size
        self.called = trio.Event()  # it is done, or its owner is the one to commit
        self.done = False
        self.error: str | None = None


class Writer:
    """Commits jobs, large ones in the order in which they are asked for; small ones wait for none of these.

    `committed` is called in the writing thread after each commit, with the last place that its jobs wrote.
    """

    def __init__(
        self,
        database: sqlite3.Connection,
        committed: Callable[[Place], None] | None = None,
        commit_bytes: int = COMMIT_BYTES,
    ) -> None:
        self.database = database
        self._committed = committed
        self._commit_bytes = commit_bytes
        self._waiting: list[_Ticket] = []
        self._leader: _Ticket | None = None  # whose owner commits

    async def commit(self, job: Job, size: int = 0) -> None:
        """Returns once what `job` does is on the disk: it writes about `size` bytes.

        Raises Unavailable, with nothing done, if that cannot be.
        """
        ticket = _Ticket(job, size)
        self._waiting.append(ticket)
        self._leader = self._leader or ticket
        try:
            if self._leader is not ticket:
                await ticket.called.wait()
            while not ticket.done:  # whoever comes first commits for all who came meanwhile
                await self._commit_next()
        finally:
            if ticket in self._waiting:
                self._waiting.remove(ticket)
            if self._leader is ticket:
                self._leader = self._waiting[0] if self._waiting else None
                if self._leader is not None:
                    self._leader.called.set()
        if ticket.error is not None:
            raise Unavailable(ticket.error)

    async def _commit_next(self) -> None:
        batch = self._take_next()
        try:
            with trio.CancelScope(shield=True):  # who leads may be given up, and those whom it leads not
                error = await trio.to_thread.run_sync(self._commit, [one.job for one in batch])
        except BaseException:
            self._waiting[:0] = batch
            raise
        for one in batch:
            one.done, one.error = True, error
            one.called.set()

    def _take_next(self) -> list[_Ticket]:
        """All that is small, and of the rest what came first."""
        left, batch, later = self._commit_bytes, list[_Ticket](), list[_Ticket]()
        for ticket in self._waiting:
            if ticket.size > SMALL_BYTES:
                if left <= 0:
                    later.append(ticket)
                    continue
                left -= ticket.size
            batch.append(ticket)
        self._waiting = later
        return batch

    def _commit(self, jobs: list[Job]) -> str | None:
        """Why it could not be, if it could not."""
        try:
            self.database.execute("BEGIN IMMEDIATE")
            places = [place for job in jobs if (place := job(self.database)) is not None]
            self.database.execute("COMMIT")
        except sqlite3.IntegrityError:  # a fault of ours, not of the disk
            raise
        except sqlite3.DatabaseError as exc:
            return f"the broadcaster cannot write to its disk: {_why(exc)}"
        finally:
            self._roll_back()
        if places and self._committed is not None:
            self._committed(places[-1])
        return None

    def _roll_back(self) -> None:
        """What was begun and not committed, if anything: a failure may have taken the transaction with it."""
        try:
            if self.database.in_transaction:
                self.database.execute("ROLLBACK")
        except sqlite3.DatabaseError:
            pass  # the file itself fails: the next BEGIN says so again


def _why(exc: sqlite3.DatabaseError) -> str:
    return "it is full" if exc.sqlite_errorcode == sqlite3.SQLITE_FULL else str(exc)


def read_schema_version(database: sqlite3.Connection) -> int:
    version: int = database.execute("PRAGMA user_version").fetchone()[0]
    return version


def make_schema(database: sqlite3.Connection, path: Path, version: int, schema: str) -> None:
    """Makes what is missing. Raises Refused if a later version of this program wrote here."""
    found = read_schema_version(database)
    if found > version:
        raise Refused(
            f"{path} was written by a later version of this program (format {found}, this one knows {version})"
        )
    database.executescript(f"BEGIN; {schema}; PRAGMA user_version = {version}; COMMIT")
