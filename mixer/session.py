"""This Blender's stay in one room: the mirror on one side, the client on the other. Main thread only."""

from __future__ import annotations

import gc
import logging
import math
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import suppress
from enum import Enum, auto
from typing import Any, Final

import orjson

from broadcaster import wire
from broadcaster.document import Deltas
from broadcaster.errors import MixerError
from broadcaster.member import Member, Message, Overruled
from broadcaster.tree import Tree

from . import undo
from .authors import Authors, dropped_part
from .client import Client, Link
from .cycles import Cycles
from .locks import Locks
from .lookout import Lookout
from .names import Clashes
from .people import People
from .proxy import Mirror, struct
from .proxy.editing import edited
from .proxy.still import must_stand_still
from .proxy.undo_steps import Whole
from .resume import Resumption, stamp_of
from .stamp import Place, Stamp
from .stats import Stats

TRANSACTION_BYTES: Final = 1_000_000  # roughly: a large import is several
MAX_BYTES: Final = wire.MAX_REQUEST_BYTES - 4096  # of one delta
BUDGET_SECONDS: Final = 0.008
SWEEP_SHARE: Final = 0.5  # of a tick's budget, at most
QUIET_SECONDS: Final = 0.5
SHARING_SECONDS: Final = 30.0  # without a word, after which nobody shares any more
REST_SECONDS: Final = 1.5
RETRY_SECONDS: Final = 1.0  # between two tries to write what the user's mode does not allow
DIGEST_SECONDS: Final = 5.0  # how often our document is compared with the room's, while there are changes
HASHED_IN_A_TICK: Final = 50  # entities
UNDO_SECONDS: Final = 0.2  # to look around before an undo, which itself takes as long in a scene of 2,000 objects
HAND_OVER_SECONDS: Final = 3.0  # the user waits for that long at most


log = logging.getLogger(__name__)


class State(Enum):
    """How far the session has come."""

    JOINING = auto()  # waiting for the room's content
    SHARING = auto()  # a new room: what is here becomes its content
    LOADING = auto()  # the room's content takes the place of what was here
    RESUMING = auto()  # what changed there since this file was saved comes in, what changed here goes out
    IN_STEP = auto()
    LEFT = auto()


class Session:
    """One joined room. `tick` does the work; whoever owns the loop calls it."""

    def __init__(self, client: Client, *, trusted: bool = False, stamp: Stamp | None = None) -> None:
        """With a `stamp`, this scene was in step with the room when it was saved, and is to be again."""
        self.client = client
        self.member = Member(client.member)
        self.mirror = Mirror(client.blobs, trusted=trusted)
        self.lookout = Lookout(self.mirror)
        self.whole_undo = Whole()
        self.state = State.JOINING
        self.stats = Stats()
        self.people = People()
        self.notice: str | None = None  # why nothing in the room can be changed now
        self.error: str | None = None  # why the room was left, if not by choice
        self._records: list[Message] = []
        self._inbox: list[Message] = []
        self._work: Iterator[Deltas] | None = None
        self._begun = False  # whether the work at hand has
        self._waiting: list[Callable[[], Iterator[Deltas]]] = []  # work to begin when the work at hand is done
        self._steps = 0
        self._clashes = Clashes()
        self._cycles = Cycles()
        self._authors = Authors()
        self._locks = Locks(client.member)
        self._heard = time.monotonic()
        self._began = time.monotonic()
        self._edited = self._undone = 0.0  # when something of ours was found last, and when there was an undo
        self._asked = time.monotonic()
        self._retried = time.monotonic()
        self._epoch = ""
        self._resumption: Resumption | None = None
        if stamp is not None:
            self._resume(stamp)

    # Undo

    def undoing(self) -> None:
        """Before undo and redo: what was edited here and not found yet is ours, and none of what the undo does."""
        if self.state is State.IN_STEP and not self.lookout.notes.undone:
            if self._work is None:  # else there may be what Blender makes for a moment
                self._send_noted()
            self._edit(self._look_for(UNDO_SECONDS))
        self.whole_undo.begin()

    def _look_for(self, seconds: float) -> Deltas:
        """Local edits as far as there is time to look for them: what was noted first, then what no handler tells."""
        uids = map(self.mirror.identity.uuid_of_uid, self.lookout.notes.uids)
        end = time.perf_counter() + seconds
        deltas: Deltas = []
        for uuid in [*(uuid for uuid in uids if uuid is not None), *self.mirror.entries]:
            deltas += self.mirror.collect([uuid])
            if time.perf_counter() > end:
                break
        return deltas

    def undone(self) -> None:
        """After undo and redo every reference into bpy.data is void, and anything may have changed."""
        self.whole_undo.end()
        self.mirror.identity.forget()
        self.lookout.notes.undone = True
        self._undone = time.monotonic()

    @property
    def wants_step(self) -> bool:
        """Whether it is time for an undo step: without one the next undo would take along what others made.

        Not before the user rests, nor while there may be something to redo, which a step would end.
        """
        rests = time.monotonic() - max(self._heard, self._edited) > REST_SECONDS
        return self.mirror.made and rests and self._undone <= self._edited and self.is_quiet()

    # What others see

    @property
    def revision(self) -> int:
        return self.member.revision

    @property
    def in_flight(self) -> int:
        """How many of our transactions the room has not answered."""
        return len(self.member.pending)

    @property
    def trusted(self) -> bool:
        """Whether scripts of this room run here."""
        return self.mirror.ctx.trusted

    @property
    def withheld(self) -> dict[str, str]:
        """ "datablock: property" -> why it is in the document and not in this Blender."""
        return self.mirror.ctx.withheld

    @property
    def locked(self) -> dict[str, str]:
        """What others are editing in a mode of its own: uuid -> member id."""
        return self._locks.others()

    @property
    def progress(self) -> float | None:
        """How much of the room's content is shown here, or of ours is shared, from 0 to 1; None once it is all."""
        if self.state is State.IN_STEP:
            return None
        if self.state is State.SHARING:
            return len(self.member.shown) / max(1, len(self.mirror.entries))
        return min(1.0, self._steps / max(1, 2 * len(self.member.shown)))

    def digest(self) -> str:
        """Equal on members that hold the same document."""
        return self.member.confirmed.digest()

    # The tick

    def tick(self, budget: float = BUDGET_SECONDS) -> bool:
        """Does what there is to do within `budget` seconds, and whether there was anything.

        Raises MixerError if the room cannot be stayed in: the session is left then, and nothing here is lost.
        """
        if self.state is State.LEFT:
            return False
        start = time.perf_counter()
        deadline = start + budget
        if self.lookout.notes.undone and self.state is State.IN_STEP:
            self._split_undo()
        self.mirror.still = must_stand_still()
        busy = self._receive()
        if self._work is not None:
            if not self.mirror.still or not self._begun:  # what has begun to rebuild the scene waits
                self._step(deadline)
                busy = True
        elif self.state is State.LOADING and not self._inbox:
            self._load_if_whole()
        elif self.state is State.IN_STEP:
            self._edit(self._clashes.settle(self.mirror, self.member, time.monotonic()))
            for request in self._locks.want(edited(self.mirror.identity), time.monotonic()):
                self.client.send(request)
            if self.mirror.ringed:
                self._edit(self._cycles.settle(self.mirror, self.member, time.monotonic()))
                self._retry()
            if time.monotonic() - self._retried > RETRY_SECONDS:
                self._retry()
            busy |= self._send_local(deadline)
            if self._work is None:
                self._ask_digest()
                swept = self.lookout.sweep(min(deadline, time.perf_counter() + budget * SWEEP_SHARE), time.monotonic())
                self._edit(swept)
                busy |= bool(swept)
        if busy:
            self.stats.tick.add(time.perf_counter() - start)
        return busy or self._work is not None

    def _receive(self) -> bool:
        """Sorts what came; what changes the document waits while the last change is still being shown."""
        messages = self.client.poll()
        for message in messages:
            self._handle(message)
        if messages:
            self._heard = time.monotonic()
        if self._work is None and not self.mirror.still:
            if self._waiting:
                self._begin(self._waiting.pop(0)())
            elif self.mirror.waiting:
                self._begin(self.mirror.show_waiting(self.member))
        if self._inbox and self._work is None:
            some = 1 if self.state is State.LOADING else len(self._inbox)  # a room's content is long
            batch, self._inbox = self._inbox[:some], self._inbox[some:]
            self._fold(batch)
            return True
        return bool(messages)

    def _handle(self, message: Message) -> None:
        match message["type"]:
            case "joined":
                self._joined(message)
            case "records" if self.state is State.LOADING and self._work is None:
                self._inbox.append(message)  # none of it shows before all is there
            case "records":
                self._records.append(message)
            case "ready":
                self._inbox += [*self._records, message]
                self._records = []
            case "tx" | "ack" | "reject" | "digest":
                self._inbox.append(message)
            case "members":
                self.people.changed(message)
            case "lease":
                self._locks.heard(message)
            case "notice":
                self.notice = message.get("reason")
            case "presence":
                self.people.showed(message["member"], message["state"])
            case "disconnected":
                self._records = []
            case "error":
                self.error = message["reason"]
                self.leave()
                raise MixerError(message["reason"])

    def _joined(self, message: Message) -> None:
        if self._inbox:  # what came before the connection was lost: answers among it are not to come twice
            self._finish_work()
            batch, self._inbox = self._inbox, []
            self._fold(batch)
        if self._resumption is not None and self.state is State.RESUMING:
            self._resumption.check(message)
        self.client.begin()  # not sooner: what the above made pending goes with all else
        for again in self.member.begin(message):
            self.client.send(again)
        self._epoch = message["epoch"]
        self._locks.joined(message["leases"])
        self.people.joined(message["members"])
        self.client.send(self.people.ours())
        is_new = message["role"] == "owner" and message["revision"] == 0
        if self.state is State.JOINING:
            self.state = State.SHARING if is_new else State.LOADING
            gc.disable()  # until all is there: it would walk the growing trees again and again

    def _fold(self, batch: list[Message]) -> None:
        pending = {one.seq: one.deltas for one in self.member.pending}
        drift = self.member.drift
        touched = self._receive_into_member(batch)
        if self.member.drift > drift:
            self.stats.drift += 1
            log.warning("this document is not the room's: it is loaded anew")
            self.client.reload()
        if self.state in (State.SHARING, State.IN_STEP, State.RESUMING):
            self._authors.heard(batch, pending, self._shown_here)
        self.stats.received += sum(message["type"] == "tx" for message in batch)
        if self.state is State.SHARING and self.member.ready:
            self._begin(self._share())
        elif self.state is State.LOADING:
            self._load_if_whole()
        elif self._resumption is not None and self.state is State.RESUMING and self.member.ready:
            self._resumption.compare(self.member)
            self._begin(self.mirror.apply(touched | self._resumption.absent, self.member))
        elif touched:
            self._begin(self.mirror.apply(touched, self.member))

    def _receive_into_member(self, batch: list[Message]) -> set[str]:
        known = len(self.member.overruled)
        touched = self.member.receive(batch)
        # What gave way may have done so as soon as it was made, so that the document never moved for it.
        gone = {uuid for one in self.member.overruled[known:] for uuid, _ in one.deltas}
        touched |= self.mirror.doubt(gone)
        for again in self.member.outgoing:
            self.client.send(again)
        self.member.outgoing.clear()
        return touched

    def _load_if_whole(self) -> None:
        """Scenes come last in a share: as long as there is none, and somebody is there, it goes on. For a while."""
        has_scene = any(self._entities("scenes"))
        is_due = time.monotonic() - self._heard > SHARING_SECONDS or len(self.people.members) == 1
        if self.member.ready and (has_scene or is_due):
            self.mirror.clear()
            self._begin(self._load())

    def _ask_digest(self) -> None:
        """Compares our document with the room's, a few seconds after a change: an idle room says nothing."""
        wait = DIGEST_SECONDS * 2 ** min(self.stats.drift, 10)  # what goes wrong again and again must not go on so
        if time.monotonic() - self._asked < wait or self.member.compared == self.revision:
            return
        if (question := self.member.ask_digest(HASHED_IN_A_TICK)) is not None:
            self.client.send(question)
            self._asked = time.monotonic()

    def _begin(self, work: Iterator[Deltas]) -> None:
        self._work, self._begun = work, False

    def _step(self, deadline: float) -> None:
        """Goes on with the work at hand; a transaction that fits the budget shows at once and whole."""
        assert self._work is not None
        start = time.perf_counter()
        if self._begun:
            self._edit(self.mirror.edited_since())
        self._begun = True
        self.mirror.looked_at.clear()
        before = start
        for deltas in self._work:
            self._edit(deltas)
            self._steps += 1
            now = time.perf_counter()
            if now + (now - before) > deadline:  # as long as the last one the next one may take
                break
            before = now
        else:
            self._work = None
            if self.state is not State.IN_STEP:
                self._in_step()
        self._verify()
        self.stats.apply.add(time.perf_counter() - start)

    def _verify(self) -> None:
        for echo in self.mirror.verify(done=self._work is None):
            self.stats.echoes += 1
            log.warning("Blender changed what was just written: %.300s", echo)

    # Work offline

    def _resume(self, stamp: Stamp) -> None:
        self.state = State.RESUMING
        self.lookout.forget()
        self.member.hold(stamp.document, stamp.place.epoch)
        self._resumption = Resumption(stamp, self.mirror)
        self._edit(self._resumption.edits)

    def stamp(self) -> Stamp | None:
        """What this file is to carry of the room, if it is saved now; None while it is not in step."""
        if self.state is not State.IN_STEP:
            return None
        confirmed = self.member.confirmed
        place = Place(*self.client.address, self.client.room, self._epoch, confirmed.revision)
        return stamp_of(place, confirmed, self.mirror)

    def _share(self) -> Iterator[Deltas]:
        """What is here becomes the content of a new room."""
        yield from _transactions(self.mirror.scan())

    def _load(self) -> Iterator[Deltas]:
        yield from self.mirror.apply(list(self.member.shown), self.member)
        self.mirror.drop_placeholder()

    def _entities(self, kind: str) -> Iterator[str]:
        shown = self.member.shown
        return (uuid for uuid in shown if (entity := shown.get(uuid)) is not None and entity.kind == kind)

    def _in_step(self) -> None:
        seconds = time.monotonic() - self._began
        if self.state is State.SHARING:
            self.stats.share_seconds = seconds
        else:
            self.stats.join_seconds = seconds
        self.state = State.IN_STEP
        gc.enable()
        gc.freeze()  # trees hold no cycles: a walk over all of them would be felt as a hitch

    # Local edits

    def _edit(self, deltas: Deltas) -> None:
        """Makes local edits pending and sends them."""
        if not deltas:
            return
        start = time.perf_counter()
        self._edited = time.monotonic()
        self.mirror.made = False  # a step of the user's holds it
        for part in self._locks.parted(deltas):
            for transaction in _transactions(part):
                self._send(transaction)
                self.mirror.sent(transaction, self.member.shown)
        self.stats.encode.add(time.perf_counter() - start)

    def _send(self, deltas: Deltas) -> None:
        if len(deltas) == 1 and len(orjson.dumps(deltas)) > MAX_BYTES:
            self.member.overruled.append(Overruled(deltas, "large"))
            return
        message = self.member.edit(deltas)
        self._authors.wrote(deltas, theirs=False)
        if message is not None:
            self.client.send(message)
            self.stats.sent += 1

    def put_back(self, edit: Overruled) -> None:
        """Makes an edit of ours again that gave way."""
        self.member.overruled.remove(edit)
        part = dropped_part(edit)
        self._send(part)
        self._waiting.append(lambda: self.mirror.apply([uuid for uuid, _ in part], self.member))

    def _send_local(self, deadline: float) -> bool:
        """Looks at what handlers noted; whether there was anything."""
        if not self.lookout.notes:
            return False
        start = time.perf_counter()
        deltas = self.lookout.noted(deadline)
        self.stats.detect.add(time.perf_counter() - start)
        self._edit(deltas)
        return True

    def _send_noted(self) -> None:
        """Finds all that handlers noted, and what came and went."""
        self.lookout.notes.structure = True
        self._send_local(math.inf)

    def _split_undo(self) -> None:
        """Sends what undo or redo changed of ours, and puts back what it changed of others. Nothing comes between."""
        self.lookout.forget()
        self.mirror.looked_at.clear()
        mine, wrong = undo.split(self.mirror, self._authors)
        self._edit(mine)
        for deltas in self.mirror.restore(wrong | self.mirror.waiting, self.member):
            self._edit(deltas)
        self._verify()

    def _shown_here(self, uuid: str) -> Tree:
        entry = self.mirror.entries.get(uuid)
        return None if entry is None else entry.doc

    def _retry(self) -> None:
        """Tries again what could not be written: the user may have left that mode. When all is quiet, what differs."""
        self._retried = time.monotonic()
        if self.mirror.deferred:
            self._waiting.append(lambda: self.mirror.retry(self.member))
        elif self.is_quiet() and (unlike := self.mirror.unlike()):
            self._waiting.append(lambda: self.mirror.show_again(unlike, self.member))

    def look_everywhere(self) -> None:
        """Finds every local edit now, whatever it costs."""
        if self.lookout.notes.undone and self.state is State.IN_STEP:
            self._split_undo()
        self._finish_work()
        if self.state is State.IN_STEP:
            self._send_noted()
            self._finish_work()
            self._edit(self.mirror.collect(list(self.mirror.entries)))

    def _finish_work(self) -> None:
        while self._work is not None:
            self._step(math.inf)

    def trust(self) -> None:
        """Takes scripted drivers, registering texts and script nodes of this room from now on."""
        self._waiting.append(lambda: self.mirror.trust(self.member))

    # People

    def reach(self, barrier: str) -> None:
        """Tells the room that this member has come to `barrier`."""
        self.people.reach(barrier)
        self.client.send(self.people.ours())

    def hand_over(self) -> None:
        """To be called before the room is left: sends what was edited here last, and waits for what is unanswered.

        Nothing here is written. What the connection does not bring in time stays `in_flight`. Raises MixerError.
        """
        if self.state is not State.IN_STEP:
            return
        if not self.lookout.notes.undone:
            self._send_noted()
        end = time.monotonic() + HAND_OVER_SECONDS
        while self.member.pending and self.client.link is Link.JOINED and (rest := end - time.monotonic()) > 0:
            self.client.wait(rest)
            for message in self.client.poll():
                self._handle(message)
            batch, self._inbox = self._inbox, []
            self._receive_into_member(batch)

    def leave(self) -> None:
        """Leaves the room; the scene stays as it is."""
        if self.state is not State.LEFT:
            self.state = State.LEFT
            gc.enable()
            gc.unfreeze()
            self._work = None
            self.whole_undo.end()
            self.client.close()

    # For scripts and tests, which own the loop

    def is_quiet(self) -> bool:
        """Whether nothing of ours is unanswered and nothing came for a while."""
        return (
            self.state is State.IN_STEP
            and self._work is None
            and not self.member.pending
            and not self._inbox
            and time.monotonic() - self._heard > QUIET_SECONDS
        )

    def conflicts(self) -> list[str]:
        """What we and others changed while we were away, by name; ours stands."""
        return [] if self._resumption is None else self._resumption.told(self.member.shown)

    def report(self) -> dict[str, Any]:
        """The figures of this stay: the keys are promised in the README."""
        kinds = Counter(entry.kind for entry in self.mirror.entries.values())
        return {
            "revision": self.revision,
            "digest": self.digest(),
            **self.stats.report(self.client),
            "conflicts": self.conflicts(),
            "entities": dict(sorted(kinds.items())),
            "not_mirrored": dict(
                sorted(
                    {
                        **struct.not_mirrored(),
                        **self.mirror.left_out(self.member.shown),
                        **self.mirror.ctx.refused,
                        **self.withheld,
                    }.items()
                )
            ),
        }


def _transactions(deltas: Deltas) -> Iterator[Deltas]:
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


_session: Session | None = None  # the one session of this Blender


def current() -> Session | None:
    """The session of this Blender, if it is in a room."""
    return _session


def join(connect: Callable[[], Client], *, trusted: bool = False, stamp: Stamp | None = None) -> Session:
    """Enters the room that `connect` makes a client for. Raises MixerError if this Blender is in one already.

    With a `stamp` what is here goes on from where it was saved; else the room's content takes its place.
    """
    global _session
    if _session is not None and _session.state is not State.LEFT:
        raise MixerError("this Blender is in a room already")
    _session = Session(connect(), trusted=trusted, stamp=stamp)
    return _session


def leave(*, hand_over: bool = False) -> None:
    """Leaves the room, if this Blender is in one; if wanted, not without what was edited last."""
    global _session
    if _session is None:
        return
    try:
        if hand_over:
            with suppress(MixerError):  # the room is gone: it is left anyway
                _session.hand_over()
    finally:
        _session.leave()
        _session = None
