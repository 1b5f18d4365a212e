"""The native port: trio, TCP, one nursery for each connection. Rooms are made here and live as long as the server."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from typing import Final

import trio

from .. import VERSION, protocol, snapshot, wire
from ..errors import Refused, RemoteProtocolError, Unavailable
from ..protocol import ServerConnection, State, member_id
from ..room import EDITING, Room
from ..store import Store
from ..wire import Message, Piece
from .blobs import serve_blobs
from .gate import Gate, Visitor
from .host import RETRY_SECONDS, Host
from .inbox import Arrivals, Inbox
from .restore import fold, new_epoch
from .seat import Pace, Seat
from .streams import FLUSH_SECONDS, Incoming, keep_alive, linger
from .sweep import sweep
from .tls import TlsStream

AGENT: Final = f"mixer-broadcaster {VERSION}"
POLL_SECONDS: Final = 0.02  # while a room goes
LOBBY_SECONDS: Final = 30.0  # for the greeting, and for each request of who has not joined
JOIN_LOGGED: Final = ("type", "name", "color", "role", "epoch", "revision")  # the secret is not

log = logging.getLogger(__name__)


class Server:
    """All rooms of one process. `nursery` runs them."""

    def __init__(
        self,
        nursery: trio.Nursery,
        store: Store,
        clock: Callable[[], float] = time.time,
        *,
        gate: Gate | None = None,
        blob_grace_seconds: float = wire.BLOB_GRACE_SECONDS,
    ) -> None:
        self.hosts: dict[str, Host] = {}
        self._nursery = nursery
        self._store = store
        self._clock = clock
        self._gate = gate or Gate(clock)
        self._blob_grace_seconds = blob_grace_seconds
        self._arrivals = Arrivals()
        self._connections = 0
        self._emptied = trio.Event()
        self._closed: set[str] = set()  # rooms that are not forgotten or read again yet
        self._making = trio.Lock()  # two that ask for the same new room get one

    async def restore(self) -> None:
        """Makes the rooms again that the store kept."""
        for name in await self._store.rooms():
            await self._load(name, torn=self._store.torn)
        self._nursery.start_soon(sweep, self._store.blobs, self._all_hosts, self._blob_grace_seconds)

    async def _load(self, name: str, *, torn: bool = False) -> None:
        """Goes on with a room where its log ends: whoever was there is not any more."""
        stored = await self._store.load(name)
        room = fold(stored)
        time = stored.entries[-1].time if stored.entries else 0.0
        host = Host(room, stored.log, self._clock, number=stored.number, time=time)
        for member in room.present:
            host.submit(member, {"type": "lost"})
        if torn:
            host.submit("", {"type": "epoch", "epoch": new_epoch()})
        self._start(host)

    def close(self) -> None:
        """Tells everybody that this broadcaster ends, and to come back."""
        for host in self.hosts.values():
            host.close("the broadcaster is closing", retry=True)

    async def wait_until_empty(self) -> None:
        """Returns when the last connection is closed."""
        while self._connections:
            self._emptied = trio.Event()
            await self._emptied.wait()

    def _all_hosts(self) -> list[Host] | None:
        """All rooms; None while there are some that could not be read."""
        return None if self._closed else list(self.hosts.values())

    def rooms(self) -> list[Message]:
        """What there is, for whoever asks."""
        return [host.describe() for host in self.hosts.values()]

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
        connection = ServerConnection()
        try:
            await self._serve_lobby(stream, connection, visitor)
        except (RemoteProtocolError, Refused) as exc:
            log.info("a connection ends: %s", exc)
            with trio.move_on_after(FLUSH_SECONDS):
                await stream.send_all(protocol.error(str(exc), retry=isinstance(exc, Refused) and exc.retry))
        await linger(stream)

    async def _serve_lobby(self, stream: trio.abc.Stream, connection: ServerConnection, visitor: Visitor) -> None:
        if self._connections > wire.MAX_CONNECTIONS:
            raise Refused("the broadcaster has no place left", retry=True)
        incoming = Incoming(stream, connection)
        while connection.state is not State.CLOSED:
            message = None
            with trio.move_on_after(LOBBY_SECONDS):
                message = await incoming.next()
            if message is None or isinstance(message, Piece):  # too long without a word, or gone
                return
            match message:
                case {"type": "hello"}:
                    await stream.send_all(connection.welcome(AGENT))
                case {"type": "authorize", "secret": secret}:
                    self._gate.authorize(visitor, secret)
                    await stream.send_all(connection.send({"type": "authorized"}))
                case {"type": "invite", "room": name, "role": role, "seconds": seconds}:
                    self._gate.check_authority(visitor, "an invitation")
                    token = self._gate.invite(self._host(name).room, role, seconds)
                    await stream.send_all(connection.send({"type": "invitation", "token": token}))
                case {"type": "rooms"}:
                    self._gate.check_authority(visitor, "the list of rooms")
                    await stream.send_all(connection.send({"type": "rooms", "rooms": self.rooms()}))
                case {"type": "delete", "room": name}:
                    self._gate.check_authority(visitor, "to delete a room")
                    await self._delete(name)
                    await stream.send_all(connection.send({"type": "deleted", "room": name}))
                case {"type": "ping", "id": id}:
                    await stream.send_all(connection.send({"type": "pong", "id": id}))
                case {"type": "join"}:
                    await self._serve_edits(stream, incoming, message, visitor)
                    return
                case {"type": "attach"}:
                    await self._serve_blobs(stream, incoming, message)
                    return

    async def _delete(self, name: str) -> None:
        """Returns when the room is gone."""
        host = self._host(name)
        host.delete()
        while self.hosts.get(name) is host or name in self._closed:
            await trio.sleep(POLL_SECONDS)

    def _host(self, name: str) -> Host:
        if (host := self.hosts.get(name)) is None:
            raise Refused(f"there is no room {name!r}")
        return host

    # Edits

    async def _serve_edits(
        self, stream: trio.abc.SendStream, incoming: Incoming, join: Message, visitor: Visitor
    ) -> None:
        host, invited = await self._enter(join, visitor)
        seat = Seat(member_id(join["secret"]), host.room, self._clock)
        inbox = Inbox(lambda request: host.ask(seat, request), self._store.blobs, self._arrivals)
        try:
            async with trio.open_nursery() as nursery:
                nursery.start_soon(seat.write, stream)
                try:
                    logged = {name: join[name] for name in JOIN_LOGGED if name in join}
                    host.enter(seat, logged | ({"invited": invited} if invited else {}))
                    with seat.reading:
                        await _read_edits(incoming, host, seat, inbox)
                except (RemoteProtocolError, Refused) as exc:
                    log.info("member %s ends: %s", seat.member, exc)
                    seat.expel(str(exc), retry=isinstance(exc, Refused) and exc.retry)
                finally:
                    inbox.close()
                    host.leave(seat)
                    seat.close()
                nursery.cancel_scope.deadline = trio.current_time() + FLUSH_SECONDS
        finally:
            seat.detach()

    async def _enter(self, join: Message, visitor: Visitor) -> tuple[Host, str | None]:
        """The room that a join asks for, made if it asks for that; and the role that it was invited to."""
        name, create = join["room"], join.get("create")
        if (host := self.hosts.get(name)) is None:
            async with self._making:
                if (host := self.hosts.get(name)) is None:
                    return await self._make_room(join, visitor), None
        if create is True:
            raise Refused(f"there is a room {name!r} already")
        invited = await self._gate.admit(visitor, host.room, join)
        if self.hosts.get(name) is not host:
            raise Refused(f"room {name!r} is gone meanwhile", retry=True)
        return host, invited

    async def _make_room(self, join: Message, visitor: Visitor) -> Host:
        name = join["room"]
        if name in self._closed:
            raise Refused(f"room {name!r} is not at hand at this moment", retry=True)
        if not join.get("create"):
            raise Refused(f"there is no room {name!r}")
        self._gate.check_authority(visitor, "a new room")
        if len(self.hosts) >= wire.MAX_ROOMS:
            raise Refused(f"the broadcaster holds {wire.MAX_ROOMS} rooms, which is all it can")
        room = Room(name, new_epoch())
        room.keep, room.frozen = join.get("keep") is not False, join.get("frozen") is True
        if (password := join.get("password")) is not None:
            room.lock = await self._gate.lock(password)
        if (name := join.get("from")) is not None:
            source = self._host(name).room
            await self._gate.admit(visitor, source, join)
            room.document = source.document.copy()
        log = await self._store.create(room.name, room.epoch, snapshot.parts(room))
        return self._start(Host(room, log, self._clock))

    def _start(self, host: Host) -> Host:
        self.hosts[host.room.name] = host
        self._nursery.start_soon(self._run, host)
        return host

    async def _run(self, host: Host) -> None:
        """Runs a room. One that fails ends, its members told, and is read again if it is kept; the others go on."""
        name = host.room.name
        try:
            await host.run()
            await self._forget(host)
        except Exception:
            log.exception("room %r failed", name)
            self._closed.add(name)
            self.hosts.pop(name, None)
            kept = name in await self._store.rooms()
            host.close(f"room {name!r} failed", retry=kept)
            if kept:
                await self._load_again(name)
            else:
                self._closed.discard(name)

    async def _forget(self, host: Host) -> None:
        """A room that is to go goes, as soon as the store can forget it."""
        name = host.room.name
        self._closed.add(name)
        del self.hosts[name]
        host.close(f"room {name!r} is deleted", retry=False)
        while name in self._closed:
            try:
                async with self._making:
                    await self._store.delete(name)
                    self._closed.discard(name)
            except Unavailable as exc:
                log.warning("room %r stays on disk for now: %s", name, exc)
                await trio.sleep(RETRY_SECONDS)

    async def _load_again(self, name: str) -> None:
        try:
            async with self._making:
                await self._load(name)
            self._closed.discard(name)
        except Exception:
            log.exception("room %r cannot be read again", name)

    # Blobs

    async def _serve_blobs(self, stream: trio.abc.SendStream, incoming: Incoming, attach: Message) -> None:
        host = self.hosts.get(attach["room"])
        seat = host.seats.get(member_id(attach["secret"])) if host else None
        if host is None or seat is None or seat.pace is Pace.JOINING:
            raise Refused(f"join room {attach['room']!r} first", retry=True)
        await stream.send_all(wire.encode({"type": "attached"}))
        may_store = host.room.present[seat.member].role in EDITING
        with seat.attached():
            await serve_blobs(
                stream, incoming, self._store.blobs, self._arrivals, may_store=may_store, tell=seat.notice
            )


async def _read_edits(incoming: Incoming, host: Host, seat: Seat, inbox: Inbox) -> None:
    """Takes what a member asks until it leaves. Raises RemoteProtocolError on what it should not have asked."""
    while (message := await incoming.next()) is not None:
        assert not isinstance(message, Piece)
        match message["type"]:
            case "tx" | "lease":
                inbox.take(message, incoming.length)
            case "presence":
                host.set_presence(seat.member, message["state"])
            case "digest":
                seat.answer(wire.encode(host.room.digest()), host.room.revision)
            case "ping":
                seat.answer(wire.encode({"type": "pong", "id": message["id"]}), host.room.revision)
            case "leave":
                host.ask(seat, message)
                return
        while inbox.is_full:
            await inbox.wait_for_space()
        while host.is_full:
            await host.wait_for_space()
        while seat.is_full:
            await seat.wait_for_space()
