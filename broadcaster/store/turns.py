"""Logs go first: while edits are being committed a large blob is flushed in small parts, in between."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from math import inf
from typing import Final

import trio

from .. import wire

BUSY_SECONDS: Final = 0.1  # after a commit of a log another one is expected for so long
FLUSH_SECONDS: Final = 0.002  # that a flush is to take then: so long a commit may have to wait for it
REST_SECONDS: Final = 0.02  # after MOST_BYTES, less after less: to take them in keeps the processors from edits, too
PATIENCE_SECONDS: Final = 0.02  # of a blob, where commits leave no gap
LEAST_BYTES: Final = 256 * wire.KIB  # less is hardly faster
MOST_BYTES: Final = 2 * wire.MIB  # at once, also while nobody edits: the first to edit has to wait for it


class Turns:
    """Who may write to one disk."""

    def __init__(self) -> None:
        self._committing = 0
        self._committed = -inf  # when, last
        self._quiet = trio.Event()
        self._bytes = LEAST_BYTES
        self._one = trio.Lock()

    @contextmanager
    def of_log(self) -> Iterator[None]:
        """Around a commit."""
        self._committing += 1
        try:
            yield
        finally:
            self._committing -= 1
            self._committed = trio.current_time()
            if not self._committing:
                self._quiet.set()
                self._quiet = trio.Event()

    @property
    def _is_busy(self) -> bool:
        return self._committing > 0 or trio.current_time() < self._committed + BUSY_SECONDS

    @property
    def are_calm(self) -> bool:
        """Whether no log is being committed."""
        return not self._committing

    async def calm(self) -> None:
        """Returns when that is so, or soon."""
        if self._committing:
            with trio.move_on_after(PATIENCE_SECONDS):
                while self._committing:
                    await self._quiet.wait()

    @asynccontextmanager
    async def of_blob(self, wanted: int = MOST_BYTES) -> AsyncIterator[int]:
        """Around a flush of at most so many bytes as it gives, of those that are wanted."""
        if not self._is_busy:
            yield MOST_BYTES
            return
        async with self._one:
            await self.calm()
            begin = trio.current_time()
            size = min(wanted, self._bytes)
            yield size
            took = trio.current_time() - begin
            if size == self._bytes or took > FLUSH_SECONDS:  # else it says nothing of whole parts
                grown = self._bytes * min(max(FLUSH_SECONDS / max(took, 1e-6), 0.5), 2.0)
                self._bytes = int(min(max(grown, LEAST_BYTES), MOST_BYTES))
            await trio.sleep(max(min(took, FLUSH_SECONDS), REST_SECONDS * size / MOST_BYTES))  # for who edits
