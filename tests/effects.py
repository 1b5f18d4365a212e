"""What a room has to say, one message at a time."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from broadcaster.room import Admit, Broadcast, Done, Effect, Expel, Send


def apart(effects: Iterable[Effect]) -> Iterator[Send | Broadcast | Admit | Expel]:
    """What was done as it was sent is an answer, and news."""
    for effect in effects:
        if isinstance(effect, Done):
            yield effect.answer()
            yield effect.news()
        else:
            yield effect
