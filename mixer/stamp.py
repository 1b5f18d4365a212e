"""What a .blend that was saved in a room carries: which room, and what it held then. Pure.

Opened after work offline, only what changed since goes out; see `Session.resume`.
"""

from __future__ import annotations

import base64
import time
import zlib
from dataclasses import dataclass, field
from typing import Any, Final

import orjson

from broadcaster.document import Document, Record
from broadcaster.errors import RemoteProtocolError
from broadcaster.tree import Facts, Tree, check_tree

MAX_BYTES: Final = 1 << 30  # unpacked: a file from somebody else may hold anything


@dataclass(frozen=True, slots=True)
class Place:
    """Where a file was saved: enough to ask whether to go back there."""

    host: str
    port: int
    room: str
    epoch: str
    revision: int
    time: float = field(default_factory=time.time)

    def to_text(self) -> str:
        return orjson.dumps([self.host, self.port, self.room, self.epoch, self.revision, self.time]).decode()

    @classmethod
    def from_text(cls, text: str) -> Place | None:
        """None where it is none."""
        try:
            found = orjson.loads(text)
        except orjson.JSONDecodeError:
            return None
        match found:
            case [str(host), int(port), str(room), str(epoch), int(revision), int() | float() as when]:
                return cls(host, port, room, epoch, revision, float(when)) if 0 < port < 1 << 16 else None
        return None


@dataclass(frozen=True, slots=True)
class Stamp:
    """What the room held, and what of it Blender read back otherwise, as far as it was shown at all."""

    place: Place
    document: Document
    live: dict[str, Tree]  # uuid -> what Blender read back, where it is not what the document says
    absent: frozenset[str]  # what this Blender did not show

    def to_text(self) -> str:
        held: dict[str, Any] = {
            "records": list(self.document.snapshot()),
            "live": self.live,
            "absent": sorted(self.absent),
        }
        return base64.b85encode(zlib.compress(orjson.dumps(held), level=1)).decode()

    @classmethod
    def from_text(cls, place: Place, text: str) -> Stamp:
        """Raises RemoteProtocolError if it is damaged."""
        try:
            unpacker = zlib.decompressobj()
            data = unpacker.decompress(base64.b85decode(text), MAX_BYTES)
            held = orjson.loads(data)
        except (ValueError, zlib.error) as exc:
            raise RemoteProtocolError(f"what this file says of its room is damaged: {exc}") from exc
        match held:
            case {"records": list(records), "live": dict(live), "absent": list(absent)}:
                return cls(place, _document(records, place.revision), _checked(live), frozenset(map(str, absent)))
        raise RemoteProtocolError("what this file says of its room is damaged")


def _document(records: list[Record], revision: int) -> Document:
    document = Document(compact=False)
    document.load(records)
    document.revision = revision
    return document


def _checked(live: dict[str, Tree]) -> dict[str, Tree]:
    for tree in live.values():
        check_tree(tree, Facts())
        if type(tree) is not dict:
            raise RemoteProtocolError("what this file says of its room is damaged")
    return live
