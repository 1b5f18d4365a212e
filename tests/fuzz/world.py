"""A room, its members and the lines between them, all in one thread and in the hands of one random number generator.

Real are the room, its seats, the frames and the members; the sockets and the disk are queues here.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Final

from broadcaster import snapshot, wire
from broadcaster.document import Deltas, Document, Entity, check_deltas
from broadcaster.limits import Limits
from broadcaster.member import Member
from broadcaster.room import Admit, Broadcast, Entry, Expel, Room, Send
from broadcaster.server.seat import Pace, Seat
from broadcaster.tree import strong_refs
from broadcaster.wire import FrameBuffer, Message
from tests.effects import apart

NARROW: Final = Limits(outbox_bytes=8000)  # so small that it is reached
LOST_AT_MOST: Final = 30  # entries of the log that a restart takes along
FOLDED: Final = frozenset({"records", "ready", "tx", "ack", "reject", "digest"})


@dataclass(slots=True)
class Line:
    """One connection. What was written and not delivered is lost with it."""

    seat: Seat
    up: deque[bytes] = field(default_factory=deque)
    down: FrameBuffer = field(default_factory=FrameBuffer)
    joined: bool = False


@dataclass(slots=True)
class Witness:
    """Goes with one transaction, to tell what became of it."""

    member: str
    applied: list[int] = field(default_factory=list)  # at which revisions
    told: list[str] = field(default_factory=list)


class Peer:
    """A member and its line."""

    def __init__(self, world: World, id: str) -> None:
        self.world = world
        self.member = Member(id, clock=lambda: world.time)
        self.line: Line | None = None
        self.epoch: str | None = None
        self.fencing: dict[str, int] = {}
        self._number = 0

    def witness(self) -> list[Any]:
        self._number += 1
        name = f"witness {self.member.id} {self._number}"
        self.world.witnesses[name] = Witness(self.member.id)
        return [name, ["create", "witnesses", {}]]

    def edit(self, deltas: list[Any], expect: dict[str, int] | None = None) -> None:
        mark = self.witness()
        if (message := self.member.edit([*deltas, mark], expect)) is not None:
            self.say(message)
        else:
            self.world.witnesses[mark[0]].told.append("reject")

    def attempt(self, make: Callable[[Callable[[str], Entity | None]], Deltas]) -> None:
        if (message := self.member.attempt(lambda read: [*make(read), self.witness()])) is not None:
            self.say(message)

    def say(self, message: Message) -> None:
        if self.line is not None and (self.line.joined or message["type"] == "join"):
            self.line.up.append(wire.encode(message))

    def connect(self) -> None:
        if self.line is None:
            self.line = Line(Seat(self.member.id, self.world.room, lambda: self.world.time, NARROW))
            join = {"type": "join", "name": self.member.id}
            known = {"epoch": self.epoch, "revision": self.member.revision} if self.epoch and self.member.ready else {}
            self.say(join | known)

    def read(self, most: int) -> bool:
        """Takes at most so many messages; whether there were any."""
        if self.line is None:
            return False
        self.line.down.receive_data(self.line.seat.take())
        batch: list[Message] = []
        some = False
        for _ in range(most):
            if self.line is None or (frame := self.line.down.next_frame(wire.MAX_FRAME_BYTES)) is None:
                break
            message, some = frame[0], True
            assert isinstance(message, dict)
            if message["type"] in FOLDED:
                batch.append(message)
                continue
            self._receive(batch)
            batch = []
            self._take(message)
        self._receive(batch)
        return some

    def _take(self, message: Message) -> None:
        match message["type"]:
            case "joined":
                assert self.line is not None
                self.epoch, self.line.joined = message["epoch"], True
                for again in self.member.begin(message):
                    self.say(again)
            case "lease" if message["holder"] == self.member.id:
                self.fencing[message["key"]] = message["fencing"]
            case "error":
                assert message.get("retry"), message["reason"]
                self.line = None

    def _receive(self, batch: list[Message]) -> None:
        asked = deque(self.member.pending)
        for message in batch:
            if message["type"] in ("ack", "reject"):
                deltas = asked.popleft().deltas
                mark = next(uuid for uuid, delta in deltas if delta[:2] == ["create", "witnesses"])
                self.world.witnesses[mark].told.append(message["type"])
        self.member.receive(batch)
        for again in self.member.outgoing:
            self.say(again)
        self.member.outgoing.clear()
        assert not self.member.drift


class World:
    """Where all of it happens, and what must hold."""

    def __init__(self) -> None:
        self.room = Room("r", "epoch 0")
        self.time = 0.0
        self.peers: list[Peer] = []
        self.witnesses: dict[str, Witness] = {}
        self.seats: dict[str, Seat] = {}
        self.half_open: list[tuple[str, Line]] = []  # lines that only the broadcaster still believes in
        self._number = 0
        self._log: list[Entry] = []  # since the snapshot
        self._snapshot: list[bytes] | None = None
        self._leases: dict[str, str | None] = {}  # as they were told
        self._epochs = 0
        self._copies: list[tuple[int, str, list[Any]]] = []  # epoch's revisions, and the documents of then

    # The broadcaster

    def deliver(self, member: str, line: Line, most: int) -> None:
        """Hands at most so many of the messages to the room."""
        for _ in range(min(most, len(line.up))):
            frames = FrameBuffer()
            frames.receive_data(line.up.popleft())
            frame = frames.next_frame(wire.MAX_REQUEST_BYTES)
            assert frame is not None
            assert isinstance(frame[0], dict)
            self._ask(member, line, frame[0])

    def _ask(self, member: str, line: Line, request: Message) -> None:
        if request["type"] == "join":
            if (older := self.seats.get(member)) is not None:
                older.expel("the same member joined again", retry=True)
            self.seats[member] = line.seat
        elif self.seats.get(member) is not line.seat:
            return
        if request["type"] == "digest":
            line.seat.answer(wire.encode(self.room.digest()), self.room.revision)
            return
        if request["type"] == "tx":
            check_deltas(request["deltas"])
        self.fold(member, request)

    def fold(self, member: str, request: Message) -> None:
        before, leases = self.room.revision, dict(self._leases)
        self._log.append(Entry(self._number, self.time, member, request))
        self._number += 1
        for effect in apart(self.room.fold(self._log[-1])):
            match effect:
                case Send(to, message):
                    if (seat := self.seats.get(to)) is not None:
                        seat.answer(wire.encode(message), before)
                case Broadcast(message, but):
                    self._told(message, leases)
                    frame = wire.encode(message)
                    for to, seat in self.seats.items():
                        if to != but and seat.pace is Pace.LIVE:
                            seat.post(frame, before)
                case Admit(to, message, records, removed):
                    self.seats[to].admit(wire.encode(message), records, removed)
                case Expel(to, reason):
                    raise AssertionError(f"{to} is expelled: {reason}")

    def _told(self, message: Message, leases: dict[str, str | None]) -> None:
        if message["type"] == "lease":
            self._leases[message["key"]] = leases[message["key"]] = message["holder"]
        elif message["type"] == "tx":
            for uuid, delta in message["deltas"]:
                assert leases.get(uuid) in (None, message["member"]), f"{uuid} is leased"
                if delta[0] == "create" and delta[1] == "witnesses":
                    self.witnesses[uuid].applied.append(message["revision"])

    def lose(self, peer: Peer, noticed: bool) -> None:
        """A line breaks; the broadcaster notices at once, or later."""
        if (line := peer.line) is not None:
            peer.line = None
            self.half_open.append((peer.member.id, line))
            if noticed:
                self.notice(len(self.half_open) - 1)

    def notice(self, place: int) -> None:
        member, line = self.half_open.pop(place)
        if self.seats.get(member) is line.seat:
            del self.seats[member]
            self.fold(member, {"type": "lost"})

    def keep_snapshot(self) -> None:
        self._snapshot, self._log = list(snapshot.parts(self.room)), []

    def restart(self, lost: int) -> None:
        """The broadcaster ends and goes on from what it kept, without the last `lost` entries of its log."""
        for peer in self.peers:
            peer.line = None
        self.seats.clear()
        self.half_open.clear()
        kept = self._log[: len(self._log) - lost]
        torn, digest = len(kept) < len(self._log), self.room.document.digest()
        self.room = Room("r", "epoch 0")
        if self._snapshot is not None:
            snapshot.restore(self.room, self._snapshot)
        for entry in kept:
            self.room.fold(entry)
        self._log = kept
        for member in list(self.room.present):
            self.fold(member, {"type": "lost"})
        if not torn:
            assert self.room.document.digest() == digest
            return
        self._epochs += 1
        for witness in self.witnesses.values():  # its member will offer it again
            if witness.applied and witness.applied[0] > self.room.revision:
                witness.applied.clear()
                witness.told.clear()
        self._leases = {lease["key"]: lease["holder"] for lease in self.room._leases.messages(0.0)}
        self._copies.clear()
        self.fold("", {"type": "epoch", "epoch": f"epoch {self._epochs}"})
        self.keep_snapshot()

    # What must hold

    def drain(self) -> None:
        """Until nothing is on its way and nobody waits for an answer."""
        while self.half_open:
            self.notice(0)
        for peer in self.peers:
            peer.connect()
        busy = True
        while busy:
            busy = False
            for peer in self.peers:
                if (line := peer.line) is None:
                    peer.connect()
                    busy = True
                    continue
                busy |= bool(line.up)
                self.deliver(peer.member.id, line, len(line.up))
                busy |= peer.read(1_000_000)

    def check(self, pick: Callable[[list[Any]], Any]) -> None:
        """After a drain: one document everywhere, however it is come by, and each transaction once."""
        document = self.room.document
        digest, records = document.digest(), _plain(document.snapshot())
        fresh = _loaded(records)
        assert fresh.digest() == digest, "the incremental digest is another than a fresh one"
        for peer in self.peers:
            member = peer.member
            assert not member.pending
            assert member.shown is member.confirmed
            assert (member.revision, member.confirmed.digest()) == (self.room.revision, digest), member.id
        member = pick(self.peers).member  # of one also what no digest tells: versions, creators
        assert _by_uuid(_plain(member.confirmed.snapshot())) == _by_uuid(records), member.id
        assert {uuid: document.users(uuid) for uuid in document} == {uuid: fresh.users(uuid) for uuid in document}
        self._copies.append((self.room.revision, digest, records))
        revision, _, held = pick(self._copies)
        if (found := document.since(revision)) is not None:
            copy = _loaded(held)
            copy.load(_plain(found[0]), found[1])
            assert copy.digest() == digest, f"since({revision}) makes another document"
        revision = max(0, self.room.revision - LOST_AT_MOST)
        here = {peer.member.id for peer in self.peers}
        for name, witness in self.witnesses.items():
            assert len(witness.applied) <= 1, f"{name} took effect twice"
            if witness.member in here:
                assert len(witness.told) == 1, f"{name} was answered {witness.told}"
                assert (witness.told == ["ack"]) == bool(witness.applied), f"{name} was answered {witness.told}"
        for name in [name for name, one in self.witnesses.items() if not one.applied or one.applied[0] <= revision]:
            del self.witnesses[name]
        del self._copies[:-20]

    def check_shown(self, peer: Peer) -> None:
        """What one sees at any moment is whole: all that is named strongly is there."""
        shown = peer.member.shown
        for uuid in shown:
            entity = shown.get(uuid)
            assert entity is not None
            assert all(name in shown for name in strong_refs(entity.tree)), f"{peer.member.id} sees half of {uuid}"


def _plain(records: Any) -> list[Any]:
    """As they arrive at the other side."""
    frames = FrameBuffer()
    frames.receive_data(wire.encode({"type": "records", "entities": list(records)}))
    frame = frames.next_frame(wire.MAX_FRAME_BYTES)
    assert frame is not None
    assert isinstance(frame[0], dict)
    entities: list[Any] = frame[0]["entities"]
    return entities


def _by_uuid(records: list[Any]) -> dict[str, Any]:
    return {record["uuid"]: record for record in records}


def _loaded(records: list[Any]) -> Document:
    document = Document()
    document.load(records)
    return document
