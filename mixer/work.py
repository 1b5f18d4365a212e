"""The work at hand: what changes Blender a step at a time, and what waits for its turn."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator

from broadcaster.document import Deltas

from .exchange import Exchange
from .proxy import Mirror
from .stats import Stats

log = logging.getLogger(__name__)


class Work:
    """One work at a time. It yields local edits where it finds any; these go out before its next step."""

    def __init__(self, mirror: Mirror, exchange: Exchange, stats: Stats) -> None:
        self.steps = 0  # done so far, of all
        self._mirror = mirror
        self._exchange = exchange
        self._stats = stats
        self._at_hand: Iterator[Deltas] | None = None
        self._begun = False  # whether the work at hand has
        self._waiting: list[Callable[[], Iterator[Deltas]]] = []

    def __bool__(self) -> bool:
        """Whether there is work at hand."""
        return self._at_hand is not None

    @property
    def rests(self) -> bool:
        """Whether the work at hand has begun to rebuild the scene, and that must stand still now."""
        return self._begun and self._mirror.still

    def begin(self, work: Iterator[Deltas]) -> None:
        self._at_hand, self._begun = work, False

    def later(self, work: Callable[[], Iterator[Deltas]]) -> None:
        """To be begun when what is at hand is done, and the scene need not stand still."""
        self._waiting.append(work)

    def begin_next(self) -> None:
        """Takes up what waits, if there is anything and nothing hinders it."""
        if self._at_hand is not None or self._mirror.still:
            return
        if self._waiting:
            self.begin(self._waiting.pop(0)())
        elif self._mirror.waiting:
            self.begin(self._mirror.show_waiting(self._exchange.member))

    def step(self, deadline: float) -> bool:
        """Goes on, and whether it is done now; a transaction that fits the budget shows at once and whole."""
        assert self._at_hand is not None
        start = time.perf_counter()
        if self._begun:
            self._exchange.edit(self._mirror.edited_since())
        self._begun = True
        self._mirror.looked_at.clear()
        before = start
        for deltas in self._at_hand:
            self._exchange.edit(deltas)
            self.steps += 1
            now = time.perf_counter()
            if now + (now - before) > deadline:  # as long as the last one the next one may take
                break
            before = now
        else:
            self._at_hand = None
        self.verify()
        self._stats.apply.add(time.perf_counter() - start)
        return self._at_hand is None

    def at_once(self, work: Iterator[Deltas]) -> None:
        """Does this whole, whatever is at hand: nothing may come in between."""
        self._mirror.looked_at.clear()
        for deltas in work:
            self._exchange.edit(deltas)
        self.verify()

    def verify(self) -> None:
        """What Blender changed after it was written is nobody's edit; each is counted."""
        for echo in self._mirror.verify(done=self._at_hand is None):
            self._stats.echoes += 1
            log.warning("Blender changed what was just written: %.300s", echo)

    def drop(self) -> None:
        """Nothing is at hand any more."""
        self._at_hand = None
