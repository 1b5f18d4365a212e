"""What the network process does: one connection after another, messages kept in order until their blobs are here."""

from __future__ import annotations

import logging
import random
import re
from collections import deque
from collections.abc import Callable, Iterator
from typing import Final, NamedTuple

import trio

from broadcaster import wire
from broadcaster.errors import MixerError, Refused, RemoteProtocolError
from broadcaster.wire import Message, Piece

from ..client import BlobCache, Link, Server
from .line import Line, Traffic, open_line
from .transfer import Transfer

LEAVE_SECONDS: Final = 2.0
FINISH_SECONDS: Final = 30.0  # for what a Blender that crashed had said last
FIRST_RETRY_SECONDS: Final = 0.25  # doubled with each failure
LAST_RETRY_SECONDS: Final = 8.0
SHA: Final = re.compile(rb'"([0-9a-f]{64})"')

log = logging.getLogger(__name__)


class Outgoing(NamedTuple):
    life: int  # of the connection it is meant for
    frame: bytes
    shas: list[str] | None  # of the blobs that a transaction names; None if it is none


class Arrived(NamedTuple):
    message: Message
    shas: frozenset[str] = frozenset()  # of blobs that are awaited
    life: int = 0  # of the connection that a `joined` opens
    payload: bytes | bytearray = b""  # the message as it came, if that is known


class Network:
    """One member's stay in a room. What is handed over goes to `hand_over`; what of blobs came, to `got`, before it."""

    def __init__(
        self,
        server: Server,
        join: Message,
        blobs: BlobCache,
        hand_over: Callable[[Arrived], None],
        got: Callable[[str], None],
        held: tuple[str, int] | None = None,
    ) -> None:
        self.outgoing: deque[Outgoing] = deque()
        self.unanswered = 0
        self.link = Link.CONNECTING
        self.traffic = Traffic()
        self.transfer = Transfer(blobs, self._settled, got)
        self._server, self._join, self._blobs, self._hand_over = server, join, blobs, hand_over
        self._wake = trio.Event()  # there is something to write
        self._resumed = trio.Event()
        self._scope = trio.CancelScope()  # around one connection
        self._held = False
        self._stopping = False
        self._leaves = False  # by a word, when it stops
        self._life = 0
        self._arriving: deque[Arrived] = deque()
        self._epoch: str | None
        self._revision: int | None  # up to which everything came
        self._epoch, self._revision = held or (None, None)

    async def run(self) -> None:
        """Until `stop`, `finish` or a refusal. Raises nothing: this is the outermost boundary."""
        try:
            await self._stay()
        except Exception as exc:
            log.exception("the network process failed")
            self._hand_over(Arrived({"type": "error", "reason": f"the network process failed: {exc}"}))
        self.link = Link.ENDED

    def post(self, message: Outgoing) -> None:
        self.outgoing.append(message)
        self._wake.set()

    def hold(self) -> None:
        if not self._held:
            self._held = True
            self._resumed = trio.Event()
            self._scope.cancel()

    def resume(self) -> None:
        self._held = False
        self._resumed.set()

    def reload(self) -> None:
        self._revision = None
        self._resumed.set()
        self._scope.cancel()

    def stop(self) -> None:
        """Leaves, once what was posted is written."""
        self._leaves = True
        self._stop_within(LEAVE_SECONDS)

    def finish(self) -> None:
        """Goes without a word, as a member that is cut off, once what was posted is answered."""
        self._stop_within(FINISH_SECONDS)

    def _stop_within(self, seconds: float) -> None:
        self._stopping = True
        self._resumed.set()
        self._wake.set()
        self._scope.deadline = trio.current_time() + (seconds if self.link is Link.JOINED else 0.0)

    async def _stay(self) -> None:
        retry_seconds = FIRST_RETRY_SECONDS
        while not self._stopping:
            began = trio.current_time()
            reason = await self._try_to_live()
            if reason is None or self._stopping:
                return
            self._lost(reason)
            lasted = trio.current_time() - began > LAST_RETRY_SECONDS
            retry_seconds = FIRST_RETRY_SECONDS if lasted else min(retry_seconds * 2, LAST_RETRY_SECONDS)
            await self._pause(retry_seconds * random.uniform(0.5, 1.0))  # not all members at once

    async def _try_to_live(self) -> str | None:
        """One connection to its end: why it was lost, or None if there is to be no other."""
        lost, ended = "the connection was cut", ""
        try:
            with trio.CancelScope() as self._scope:
                await self._live()
        except* (OSError, trio.BrokenResourceError, trio.ClosedResourceError, trio.TooSlowError) as group:
            lost = f"the broadcaster at {self._server} is gone: {_first(group)}"
            ended = "" if self._life else f"no broadcaster at {self._server}: {_first(group)}"
        except* Refused as group:
            refusal = _first(group)
            lost = str(refusal)
            ended = "" if self._life and isinstance(refusal, Refused) and refusal.retry else lost
        except* MixerError as group:
            ended = str(_first(group))
        if not ended:
            return lost
        self._hand_over(Arrived({"type": "error", "reason": ended}))  # not behind what waits for blobs: none will come
        return None

    def _lost(self, reason: str) -> None:
        if self.link is Link.JOINED:
            self._arriving.append(Arrived({"type": "disconnected", "reason": reason}))
            self._deliver()
        self.link = Link.LOST

    async def _pause(self, seconds: float) -> None:
        """Before the next try: that long, or until `resume`; as long as we are held."""
        with trio.CancelScope() as scope:
            if not self._held:
                scope.deadline = trio.current_time() + seconds
            await self._resumed.wait()
        while self._held and not self._stopping:
            await self._resumed.wait()
        self._resumed = trio.Event()

    # One connection

    async def _live(self) -> None:
        async with open_line(self._server, self.traffic) as line:
            await line.authorize(self._server)
            self._joined(await line.ask(self._join_again()))
            async with trio.open_nursery() as nursery:
                nursery.start_soon(self._live_blobs)
                nursery.start_soon(self._write, line, nursery.cancel_scope)
                while True:
                    self._take(await line.receive(), line.payload)

    async def _live_blobs(self) -> None:
        """The connection for blobs beside the one for edits."""
        async with open_line(self._server, self.traffic) as line:
            await line.ask({"type": "attach", "room": self._join["room"], "secret": self._join["secret"]})
            await self.transfer.run(line)

    def _join_again(self) -> Message:
        """The join; of one who comes back, with what it holds."""
        if self._epoch is None:
            return self._join
        return self._join | {"create": False, "epoch": self._epoch, "revision": self._revision}

    def _joined(self, message: Message) -> None:
        if message["type"] != "joined":
            raise RemoteProtocolError("the broadcaster did not answer the join")
        if message["since"] == "snapshot":
            self._revision = None  # until all of it is here
        self._epoch = message["epoch"]
        self._life += 1
        self.unanswered = 0
        self.transfer.forget_offers()
        self.link = Link.JOINED
        self._arriving.append(Arrived(message, life=self._life))
        self._deliver()

    def _take(self, message: Message | Piece, payload: bytearray) -> None:
        """What the room says, kept in order until its blobs are here."""
        assert not isinstance(message, Piece)
        kind = message["type"]
        shas: frozenset[str] = frozenset()
        if kind in ("ack", "reject"):
            self.unanswered -= 1
            self._wake.set()
        elif kind in ("tx", "records"):
            # Whatever looks like the name of a blob: quicker than a walk, and of what is none we are told it is absent.
            shas = frozenset(sha for sha in map(bytes.decode, SHA.findall(payload)) if sha not in self._blobs)
            self.transfer.want(shas)
        if kind == "ready" or (kind in ("tx", "ack") and self._revision is not None):
            self._revision = max(self._revision or 0, message["revision"])
        self._arriving.append(Arrived(message, shas, payload=payload))
        self._deliver()

    def _settled(self, sha: str) -> None:
        if self._arriving and sha in self._arriving[0].shas:
            self._deliver()

    def _deliver(self) -> None:
        """Hands over what waits for no blob any more."""
        while self._arriving and self.transfer.wanted.isdisjoint(self._arriving[0].shas):
            self._hand_over(self._arriving.popleft())

    async def _write(self, line: Line, scope: trio.CancelScope) -> None:
        """Writes what is queued, all at once, until the client stops."""
        while True:
            if frames := b"".join(self._frames()):
                await line.send_frames(frames)
            elif self._stopping and (self._leaves or not self.unanswered):
                if self._leaves:
                    await line.send_frames(wire.encode({"type": "leave"}))
                scope.cancel()
                return
            else:
                self._wake = trio.Event()
                await self._wake.wait()

    def _frames(self) -> Iterator[bytes]:
        """What may be sent now: not more transactions than the room keeps answers for."""
        while self.outgoing and self.unanswered < wire.MAX_IN_FLIGHT:
            life, frame, shas = self.outgoing.popleft()
            if life != self._life:
                continue  # its member sends it again
            if shas is not None:
                self.unanswered += 1
                self.transfer.offer(shas)
            yield frame


def _first(group: BaseExceptionGroup[BaseException]) -> BaseException:
    """One exception out of nested groups: what is said is one sentence."""
    inner = group.exceptions[0]
    return _first(inner) if isinstance(inner, BaseExceptionGroup) else inner
