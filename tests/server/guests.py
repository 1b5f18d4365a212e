"""A server on streams in memory, and guests that speak to it word for word."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import trio
import trio.testing

from broadcaster.member import Member
from broadcaster.protocol import new_secret
from broadcaster.server import Server
from broadcaster.store import Store
from broadcaster.store.memory import MemoryStore
from broadcaster.wire import Message, Piece

from .line import Line

CUBE = ["cube", ["create", "objects", {"name": "Cube", "x": 0}]]


def put(value: Any, *, uuid: str = "cube", name: str = "x") -> list[Any]:
    return [uuid, ["patch", {name: ["put", value]}]]


def tx(seq: int, *deltas: Any, base: int = 0, **fields: Any) -> Message:
    return {"type": "tx", "seq": seq, "base": base, "deltas": list(deltas)} | fields


class Guest(Line):
    """A line on streams in memory, which keeps what it passed over."""

    def __init__(self, stream: Any, far: Any, secret: str) -> None:
        super().__init__(stream, secret)
        self.id = self.member
        self.heard: list[Any] = []  # what was passed over while waiting for something else
        self._far = far
        self._flowing = trio.Event()
        self._pump = far.send_stream.send_all_hook

    def pass_over(self, message: Message | Piece) -> None:
        self.heard.append(message)

    async def hear_nothing(self) -> None:
        """Nothing comes, however long one waits."""
        with trio.move_on_after(1.0):
            raise AssertionError(f"heard {await self.next()}")

    async def quiet(self) -> list[Any]:
        """All that comes until nothing does."""
        got: list[Any] = []
        while True:
            with trio.move_on_after(1.0) as scope:
                got.append(await self.next())
            if scope.cancelled_caught:
                return got

    def stop_reading(self) -> None:
        """From now on what the server writes stays in its hands, as if the network were full."""
        flowing = self._flowing = trio.Event()

        async def wait() -> None:
            await flowing.wait()
            await self._pump()

        self._far.send_stream.send_all_hook = wait

    def read_on(self) -> None:
        self._far.send_stream.send_all_hook = self._pump
        self._flowing.set()

    async def vanish(self) -> None:
        await trio.aclose_forcefully(self.stream)


class Arena:
    """A server and its guests."""

    def __init__(self, server: Server, nursery: trio.Nursery) -> None:
        self.server = server
        self._nursery = nursery

    async def visit(self, secret: str | None = None) -> Guest:
        """A connection that has been greeted."""
        near, far = trio.testing.memory_stream_pair()
        self._nursery.start_soon(self.server.serve_member, far)
        guest = Guest(near, far, secret or new_secret())
        await guest.greet()
        return guest

    async def join(self, name: str = "ann", *, room: str = "r", secret: str | None = None, **fields: Any) -> Guest:
        """A member that has all of the room's content; what it heard on the way is in `heard`."""
        guest = await self.visit(secret)
        join = {"type": "join", "room": room, "name": name, "secret": guest.secret, "create": "if-missing"}
        await guest.say(join | fields)
        guest.heard.append(await guest.hear("joined"))
        guest.heard.append(await guest.hear("ready"))
        await guest.hear("members")
        return guest

    async def attach(self, member: Guest, *, room: str = "r") -> Guest:
        """The blob connection of a member."""
        guest = await self.visit(member.secret)
        await guest.say({"type": "attach", "room": room, "secret": member.secret})
        await guest.hear("attached")
        return guest

    def digest(self, room: str = "r") -> str:
        return self.server.rooms.hosts[room].room.document.digest()


@asynccontextmanager
async def serving(store: Store | None = None, **options: Any) -> AsyncIterator[Arena]:
    """An arena that is closed at the end."""
    async with trio.open_nursery() as nursery:
        store = store or MemoryStore(clock=trio.current_time)
        server = Server(nursery, store, clock=trio.current_time, **options)
        await server.restore()
        yield Arena(server, nursery)
        nursery.cancel_scope.cancel()


def as_member(guest: Guest) -> Member:
    """A member that begins with what `guest` heard when it joined."""
    member = Member(guest.id)
    joined = next(message for message in guest.heard if not isinstance(message, Piece) and message["type"] == "joined")
    member.begin(joined)
    member.receive([one for one in guest.heard if not isinstance(one, Piece) and one["type"] in ("records", "ready")])
    return member
