"""Where rooms are kept: a log for each, which gives order and durability, and the blobs of all. One contract.

What is appended to a log stands there when `append` returns, and only then is it folded and sent. Blobs likewise.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from ..room import Entry


class Log(Protocol):
    """The ordered requests of one room."""

    async def append(self, entries: Sequence[Entry]) -> None:
        """Returns once `entries` are as durable as this store makes anything."""


class Blobs(Protocol):
    """Immutable bytes by their sha256."""

    def has(self, sha: str) -> bool:
        """Whether `sha` is stored."""

    async def get(self, sha: str) -> bytes | None:
        """The blob, or None."""

    async def put(self, sha: str, data: bytes) -> None:
        """Returns once `data`, whose sha256 the caller verified, is stored. Raises Refused if there is no space."""


@dataclass(frozen=True, slots=True)
class Stored:
    """A room as it was kept: what to fold, and where to go on."""

    name: str
    epoch: str
    entries: Sequence[Entry]
    log: Log


class Store(Protocol):
    """One place that keeps rooms."""

    @property
    def keeps(self) -> str:
        """Where, for people: "in memory only", or a directory."""

    @property
    def blobs(self) -> Blobs: ...

    async def rooms(self) -> list[Stored]:
        """What was kept by the process before this one."""

    async def create(self, name: str, epoch: str) -> Log:
        """The log of a new room."""
