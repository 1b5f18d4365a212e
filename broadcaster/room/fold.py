"""A room as it folds its log."""

from __future__ import annotations

from typing import Any, Final

from ..document import Deltas, Document, Record
from ..errors import Rejected
from ..limits import DEFAULTS, MOST, OF_THE_LOG, Limits, changed
from ..wire import Message
from .answers import Answers, bounded, some
from .entries import Admit, Broadcast, Done, Effect, Entry, Expel, Send
from .leases import Leases, free
from .present import Knowledge, Present
from .rights import JOBS, Reach, Rights

EPOCHS_KEPT: Final = 16  # before the one of now
HASHED_AT_ONCE: Final = 1000  # entities
# What logs of before these limits are folded by
BEFORE: Final[Message] = {"entity_bytes": MOST["entity_bytes"], "work": 1 << 62, "remembered_bytes": 1 << 62}
ASKED: Final = {"viewer": "viewer", "worker": "worker"}  # what is given for the asking; for all else, editor


class Room:
    """Folds a log. Members are named by their ids throughout."""

    def __init__(self, name: str, epoch: str, limits: Limits = DEFAULTS) -> None:
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
        self.rights = Rights()
        self._leases = Leases()
        self._limits = limits

    @property
    def revision(self) -> int:
        return self.document.revision

    @property
    def next_deadline(self) -> float | None:
        """When a lease runs out unless it is renewed: the time for a `tick`."""
        return self._leases.next_deadline

    @property
    def limits(self) -> Message:
        """What decides how the log is folded, so it is in the log when it changes."""
        return {name: getattr(self._limits, name) for name in OF_THE_LOG}

    def fold(self, entry: Entry) -> list[Effect]:
        """Takes the next entry of the log; what is to be sent because of it, in order."""
        effects = self._leases.expire(entry.time) if self._leases.held else []
        request, member = entry.request, entry.member
        match request["type"]:
            case "tx":
                effects += self._transaction(member, request)
            case "join":
                effects += self._join(member, request, entry.time)
            case "lease":
                effects += self._lease(member, request, entry.time)
            case "leave":
                effects += self._leases.release_all(member) + self._gone(member)
            case "lost":  # not leaving: its leases live to their deadlines
                effects += self._gone(member)
            case "govern":
                effects += self._govern(member, request)
            case "limits":  # of whoever folds this log from here on
                self._limits = changed(self._limits, request["limits"])
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
            **self.rights.state(),
            "limits": self.limits,
            "present": {
                id: [who.name, who.color, who.role, who.address, who.bound] for id, who in self.present.items()
            },
            "answers": [[member, answers.last, answers.state()] for member, answers in self._answers.items()],
            **self._leases.state(),
        }

    def restore(self, state: Message) -> None:
        """Makes a new room what it was when its `state` was taken; the document is restored beside it."""
        self.epoch, self.before = state["epoch"], state["before"]
        self.keep, self.frozen = state["keep"], state["frozen"]
        self.birth, self.lock = state["birth"], state["lock"]
        self.rights.restore(state)
        self._limits = changed(self._limits, BEFORE | state.get("limits", {}))
        self.present = {id: Present(*who) for id, who in state["present"].items()}
        for member, last, kept in state["answers"]:
            self._answers[member] = Answers(last, kept)
        self._leases.restore(state)

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
        return Knowledge(frozenset(self.present), self._leases.keys)

    def news_since(self, known: Knowledge, time: float) -> list[Message]:
        """What brings one who knew that much up to date, apart from the document."""
        joined = [who.describe(id) for id, who in self.present.items()]
        ended = [free(key) for key in sorted(known.leases - self._leases.keys)]
        left = sorted(known.members.difference(self.present))
        return [{"type": "members", "joined": joined, "left": left}, *ended, *self._leases.messages(time)]

    # Members

    def _join(self, member: str, request: Message, time: float) -> list[Effect]:
        if member not in self.present and len(self.present) >= self._limits.members:
            return [Expel(member, f"room {self.name!r} is full: {self._limits.members} members")]
        address = request.get("address") or ""
        if self.rights.is_banned(member, address):
            return [Expel(member, f"you are banned from room {self.name!r}")]
        if self._is_to_come(request):
            return [Expel(member, f"revision {request['revision']} of this epoch is not there yet")]
        asked = ASKED.get(request.get("role") or "", "editor")
        role = "owner" if self.rights.owns(member) else request.get("invited") or asked
        self.present[member] = Present(
            request["name"], request.get("color") or "", role, address, request.get("bound") is True
        )
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
            "leases": self._leases.messages(time),
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
        left = {id: answers.bytes for id, answers in self._answers.items() if id not in self.present}
        count, size = len(left), sum(left.values())
        for member, length in left.items():
            if count <= self._limits.remembered and size <= self._limits.remembered_bytes:
                break
            del self._answers[member]
            count, size = count - 1, size - length

    def _gone(self, member: str) -> list[Effect]:
        if self.present.pop(member, None) is None:
            return []
        return [Broadcast({"type": "members", "joined": [], "left": [member]}, but=member)]

    # Rights

    def _govern(self, member: str, request: Message) -> list[Effect]:
        """What an owner asks, or who runs the broadcaster: that one is nobody in the room."""
        try:
            if member and (member not in self.present or not self.present[member].may.govern):
                raise Rejected("role", "only an owner of the room does that")
            effects = self._do(request)
        except Rejected as exc:
            return [Send(member, {"type": "governed", "op": request["op"], "refused": exc.detail})]
        return [*effects, Send(member, {"type": "governed", "op": request["op"]})]

    def _do(self, request: Message) -> list[Effect]:
        match request["op"]:
            case "keep":
                self.keep = request["on"]
            case "frozen":
                self.frozen = request["on"]
            case "password":
                self.lock = request["lock"]
            case "unban":
                self.rights.unban(request["member"])
            case "kick":
                return self._expel(self._find(request["member"]), "removed from")
            case "ban":
                member = self._find(request["member"])
                self.rights.ban(member, self.present[member].address, self._limits.banned)
                return self._expel(member, "banned from")
            case "owner":
                return self._hand_over(self._find(request["member"]))
            case unknown:
                raise AssertionError(f"unknown op {unknown!r} in the log")
        return []

    def _find(self, who: str) -> str:
        """The member of that id or name. Raises Rejected unless there is just one."""
        found = [who] if who in self.present else [id for id, one in self.present.items() if one.name == who]
        if len(found) != 1:
            raise Rejected("member", f"there are {len(found)} members {who!r} in room {self.name!r}")
        return found[0]

    def _expel(self, member: str, what: str) -> list[Effect]:
        expelled = Expel(member, f"you are {what} room {self.name!r}")
        return [expelled, *self._leases.release_all(member), *self._gone(member)]

    def _hand_over(self, member: str) -> list[Effect]:
        """Who owned the room so far edits on; who was invited as an owner stays one."""
        changed = {member: "owner"}
        if (former := self.rights.hand_over(member)) in self.present and former != member:
            changed[former] = "editor"
        for id, role in changed.items():
            self.present[id].role = role
        return [Broadcast({"type": "members", "joined": [self.present[id].describe(id) for id in changed], "left": []})]

    # Transactions

    def _transaction(self, member: str, request: Message) -> list[Effect]:
        if (present := self.present.get(member)) is None:
            return []
        answers, seq, base = self._answers[member], request["seq"], request["base"]
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
        done = Done(member, seq, self.document.revision, effect)
        if answer is None:
            answers.done(seq, done.revision)
            return [done]
        answers.keep(seq, answer)
        return [Send(member, answer), done.news()] if effect else [Send(member, answer)]

    def _resolve(self, member: str, request: Message) -> tuple[Message | None, Deltas]:
        """The answer to a transaction, None where it took effect as it was sent; and what of it took effect."""
        document, seq, deltas = self.document, request["seq"], request["deltas"]
        before = document.revision
        try:
            self._check_rights(member, deltas)
            if "full" in request or len(document) + len(deltas) > self._limits.entities:
                self._check_space(deltas, full=request.get("full") is True)
            outcome = document.apply(
                deltas,
                revision=before + 1,
                sender=member,
                base=request["base"],
                expect=request.get("expect"),
                limits=self._limits,
            )
        except Rejected as exc:
            rejected = {"type": "reject", "seq": seq, "reason": exc.reason, "detail": exc.detail}
            versions = some(exc.versions, self._limits.drops_bytes)
            return rejected | ({"versions": versions} if versions else {}), []
        effect = outcome.effect
        if effect is deltas and effect and not outcome.dropped:
            return None, effect
        if not effect:
            document.revision = before  # no revision is used up
        answer: Message = {"type": "ack", "seq": seq, "revision": document.revision}
        if outcome.dropped:
            answer["dropped"] = bounded(outcome.dropped, self._limits.drops_bytes)
        if effect is not deltas:
            answer["effect"] = effect
        return answer, effect

    def _lease(self, member: str, request: Message, time: float) -> list[Effect]:
        if member not in self.present:
            return []
        reach = self.present[member].may.reach
        may_hold = reach is Reach.ALL or (reach is Reach.WORK and self._kind(request["key"]) == JOBS)
        return self._leases.ask(member, request, time, self._limits, may_hold=may_hold)

    def _check_rights(self, member: str, deltas: Deltas) -> None:
        present = self.present[member]
        reach = present.may.reach
        if reach is Reach.NOTHING:
            raise Rejected("role", f"a {present.role} changes nothing")
        if self.frozen:
            raise Rejected("frozen", f"room {self.name!r} stays as it is: fork it")
        if reach is Reach.WORK:
            self._check_work(member, deltas)
        if not self._leases.held:
            return
        for uuid, _ in deltas:
            if (holder := self._leases.holder(uuid)) not in (None, member):
                raise Rejected("leased", f"{self._name(holder)} holds {uuid}")

    def _check_work(self, member: str, deltas: Deltas) -> None:
        for uuid, _ in deltas:
            entity = self.document.get(uuid)
            if entity is None or entity.creator == member:
                continue
            if entity.kind != JOBS or self._leases.holder(uuid) != member:
                role = self.present[member].role
                raise Rejected("role", f"a {role} changes {Reach.WORK.value}: {uuid} is neither")

    def _kind(self, uuid: str) -> str:
        return entity.kind if (entity := self.document.get(uuid)) is not None else ""

    def _check_space(self, deltas: Deltas, *, full: bool) -> None:
        """`full`: so much is here that things may only go."""
        if full and any(delta[0] != "remove" for _, delta in deltas):
            raise Rejected("full", f"room {self.name!r} is as large as it may be: remove something")
        created = sum(delta[0] == "create" for _, delta in deltas)
        if created and len(self.document) + created > self._limits.entities:
            raise Rejected("full", f"room {self.name!r} may hold {self._limits.entities} entities")

    def _name(self, member: str) -> str:
        return self.present[member].name if member in self.present else member
