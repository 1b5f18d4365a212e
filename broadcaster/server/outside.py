"""What is told of the rooms to who is in none: over HTTP."""

from __future__ import annotations

import tempfile
from collections.abc import AsyncIterable, Callable, Mapping
from pathlib import Path

import trio

from ..errors import Refused, Unavailable
from ..limits import Limits
from ..protocol import member_id
from ..store import Store
from .gate import Gate, Visitor
from .rooms import Rooms
from .seat import Pace
from .uploads import make_room


class Outside:
    """The rooms, their blobs and who may see them."""

    def __init__(
        self, rooms: Rooms, gate: Gate, figures: Callable[[], Mapping[str, float]], store: Store, limits: Limits
    ) -> None:
        self.figures = figures
        self._rooms = rooms
        self._gate = gate
        self._store = store
        self._limits = limits
        self._uploads = 0

    async def upload(self, room: str, parts: AsyncIterable[bytes]) -> int:
        """Makes a room of a .mixroom file; its revision. Raises MixerError if that cannot be."""
        self._rooms.check_new(room)
        if self._uploads >= self._limits.uploads:
            raise Refused(f"{self._limits.uploads} files are being uploaded, which is all that may be", retry=True)
        self._uploads += 1
        try:
            with tempfile.TemporaryDirectory(dir=self._store.folder) as folder:
                path = Path(folder, "room")
                await _write(path, parts)
                return await make_room(self._rooms, self._store.blobs, self._limits, room, path)
        except OSError as exc:
            raise Unavailable(f"the broadcaster cannot write to its disk: {exc.strerror}") from exc
        finally:
            self._uploads -= 1

    def network_of(self, address: str) -> str:
        """What callers are counted by; "" is this machine, from which anybody may come."""
        visitor = Visitor(address)
        return visitor.network if visitor.origin else ""

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
        """How long a blob of `room` is; None if it has none of that sha."""
        return await host.blobs.size(sha) if (host := self._rooms.get(room)) is not None else None

    async def read_blob(self, room: str, sha: str, start: int, stop: int) -> bytes | None:
        """A part of a blob; None if it is gone."""
        return await host.blobs.read(sha, start, stop) if (host := self._rooms.get(room)) is not None else None


async def _write(path: Path, parts: AsyncIterable[bytes]) -> None:
    async with await trio.open_file(path, "wb") as file:
        async for part in parts:
            await file.write(part)
