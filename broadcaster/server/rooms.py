"""The rooms of one process: made, read again, forgotten. Each runs in a task of its own."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Iterator
from typing import Final

import trio

from .. import snapshot
from ..document import Document
from ..errors import Refused, Unavailable
from ..figures import Counters
from ..limits import Limits
from ..protocol import check_name
from ..room import Room
from ..store import Store
from ..wire import Message
from .belongings import Belongings, named
from .floor import Floor, Turn
from .gate import Gate, Visitor
from .host import RETRY_SECONDS, Host
from .restore import fold, new_epoch

POLL_SECONDS: Final = 0.02  # while a room goes

log = logging.getLogger(__name__)


class Rooms:
    """All rooms of one process. `nursery` runs them."""

    def __init__(
        self,
        nursery: trio.Nursery,
        store: Store,
        clock: Callable[[], float],
        gate: Gate,
        limits: Limits,
        counters: Counters,
        floor: Floor,
    ) -> None:
        self.hosts: dict[str, Host] = {}
        self._nursery = nursery
        self._store = store
        self._clock = clock
        self._gate = gate
        self._limits = limits
        self._counters = counters
        self._floor = floor
        self._closed: set[str] = set()  # rooms that are not forgotten or read again yet
        self._making = trio.Lock()  # two that ask for the same new room get one

    def __iter__(self) -> Iterator[Host]:
        return iter(self.hosts.values())

    def get(self, name: str) -> Host | None:
        return self.hosts.get(name)

    def find(self, name: str) -> Host:
        """Raises Refused if there is no such room."""
        if (host := self.hosts.get(name)) is None:
            raise Refused(f"there is no room {name!r}")
        return host

    def all(self) -> list[Host] | None:
        """All rooms; None while there are some that could not be read."""
        return None if self._closed else list(self)

    async def restore(self, progress: Callable[[int, int], None]) -> None:
        """Makes the rooms again that the store kept; tells `progress` how many of how many are there."""
        names = await self._store.rooms()
        for done, name in enumerate(names, start=1):
            await self._load(name, torn=self._store.torn)
            progress(done, len(names))

    async def _load(self, name: str, *, torn: bool = False) -> None:
        """Goes on with a room where its log ends: whoever was there is not any more."""
        stored = await self._store.load(name)
        room = fold(stored)
        time = stored.entries[-1].time if stored.entries else 0.0
        blobs = Belongings(self._store.blobs, await named(room.document, Turn(self._floor, name)))
        host = Host(
            room,
            stored.log,
            self._clock,
            self._limits,
            self._counters,
            blobs,
            self._floor,
            number=stored.number,
            time=time,
        )
        for member in room.present:
            host.submit(member, {"type": "lost"})
        if room.limits != (wanted := Room(name, "", self._limits).limits):
            host.submit("", {"type": "limits", "limits": wanted})
        if torn:
            host.submit("", {"type": "epoch", "epoch": new_epoch()})
        self._start(host)

    async def enter(self, join: Message, visitor: Visitor) -> tuple[Host, str | None]:
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

    def check_new(self, name: str) -> None:
        """Raises Refused unless a room of that name can be made."""
        check_name("room", name)
        if name in self.hosts:
            raise Refused(f"there is a room {name!r} already")
        if name in self._closed:
            raise Refused(f"room {name!r} is not at hand at this moment", retry=True)
        if len(self.hosts) >= self._limits.rooms:
            raise Refused(f"the broadcaster holds {self._limits.rooms} rooms, which is all it can")

    async def adopt(self, name: str, document: Document, shas: Iterable[str]) -> None:
        """Makes a room with this content, whose blobs are stored. Raises Refused or Unavailable, with no room made."""
        async with self._making:
            self.check_new(name)
            room = Room(name, new_epoch(), self._limits)
            room.document = document
            await self._begin(room, Belongings(self._store.blobs, map(bytes.fromhex, shas)))

    async def delete(self, name: str) -> None:
        """Returns when the room is gone."""
        host = self.find(name)
        host.delete()
        while self.hosts.get(name) is host or name in self._closed:
            await trio.sleep(POLL_SECONDS)

    async def _make_room(self, join: Message, visitor: Visitor) -> Host:
        name = join["room"]
        if not join.get("create") and name not in self._closed:
            raise Refused(f"there is no room {name!r}")
        self._gate.check_authority(visitor, "a new room")
        self.check_new(name)
        room = Room(name, new_epoch(), self._limits)
        room.keep, room.frozen = join.get("keep") is not False, join.get("frozen") is True
        if (password := join.get("password")) is not None:
            room.lock = await self._gate.lock(password)
        blobs = Belongings(self._store.blobs)
        if (name := join.get("from")) is not None:
            source = self.find(name)
            await self._gate.admit(visitor, source.room, join)
            room.document, blobs = source.room.document.copy(), source.blobs.copy()
        return await self._begin(room, blobs)

    async def _begin(self, room: Room, blobs: Belongings) -> Host:
        log = await self._store.create(room.name, room.epoch, snapshot.parts(room))
        return self._start(Host(room, log, self._clock, self._limits, self._counters, blobs, self._floor))

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
            log.exception("room %r failed", name, extra={"room": name})
            self._counters.add("faults")
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
