"""Where rooms are kept: a log and a snapshot for each, and the blobs of all. One contract.

What is appended to a log stands there when `append` returns, and only then is it folded and sent. Blobs likewise. A
store that cannot take anything raises Unavailable, and kept nothing of what it was given.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from ..room import Entry


class Log(Protocol):
    """The ordered requests of one room."""

    async def append(self, entries: Sequence[Entry]) -> None:
        """Returns once `entries` are as durable as this store makes anything. Raises Unavailable."""

    @property
    def is_long(self) -> bool:
        """Whether so much came since the last snapshot that another one should be kept."""

    async def keep_snapshot(self, number: int, parts: Iterable[bytes]) -> None:
        """Keeps the room as it was before the entry `number`, so that no earlier one is needed. Raises Unavailable."""


class Spool(Protocol):
    """A large blob on its way to where it is kept, so that it is nowhere in memory as a whole."""

    @property
    def is_calm(self) -> bool:
        """Whether nothing is being written for which others wait: only then the next part is to be looked at."""

    async def calm(self) -> None:
        """Returns when that is so, or soon."""

    async def write(self, parts: Sequence[bytes]) -> None:
        """Takes the next parts. Raises Unavailable; the same ones may then be written again."""

    async def keep(self) -> None:
        """Returns once the blob, whose sha256 the caller verified, is stored. Raises Unavailable."""


class Blobs(Protocol):
    """Immutable bytes by their sha256."""

    def has(self, sha: str) -> bool:
        """Whether `sha` is stored. If so, it is not removed for a while from now."""

    def recent(self, sha: str) -> bytes | None:
        """The blob, if it is small and in memory. It is not removed for a while from now then."""

    async def get(self, sha: str) -> bytes | None:
        """The blob, or None."""

    async def size(self, sha: str) -> int | None:
        """How long the blob is, or None."""

    async def head(self, sha: str, length: int) -> tuple[int, bytes] | None:
        """How long the blob is, and its first bytes: all of it if it is no longer than `length`. Or None."""

    async def read(self, sha: str, start: int, stop: int) -> bytes | None:
        """A part of the blob, or None."""

    async def put(self, blobs: Mapping[str, bytes]) -> None:
        """Returns once all of these, whose sha256 the caller verified, are stored.

        Raises Refused if there is no place for one, Unavailable if there is none now.
        """

    def spool(self, sha: str, total: int) -> AbstractAsyncContextManager[Spool]:
        """Takes a large blob in parts. One that is not kept in the end is nowhere. Raises Refused or Unavailable."""

    def idle(self, seconds: float) -> set[str]:
        """The blobs that nobody asked for, or stored, for so long."""

    async def remove(self, shas: Iterable[str], seconds: float) -> set[str]:
        """Removes those of `shas` that are idle still; which. Raises Unavailable."""


@dataclass(frozen=True, slots=True)
class Stored:
    """A room as it was kept: what to fold, and where to go on."""

    name: str
    epoch: str  # its first
    snapshot: Sequence[bytes] | None
    entries: Sequence[Entry]  # those that the snapshot does not hold
    number: int  # of the next entry
    log: Log


class Store(Protocol):
    """One place that keeps rooms."""

    @property
    def keeps(self) -> str:
        """Where, for people: "in memory only", or a directory."""

    @property
    def folder(self) -> Path | None:
        """Where files may lie for a while that are too large for memory: None is where the system has them."""

    @property
    def findings(self) -> Sequence[str]:
        """What was found wrong when it was opened, a sentence each."""

    @property
    def torn(self) -> bool:
        """Whether rooms may have lost the end of their logs: they are to go on in a new epoch."""

    @property
    def blobs(self) -> Blobs: ...

    async def rooms(self) -> list[str]:
        """The names of all rooms that are kept."""

    async def load(self, name: str) -> Stored:
        """A room that is kept."""

    async def create(self, name: str, epoch: str, parts: Iterable[bytes] = ()) -> Log:
        """The log of a new room, which begins with the snapshot `parts` if there are any. Raises Unavailable."""

    async def delete(self, name: str) -> None:
        """Forgets a room. Raises Unavailable."""

    def close(self) -> None:
        """Ends as it should; nothing more is asked of it."""
