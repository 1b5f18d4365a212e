"""What goes back and forth between this Blender and the room: local edits out, what the room made of all edits in."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator
from typing import Final

import orjson

from broadcaster import wire
from broadcaster.document import Deltas
from broadcaster.member import Member, Message, Overruled
from broadcaster.tree import Tree

from .authors import Authors, dropped_part
from .client import Client
from .locks import Locks
from .proxy import Mirror
from .proxy.editing import edited
from .stats import Stats

TRANSACTION_BYTES: Final = 1_000_000  # roughly: a large import is several
MAX_BYTES: Final = wire.MAX_REQUEST_BYTES - 4096  # of one delta
DIGEST_SECONDS: Final = 5.0  # how often our document is compared with the room's, while there are changes
HASHED_IN_A_TICK: Final = 50  # entities

log = logging.getLogger(__name__)


class Exchange:
    """The member's side of the room: what is pending, who wrote what last, and what others hold."""

    def __init__(self, client: Client, mirror: Mirror, stats: Stats) -> None:
        self.member = Member(client.member)
        self.authors = Authors()
        self.locks = Locks(client.member)
        self.edited = 0.0  # when something of ours was found last
        self._client = client
        self._mirror = mirror
        self._stats = stats
        self._asked = time.monotonic()

    def begin(self, joined: Message) -> None:
        """A connection is there: what is pending goes, again."""
        for again in self.member.begin(joined):
            self._client.send(again)
        self.locks.joined(joined["leases"])

    # Out

    def edit(self, deltas: Deltas) -> None:
        """Makes local edits pending and sends them."""
        if not deltas:
            return
        start = time.perf_counter()
        self.edited = time.monotonic()
        self._mirror.made = False  # a step of the user's holds it
        for part in self.locks.parted(deltas):
            for transaction in transactions(part):
                self._send(transaction)
                self._mirror.sent(transaction, self.member.shown)
        self._stats.encode.add(time.perf_counter() - start)

    def put_back(self, edit: Overruled) -> list[str]:
        """Makes an edit of ours again that gave way; what is to be shown for that."""
        self.member.overruled.remove(edit)
        part = dropped_part(edit)
        self._send(part)
        return [uuid for uuid, _ in part]

    def _send(self, deltas: Deltas) -> None:
        if len(deltas) == 1 and len(orjson.dumps(deltas)) > MAX_BYTES:
            self.member.overruled.append(Overruled(deltas, "large"))
            return
        for uuid, delta in deltas:
            if delta[0] == "remove" and (entity := self.member.shown.get(uuid)) is not None:
                self.authors.removes(uuid, entity.tree)
        message = self.member.edit(deltas)
        self.authors.wrote(deltas, theirs=False)
        if message is not None:
            self._client.send(message)
            self._stats.sent += 1

    def hold_what_is_edited(self) -> None:
        """Takes, renews and releases the leases of what the user edits in a mode of its own."""
        for request in self.locks.want(edited(self._mirror.identity), time.monotonic()):
            self._client.send(request)

    def ask_digest(self) -> None:
        """Compares our document with the room's, a few seconds after a change: an idle room says nothing."""
        wait = DIGEST_SECONDS * 2 ** min(self._stats.drift, 10)  # what goes wrong again and again must not go on so
        if time.monotonic() - self._asked < wait or self.member.compared == self.member.revision:
            return
        if (question := self.member.ask_digest(HASHED_IN_A_TICK)) is not None:
            self._client.send(question)
            self._asked = time.monotonic()

    # In

    def fold(self, batch: list[Message], *, notes_authors: bool) -> set[str]:
        """Takes what the room sent into the document; what is to be shown for that.

        A room's first content is by nobody: of it no authors are noted.
        """
        pending = {one.seq: one.deltas for one in self.member.pending}
        drift = self.member.drift
        touched = self.receive(batch)
        if self.member.drift > drift:
            self._stats.drift += 1
            log.warning("this document is not the room's: it is loaded anew")
            self._client.reload()
        if notes_authors:
            self.authors.heard(batch, pending, self._shown_here)
        self._stats.received += sum(message["type"] == "tx" for message in batch)
        return touched

    def receive(self, batch: list[Message]) -> set[str]:
        """As `fold`, where nothing will be made of it here."""
        known = len(self.member.overruled)
        touched = self.member.receive(batch)
        # What gave way may have done so as soon as it was made, so that the document never moved for it.
        gone = {uuid for one in self.member.overruled[known:] for uuid, _ in one.deltas}
        touched |= self._mirror.doubt(gone)
        for again in self.member.outgoing:
            self._client.send(again)
        self.member.outgoing.clear()
        return touched

    def _shown_here(self, uuid: str) -> Tree:
        entry = self._mirror.entries.get(uuid)
        return None if entry is None else entry.doc


def transactions(deltas: Deltas) -> Iterator[Deltas]:
    """Many deltas as transactions of a handy size: the room takes none that is larger than a frame."""
    part: Deltas = []
    size = 0
    for delta in deltas:
        size += len(orjson.dumps(delta)) if len(deltas) > 1 else 0
        if part and size > TRANSACTION_BYTES:
            yield part
            part, size = [], 0
        part.append(delta)
    yield part
