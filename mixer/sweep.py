"""How often which datablock is looked at, though nothing said that it changed. Pure: the time is handed in."""

from __future__ import annotations

from collections.abc import Iterable


class Round:
    """Goes through everything again and again, each time within `seconds`, a little at each call."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._left: list[str] = []
        self._due = 0.0
        self._rate = 0.0  # a second
        self._at = 0.0  # when what is due was counted last
        self._next = 0.0  # not before then does a round begin

    def is_over(self, now: float) -> bool:
        """Whether another is to begin."""
        return not self._left and now >= self._next

    def begin(self, everything: Iterable[str], now: float) -> None:
        self._left = list(everything)
        self._rate = len(self._left) / self._seconds
        self._at, self._next = now, now + self._seconds

    def count(self, now: float) -> None:
        """Says how late it is: what is due meanwhile can be taken."""
        self._due = min(self._due + (now - self._at) * self._rate, len(self._left))
        self._at = now

    def take(self) -> str | None:
        """The next that is due."""
        if not self._left or self._due < 1:
            return None
        self._due -= 1
        return self._left.pop()
