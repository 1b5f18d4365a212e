"""Members on lines with weather, that come back by themselves; no Blender, no thread."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from random import Random
from typing import Any, Final

import trio

from broadcaster import wire
from broadcaster.document import Deltas, Entity
from broadcaster.errors import Refused
from broadcaster.member import Member
from broadcaster.protocol import ClientConnection, member_id, new_secret
from broadcaster.server import Server
from broadcaster.wire import Message, Piece

from .link import Link, Weather

FOLDED: Final = frozenset({"records", "ready", "tx", "ack", "reject", "digest"})
AGAIN_SECONDS: Final = 1.0


class Traveller:
    """A member that edits, whatever its line does."""

    def __init__(self, server: Server, nursery: trio.Nursery, weathers: Iterator[Weather], chance: Random) -> None:
        self.secret = new_secret()
        self.member = Member(member_id(self.secret), clock=trio.current_time)
        self.heard: list[Message] = []  # but for what the member folds
        self.lines = 0
        self.refused: str | None = None
        self.at_home = trio.Event()  # may connect
        self.at_home.set()
        self._server, self._nursery, self._weathers, self._chance = server, nursery, weathers, chance
        self._epoch: str | None = None
        self._joined = False
        self._frames: list[bytes] = []
        self._wake = trio.Event()
        self._news = trio.Event()
        self._line = trio.CancelScope()
        nursery.start_soon(self._run)

    def edit(self, *deltas: Any, **options: Any) -> None:
        if (message := self.member.edit(list(deltas), **options)) is not None:
            self.say(message)

    def attempt(self, make: Callable[[Callable[[str], Entity | None]], Deltas], tries: int) -> None:
        if (message := self.member.attempt(make, tries)) is not None:
            self.say(message)

    def say(self, message: Message) -> None:
        if self._joined:
            self._frames.append(wire.encode(message))
            self._wake.set()

    async def until(self, done: Callable[[], Any]) -> None:
        while not done():
            self._news = trio.Event()
            await self._news.wait()

    async def settle(self) -> None:
        await self.until(lambda: self.member.ready and not self.member.pending)

    def go_offline(self) -> None:
        self.at_home = trio.Event()
        self._line.cancel()

    async def _run(self) -> None:
        while self.refused is None:
            await self.at_home.wait()
            self.lines += 1
            link = Link(next(self._weathers), self._chance)
            self._nursery.start_soon(link.run)
            self._nursery.start_soon(self._server.serve_member, link.far)
            with trio.CancelScope() as self._line:
                try:
                    async with trio.open_nursery() as nursery:
                        nursery.start_soon(self._write, link.near)
                        await self._read(link.near)
                except* (trio.BrokenResourceError, trio.ClosedResourceError, EOFError):
                    pass
                except* Refused as group:
                    self._refused(group)
            self._joined = False
            self._frames.clear()
            await trio.aclose_forcefully(link.near)
            await trio.sleep(AGAIN_SECONDS)

    def _refused(self, group: BaseExceptionGroup[BaseException]) -> None:
        inner: BaseException = group
        while isinstance(inner, BaseExceptionGroup):
            inner = inner.exceptions[0]
        assert isinstance(inner, Refused)
        if not inner.retry:
            self.refused = str(inner)

    async def _write(self, stream: trio.abc.SendStream) -> None:
        while True:
            while self._frames:
                frames, self._frames = b"".join(self._frames), []
                await stream.send_all(frames)
            self._wake = trio.Event()
            await self._wake.wait()

    async def _read(self, stream: trio.abc.Stream) -> None:
        connection = ClientConnection()
        await stream.send_all(connection.hello("a traveller"))
        while True:
            while (message := connection.next_message()) is None:
                if not (data := await stream.receive_some(65536)):
                    raise EOFError
                connection.receive_data(data)
            assert not isinstance(message, Piece)
            self._take(message)
            self._news.set()

    def _take(self, message: Message) -> None:
        match message["type"]:
            case "welcome":
                join = {"type": "join", "room": "r", "name": "peer", "secret": self.secret, "create": "if-missing"}
                known = {"epoch": self._epoch, "revision": self.member.revision} if self.member.revision else {}
                self._joined = True
                self.say(join | known)
                self._joined = False
            case "joined":
                self._epoch, self._joined = message["epoch"], True
                self.heard.append(message)
                for again in self.member.begin(message):
                    self.say(again)
            case kind if kind in FOLDED:
                self.member.receive([message])
                for again in self.member.outgoing:
                    self.say(again)
                self.member.outgoing.clear()
            case _:
                self.heard.append(message)
