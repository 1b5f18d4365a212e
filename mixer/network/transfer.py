"""The blob connection of this member: fetches what edits name before they are handed over, offers what ours name."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable
from typing import Final

import trio

from broadcaster import wire
from broadcaster.errors import LocalProtocolError
from broadcaster.wire import Assembly, Message, Piece

from ..client import BlobCache
from .line import Line

SHAS_AT_ONCE: Final = 256  # named in one request
FETCHES_AT_ONCE: Final = 1024  # asked for and not here yet
PIECES_AT_ONCE: Final = 4  # written in one go


class Transfer:
    """What is to be fetched and offered. `wanted` shrinks as blobs arrive, or are told to be nowhere."""

    def __init__(self, blobs: BlobCache, settled: Callable[[str], None], got: Callable[[str], None]) -> None:
        self.wanted: set[str] = set()
        self._blobs = blobs
        self._settled = settled  # called with each that leaves `wanted`
        self._got = got  # called, before that, with each that came
        self._to_fetch: deque[str] = deque()
        self._fetching: set[str] = set()
        self._to_offer: deque[str] = deque()
        self._offered: set[str] = set()  # to this broadcaster, since we are connected
        self._to_upload: deque[str] = deque()
        self._wake = trio.Event()

    @property
    def pending(self) -> int:
        """How many blobs are on their way, up or down."""
        return len(self.wanted) + len(self._to_offer) + len(self._to_upload)

    def want(self, shas: Iterable[str]) -> None:
        """Fetches these."""
        new = [sha for sha in shas if sha not in self.wanted]
        self.wanted.update(new)
        self._to_fetch.extend(new)
        self._wake.set()

    def offer(self, shas: Iterable[str]) -> None:
        """Uploads those of these that the broadcaster does not have."""
        new = [sha for sha in shas if sha not in self._offered]
        self._offered.update(new)
        self._to_offer.extend(new)
        self._wake.set()

    async def run(self, line: Line) -> None:
        """Fetches and uploads for as long as this connection lasts; what was under way before begins again.

        Raises LocalProtocolError if an edit of ours names a blob that is not here, and RemoteProtocolError if a blob
        is not what it is called.
        """
        self._fetching.clear()
        self._to_fetch = deque(self.wanted)
        assembly = Assembly()
        async with trio.open_nursery() as nursery:
            nursery.start_soon(self._write, line)
            while True:
                self._receive(await line.receive(), assembly)

    def forget_offers(self) -> None:
        """A new stay: nothing is known to be there, and all that is pending will be offered again."""
        self._offered.clear()
        self._to_offer.clear()
        self._to_upload.clear()

    async def _write(self, line: Line) -> None:
        while True:
            if self._to_fetch and len(self._fetching) < FETCHES_AT_ONCE:
                shas = _take(self._to_fetch, SHAS_AT_ONCE)
                self._fetching.update(shas)
                await line.send_frames(wire.encode({"type": "get", "shas": shas}))
            elif self._to_offer:
                shas = _take(self._to_offer, wire.MAX_SHAS)
                await line.send_frames(wire.encode({"type": "has", "shas": shas}))
            elif self._to_upload:
                await self._upload(line, self._to_upload.popleft())
            else:
                self._wake = trio.Event()
                await self._wake.wait()

    def _receive(self, message: Message | Piece, assembly: Assembly) -> None:
        match message:
            case Piece():
                if (blob := assembly.add(message)) is not None:
                    self._blobs.add(*blob)
                    self._got(blob[0])
                    self._settle([blob[0]])
            case {"type": "absent", "shas": shas}:
                self._settle(shas)
            case {"type": "missing", "shas": shas}:
                self._to_upload.extend(shas)
        self._wake.set()

    def _settle(self, shas: Iterable[str]) -> None:
        for sha in shas:
            self.wanted.discard(sha)
            self._fetching.discard(sha)
            self._settled(sha)

    async def _upload(self, line: Line, sha: str) -> None:
        try:
            data = self._blobs.get(sha)
        except KeyError as exc:
            raise LocalProtocolError(f"blob {sha}, which an edit of ours names, is not here") from exc
        frames = [wire.encode_piece(piece) for piece in wire.pieces(sha, data)]
        for start in range(0, len(frames), PIECES_AT_ONCE):
            await line.send_frames(b"".join(frames[start : start + PIECES_AT_ONCE]))


def _take(queue: deque[str], count: int) -> list[str]:
    return [queue.popleft() for _ in range(min(count, len(queue)))]
