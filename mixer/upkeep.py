"""What is put right while in step: names and rings that two made at once, and what Blender did not take."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Final

from .cycles import Cycles
from .exchange import Exchange
from .names import Clashes
from .proxy import Mirror
from .proxy.repair import Repair
from .work import Work

RETRY_SECONDS: Final = 1.0  # between two tries to write what the user's mode does not allow


class Upkeep:
    """Settles what is ours to settle, and tries again what could not be written."""

    def __init__(self, mirror: Mirror, exchange: Exchange, work: Work, is_quiet: Callable[[], bool]) -> None:
        self._mirror = mirror
        self._exchange = exchange
        self._work = work
        self._is_quiet = is_quiet
        self._clashes = Clashes()
        self._cycles = Cycles()
        self._repair = Repair(mirror)
        self._retried = time.monotonic()

    def let_go(self) -> list[str]:
        """What was dropped here, by name, as it closed a ring with what others did."""
        return [f"{name}: {target}" for name, target in self._cycles.dropped]

    @property
    def repaired(self) -> int:
        """How much stood otherwise in Blender than the document says, and does no more."""
        return self._repair.count

    def settle(self) -> None:
        """Names, then rings, then what waits for another try."""
        mirror, member = self._mirror, self._exchange.member
        self._exchange.edit(self._clashes.settle(mirror, member, time.monotonic()))
        if mirror.ringed:
            self._exchange.edit(self._cycles.settle(mirror, member, time.monotonic()))
            self._retry()
        if time.monotonic() - self._retried > RETRY_SECONDS:
            self._retry()

    def _retry(self) -> None:
        """Tries again what could not be written: the user may have left that mode. When all is quiet, what differs."""
        mirror, member = self._mirror, self._exchange.member
        self._retried = time.monotonic()
        if mirror.deferred:
            self._work.later(lambda: mirror.retry(member))
        elif self._is_quiet() and (unlike := self._repair.unlike()):
            self._work.later(lambda: self._repair.show_again(unlike, member))
