"""A room without a server: one member that is honest, and one that says whatever it likes."""

from __future__ import annotations

from contextlib import suppress
from typing import Any, Final

import orjson

from broadcaster import snapshot, wire
from broadcaster.errors import Refused, RemoteProtocolError
from broadcaster.limits import Limits
from broadcaster.member import Member
from broadcaster.protocol import CAPABILITIES, CLIENT_FIELDS, ClientConnection, ServerConnection, member_id
from broadcaster.room import Admit, Broadcast, Effect, Entry, Expel, Room, Send
from broadcaster.server.belongings import Belongings
from broadcaster.server.inbox import Inbox, Request
from broadcaster.store.memory import MemoryStore
from broadcaster.wire import Message, Piece
from tests.effects import apart

from .reader import SHAS, Reader

LIMITS: Final = Limits(
    entities=8, entity_bytes=2000, work=500, deltas=16, members=3, leases=2, remembered=1, drops_bytes=300, banned=1
)
SECRETS: Final = ("ann" * 10, "eve" * 10, "eva" * 10)
OPS: Final = ("acquire", "renew", "release", "kick", "ban", "unban", "owner", "keep", "frozen", "password", "dance")
WORDS: Final[dict[str, tuple[Any, ...]]] = {  # what is usual in a field
    "protocol": (1, 0, 2),
    "capabilities": (list(CAPABILITIES), ["blobs-1"], []),
    "room": ("r", "s", "", "x" * 65),
    "name": ("eve", "ann", "\n"),
    "secret": (*SECRETS, "short"),
    "role": ("editor", "viewer", "worker", "owner"),
    "epoch": ("e", "f"),
    "op": OPS,
    "member": (*map(member_id, SECRETS), "eve", "ann"),
    "key": ("a", "b", "presenter"),
    "shas": (list(SHAS), [], ["x"]),
    "seq": (1, 2, 3, 4, 5, 0, -1),
    "base": (0, 1, 2, 3, -1, 99),
    "revision": (0, 1, 2, 99, -1),
    "seconds": (1, 60, 1e9, -1, 0),
    "create": (True, False, "if-missing"),
}
OPENINGS: Final = (("hello", "join"), ("hello", "attach"), ("hello",), ())
USUAL: Final[dict[str, Message]] = {
    "hello": {"protocol": 1, "agent": "eve", "capabilities": list(CAPABILITIES)},
    "join": {"room": "r", "name": "eve", "secret": SECRETS[1]},
    "attach": {"room": "r", "secret": SECRETS[1]},
}


class Company:
    """Whatever is heard goes the way that it goes in a server, without its sockets and tasks."""

    def __init__(self) -> None:
        self.room = Room("r", "e", LIMITS)
        self.ann = Member(member_id(SECRETS[0]), clock=lambda: 0.0)
        self._line = ClientConnection()
        self._line.receive_data(wire.encode({"type": "welcome"} | USUAL["hello"]))
        self._line.next_message()
        self._number = 0
        self._answered = self._said = 0  # of what the other one says
        self._blobs = Belongings(MemoryStore().blobs)
        self._ask(self.ann.id, {"type": "join", "name": "ann"})
        self._edit()

    def hear(self, reader: Reader) -> None:
        """What one after another says on a connection of its own, until each breaks the protocol or is sent away."""
        while not reader.is_empty:
            with suppress(RemoteProtocolError, Refused):
                self._serve(reader)
            self._ask(member_id(SECRETS[1]), {"type": "lost"})
            self._edit()

    def check(self) -> None:
        """The honest one holds what the room holds, and so does a room that is read again."""
        again = Room("r", "e")
        snapshot.restore(again, snapshot.parts(self.room))
        assert orjson.dumps(again.state()) == orjson.dumps(self.room.state())
        assert again.document.digest() == self.room.document.digest()
        if self.ann.id in self.room.present:
            assert self.ann.confirmed.digest() == self.room.document.digest()
            assert not self.ann.pending

    def _serve(self, reader: Reader) -> None:
        connection, eve = ServerConnection(LIMITS), member_id(SECRETS[1])
        self._said = self._answered

        def ask(requests: list[Request]) -> None:
            for request, _ in requests:
                self._ask(eve, request)

        inbox = Inbox(ask, self._blobs, LIMITS)
        for kind in reader.one_of(OPENINGS):
            self._take(connection, wire.encode({"type": kind} | USUAL[kind]), eve, inbox)
        while not reader.is_empty:
            self._take(connection, self._frame(reader), eve, inbox)
            if reader.is_rare():
                return

    def _frame(self, reader: Reader) -> bytes:
        if reader.is_rare():
            return reader.raw()
        kind = reader.one_of((*["tx"] * 12, "lease", "lease", "govern", "presence", *sorted(CLIENT_FIELDS)))
        message: Message = {"type": kind}
        for field, kinds in CLIENT_FIELDS[kind].items():
            if field == "deltas":
                message[field] = reader.deltas(self.room.document)
            elif type(None) not in kinds or not reader.byte() % 4:
                message[field] = reader.any() if reader.is_rare() else self._usual(field, reader)
        if kind == "tx" and not reader.is_rare():
            self._said += 1
            message |= {"seq": self._said, "base": self.room.revision}
        return wire.encode(message)

    def _usual(self, field: str, reader: Reader) -> Any:
        if field == "state":
            return {"camera": reader.any()}
        if field == "expect":
            return {reader.uuid(): reader.byte() % 4}
        return reader.one_of(WORDS[field]) if field in WORDS else reader.any(0)

    def _take(self, connection: ServerConnection, data: bytes, member: str, inbox: Inbox) -> None:
        connection.receive_data(data)
        while (message := connection.next_message()) is not None:
            if isinstance(message, Piece):
                continue
            match message["type"]:
                case "join":
                    logged = ("type", "name", "color", "role", "epoch", "revision")
                    self._ask(member, {name: message[name] for name in logged if name in message})
                case "tx" | "lease":
                    inbox.take([(message, connection.payload)])
                case "govern" if message["op"] != "password" and member in self.room.present:
                    self._ask(member, {name: message[name] for name in message if name != "room"})
                case "presence":
                    self._emit(self.room.set_presence(member, message["state"]))
                case "digest":
                    wire.encode(self.room.digest())
                case "leave":
                    self._ask(member, message)

    def _ask(self, member: str, request: Message) -> None:
        """As it is read back from a log."""
        request = orjson.loads(orjson.dumps(request))
        self._number += 1
        self._emit(self.room.fold(Entry(self._number, float(self._number), member, request)))

    def _edit(self) -> None:
        """What is honest goes on, whatever others do: unless it is sent away, or the room lets nobody."""
        if self.ann.id in self.room.present:
            x = ["patch", {"x": ["put", self._number]}]
            deltas = [["ann", x if "ann" in self.ann.shown else ["create", "objects", {"x": 0}]]]
            if (message := self.ann.edit(deltas)) is not None:
                self._ask(self.ann.id, message)

    def _emit(self, effects: list[Effect]) -> None:
        for effect in apart(effects):
            match effect:
                case Send(member, message):
                    if message["type"] in ("ack", "reject") and member != self.ann.id:
                        self._answered = max(self._answered, message["seq"])
                    self._tell(message, member == self.ann.id)
                case Broadcast(message, but):
                    self._tell(message, but != self.ann.id and self.ann.id in self.room.present)
                case Admit(member, message, records, removed):
                    content = {"type": "records", "entities": records, "removed": removed}
                    for one in (message, content, {"type": "ready", "revision": self.room.revision}):
                        self._tell(one, member == self.ann.id)
                case Expel(member, reason):
                    wire.encode({"type": "error", "reason": reason})
                    if member != self.ann.id:
                        self._emit(self.room.fold(Entry(self._number, float(self._number), member, {"type": "lost"})))

    def _tell(self, message: Message, to_ann: bool) -> None:
        """Whatever is told can be sent, and what is told to Ann is what she can read."""
        data = wire.encode(message)
        if not to_ann:
            return
        self._line.receive_data(data)
        while (heard := self._line.next_message()) is not None:
            assert not isinstance(heard, Piece)
            if heard["type"] == "joined":
                self.ann.begin(heard)
            elif heard["type"] in ("records", "ready", "tx", "ack", "reject"):
                self.ann.receive([heard])
