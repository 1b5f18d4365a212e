"""The native port: trio, TCP, one nursery for each connection."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from functools import partial
from math import inf
from typing import Final

import trio

from .. import VERSION, protocol, wire
from ..errors import Refused, RemoteProtocolError
from ..figures import Counters
from ..limits import DEFAULTS, Limits
from ..protocol import Heard, ServerConnection, State, member_id
from ..store import Store
from ..wire import Message, Piece
from .blobs import serve_blobs
from .floor import Floor
from .gate import Gate, Visitor
from .host import Host
from .inbox import Inbox, Request
from .outside import Outside
from .rooms import Rooms
from .seat import Pace, Seat
from .streams import FLUSH_SECONDS, Incoming, Pacer, keep_alive, linger
from .sweep import sweep
from .tls import TlsStream

AGENT: Final = f"mixer-broadcaster {VERSION}"
JOIN_LOGGED: Final = ("type", "name", "color", "role", "epoch", "revision")  # the secret is not

log = logging.getLogger(__name__)


class Server:
    """Serves connections to the rooms of one process. `nursery` runs the rooms."""

    def __init__(
        self,
        nursery: trio.Nursery,
        store: Store,
        clock: Callable[[], float] = time.time,
        *,
        gate: Gate | None = None,
        limits: Limits = DEFAULTS,
    ) -> None:
        self._nursery = nursery
        self._store = store
        self._clock = clock
        self._gate = gate or Gate(clock, limits=limits)
        self.counters = Counters()
        self._floor = Floor()
        self.rooms = Rooms(nursery, store, clock, self._gate, limits, self.counters, self._floor)
        self.outside = Outside(self.rooms, self._gate, self.figures, store, limits)
        self._limits = limits
        self._connections = 0
        nursery.start_soon(self._floor.run)
        self._emptied = trio.Event()

    def figures(self) -> dict[str, float]:
        """What is to be told of all rooms together."""
        hosts = list(self.rooms)
        return {
            "rooms": len(hosts),
            "rooms_in_trouble": sum(host.is_in_trouble for host in hosts),
            "members": sum(len(host.room.present) for host in hosts),
            "connections": self._connections,
            "entities": sum(len(host.room.document) for host in hosts),
            **self.counters.values,
        }

    async def restore(self, progress: Callable[[int, int], None] = lambda done, all: None) -> None:
        """Makes the rooms again that the store kept."""
        await self.rooms.restore(progress)
        self._nursery.start_soon(sweep, self._store.blobs, self.rooms.all, self._limits.blob_grace_seconds)

    def close(self) -> None:
        """Tells everybody that this broadcaster ends, and to come back."""
        for host in self.rooms:
            host.close("the broadcaster is closing", retry=True)

    async def wait_until_empty(self) -> None:
        """Returns when the last connection is closed."""
        while self._connections:
            self._emptied = trio.Event()
            await self._emptied.wait()

    # One connection

    async def serve_member(self, stream: trio.abc.HalfCloseableStream) -> None:
        """Serves one connection to its end, however that comes. Raises nothing: this is the outermost boundary."""
        self._connections += 1
        try:
            async with stream:
                await self._serve(stream)
        except* (trio.BrokenResourceError, trio.ClosedResourceError):
            log.debug("a connection was lost")
        except* trio.TooSlowError:
            log.info("a connection ends: nothing was read from it for long")
        except* Exception:
            log.exception("a connection failed")
            self.counters.add("faults")
        finally:
            self._connections -= 1
            if not self._connections:
                self._emptied.set()

    async def _serve(self, stream: trio.abc.HalfCloseableStream) -> None:
        visitor = Visitor()
        transport = stream.transport if isinstance(stream, TlsStream) else stream
        if isinstance(transport, trio.SocketStream):
            keep_alive(transport)
            visitor.address = transport.socket.getpeername()[0]
        connection = ServerConnection(self._limits)
        try:
            await self._serve_lobby(stream, connection, visitor)
        except (RemoteProtocolError, Refused) as exc:
            log.info("a connection ends: %s", exc, extra={"address": visitor.address})
            with trio.move_on_after(FLUSH_SECONDS):
                await stream.send_all(protocol.error(str(exc), retry=isinstance(exc, Refused) and exc.retry))
        await linger(stream)

    async def _serve_lobby(self, stream: trio.abc.Stream, connection: ServerConnection, visitor: Visitor) -> None:
        if self._connections > self._limits.connections:
            raise Refused("the broadcaster has no place left", retry=True)
        incoming = Incoming(stream, connection, self._limits.stalled_seconds, self._floor)
        pace = Pacer(self._limits.lobby_requests_per_second)
        while connection.state is not State.CLOSED:
            message = None
            with trio.move_on_after(self._limits.greeting_seconds):
                message = await incoming.next()
            if message is None or isinstance(message, Piece):  # too long without a word, or gone
                return
            incoming.turn.end()  # none of this is work, and much of it is waiting
            match message:
                case {"type": "hello"}:
                    await stream.send_all(connection.welcome(AGENT))
                case {"type": "authorize", "secret": secret}:
                    self._gate.authorize(visitor, secret)
                    await stream.send_all(connection.send({"type": "authorized"}))
                case {"type": "invite", "room": name, "role": role, "seconds": seconds}:
                    self._gate.check_authority(visitor, "an invitation")
                    token = self._gate.invite(self.rooms.find(name).room, role, seconds)
                    await stream.send_all(connection.send({"type": "invitation", "token": token}))
                case {"type": "rooms"}:
                    self._gate.check_authority(visitor, "the list of rooms")
                    rooms = [await host.describe(incoming.turn) for host in list(self.rooms)]
                    await stream.send_all(connection.send({"type": "rooms", "rooms": rooms}))
                case {"type": "delete", "room": name}:
                    self._gate.check_authority(visitor, "to delete a room")
                    await self.rooms.delete(name)
                    await stream.send_all(connection.send({"type": "deleted", "room": name}))
                case {"type": "govern", "room": str(name)}:
                    self._gate.check_authority(visitor, "to govern a room")
                    governed = await self.rooms.find(name).govern(await self._as_logged(message))
                    await stream.send_all(connection.send(governed))
                case {"type": "govern"}:
                    raise RemoteProtocolError("malformed 'govern' message: which room?")
                case {"type": "ping", "id": id}:
                    await stream.send_all(connection.send({"type": "pong", "id": id}))
                case {"type": "join"}:
                    await self._serve_edits(stream, incoming, message, visitor)
                    return
                case {"type": "attach"}:
                    await self._serve_blobs(stream, incoming, message)
                    return
            await trio.sleep(max(pace.count(1), 0.0))

    # Edits

    async def _serve_edits(
        self, stream: trio.abc.SendStream, incoming: Incoming, join: Message, visitor: Visitor
    ) -> None:
        host, invited = await self.rooms.enter(join, visitor)
        incoming.turn.room = host.room.name
        seat = Seat(member_id(join["secret"]), host.room, self._clock, self._limits)
        inbox = Inbox(partial(host.ask, seat), host.blobs, self._limits)
        try:
            async with trio.open_nursery() as nursery:
                nursery.start_soon(seat.write, stream)
                try:
                    logged = {name: join[name] for name in JOIN_LOGGED if name in join}
                    bound = "worker" in (invited, join.get("role"))
                    shown = {"invited": invited, "address": visitor.origin, "bound": bound}
                    host.enter(seat, logged | {name: one for name, one in shown.items() if one})
                    with seat.reading:
                        await self._read_edits(incoming, host, seat, inbox)
                except (RemoteProtocolError, Refused) as exc:
                    log.info(
                        "a member is sent away",
                        extra={"room": host.room.name, "member": seat.member, "reason": str(exc)},
                    )
                    seat.expel(str(exc), retry=isinstance(exc, Refused) and exc.retry)
                finally:
                    inbox.close()
                    host.leave(seat)
                    seat.close()
                nursery.cancel_scope.deadline = trio.current_time() + FLUSH_SECONDS
        finally:
            seat.detach()

    async def _read_edits(self, incoming: Incoming, host: Host, seat: Seat, inbox: Inbox) -> None:
        """Takes what a member asks until it leaves. Raises RemoteProtocolError on what it should not have asked."""
        pace = Pacer(self._limits.requests_per_second)
        while heard := await _some_within(self._limits.idle_seconds, incoming, pace.at_once):
            asked: list[Request] = []
            for message, data in heard:
                assert not isinstance(message, Piece)
                match message["type"]:
                    case "tx" | "lease":
                        asked.append((message, data))
                    case "govern":
                        inbox.take(asked)
                        asked = [(await self._as_logged(message), b"")]
                    case "presence":
                        host.set_presence(seat.member, message["state"])
                    case "digest":
                        seat.answer(wire.encode(host.room.digest()), host.room.revision)
                    case "ping":
                        seat.answer(wire.encode({"type": "pong", "id": message["id"]}), host.room.revision)
                    case "leave":
                        inbox.take(asked)
                        host.ask(seat, [(message, b"")])
                        return
            inbox.take(asked)
            if (seconds := pace.count(len(heard))) > 0.0:
                incoming.turn.end()
                await trio.sleep(seconds)
            for one in (inbox, host, seat):
                while one.is_full:
                    incoming.turn.end()
                    await one.wait_for_space()

    async def _as_logged(self, govern: Message) -> Message:
        """With what is kept of a password in its place."""
        logged: Message = {name: govern[name] for name in ("type", "op", "member", "on") if name in govern}
        if govern["op"] != "password":
            return logged
        password = govern.get("password")
        return logged | {"lock": None if password is None else await self._gate.lock(password)}

    # Blobs

    async def _serve_blobs(self, stream: trio.abc.SendStream, incoming: Incoming, attach: Message) -> None:
        host = self.rooms.get(attach["room"])
        seat = host.seats.get(member_id(attach["secret"])) if host else None
        if host is None or seat is None or seat.pace is Pace.JOINING:
            raise Refused(f"join room {attach['room']!r} first", retry=True)
        incoming.turn.room = host.room.name
        await stream.send_all(wire.encode({"type": "attached"}))
        may_store = host.room.present[seat.member].may.store
        with seat.attached():
            await serve_blobs(
                stream,
                incoming,
                host.blobs,
                self._store.blobs,
                self._limits,
                may_store=may_store,
                tell=seat.notice,
            )


async def _some_within(seconds: float, incoming: Incoming, most: int) -> list[Heard]:
    """Raises Refused if nothing is said for so long."""
    if seconds == inf:
        return await incoming.some(most)
    with trio.move_on_after(seconds):
        return await incoming.some(most)
    raise Refused(f"nothing was said for {seconds:g} s", retry=True)
