"""One member's view of a room's document: what the room confirmed, and its own edits that are not answered yet.

No I/O and no Blender: the add-on, headless peers, tools and tests share it. What a member shows is always
fold(confirmed, pending).
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any, Final, NamedTuple

from .document import Deltas, Document, Drop, Entity, check_deltas
from .errors import Rejected, RemoteProtocolError
from .rebase import Shown

Message = dict[str, Any]

RECENT_SECONDS: Final = 60.0  # how long what was acknowledged is kept, in case that the room loses its end
MAX_RECENT: Final = 4096


@dataclass(frozen=True, slots=True)
class Pending:
    """An edit of ours that the room has not answered."""

    seq: int
    base: int
    deltas: Deltas
    expect: dict[str, int] | None = None
    attempt: Attempt | None = None  # that it is one of

    def message(self) -> Message:
        message: Message = {"type": "tx", "seq": self.seq, "base": self.base, "deltas": self.deltas}
        return message | {"expect": self.expect} if self.expect else message


@dataclass(frozen=True, slots=True)
class Overruled:
    """What of an edit of ours did not take effect: kept, so that it can be put back by hand."""

    deltas: Deltas
    reason: str
    dropped: list[Drop] = field(default_factory=list)
    detail: str = ""  # what the room said besides, as who holds it


@dataclass(slots=True)
class Attempt:
    """An edit that is made anew, of what then is, whenever something that it read was changed by somebody else."""

    make: Callable[[Callable[[str], Entity | None]], Deltas]
    left: int  # how often still


class Recent(NamedTuple):
    """An edit of ours that took effect a moment ago."""

    time: float
    revision: int
    pending: Pending


class Member:
    """Folds what the room sends; `shown` is what this member should show."""

    def __init__(self, id: str, clock: Callable[[], float] = time.monotonic) -> None:
        self.id = id
        self.confirmed = Document(compact=False)
        self.pending: deque[Pending] = deque()
        self.overruled: list[Overruled] = []
        self.outgoing: list[Message] = []  # what is to be sent because of what came: whoever sends it takes it out
        self.drift = 0  # how often the room's digest was another than ours, and its content is to be loaded anew
        self.compared = 0  # at which revision
        self.ready = False  # whether the room's content has arrived whole
        self._seq = 0
        self._shown = Shown(id, self.confirmed)
        self._failed: list[Attempt] = []  # and to be made anew
        self._newest: int | None = None  # the revision that edits can be based on, while a snapshot comes
        self._coming: Document | None = None  # takes the place of what is confirmed when it is whole
        self._records: list[Message] = []
        self._clock = clock
        self._epoch: str | None = None
        self._recent: deque[Recent] = deque(maxlen=MAX_RECENT)

    @property
    def revision(self) -> int:
        return self.confirmed.revision

    @property
    def shown(self) -> Document:
        return self._shown.document

    def hold(self, document: Document, epoch: str | None = None) -> None:
        """Begins with a document that is there already, as one that a file carries, of an epoch of a room."""
        self.confirmed, self._epoch = document, epoch
        self._shown = Shown(self.id, document)

    # Our own edits

    def edit(self, deltas: Deltas, expect: dict[str, int] | None = None) -> Message | None:
        """Shows an edit of ours at once; the message that asks the room for it, None if nothing is left of it."""
        return self._edit(deltas, expect)

    def attempt(self, make: Callable[[Callable[[str], Entity | None]], Deltas], tries: int = 16) -> Message | None:
        """As `edit`, for those who want strictness: what `make` makes takes effect on just what it read, or not at all.

        `make` reads the confirmed document by the function that it is given, once for each try; later tries are in
        `outgoing`. What no try brings through is overruled ("expect"). None if there is nothing to be edited.
        """
        return self._attempt(Attempt(make, tries))

    def _attempt(self, attempt: Attempt) -> Message | None:
        expect: dict[str, int] = {}

        def read(uuid: str) -> Entity | None:
            entity = self.confirmed.get(uuid)
            expect[uuid] = entity.changed if entity else 0
            return entity

        deltas = attempt.make(read)
        attempt.left -= 1
        return self._edit(deltas, expect, attempt) if deltas else None

    def _edit(self, deltas: Deltas, expect: dict[str, int] | None, attempt: Attempt | None = None) -> Message | None:
        base = self.confirmed.revision if self._newest is None else min(self.confirmed.revision, self._newest)
        pending = Pending(self._seq + 1, base, deltas, expect, attempt)
        if rejected := self._shown.fold(pending.seq, deltas, base):
            self._shown.answer(pending.seq)
            self._shown.confirm()
            self.overruled.append(Overruled(deltas, rejected.reason))
            return None
        self._seq += 1
        self.pending.append(pending)
        return pending.message()

    # What the room says

    def begin(self, joined: Message) -> list[Message]:
        """Takes the answer to a join: what is pending is to be sent again, as returned, and is answered once more.

        The room's content follows as records; a snapshot replaces what was confirmed. A room that lost its end is
        offered again what of ours it took a moment ago and no longer has.
        """
        self.ready = False
        self._records.clear()
        newest = self.confirmed.revision
        self._coming = self._newest = None
        if joined["since"] == "snapshot":
            self._coming = Document(compact=False)
            self._newest = newest = joined["revision"]  # of another epoch, perhaps: ours mean nothing there
        again = list(self.pending)
        if joined["epoch"] != self._epoch:
            again[:0] = self._lost(joined.get("before") or [])
            self._recent.clear()
            self._epoch = joined["epoch"]
        first = min(again[0].seq, joined["answered"] + 1) if again else 0  # less, where the room forgot some
        self.pending = deque(
            replace(one, seq=seq, base=min(one.base, newest)) for seq, one in enumerate(again, start=first)
        )
        self._seq = self.pending[-1].seq if again else joined["answered"]
        self._shown.begin(self.confirmed, ((one.seq, one.deltas, one.base) for one in self.pending))
        return [pending.message() for pending in self.pending]

    def _lost(self, before: list[list[Any]]) -> list[Pending]:
        """What of ours came after the last revision that the room still has of the epoch we know."""
        since = self._clock() - RECENT_SECONDS
        for earlier in before:
            match earlier:
                case [str(epoch), int(kept)] if epoch == self._epoch:
                    return [one.pending for one in self._recent if one.revision > kept and one.time > since]
        return []

    def receive(self, messages: list[Message]) -> set[str]:
        """Folds a batch of what the room says; the uuids whose shown tree may have changed.

        Records show when all of them are there. Raises RemoteProtocolError where the room contradicts itself.
        """
        touched: set[str] = set()
        for message in messages:
            touched |= self._receive(message)
        touched |= self._shown.confirm()
        attempts, self._failed = self._failed, []
        for attempt in attempts:
            if (again := self._attempt(attempt)) is not None:
                self.outgoing.append(again)
                touched.update(uuid for uuid, _ in again["deltas"])
        return touched

    def _receive(self, message: Message) -> set[str]:
        match message:
            case {"type": "records", "entities": list(entities), "removed": list(removed)}:
                if self._coming is None:
                    self._records.append(message)
                else:  # nobody sees it yet: a long content is taken in as it comes
                    self._coming.load(entities, removed)
                return set()
            case {"type": "ready", "revision": int(revision)}:
                return self._load(revision)
            case {"type": "digest", "revision": int(revision)}:
                self._compare(revision, message.get("digest"))
                return set()
            case {"type": "tx", "revision": int(revision), "member": str(sender), "deltas": list(deltas)}:
                check_deltas(deltas)
                return self._fold(deltas, revision, sender)
            case {"type": "ack", "seq": int(seq), "revision": int(revision)}:
                return self._acknowledged(self._answered(seq), revision, message)
            case {"type": "reject", "seq": int(seq), "reason": str(reason)}:
                self._rejected(self._answered(seq), reason, str(message.get("detail", "")))
                return set()
        raise RemoteProtocolError(f"unexpected message {message.get('type')!r}")

    def _load(self, revision: int) -> set[str]:
        """Takes over the records that came."""
        touched: set[str] = set()
        if self._coming is not None:
            touched.update(self.confirmed, self._coming)
            self.confirmed, self._coming, self._newest = self._coming, None, None
        for message in self._records:
            touched |= self.confirmed.load(message["entities"], message["removed"])
        self._records.clear()
        self.confirmed.revision = revision
        self.ready = True
        return touched | self._shown.begin(self.confirmed, ((one.seq, one.deltas, one.base) for one in self.pending))

    def _rejected(self, pending: Pending, reason: str, detail: str) -> None:
        attempt = pending.attempt
        if reason != "expect" or attempt is None or attempt.left == 0:
            self.overruled.append(Overruled(pending.deltas, reason, detail=detail))
        else:
            self._failed.append(attempt)

    def _acknowledged(self, pending: Pending, revision: int, message: Message) -> set[str]:
        touched: set[str] = set()
        if dropped := message.get("dropped"):
            drops = [Drop(uuid, tuple(path), reason) for uuid, path, reason in dropped]
            self.overruled.append(Overruled(pending.deltas, "dropped", drops))
        effect = message.get("effect", pending.deltas)
        if effect:
            self._remember(pending, effect, revision)
        if effect and revision > self.confirmed.revision:
            touched |= self._fold(effect, revision, self.id)
        return touched

    def _remember(self, pending: Pending, effect: Deltas, revision: int) -> None:
        now = self._clock()
        while self._recent and self._recent[0].time <= now - RECENT_SECONDS:
            self._recent.popleft()
        self._recent.append(Recent(now, revision, Pending(pending.seq, pending.base, effect)))

    def _fold(self, deltas: Deltas, revision: int, sender: str) -> set[str]:
        try:
            outcome = self.confirmed.apply(deltas, revision=revision, sender=sender)
        except Rejected as exc:
            raise RemoteProtocolError(f"revision {revision} does not fit: {exc}") from exc
        if outcome.dropped:
            raise RemoteProtocolError(f"revision {revision} does not fit: {outcome.dropped[0]}")
        touched = {uuid for uuid, _ in deltas}
        self._shown.change(touched)
        self._shown.change(outcome.named)
        return touched

    def _answered(self, seq: int) -> Pending:
        if not self.pending or self.pending[0].seq != seq:
            raise RemoteProtocolError(f"an answer to {seq}, which is not the next one pending")
        self._shown.answer(seq)
        return self.pending.popleft()

    # Comparing with the room

    def ask_digest(self, most: int) -> Message | None:
        """The question for the room's digest; None while more than `most` entities are to be hashed to compare with it.

        Each call hashes as many.
        """
        return {"type": "digest"} if self.ready and self.confirmed.hash_some(most) else None

    def _compare(self, revision: int, digest: object) -> None:
        """The answer comes in the order of all else, so it speaks of the revision that is confirmed here."""
        if digest is not None and self.ready and revision == self.confirmed.revision:
            self.compared = revision
            self.drift += digest != self.confirmed.digest()
