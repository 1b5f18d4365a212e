"""What reads bytes of others: each takes whatever bytes, refuses in a sentence or goes on, and harms nobody else."""

from __future__ import annotations

import tempfile
import zipfile
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

import orjson

from broadcaster import archive, snapshot, wire
from broadcaster.document import Document, check_deltas
from broadcaster.errors import Refused, Rejected, RemoteProtocolError
from broadcaster.limits import Limits
from broadcaster.room import Room
from broadcaster.wire import Assembly, FrameBuffer, Piece

from .company import Company
from .reader import Reader

MAX_FRAME_BYTES: Final = 4096
MAX_BLOB_BYTES: Final = 1000
BLOB: Final = bytes(range(256)) * 2
LIMITS: Final = Limits(entities=8, entity_bytes=2000, work=200, deltas=16, depth=12)


def frames(data: bytes) -> None:
    """Pieces and messages out of a stream that is cut anywhere; no more of it is held than a frame may be."""
    reader, buffer, assembly = Reader(data), FrameBuffer(), Assembly(MAX_BLOB_BYTES)
    with suppress(RemoteProtocolError):
        while not reader.is_empty:
            part = _part(reader)
            cut = reader.byte() % (len(part) + 1)
            for some in (part[:cut], part[cut:]):
                buffer.receive_data(some)
                while (frame := buffer.next_frame(MAX_FRAME_BYTES)) is not None:
                    _take(frame[0], assembly)
                assert len(buffer._data) <= 2 * MAX_FRAME_BYTES
                assert sum(map(len, assembly._parts)) <= MAX_BLOB_BYTES


def _part(reader: Reader) -> bytes:
    match reader.byte() % 4:
        case 0:
            return reader.raw(255)
        case 1:
            payload = reader.raw(255)
            return len(payload).to_bytes(4, "big") + bytes([reader.byte() % 3]) + payload
        case 2:
            return wire.encode({"type": reader.text(), "of": reader.any()})
    place, length = reader.one_of((0, 0, 100, 200, 300)), reader.one_of((100, 200, 212, 512))
    total = reader.one_of((len(BLOB), length, MAX_BLOB_BYTES + 1, 2**64 - 1))
    return wire.encode_piece(Piece(wire.sha_of(BLOB[:total]), place, total, BLOB[place : place + length]))


def _take(frame: Any, assembly: Assembly) -> None:
    if not isinstance(frame, Piece):
        assert type(frame["type"]) is str
    elif (blob := assembly.add(frame)) is not None:
        assert wire.sha_of(blob[1]) == blob[0]


def messages(data: bytes) -> None:
    """A member that says whatever it likes, and one that is honest: that one holds what the room holds."""
    company = Company()
    company.hear(Reader(data))
    company.check()


def deltas(data: bytes) -> None:
    """Transactions: what is not refused at the door leaves a document that others can load and fold."""
    reader, room, other = Reader(data), Document(), Document(compact=False)
    while not reader.is_empty:
        with suppress(RemoteProtocolError, Rejected):
            asked = orjson.loads(orjson.dumps(reader.deltas(room)))
            check_deltas(asked, LIMITS)
            base = reader.byte() % 4
            revision = room.revision + 1
            outcome = room.apply(asked, revision=revision, sender=reader.uuid(), base=base, limits=LIMITS)
            check_deltas(outcome.effect)
            again = other.apply(outcome.effect, revision=revision, sender="")
            assert not again.dropped
    assert other.digest() == room.digest()
    loaded = Document()
    loaded.load(orjson.loads(orjson.dumps(record)) for record in room.snapshot())
    assert loaded.digest() == room.digest()
    assert {uuid: loaded.users(uuid) for uuid in loaded} == {uuid: room.users(uuid) for uuid in room}


def mixroom(data: bytes) -> None:
    """A file that is to be a room: what can be read of it can be put into a room, and out again."""
    reader = Reader(data)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "a.mixroom"
        _write(path, reader)
        with suppress(Refused), archive.Archive(path) as file:
            for sha in archive.named_blobs(file.records):
                with suppress(Refused):
                    assert wire.sha_of(file.blob(sha)) == sha
            _fill(Room("r", "e"), file)


def _write(path: Path, reader: Reader) -> None:
    if reader.is_rare():
        path.write_bytes(reader.rest())
        return
    records = [
        {"uuid": uuid, "kind": "objects", "created": 1, "changed": 1, "creator": "", "tree": reader.struct()}
        for uuid in dict.fromkeys(reader.some(reader.uuid))
    ]
    header: Any = {"format": 1, "name": "r", "revision": 1, "digest": _digest(records)}
    lines = [orjson.dumps(reader.any() if reader.is_rare() else record) for record in records]
    kind = reader.one_of((zipfile.ZIP_DEFLATED, zipfile.ZIP_STORED, zipfile.ZIP_LZMA))
    with zipfile.ZipFile(path, "w") as file:
        file.writestr(archive.HEADER, orjson.dumps(reader.any() if reader.is_rare() else header))
        file.writestr(archive.RECORDS, b"\n".join(lines), kind)
        file.writestr(f"blobs/{wire.sha_of(b'')}", reader.raw())
    whole = bytearray(path.read_bytes())
    while not reader.is_empty:  # and what is left of the bytes spoils it
        whole[(reader.byte() << 8 | reader.byte()) % len(whole)] = reader.byte()
    path.write_bytes(whole)


def _digest(records: list[Any]) -> str:
    document = Document()
    with suppress(RemoteProtocolError):
        document.load(records)
    return document.digest()


def _fill(room: Room, file: archive.Archive) -> None:
    for transaction in archive.transactions(file.records):
        check_deltas(transaction)
        room.document.apply(transaction, revision=room.revision + 1, sender="ann")
    again = Room("r", "e")
    snapshot.restore(again, snapshot.parts(room))
    assert again.document.digest() == room.document.digest()


PARSERS: Final[dict[str, Callable[[bytes], None]]] = {
    "frames": frames,
    "messages": messages,
    "deltas": deltas,
    "mixroom": mixroom,
}
