"""The order of a keyed collection while it is changed."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise


class Order:
    """Keys in a row: taking one out and putting one in cost the same, however many there are."""

    def __init__(self, keys: Sequence[str]) -> None:
        self._keys = keys
        self._next: dict[str | None, str | None] = {}  # None stands before the first and after the last
        self._previous: dict[str | None, str | None] = {}

    def place(self, key: str, after: str | None) -> str | None:
        """Puts `key` behind `after` (None: in front; one that is gone: last) and says behind which it came to stand."""
        self._link()
        if after is not None and after not in self._next:
            after = self._previous[None]
        self._join(key, self._next[after])
        self._join(after, key)
        return after

    def remove(self, key: str) -> None:
        self._link()
        self._join(self._previous.pop(key), self._next.pop(key))

    def keys(self) -> Sequence[str]:
        """The row as it is now."""
        if not self._next:
            return self._keys
        found: list[str] = []
        key = self._next[None]
        while key is not None:
            found.append(key)
            key = self._next[key]
        return found

    def _link(self) -> None:
        if not self._next:
            row = [None, *self._keys, None]
            self._next = dict(pairwise(row))
            self._previous = dict(pairwise(reversed(row)))

    def _join(self, key: str | None, following: str | None) -> None:
        self._next[key], self._previous[following] = following, key
