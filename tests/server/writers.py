"""Members that write as fast as they are answered, on blocking sockets, and know exactly what they were told."""

from __future__ import annotations

import random
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any, Final

from broadcaster import wire
from broadcaster.errors import MixerError
from broadcaster.member import Member
from broadcaster.protocol import member_id, new_secret
from broadcaster.remote import Remote
from broadcaster.wire import Message

from .processes import Broadcaster

BURST: Final = 8  # transactions sent before their answers are read
BLOB_SIZES: Final = (0, 10, 5_000, 40_000, 200_000)


class Writer:
    """One member: every transaction creates an entity of its own, which names a blob, at a revision of its own."""

    def __init__(self, room: str, seed: int, *, with_blobs: bool = True) -> None:
        self.room = room
        self.secret = new_secret()
        self.acknowledged: dict[str, int] = {}  # uuid -> the revision of its creation
        self.shas: dict[str, str] = {}  # uuid -> its blob
        self.pending: list[Message] = []
        self.epoch: str | None = None
        self.before: list[Any] = []
        self._with_blobs = with_blobs
        self._random = random.Random(seed)
        self._seed = seed
        self._seq = 0
        self._base = 0
        self._blobs: dict[str, bytes] = {}

    def stay(self, server: Broadcaster, stopped: threading.Event) -> None:
        """Joins, sends again what was not answered, and goes on until `stopped` or the server is gone."""
        try:
            with self._connected(server) as (edits, blobs):
                self._offer(blobs, self.pending)
                self._send(edits, self.pending)
                while not stopped.is_set():
                    made = [self._make() for _ in range(BURST)]
                    self.pending += made
                    self._offer(blobs, made)
                    self._send(edits, made)
        except (OSError, MixerError):
            if not stopped.is_set():
                raise

    @contextmanager
    def _connected(self, server: Broadcaster) -> Iterator[tuple[Remote, Remote]]:
        address = (server.host, server.port)
        with Remote(address) as edits, Remote(address) as blobs:
            join = {"type": "join", "room": self.room, "name": "writer", "secret": self.secret, "create": "if-missing"}
            edits.send(join | ({"epoch": self.epoch, "revision": self._base} if self.epoch else {}))
            joined = edits.wait_for("joined")
            assert self.epoch in (None, joined["epoch"]), "another epoch"
            assert joined["answered"] >= self._seq - len(self.pending), "an answer is forgotten"
            self.epoch, self.before = joined["epoch"], joined["before"]
            blobs.send({"type": "attach", "room": self.room, "secret": self.secret})
            blobs.wait_for("attached")
            yield edits, blobs

    def _make(self) -> Message:
        self._seq += 1
        uuid = f"{self._seed}-{self._seq}"
        tree: dict[str, Any] = {"n": self._seq}
        if self._with_blobs and self._seq % 3 == 0:
            data = self._random.randbytes(self._random.choice(BLOB_SIZES))
            self.shas[uuid] = wire.sha_of(data)
            self._blobs[uuid] = data
            tree["file"] = {"$": "blob", "sha": self.shas[uuid], "size": len(data)}
        return {"type": "tx", "seq": self._seq, "base": self._base, "deltas": [[uuid, ["create", "notes", tree]]]}

    def _offer(self, blobs: Remote, messages: list[Message]) -> None:
        wanted = {self.shas[uuid]: uuid for message in messages if (uuid := message["deltas"][0][0]) in self.shas}
        for sha in blobs.missing(list(wanted)):
            blobs.store(self._blobs[wanted[sha]])

    def _send(self, edits: Remote, messages: list[Message]) -> None:
        for message in messages:
            edits.send(message)
        while self.pending:
            answer = edits.next()
            assert not isinstance(answer, wire.Piece)
            if answer["type"] == "ack":
                (uuid, _), *_ = self.pending[0]["deltas"]
                assert answer["seq"] == self.pending[0]["seq"]
                assert "dropped" not in answer
                self.pending.pop(0)
                self.acknowledged[uuid] = answer["revision"]
                self._base = max(self._base, answer["revision"])
            assert answer["type"] != "reject", answer


@contextmanager
def writing(server: Broadcaster, writers: list[Writer]) -> Iterator[threading.Event]:
    """All of them write during the block. It sets the event that it gets when the server is about to be gone."""
    stopped = threading.Event()
    with ThreadPoolExecutor(len(writers)) as threads:
        staying = [threads.submit(writer.stay, server, stopped) for writer in writers]
        try:
            yield stopped
        finally:
            stopped.set()
    for one in staying:
        one.result()


def content(server: Broadcaster, room: str) -> tuple[dict[str, int], dict[str, str]]:
    """What the room holds: uuid -> the revision of its creation; and uuid -> its blob, all of which come verified."""
    with Remote((server.host, server.port)) as edits, Remote((server.host, server.port)) as blobs:
        secret = new_secret()
        edits.send({"type": "join", "room": room, "name": "reader", "secret": secret, "role": "viewer"})
        records: dict[str, Any] = {}
        while (message := edits.next()) and not (isinstance(message, dict) and message["type"] == "ready"):
            if isinstance(message, dict) and message["type"] == "records":
                records |= {record["uuid"]: record for record in message["entities"]}
        blobs.send({"type": "attach", "room": room, "secret": secret})
        blobs.wait_for("attached")
        shas = {uuid: one["tree"]["file"]["sha"] for uuid, one in records.items() if "file" in one["tree"]}
        fetched = {sha for sha, _ in blobs.fetch(list(dict.fromkeys(shas.values())))}
        assert fetched == set(shas.values())
        return {uuid: record["created"] for uuid, record in records.items()}, shas


class Artist:
    """A member as the add-on has one, on a blocking socket."""

    def __init__(self, room: str, name: str = "artist") -> None:
        self.room = room
        self.secret = new_secret()
        self.member = Member(member_id(self.secret))
        self.notices: list[str | None] = []
        self.joined: Message = {}
        self._name = name
        self._edits: Remote | None = None

    def join(self, server: Broadcaster, **fields: Any) -> list[Message]:
        """Comes in, or back; what it sends again."""
        if self._edits is not None:
            self._edits.close()
        self._edits = Remote((server.host, server.port))
        join = {"type": "join", "room": self.room, "name": self._name, "secret": self.secret, "create": "if-missing"}
        known = {"epoch": self.joined["epoch"], "revision": self.member.revision} if self.joined else {}
        self._edits.send(join | known | fields)
        self.joined = self._edits.wait_for("joined")
        again = self.member.begin(self.joined)
        for message in again:
            self._edits.send(message)
        self.hear_until(lambda: self.member.ready)
        return again

    def edit(self, *deltas: Any) -> None:
        assert self._edits is not None
        if (message := self.member.edit(list(deltas))) is not None:
            self._edits.send(message)

    def hear_until(self, is_there: Callable[[], object]) -> None:
        """Takes what comes until that is so; the socket's time-out is its limit."""
        assert self._edits is not None
        while not is_there():
            message = self._edits.next()
            assert not isinstance(message, wire.Piece)
            if message["type"] == "notice":
                self.notices.append(message.get("reason"))
            elif message["type"] in ("records", "ready", "tx", "ack", "reject"):
                self.member.receive([message])

    def settle(self) -> None:
        self.hear_until(lambda: not self.member.pending)

    def leave(self) -> None:
        """The connection is gone."""
        if self._edits is not None:
            self._edits.close()
            self._edits = None
