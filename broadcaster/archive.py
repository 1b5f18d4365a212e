"""A room as one file: a zip of `room.json`, `records.jsonl` and the blobs that the records name."""

from __future__ import annotations

import struct
import zipfile
import zlib
from collections.abc import Iterable, Iterator
from hashlib import sha256
from pathlib import Path
from typing import Any, Final, Self

import orjson

from . import wire
from .document import Deltas, Document, Record
from .errors import Refused, RemoteProtocolError
from .tree import diff_fields, shas, strong_refs

FORMAT: Final = 1
HEADER: Final = "room.json"
MAX_HEADER_BYTES: Final = 16 * wire.KIB
RECORDS: Final = "records.jsonl"
MAX_RECORDS_BYTES: Final = 4096 * wire.MIB
METHODS: Final = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
# What zipfile raises on a file that is none, is spoilt, encrypted, or of a later time.
SPOILT: Final = (zipfile.BadZipFile, zlib.error, struct.error, EOFError, OSError, RuntimeError, ValueError)
PART_BYTES: Final = wire.MIB  # read at once
TRANSACTION_BYTES: Final = wire.MIB  # about; an entity is never split


def write(path: Path, name: str, revision: int, records: list[Record], blobs: Iterable[tuple[str, bytes]]) -> None:
    """Writes a room. The file appears whole or not at all."""
    document = Document()
    document.load(records)
    header = {"format": FORMAT, "name": name, "revision": revision, "digest": document.digest()}
    partial = path.with_name(f".{path.name}.partial")
    try:
        with zipfile.ZipFile(partial, "w") as file:
            file.writestr(HEADER, orjson.dumps(header))
            lines = b"".join(orjson.dumps(record) + b"\n" for record in records)
            file.writestr(RECORDS, lines, zipfile.ZIP_DEFLATED)
            for sha, data in blobs:
                file.writestr(f"blobs/{sha}", data)
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)


def named_blobs(records: list[Record]) -> list[str]:
    """The blobs that the records name, each once."""
    return list(dict.fromkeys(sha for record in records for sha in shas(record["tree"])))


class Archive:
    """A room read from its file. Raises Refused if it is none, or damaged, or its records are too long."""

    def __init__(self, path: Path, max_bytes: int = MAX_RECORDS_BYTES, *, called: str | None = None) -> None:
        self._max_bytes = max_bytes
        name = called or str(path)
        try:
            self._file = zipfile.ZipFile(path)
        except FileNotFoundError:
            raise
        except SPOILT as exc:
            raise Refused(f"{name} is not a room: {exc}") from exc
        try:
            self._load(name)
        except Refused:
            self._file.close()
            raise

    def _load(self, name: str) -> None:
        try:
            header = orjson.loads(self._read(HEADER, MAX_HEADER_BYTES))
            self.records: list[Record] = [orjson.loads(line) for line in self._lines()]
            document = Document()
            document.load(self.records)
        except (orjson.JSONDecodeError, RemoteProtocolError) as exc:
            raise Refused(f"{name} is not a room: {exc}") from exc
        if type(header) is not dict or header.get("format") != FORMAT:
            raise Refused(f"{name} is of a format that this version does not read")
        if header.get("digest") != document.digest() or len(document) != len(self.records):
            raise Refused(f"{name} is damaged: its records are not those that were written")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    def close(self) -> None:
        self._file.close()

    def blob(self, sha: str) -> bytes:
        """Raises Refused if the file does not hold it as it should."""
        return b"".join(self.parts(sha))

    def blob_size(self, sha: str, max_bytes: int = wire.MAX_BLOB_BYTES) -> int:
        """How long it says it is. Raises Refused if it is not there, or longer than `max_bytes`."""
        return self._info(f"blobs/{sha}", max_bytes).file_size

    def parts(self, sha: str, part_bytes: int = PART_BYTES) -> Iterator[bytes]:
        """A blob, a part at a time. Raises Refused, at its end at the latest, if it is not what its name says."""
        hashed = sha256()
        for part in self._parts(f"blobs/{sha}", wire.MAX_BLOB_BYTES, part_bytes):
            hashed.update(part)
            yield part
        if hashed.hexdigest() != sha:
            raise Refused(f"the file is damaged: blob {sha} is not what its name says")

    def _lines(self) -> list[bytes]:
        return self._read(RECORDS, self._max_bytes).splitlines()

    def _read(self, name: str, max_bytes: int) -> bytes:
        return b"".join(self._parts(name, max_bytes, PART_BYTES))

    def _info(self, name: str, max_bytes: int) -> zipfile.ZipInfo:
        try:
            info = self._file.getinfo(name)
        except KeyError as exc:
            raise Refused(f"the file is damaged: {name} is missing") from exc
        if info.file_size > max_bytes or info.compress_type not in METHODS:
            raise Refused(f"the file is damaged: {name} is {info.file_size} bytes long")
        return info

    def _parts(self, name: str, max_bytes: int, part_bytes: int) -> Iterator[bytes]:
        """Never more than the file says that they are."""
        info = self._info(name, max_bytes)
        try:
            with self._file.open(info) as file:
                while part := file.read(part_bytes):
                    yield part
        except SPOILT as exc:
            raise Refused(f"the file is damaged: {name} cannot be read: {exc}") from exc


def transactions(records: list[Record]) -> Iterator[Deltas]:
    """What makes these entities in an empty room, in transactions of bounded size."""
    return _in_batches(_steps(records, set()))


def way_back(now: list[Record], wanted: list[Record]) -> Iterator[Deltas]:
    """What makes the entities `wanted` of those of `now`: one transaction, unless that were too large for one.

    Raises Refused if an entity came back as something else.
    """
    have = {record["uuid"]: record for record in now}
    want = {record["uuid"]: record for record in wanted}
    for uuid in have.keys() & want.keys():
        if have[uuid]["kind"] != want[uuid]["kind"]:
            raise Refused(f"{uuid} is one of {have[uuid]['kind']} now, not of {want[uuid]['kind']}")
    return _in_batches(_steps_back(have, want))


def _steps_back(have: dict[str, Record], want: dict[str, Record]) -> Iterator[list[Any]]:
    yield from _steps([record for uuid, record in want.items() if uuid not in have], set(have))
    for uuid, record in want.items():
        if uuid in have and (changes := diff_fields(have[uuid]["tree"], record["tree"])):
            yield [uuid, ["patch", changes]]
    yield from ([uuid, ["remove"]] for uuid in have if uuid not in want)


def _in_batches(steps: Iterable[list[Any]]) -> Iterator[Deltas]:
    batch: Deltas = []
    size = 0
    for step in steps:
        length = len(orjson.dumps(step))
        if batch and size + length > TRANSACTION_BYTES:
            yield batch
            batch, size = [], 0
        batch.append(step)
        size += length
    if batch:
        yield batch


def _steps(records: list[Record], made: set[str]) -> Iterator[list[Any]]:
    """Deltas one by one, whatever the order in which the entities name one another.

    A field that strongly names what is not made yet is put when everything is. `made` are those that are there.
    """
    later: Deltas = []
    for record in records:
        uuid, tree = record["uuid"], record["tree"]
        early = {name: value for name, value in tree.items() if made.issuperset(strong_refs(value))}
        late = {name: ["put", value] for name, value in tree.items() if name not in early}
        if late:
            later.append([uuid, ["patch", late]])
        made.add(uuid)
        yield [uuid, ["create", record["kind"], early]]
    yield from later
