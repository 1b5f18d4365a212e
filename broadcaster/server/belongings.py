"""The blobs of one room: those that its members sent here, and those that it began with. Of others it knows nothing.

Storage is shared, possession is not: who knows the sha256 of a blob of another room neither names it here nor reads it,
nor learns that it is there, until somebody has sent its bytes.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable
from typing import Final, Protocol

import orjson

from ..document import Document
from ..store import Blobs
from ..tree import shas
from .floor import Turn

SHA: Final = re.compile(rb'"([0-9a-f]{64})"')  # whatever looks like the name of a blob


class Waiting(Protocol):
    """Who waits for blobs."""

    def arrived(self, sha: str) -> None: ...


class Belongings:
    """What of `blobs` is the room's. `begin` are those that it has from the first."""

    def __init__(self, blobs: Blobs, begin: Iterable[bytes] = ()) -> None:
        self._blobs = blobs
        self._own = set(begin)
        self._waiting: dict[str, set[Waiting]] = {}

    def has(self, sha: str) -> bool:
        """Whether it is the room's, and stored. If so, it is not removed for a while from now."""
        return bytes.fromhex(sha) in self._own and self._blobs.has(sha)

    def copy(self) -> Belongings:
        """Those of a fork."""
        return Belongings(self._blobs, self._own)

    async def size(self, sha: str) -> int | None:
        """How long it is; None if it is not the room's."""
        return await self._blobs.size(sha) if self.has(sha) else None

    def recent(self, sha: str) -> bytes | None:
        """The blob, if it is the room's and at hand."""
        return self._blobs.recent(sha) if bytes.fromhex(sha) in self._own else None

    async def head(self, sha: str, length: int) -> tuple[int, bytes] | None:
        """How long it is, and so many of its bytes, or None."""
        return await self._blobs.head(sha, length) if self.has(sha) else None

    async def read(self, sha: str, start: int, stop: int) -> bytes | None:
        """A part of it, or None."""
        return await self._blobs.read(sha, start, stop) if self.has(sha) else None

    def expect(self, sha: str, who: Waiting) -> None:
        self._waiting.setdefault(sha, set()).add(who)

    def forget(self, sha: str, who: Waiting) -> None:
        waiting = self._waiting.get(sha, set())
        waiting.discard(who)
        if not waiting:
            self._waiting.pop(sha, None)

    def arrived(self, sha: str) -> None:
        """A member has sent all of it, and it is stored: tells whoever waits for it."""
        self._own.add(bytes.fromhex(sha))
        for who in self._waiting.pop(sha, ()):
            who.arrived(sha)

    def lost(self, gone: Collection[str]) -> None:
        """These were removed; of those that were sent anew meanwhile nothing is forgotten."""
        self._own.difference_update(bytes.fromhex(sha) for sha in gone if not self._blobs.has(sha))


async def named(document: Document, turn: Turn) -> set[bytes]:
    """The blobs that a document names; a text that looks like the name of one is none."""
    found: set[bytes] = set()
    await turn.begin()
    for uuid in list(document):
        if (entity := document.get(uuid)) is not None and SHA.search(entity.data):
            found.update(map(bytes.fromhex, shas(orjson.loads(entity.data))))
        await turn.pause()
    return found
