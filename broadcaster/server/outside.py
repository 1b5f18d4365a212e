"""What is told of the rooms to who is in none: over HTTP."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final
from weakref import WeakKeyDictionary

import trio

from .. import wire
from ..errors import Refused
from ..protocol import member_id
from ..store import Blobs
from .gate import Gate, Visitor
from .host import Host
from .rooms import Rooms
from .seat import Pace
from .sweep import SHA

BYTES_AT_ONCE: Final = wire.MIB  # of a document, looked through without a pause


class Outside:
    """The rooms, their blobs and who may see them."""

    def __init__(self, rooms: Rooms, blobs: Blobs, gate: Gate, figures: Callable[[], Mapping[str, float]]) -> None:
        self.figures = figures
        self._rooms = rooms
        self._blobs = blobs
        self._gate = gate
        self._named: WeakKeyDictionary[Host, _Named] = WeakKeyDictionary()

    def admit(self, address: str, token: str, room: str | None = None) -> None:
        """Returns if `token` lets whoever calls from `address` read in `room`; if None, read the figures.

        It is the server's secret, the secret of a member that is there, or an invitation. Raises Unknown if it is
        none of these, and Refused if it is one for something else, or there were too many wrong ones.
        """
        visitor = Visitor(address)
        self._gate.check_attempts(visitor)
        if self._gate.knows(token):
            return
        member = member_id(token)
        seats = {host: host.seats[member] for host in self._rooms if member in host.seats}
        invitation = self._gate.read_invitation(token)
        if not seats and invitation is None:
            self._gate.fail(visitor, "that is no secret of this broadcaster or of a member, and no invitation")
        host = self._rooms.get(room) if room is not None else None
        if host is None or host.room.rights.is_banned(member, visitor.origin):
            raise Refused("that does not let in here")
        is_in = host in seats and seats[host].pace is not Pace.JOINING
        if not is_in and (invitation is None or self._gate.fault_of(invitation, host.room) is not None):
            raise Refused("that does not let in here")

    async def blob_size(self, room: str, sha: str) -> int | None:
        """How long a blob is that `room` names; None if it names none of that sha."""
        if (host := self._rooms.get(room)) is None:
            return None
        named = self._named.setdefault(host, _Named())
        return await self._blobs.size(sha) if await named.has(host, sha) else None

    async def read_blob(self, sha: str, start: int, stop: int) -> bytes | None:
        """A part of a blob; None if it is gone."""
        return await self._blobs.read(sha, start, stop)


class _Named:
    """The blobs that one room names. Looked through again only for one that was not named before."""

    def __init__(self) -> None:
        self._revision = -1
        self._where: dict[bytes, str] = {}  # sha -> an entity that named it
        self._looking = trio.Lock()

    async def has(self, host: Host, sha: str) -> bool:
        if self._is_where_it_was(host, sha):
            return True
        async with self._looking:
            if self._revision != host.room.revision:
                await self._look(host)
        return self._is_where_it_was(host, sha)

    def _is_where_it_was(self, host: Host, sha: str) -> bool:
        entity = host.room.document.get(self._where.get(bytes.fromhex(sha), ""))
        return entity is not None and b'"%s"' % sha.encode() in entity.data

    async def _look(self, host: Host) -> None:
        document, seen = host.room.document, 0
        self._revision, where = document.revision, {}
        for uuid in list(document):
            if (entity := document.get(uuid)) is not None:
                where.update(dict.fromkeys(map(bytes.fromhex, map(bytes.decode, SHA.findall(entity.data))), uuid))
                seen += len(entity.data)
            if seen > BYTES_AT_ONCE:
                seen = 0
                await trio.lowlevel.checkpoint()
        self._where = where
