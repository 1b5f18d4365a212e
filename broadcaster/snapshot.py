"""A room as bytes to go on from, in parts of bounded size: its state, then the records of its document."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final

import orjson

from . import wire
from .document import Entity
from .errors import Refused
from .room import Room

FOLD: Final = 1  # the version of what a room does with its log; a log is folded on by no other
PART_BYTES: Final = wire.MIB  # about: a part holds at least one record


def parts(room: Room) -> Iterator[bytes]:
    """The room as it is now, however it goes on while the parts are taken."""
    state = orjson.dumps({"fold": FOLD, "room": room.state(), "document": room.document.state()})
    return _encode(state, [(uuid, entity) for uuid in room.document if (entity := room.document.get(uuid))])


def _encode(state: bytes, entities: list[tuple[str, Entity]]) -> Iterator[bytes]:
    yield state
    lines: list[bytes] = []
    size = 0
    for uuid, entity in entities:
        lines.append(orjson.dumps(entity.record(uuid)))
        size += len(lines[-1])
        if size > PART_BYTES:
            yield b"\n".join(lines)
            lines, size = [], 0
    yield b"\n".join(lines)


def restore(room: Room, stored: Iterable[bytes]) -> None:
    """Makes a new room what it was when `stored` was taken of it. Raises Refused if that is of another version."""
    found = iter(stored)
    state = orjson.loads(next(found))
    if state.get("fold") != FOLD:
        raise Refused(
            f"room {room.name!r} was kept by another version of this program: export it there, import it here"
        )
    room.restore(state["room"])
    records = (orjson.loads(line) for part in found for line in part.splitlines())
    room.document.restore(state["document"], records)
