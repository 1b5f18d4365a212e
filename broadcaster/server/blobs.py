"""The blob connection of a member: what is missing, pieces in, pieces out."""

from __future__ import annotations

from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from contextlib import AsyncExitStack, asynccontextmanager
from functools import partial
from typing import Final

import trio

from .. import wire
from ..errors import MixerError, Refused, RemoteProtocolError, Unavailable
from ..limits import Limits
from ..store import Blobs, Spool
from ..wire import Piece, Sequence
from .belongings import Belongings
from .floor import Turn
from .host import RETRY_SECONDS
from .streams import Incoming, send_parts

SPOOLED_BYTES: Final = wire.MIB  # from here on a blob is written as it comes
PUT_BYTES: Final = wire.MIB  # about, of small ones, stored together
PART_BYTES: Final = 2 * wire.MIB  # of it: what is flushed at once, for which the logs of all rooms may have to wait
SENT_BYTES: Final = 256 * wire.KIB  # written in one go: large enough to be fast, small enough to let others in between
SENT_PARTS: Final = 512  # likewise, and no more than the kernel takes


async def serve_blobs(
    stream: trio.abc.SendStream,
    incoming: Incoming,
    own: Belongings,
    blobs: Blobs,
    limits: Limits,
    *,
    may_store: bool,
    tell: Callable[[str | None], None],
) -> None:
    """Answers until the other side leaves. `own` are the blobs of its room, `blobs` is where all are stored;
    `tell` tells its member why a blob has to wait, and when it no longer does.

    Raises RemoteProtocolError on a blob that is not what it is called, and Refused if there is no place for one.
    """
    async with _Storing.open(own, blobs, limits, tell, incoming.turn) as storing:
        while (message := await incoming.next()) is not None:
            if isinstance(message, Piece):
                if not may_store:
                    raise RemoteProtocolError("a viewer stores no blobs")
                await storing.take(message)
                continue
            incoming.turn.end()  # what follows is waiting, for the disk or for who reads
            match message:
                case {"type": "has", "shas": shas}:
                    await storing.until_stored()
                    missing = [sha for sha in shas if not own.has(sha)]
                    await stream.send_all(wire.encode({"type": "missing", "shas": missing}))
                case {"type": "get", "shas": shas}:
                    await storing.until_stored()
                    await _send(stream, own, shas)
                case {"type": "leave"}:
                    return


class _Storing:
    """The blobs of one connection on their way to the disk: small ones with all that came meanwhile, large ones in
    parts.
    """

    def __init__(
        self,
        nursery: trio.Nursery,
        large: AsyncExitStack,
        own: Belongings,
        blobs: Blobs,
        limits: Limits,
        tell: Callable[[str | None], None],
        turn: Turn,
    ) -> None:
        self._nursery = nursery
        self._own = own
        self._blobs = blobs
        self._tell = tell
        self._turn = turn  # of who reads
        self._sequence = Sequence(limits.blob_bytes)
        self._parts: list[bytes] = []  # of the blob that comes now, as far as they are not written
        self._part_bytes = 0
        self._is_stored = False
        self._large = large  # holds the spool
        self._spool: Spool | None = None
        self._max_bytes = limits.storing_bytes
        self._small: deque[tuple[str, bytes]] = deque()  # to be stored next
        self._bytes = 0  # of these, and of those that are being stored
        self._is_storing = False
        self._refusal: Refused | None = None
        self._stored = trio.Event()

    @classmethod
    @asynccontextmanager
    async def open(
        cls, own: Belongings, blobs: Blobs, limits: Limits, tell: Callable[[str | None], None], turn: Turn
    ) -> AsyncIterator[_Storing]:
        """Raises what its block raises, or Refused if a blob was."""
        raised: Exception | None = None
        async with AsyncExitStack() as large, trio.open_nursery() as nursery:
            storing = cls(nursery, large, own, blobs, limits, tell, turn)
            try:
                yield storing
                await storing.until_stored()
            except (MixerError, trio.BrokenResourceError, trio.ClosedResourceError) as exc:
                raised = exc  # not out of the nursery, which would wrap it
            nursery.cancel_scope.cancel()
        if failed := storing._refusal or raised:
            raise failed

    async def take(self, piece: Piece) -> None:
        """Takes the next piece, and ends the turn if it has to wait.

        Raises RemoteProtocolError, and Refused if there is no place for a large blob.
        """
        whole = self._sequence.add(piece)
        if piece.offset == 0:
            self._is_stored = self._blobs.has(piece.sha)
        if self._is_stored:  # by another room, perhaps: to have sent the bytes is all that it takes
            if whole:
                self._own.arrived(piece.sha)
            return
        self._parts.append(piece.data)
        self._part_bytes += len(piece.data)
        if piece.total > SPOOLED_BYTES:
            if self._spool is None:
                self._spool = await self._large.enter_async_context(self._blobs.spool(piece.sha, piece.total))
            if whole or self._part_bytes >= PART_BYTES:
                self._turn.end()
                await self._patiently(partial(self._spool.write, self._taken()))
            if whole:
                await self._patiently(self._spool.keep)
                await self._large.aclose()
                self._spool = None
                self._own.arrived(piece.sha)
            elif not self._spool.is_calm:
                self._turn.end()
                await self._spool.calm()
        elif whole:
            while self._is_storing and self._bytes + piece.total > self._max_bytes:
                self._turn.end()
                await self._until_some_are()
            self._store_soon(piece.sha, b"".join(self._taken()))

    def _taken(self) -> list[bytes]:
        parts, self._parts, self._part_bytes = self._parts, [], 0
        return parts

    def _store_soon(self, sha: str, data: bytes) -> None:
        self._small.append((sha, data))
        self._bytes += len(data)
        if not self._is_storing:
            self._is_storing = True
            self._nursery.start_soon(self._store)

    async def until_stored(self) -> None:
        """All that came before is stored then."""
        while self._is_storing:
            await self._until_some_are()

    async def _until_some_are(self) -> None:
        self._stored = trio.Event()
        await self._stored.wait()

    async def _store(self) -> None:
        """What is there, again and again until nothing came meanwhile."""
        while self._small:
            blobs: dict[str, bytes] = {}
            size = 0
            while self._small and size < PUT_BYTES:
                sha, data = self._small.popleft()
                blobs[sha] = data
                size += len(data)
            try:
                await self._patiently(partial(self._blobs.put, blobs))
            except Refused as exc:
                self._refusal = exc
                self._nursery.cancel_scope.cancel()
                return
            self._bytes -= size
            for sha in blobs:
                self._own.arrived(sha)
            self._stored.set()
        self._is_storing = False

    async def _patiently(self, store: Callable[[], Awaitable[None]]) -> None:
        """Waits for space where there is hope for it: what names this blob waits, too."""
        told = False
        while True:
            try:
                await store()
            except Unavailable as exc:
                if not told:
                    self._tell(str(exc))
                    told = True
                await trio.sleep(RETRY_SECONDS)
            else:
                if told:
                    self._tell(None)
                return


async def _send(stream: trio.abc.SendStream, own: Belongings, shas: Iterable[str]) -> None:
    """Small ones together, large ones as they are read. Raises Refused if one is lost amid it."""
    parts: list[bytes] = []
    size = 0
    for sha in shas:
        if (data := own.recent(sha)) is not None:
            total, part = len(data), data
        elif (found := await own.head(sha, PART_BYTES)) is not None:
            total, part = found
        else:
            parts.append(wire.encode({"type": "absent", "shas": [sha]}))
            continue
        for start in range(0, total or 1, PART_BYTES):
            if start:
                part = await _part(own, sha, start, min(start + PART_BYTES, total))
            for piece in wire.pieces(sha, part, start, total):
                parts += wire.encode_piece_parts(piece)
                size += len(piece.data)
                if size >= SENT_BYTES or len(parts) >= SENT_PARTS:
                    await send_parts(stream, parts)
                    parts.clear()
                    size = 0
    if parts:
        await send_parts(stream, parts)


async def _part(own: Belongings, sha: str, start: int, stop: int) -> bytes:
    if (data := await own.read(sha, start, stop)) is None:
        raise Refused(f"blob {sha} is gone", retry=True)
    return data
