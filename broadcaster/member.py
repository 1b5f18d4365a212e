"""One member's view of a room's document: what the room confirmed, and its own edits that are not answered yet.

No I/O and no Blender: the add-on, headless peers, tools and tests share it. What a member shows is always
fold(confirmed, pending).
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from typing import Any

from .document import Deltas, Document, Drop, Overlay, check_deltas
from .errors import Rejected, RemoteProtocolError

Message = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Pending:
    """An edit of ours that the room has not answered."""

    seq: int
    base: int
    deltas: Deltas
    expect: dict[str, int] | None = None

    def message(self) -> Message:
        message: Message = {"type": "tx", "seq": self.seq, "base": self.base, "deltas": self.deltas}
        return message | {"expect": self.expect} if self.expect else message


@dataclass(frozen=True, slots=True)
class Overruled:
    """What of an edit of ours did not take effect: kept, so that it can be put back by hand."""

    deltas: Deltas
    reason: str
    dropped: list[Drop] = field(default_factory=list)


class Member:
    """Folds what the room sends; `shown` is what this member should show."""

    def __init__(self, id: str) -> None:
        self.id = id
        self.confirmed = Document(compact=False)
        self.shown: Document = self.confirmed
        self.pending: deque[Pending] = deque()
        self.overruled: list[Overruled] = []
        self.ready = False  # whether the room's content has arrived whole
        self._seq = 0
        self._replaced: set[str] = set()  # what was confirmed before a snapshot took its place

    @property
    def revision(self) -> int:
        return self.confirmed.revision

    # Our own edits

    def edit(self, deltas: Deltas, expect: dict[str, int] | None = None) -> Message | None:
        """Shows an edit of ours at once; the message that asks the room for it, None if nothing is left of it."""
        base = self.confirmed.revision
        if not isinstance(self.shown, Overlay):
            self.shown = self.confirmed.overlay()
        try:
            self.shown.apply(deltas, revision=base, sender=self.id)
        except Rejected as exc:
            self.overruled.append(Overruled(deltas, exc.reason))
            return None
        self._seq += 1
        pending = Pending(self._seq, base, deltas, expect)
        self.pending.append(pending)
        return pending.message()

    # What the room says

    def begin(self, joined: Message) -> list[Message]:
        """Takes the answer to a join: what is pending is to be sent again, as returned, and is answered once more.

        The room's content follows as records; a snapshot replaces what was confirmed.
        """
        self.ready = False
        newest = self.confirmed.revision
        if joined["since"] == "snapshot":
            self._replaced.update(self.confirmed)
            self.confirmed = Document(compact=False)
            newest = joined["revision"]  # of another epoch, perhaps: ours mean nothing there
        if joined["answered"] == 0:  # the room never answered us, or forgot it: our edits start anew
            self.pending = deque(
                Pending(seq, min(pending.base, newest), pending.deltas, pending.expect)
                for seq, pending in enumerate(self.pending, start=1)
            )
            self._seq = len(self.pending)
        return [pending.message() for pending in self.pending]

    def receive(self, messages: list[Message]) -> set[str]:
        """Folds a batch of `records`, `ready`, `tx`, `ack` and `reject`; the uuids whose shown tree may have changed.

        Raises RemoteProtocolError where the room contradicts itself.
        """
        touched = set(self.shown.touched) if isinstance(self.shown, Overlay) else set()
        if self.ready or any(message["type"] == "ready" for message in messages):
            touched |= self._replaced
            self._replaced.clear()
        for message in messages:
            touched |= self._receive(message)
        touched |= self._rebase()
        return touched

    def _receive(self, message: Message) -> set[str]:
        match message:
            case {"type": "records", "entities": list(entities), "removed": list(removed)}:
                return self.confirmed.load(entities, removed)
            case {"type": "ready", "revision": int(revision)}:
                self.confirmed.revision = revision
                self.ready = True
                return set()
            case {"type": "tx", "revision": int(revision), "member": str(sender), "deltas": list(deltas)}:
                check_deltas(deltas)
                return self._fold(deltas, revision, sender)
            case {"type": "ack", "seq": int(seq), "revision": int(revision)}:
                return self._acknowledged(self._answered(seq), revision, message)
            case {"type": "reject", "seq": int(seq), "reason": str(reason)}:
                pending = self._answered(seq)
                self.overruled.append(Overruled(pending.deltas, reason))
                return {uuid for uuid, _ in pending.deltas}
        raise RemoteProtocolError(f"unexpected message {message.get('type')!r}")

    def _acknowledged(self, pending: Pending, revision: int, message: Message) -> set[str]:
        touched = {uuid for uuid, _ in pending.deltas}
        if dropped := message.get("dropped"):
            drops = [Drop(uuid, tuple(path), reason) for uuid, path, reason in dropped]
            self.overruled.append(Overruled(pending.deltas, "dropped", drops))
        effect = message.get("effect", pending.deltas)
        if effect and revision > self.confirmed.revision:
            touched |= self._fold(effect, revision, self.id)
        return touched

    def _fold(self, deltas: Deltas, revision: int, sender: str) -> set[str]:
        try:
            outcome = self.confirmed.apply(deltas, revision=revision, sender=sender)
        except Rejected as exc:
            raise RemoteProtocolError(f"revision {revision} does not fit: {exc}") from exc
        if outcome.dropped:
            raise RemoteProtocolError(f"revision {revision} does not fit: {outcome.dropped[0]}")
        return {uuid for uuid, _ in deltas}

    def _answered(self, seq: int) -> Pending:
        if not self.pending or self.pending[0].seq != seq:
            raise RemoteProtocolError(f"an answer to {seq}, which is not the next one pending")
        return self.pending.popleft()

    def _rebase(self) -> set[str]:
        """Folds what is pending on top of what is confirmed anew."""
        self.shown = self.confirmed
        if not self.pending:
            return set()
        overlay = self.confirmed.overlay()
        for pending in self.pending:
            try:
                overlay.apply(pending.deltas, revision=self.confirmed.revision, sender=self.id, base=pending.base)
            except Rejected:
                continue  # the room will say so, too
        self.shown = overlay
        return set(overlay.touched)
