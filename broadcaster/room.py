"""A room: who is in it, the order of their transactions, leases. A deterministic state machine, without I/O or clock.

`fold` takes the entries of the room's log one after another and returns what is to be sent. Whoever folds the same log
holds the same room. Presence is not of the log: it is never stored, and dies with its member.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, field
from itertools import islice
from typing import Any, Final, NamedTuple, TypeAlias

from . import wire
from .document import MAX_UUID_CHARS, Deltas, Document, Record
from .errors import Rejected
from .wire import Message

ROLES: Final = ("owner", "editor", "viewer", "worker")
EDITING: Final = frozenset({"owner", "editor", "worker"})
EPOCHS_KEPT: Final = 16  # before the one of now
HASHED_AT_ONCE: Final = 1000  # entities
ASKED: Final = {"viewer": "viewer", "worker": "worker"}  # what is given for the asking; for all else, editor


# Entries and effects are tuples: they are made for every transaction, and tuples are made four times as fast.


class Entry(NamedTuple):
    """One line of a room's log. The request was checked before it was logged."""

    number: int  # its place in the log
    time: float  # seconds since the epoch of the clock; never runs backwards within a log
    member: str
    request: Message


class Send(NamedTuple):
    """An answer to one member; it must arrive, in order."""

    member: str
    message: Message


class Broadcast(NamedTuple):
    """News for everybody but one; a member that is served the room's content meanwhile finds it there."""

    message: Message
    but: str | None = None


class Admit(NamedTuple):
    """A member is in: the message first, then the records, then whatever else changes."""

    member: str
    message: Message
    records: list[Record]
    removed: list[str]


class Expel(NamedTuple):
    """A member broke the protocol, in the order of the log."""

    member: str
    reason: str


Effect: TypeAlias = Send | Broadcast | Admit | Expel


@dataclass(slots=True)
class Present:
    """A member that is in the room."""

    name: str
    color: str
    role: str
    presence: Message = field(default_factory=dict)
    said: int | None = None  # the last sequence number since it joined

    def describe(self, id: str) -> Message:
        return {"id": id, "name": self.name, "color": self.color, "role": self.role, "presence": self.presence}


@dataclass(slots=True)
class Answers:
    """What a member was answered, so that what it sends again is answered again and done once."""

    last: int = 0
    kept: deque[int | Message] = field(default_factory=lambda: deque(maxlen=wire.MAX_IN_FLIGHT))  # int: a plain ack's

    def keep(self, seq: int, answer: Message) -> None:
        """What is answered again comes after the records that hold its effect, so that is not kept."""
        self.last = seq
        if answer["type"] == "ack" and "dropped" not in answer:
            self.kept.append(answer["revision"])
            return
        kept = {one: answer[one] for one in answer if one != "effect"}
        if "dropped" in answer:
            kept["dropped"] = _bounded(answer["dropped"], wire.MAX_KEPT_BYTES)
        if "versions" in answer:
            kept["versions"] = _some(answer["versions"], wire.MAX_KEPT_BYTES)
        self.kept.append(kept)

    def again(self, seq: int) -> Message | None:
        place = len(self.kept) - 1 - (self.last - seq)
        if not 0 <= place < len(self.kept):
            return None
        answer = self.kept[place]
        return {"type": "ack", "seq": seq, "revision": answer} if isinstance(answer, int) else answer


@dataclass(frozen=True, slots=True)
class Knowledge:
    """What one member was told of the others."""

    members: frozenset[str]
    leases: frozenset[str]


@dataclass(frozen=True, slots=True)
class Lease:
    """A member's sole right to a key. `fencing` grows with each new holder."""

    holder: str
    fencing: int
    deadline: float


class Room:
    """Folds a log. Members are named by their ids throughout."""

    def __init__(self, name: str, epoch: str) -> None:
        self.name = name
        self.epoch = epoch  # another one: revisions of before mean nothing
        self.before: list[list[Any]] = []  # earlier epochs, and up to which revision of each all is here
        self.document = Document()
        self.present: dict[str, Present] = {}
        self._answers: dict[str, Answers] = {}  # in the order of joining
        self.keep = True  # also while nobody is here
        self.frozen = False  # nobody changes anything
        self.birth = epoch  # tells it from others that had its name
        self.lock: list[str] | None = None  # salt and hash of its password
        self._owner: str | None = None
        self._leases: dict[str, Lease] = {}
        self._fencing = 0

    @property
    def revision(self) -> int:
        return self.document.revision

    @property
    def next_deadline(self) -> float | None:
        """When a lease runs out unless it is renewed: the time for a `tick`."""
        return min((lease.deadline for lease in self._leases.values()), default=None)

    def fold(self, entry: Entry) -> list[Effect]:
        """Takes the next entry of the log; what is to be sent because of it, in order."""
        effects = self._expire(entry.time) if self._leases else []
        request, member = entry.request, entry.member
        match request["type"]:
            case "tx":
                effects += self._transaction(member, request)
            case "join":
                effects += self._join(member, request, entry.time)
            case "lease":
                effects += self._lease(member, request, entry.time)
            case "leave":
                effects += self._release_all(member) + self._gone(member)
            case "lost":  # not leaving: its leases live to their deadlines
                effects += self._gone(member)
            case "settings":
                self.keep, self.frozen = request["keep"], request["frozen"]
            case "epoch":
                self._begin_epoch(request["epoch"])
            case "tick":
                pass
            case unknown:
                raise AssertionError(f"unknown request {unknown!r} in the log")
        return effects

    def state(self) -> Message:
        """All but the document, as plain values that stay as they are while the room goes on."""
        return {
            "epoch": self.epoch,
            "before": list(self.before),
            "keep": self.keep,
            "frozen": self.frozen,
            "birth": self.birth,
            "lock": self.lock,
            "owner": self._owner,
            "fencing": self._fencing,
            "present": {id: [who.name, who.color, who.role] for id, who in self.present.items()},
            "answers": [[member, answers.last, list(answers.kept)] for member, answers in self._answers.items()],
            "leases": {key: [lease.holder, lease.fencing, lease.deadline] for key, lease in self._leases.items()},
        }

    def restore(self, state: Message) -> None:
        """Makes a new room what it was when its `state` was taken; the document is restored beside it."""
        self.epoch, self.before = state["epoch"], state["before"]
        self.keep, self.frozen = state["keep"], state["frozen"]
        self.birth, self.lock = state["birth"], state["lock"]
        self._owner, self._fencing = state["owner"], state["fencing"]
        self.present = {id: Present(*who) for id, who in state["present"].items()}
        for member, last, kept in state["answers"]:
            self._answers[member] = Answers(last)
            self._answers[member].kept.extend(kept)
        self._leases = {key: Lease(*lease) for key, lease in state["leases"].items()}

    def _begin_epoch(self, epoch: str) -> None:
        """The end of the log was lost: who holds more offers it again, numbered after the last answer that is here."""
        self.before = [*self.before, [self.epoch, self.revision]][-EPOCHS_KEPT:]
        self.epoch = epoch

    def set_presence(self, member: str, state: Message) -> list[Effect]:
        """The latest of one member replaces what it said before; not of the log."""
        if member not in self.present:
            return []
        self.present[member].presence = state
        return [Broadcast({"type": "presence", "member": member, "state": state}, but=member)]

    def digest(self) -> Message:
        """The digest of now, or none as long as that would take much work: each call does a part of it."""
        known = self.document.hash_some(HASHED_AT_ONCE)
        return {"type": "digest", "revision": self.revision, "digest": self.document.digest() if known else None}

    def knowledge(self) -> Knowledge:
        """Who is here and what is held, by name."""
        return Knowledge(frozenset(self.present), frozenset(self._leases))

    def news_since(self, known: Knowledge, time: float) -> list[Message]:
        """What brings one who knew that much up to date, apart from the document."""
        joined = [who.describe(id) for id, who in self.present.items()]
        free = [_lease_message(key, None, time) for key in sorted(known.leases - self._leases.keys())]
        held = [_lease_message(key, lease, time) for key, lease in self._leases.items()]
        left = sorted(known.members - self.present.keys())
        return [{"type": "members", "joined": joined, "left": left}, *free, *held]

    # Members

    def _join(self, member: str, request: Message, time: float) -> list[Effect]:
        if member not in self.present and len(self.present) >= wire.MAX_MEMBERS:
            return [Expel(member, f"room {self.name!r} is full: {wire.MAX_MEMBERS} members")]
        if self._owner is None:
            self._owner = member
        if self._is_to_come(request):
            return [Expel(member, f"revision {request['revision']} of this epoch is not there yet")]
        asked = ASKED.get(request.get("role") or "", "editor")
        role = "owner" if member == self._owner else request.get("invited") or asked
        self.present[member] = Present(request["name"], request.get("color") or "", role)
        answers = self._answers.pop(member, Answers())
        self._answers[member] = answers
        self._forget()
        changes = self._since(request)
        records, removed = (list(self.document.snapshot()), []) if changes is None else changes
        joined: Message = {
            "type": "joined",
            "member": member,
            "epoch": self.epoch,
            "before": self.before,
            "revision": self.revision,
            "role": role,
            "since": "snapshot" if changes is None else "changes",
            "answered": answers.last,
            "members": [who.describe(id) for id, who in self.present.items()],
            "leases": [_lease_message(key, lease, time) for key, lease in self._leases.items()],
        }
        news: Message = {"type": "members", "joined": [self.present[member].describe(member)], "left": []}
        return [Admit(member, joined, records, removed), Broadcast(news, but=member)]

    def _is_to_come(self, request: Message) -> bool:
        return request.get("epoch") == self.epoch and (request.get("revision") or 0) > self.revision

    def _since(self, request: Message) -> tuple[list[Record], list[str]] | None:
        revision = request.get("revision")
        if request.get("epoch") != self.epoch or revision is None or not 0 <= revision <= self.revision:
            return None
        return self.document.since(revision)

    def _forget(self) -> None:
        """Keeps the answers of whoever is here, and of the latest of those who left."""
        excess = len(self._answers) - len(self.present) - wire.MAX_REMEMBERED
        for member in [id for id in self._answers if id not in self.present][: max(excess, 0)]:
            del self._answers[member]

    def _gone(self, member: str) -> list[Effect]:
        if self.present.pop(member, None) is None:
            return []
        return [Broadcast({"type": "members", "joined": [], "left": [member]}, but=member)]

    # Transactions

    def _transaction(self, member: str, request: Message) -> list[Effect]:
        if member not in self.present:
            return []
        answers, seq, base = self._answers[member], request["seq"], request["base"]
        present = self.present[member]
        if present.said is not None and seq != present.said + 1:  # only who lost its connection says things again
            return [Expel(member, f"transaction {seq} came where {present.said + 1} was due")]
        present.said = seq
        if seq <= answers.last:
            if (again := answers.again(seq)) is None:
                return [Expel(member, f"transaction {seq} was answered too long ago")]
            return [Send(member, again)]
        if seq != answers.last + 1:
            return [Expel(member, f"transaction {seq} came where {answers.last + 1} was due")]
        if not 0 <= base <= self.document.revision:
            return [Expel(member, f"transaction {seq} is based on revision {base}, which is not there yet")]
        answer, effect = self._resolve(member, request)
        answers.keep(seq, answer)
        if not effect:
            return [Send(member, answer)]
        news = {"type": "tx", "revision": answer["revision"], "member": member, "deltas": effect}
        return [Send(member, answer), Broadcast(news, member)]

    def _resolve(self, member: str, request: Message) -> tuple[Message, Deltas]:
        """The answer to a transaction, and what of it took effect."""
        document, seq, deltas = self.document, request["seq"], request["deltas"]
        before = document.revision
        try:
            self._check_rights(member, deltas)
            outcome = document.apply(
                deltas,
                revision=before + 1,
                sender=member,
                base=request["base"],
                expect=request.get("expect"),
            )
        except Rejected as exc:
            rejected = {"type": "reject", "seq": seq, "reason": exc.reason, "detail": exc.detail}
            versions = _some(exc.versions, wire.MAX_DROPS_BYTES)
            return rejected | ({"versions": versions} if versions else {}), []
        effect = outcome.effect
        if not effect:
            document.revision = before  # no revision is used up
        answer: Message = {"type": "ack", "seq": seq, "revision": document.revision}
        if outcome.dropped:
            answer["dropped"] = _bounded(outcome.dropped, wire.MAX_DROPS_BYTES)
        if effect is not deltas:
            answer["effect"] = effect
        return answer, effect

    def _check_rights(self, member: str, deltas: Deltas) -> None:
        role = self.present[member].role
        if role not in EDITING:
            raise Rejected("role", f"a {role} changes nothing")
        if self.frozen:
            raise Rejected("frozen", f"room {self.name!r} stays as it is: fork it")
        if not self._leases:
            return
        for uuid, _ in deltas:
            lease = self._leases.get(uuid)
            if lease is not None and lease.holder != member:
                raise Rejected("leased", f"{self._name(lease.holder)} holds {uuid}")

    def _name(self, member: str) -> str:
        return self.present[member].name if member in self.present else member

    # Leases

    def _lease(self, member: str, request: Message, time: float) -> list[Effect]:
        if member not in self.present:
            return []
        key, held = request["key"], self._leases.get(request["key"])
        if held is not None and held.holder != member:
            return [Send(member, _lease_message(key, held, time) | {"refused": True})]
        stale = held is None or request.get("fencing") not in (None, held.fencing)
        match request["op"]:
            case "acquire" if self._may_lease(member):
                if held is None:
                    self._fencing += 1
            case "renew" if not stale:
                pass
            case "release" if not stale:
                return self._release(key)
            case _:
                return [Send(member, _lease_message(key, held, time) | {"refused": True})]
        seconds = min(max(float(request.get("seconds") or 0.0), 1.0), wire.MAX_LEASE_SECONDS)
        fencing = self._fencing if held is None else held.fencing
        self._leases[key] = Lease(member, fencing, time + seconds)
        return [Broadcast(_lease_message(key, self._leases[key], time))]

    def _may_lease(self, member: str) -> bool:
        held = sum(1 for lease in self._leases.values() if lease.holder == member)
        return self.present[member].role in EDITING and held < wire.MAX_LEASES

    def _release(self, key: str) -> list[Effect]:
        del self._leases[key]
        return [Broadcast(_lease_message(key, None, 0.0))]

    def _release_all(self, member: str) -> list[Effect]:
        keys = [key for key, lease in self._leases.items() if lease.holder == member]
        return [effect for key in keys for effect in self._release(key)]

    def _expire(self, time: float) -> list[Effect]:
        keys = [key for key, lease in self._leases.items() if lease.deadline <= time]
        return [effect for key in keys for effect in self._release(key)]


def _lease_message(key: str, lease: Lease | None, time: float) -> Message:
    if lease is None:
        return {"type": "lease", "key": key, "holder": None, "fencing": 0, "seconds": 0.0}
    left = round(max(lease.deadline - time, 0.0), 3)
    return {"type": "lease", "key": key, "holder": lease.holder, "fencing": lease.fencing, "seconds": left}


def _some(versions: dict[str, int], max_bytes: int) -> dict[str, int]:
    """Of these versions as many as may be told."""
    return dict(islice(versions.items(), max_bytes // (MAX_UUID_CHARS + 20)))


def _bounded(dropped: Iterable[Iterable[Any]], max_bytes: int) -> list[Any]:
    """What a sender is told of what was dropped: all of it, unless that is absurdly much."""
    told: list[Any] = []
    for uuid, path, reason in dropped:
        max_bytes -= 32 + sum(map(len, path))
        if max_bytes < 0:
            break
        told.append([uuid, path, reason])
    return told
