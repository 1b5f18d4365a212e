"""A room out of a .mixroom file that was uploaded: read and checked as `import` does it; there whole or not at all."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import trio

from .. import archive
from ..archive import Archive
from ..document import Document, check_deltas
from ..errors import Refused
from ..limits import Limits
from ..store import Blobs
from .blobs import PUT_BYTES, SPOOLED_BYTES
from .rooms import Rooms


async def make_room(rooms: Rooms, blobs: Blobs, limits: Limits, name: str, path: Path) -> int:
    """Its revision. Raises Refused or RemoteProtocolError if the file is not as it should be, or too large for a room,
    or there is a room of that name; and Unavailable if nothing can be stored now.
    """
    file = await trio.to_thread.run_sync(partial(Archive, path, limits.room_bytes, called="the file"))
    try:
        document, shas = await trio.to_thread.run_sync(_read, file, limits)
        await _store(blobs, file, shas, limits)
        if not all(map(blobs.has, shas)):
            raise Refused("the blobs of the file are gone again: it took too long", retry=True)
        await rooms.adopt(name, document, shas)
    finally:
        file.close()
    return document.revision


def _read(file: Archive, limits: Limits) -> tuple[Document, list[str]]:
    """The document, made by transactions, and the blobs that it names. Takes long: not in the thread of all rooms."""
    document = Document()
    for deltas in archive.transactions(file.records):
        check_deltas(deltas, limits)
        outcome = document.apply(deltas, revision=document.revision + 1, sender="", limits=limits)
        if outcome.dropped:
            raise Refused(f"a room does not take all of the file: {outcome.dropped[0]}")
    if len(document) > limits.entities:
        raise Refused(f"a room may hold {limits.entities} entities, and the file holds {len(document)}")
    return document, archive.named_blobs(file.records)


async def _store(blobs: Blobs, file: Archive, shas: list[str], limits: Limits) -> None:
    """Small ones several at once. What is stored already is looked for in the file, too: no name alone gives a blob."""
    small: dict[str, bytes] = {}
    size = 0
    for sha in shas:
        length = file.blob_size(sha, limits.blob_bytes)
        if length > SPOOLED_BYTES:
            await _spool(blobs, file, sha, length)
            continue
        small[sha] = await trio.to_thread.run_sync(file.blob, sha)
        size += length
        if size > PUT_BYTES:
            await blobs.put(small)
            small, size = {}, 0
    await blobs.put(small)


async def _spool(blobs: Blobs, file: Archive, sha: str, length: int) -> None:
    parts = file.parts(sha)
    async with blobs.spool(sha, length) as spool:
        while part := await trio.to_thread.run_sync(next, parts, b""):
            await spool.write([part])
        await spool.keep()
