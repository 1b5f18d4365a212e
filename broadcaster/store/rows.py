"""The rows of a log: entries that are appended together are one, which costs a fifth."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeAlias
from zlib import crc32

import orjson

from ..room import Entry

Row: TypeAlias = tuple[int, int, int, float, int, bytes]  # room, first number, count, time, checksum, entries


def rows(room: int, entries: Sequence[Entry], most_bytes: int) -> list[Row]:
    """Entries of one time each, and of about so many bytes, in JSON: [[member, request], ...]."""
    made: list[Row] = []
    parts: list[bytes | bytearray] = []
    first = size = 0
    member, before = None, b""
    for place, entry in enumerate(entries):
        if parts and (size >= most_bytes or entry.time != entries[first].time):
            made.append(_row(room, entries[first], place - first, parts))
            parts, first, size = [], place, 0
        if entry.member != member:
            member, before = entry.member, b",[%b," % orjson.dumps(entry.member)
        data = entry.data or orjson.dumps(entry.request)
        parts += (before, data, b"]")
        size += len(data)
    made.append(_row(room, entries[first], len(entries) - first, parts))
    return made


def _row(room: int, first: Entry, count: int, parts: list[bytes | bytearray]) -> Row:
    parts[0] = b"[" + parts[0][1:]  # in place of its comma
    data = b"".join((*parts, b"]"))
    return room, first.number, count, first.time, crc32(data), data


def read_row(number: int, time: float, data: bytes) -> list[Entry]:
    """The entries of a row, from `number` on."""
    return [Entry(number + place, time, member, request) for place, (member, request) in enumerate(orjson.loads(data))]
