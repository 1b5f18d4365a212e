"""The blob connection of a member: what is missing, pieces in, pieces out."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

import trio

from .. import wire
from ..errors import RemoteProtocolError
from ..store import Blobs
from ..wire import Assembly, Piece
from .inbox import Arrivals
from .streams import Incoming

PIECES_AT_ONCE: Final = 4  # written in one go: large enough to be fast, small enough to let others in between


async def serve_blobs(
    stream: trio.abc.SendStream, incoming: Incoming, blobs: Blobs, arrivals: Arrivals, *, may_store: bool
) -> None:
    """Answers until the other side leaves. Raises RemoteProtocolError on a blob that is not what it is called."""
    assembly = Assembly()
    while (message := await incoming.next()) is not None:
        match message:
            case Piece():
                if not may_store:
                    raise RemoteProtocolError("a viewer stores no blobs")
                if (blob := assembly.add(message)) is not None:
                    await blobs.put(*blob)
                    arrivals.arrived(blob[0])
            case {"type": "has", "shas": shas}:
                missing = [sha for sha in shas if not blobs.has(sha)]
                await stream.send_all(wire.encode({"type": "missing", "shas": missing}))
            case {"type": "get", "shas": shas}:
                await _send(stream, blobs, shas)
            case {"type": "leave"}:
                return


async def _send(stream: trio.abc.SendStream, blobs: Blobs, shas: Iterable[str]) -> None:
    frames: list[bytes] = []
    for sha in shas:
        if (data := await blobs.get(sha)) is None:
            frames.append(wire.encode({"type": "absent", "shas": [sha]}))
            continue
        for piece in wire.pieces(sha, data):
            frames.append(wire.encode_piece(piece))
            if len(frames) >= PIECES_AT_ONCE:
                await stream.send_all(b"".join(frames))
                frames.clear()
    if frames:
        await stream.send_all(b"".join(frames))
