"""One SQLite database and its only writer."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, TypeAlias

from ..errors import Refused
from .commits import COMMIT_BYTES, Commits
from .turns import Turns

Place: TypeAlias = tuple[int, int]  # a room and the number of an entry of its log
NOWHERE: Final[Place] = (0, 0)  # what was written last is no entry, and nothing before it can be missed
Job: TypeAlias = Callable[[sqlite3.Connection], Place | None]  # what it returns is the last that it wrote


@dataclass(frozen=True, slots=True)
class Insert:
    """A job: rows of one table, of which the last one stands for `place`."""

    statement: str
    rows: Sequence[tuple[Any, ...]]
    place: Place

    def __call__(self, database: sqlite3.Connection) -> Place:
        database.executemany(self.statement, self.rows)
        return self.place


BUSY_SECONDS: Final = 10.0  # for somebody who takes a back-up meanwhile
JOURNAL_BYTES: Final = 64 * 1024 * 1024  # what stays of the WAL file after a large transaction


def connect(path: Path) -> sqlite3.Connection:
    """Opens or makes a database of which nothing that was committed is lost, not by a loss of power either."""
    database = sqlite3.connect(path, timeout=BUSY_SECONDS, isolation_level=None, check_same_thread=False)
    try:
        database.execute("PRAGMA journal_mode = WAL")
        database.execute("PRAGMA synchronous = FULL")
        database.execute(f"PRAGMA journal_size_limit = {JOURNAL_BYTES}")
    except sqlite3.Error:
        database.close()
        raise
    return database


class Writer(Commits[Job]):
    """The only writer of a database.

    `committed` is called in the writing thread after each commit, with the last place that its jobs wrote.
    """

    def __init__(
        self,
        database: sqlite3.Connection,
        committed: Callable[[Place], None] | None = None,
        commit_bytes: int = COMMIT_BYTES,
        turns: Turns | None = None,
    ) -> None:
        super().__init__(commit_bytes, turns)
        self.database = database
        self._committed = committed

    def _commit(self, jobs: list[Job]) -> str | None:
        try:
            match jobs:
                case [Insert(statement, [row], place)]:
                    # A transaction by itself: after each call this thread has to ask for the interpreter.
                    self.database.execute(statement, row)
                    places = [place]
                case _:
                    self.database.execute("BEGIN IMMEDIATE")
                    places = [at for job in jobs if (at := job(self.database)) is not None]
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
