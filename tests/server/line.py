"""One connection to a broadcaster from its client's side, word for word, in trio."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import trio

from broadcaster import wire
from broadcaster.protocol import ClientConnection, member_id, new_secret
from broadcaster.wire import Message, Piece

RECEIVE_BYTES = 256 * 1024


class Line:
    """Raises Refused if the broadcaster ends it with a reason, EOFError if without one, OSError-like ones of trio."""

    def __init__(self, stream: trio.abc.Stream, secret: str) -> None:
        self.stream = stream
        self.secret = secret
        self.member = member_id(secret)
        self._connection = ClientConnection()

    async def greet(self) -> None:
        await self.write(self._connection.hello("a guest"))
        await self.hear("welcome")

    async def join(self, room: str, **fields: Any) -> Message:
        asked = {"type": "join", "room": room, "name": "guest", "secret": self.secret, "create": "if-missing"}
        await self.say(asked | fields)
        return await self.hear("joined")

    async def write(self, data: bytes) -> None:
        await self.stream.send_all(data)

    async def say(self, *messages: Message) -> None:
        await self.write(b"".join(map(wire.encode, messages)))

    async def next(self) -> Message | Piece:
        while (message := self._connection.next_message()) is None:
            if not (data := await self.stream.receive_some(RECEIVE_BYTES)):
                raise EOFError
            self._connection.receive_data(data)
        return message

    async def hear(self, kind: str) -> Message:
        """The next message of that type; others are passed over."""
        while True:
            message = await self.next()
            if not isinstance(message, Piece) and message["type"] == kind:
                return message
            self.pass_over(message)

    def pass_over(self, message: Message | Piece) -> None:
        """What came while something else was waited for is let go."""


@asynccontextmanager
async def line(address: tuple[str, int], secret: str | None = None) -> AsyncIterator[Line]:
    """A connection that has been greeted; it is dropped at the end, without a word."""
    stream = await trio.open_tcp_stream(*address)
    try:
        one = Line(stream, secret or new_secret())
        await one.greet()
        yield one
    finally:
        await trio.aclose_forcefully(stream)
