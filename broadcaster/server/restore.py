"""Rooms out of what a store kept of them."""

from __future__ import annotations

import logging
import secrets

from .. import snapshot
from ..room import Room
from ..store import Stored

log = logging.getLogger(__name__)


def new_epoch() -> str:
    return secrets.token_urlsafe(12)


def fold(stored: Stored) -> Room:
    """The room that `stored` is. An entry that cannot be folded is passed over: the room had failed on it, unheard."""
    skipped: set[int] = set()
    while True:
        room = Room(stored.name, stored.epoch)
        if stored.snapshot is not None:
            snapshot.restore(room, stored.snapshot)
        try:
            for entry in stored.entries:
                if entry.number not in skipped:
                    number = entry.number
                    room.fold(entry)
            return room
        except Exception:
            log.exception("room %r: entry %d of its log is passed over", stored.name, number)
            skipped.add(number)
