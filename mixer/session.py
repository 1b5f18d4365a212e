"""This Blender's stay in one room: the mirror on one side, the client on the other. Main thread only."""

from __future__ import annotations

import math
import time
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from typing import Any, Final

from broadcaster.errors import MixerError
from broadcaster.member import Member, Message, Overruled

from .arrival import Arrival, State
from .client import Client, Link
from .exchange import Exchange
from .lookout import Lookout
from .people import People
from .proxy import Mirror, struct
from .proxy.still import must_stand_still
from .stamp import Stamp
from .stats import Stats
from .undo import Undo
from .upkeep import Upkeep
from .work import Work

BUDGET_SECONDS: Final = 0.008
SWEEP_SHARE: Final = 0.5  # of a tick's budget, at most
QUIET_SECONDS: Final = 0.5
HAND_OVER_SECONDS: Final = 3.0  # the user waits for that long at most


class Session:
    """One joined room. `tick` does the work; whoever owns the loop calls it."""

    def __init__(self, client: Client, *, trusted: bool = False, stamp: Stamp | None = None) -> None:
        """With a `stamp`, this scene was in step with the room when it was saved, and is to be again."""
        self.client = client
        self.mirror = Mirror(client.blobs, trusted=trusted)
        self.stats = Stats()
        self.lookout = Lookout(self.mirror, self.stats)
        self.people = People()
        self.notice: str | None = None  # why nothing in the room can be changed now
        self.error: str | None = None  # why the room was left, if not by choice
        self._records: list[Message] = []
        self._inbox: list[Message] = []
        self._exchange = Exchange(client, self.mirror, self.stats)
        self._work = Work(self.mirror, self._exchange, self.stats)
        self._arrival = Arrival(self.mirror, self._exchange, self._work, self.people, self.stats)
        self._upkeep = Upkeep(self.mirror, self._exchange, self._work, self.is_quiet)
        self._undo = Undo(self.mirror, self.lookout, self._exchange, self._work)
        self._heard = time.monotonic()
        if stamp is not None:
            self.lookout.forget()
            self._arrival.resume(stamp)

    # Undo

    def undoing(self) -> None:
        """To be called right before undo and redo."""
        self._undo.begin(in_step=self.state is State.IN_STEP)

    def undone(self) -> None:
        """To be called right after undo and redo."""
        self._undo.end()

    @property
    def wants_step(self) -> bool:
        """Whether it is time for an undo step: see `Undo.wants_step`."""
        return self._undo.wants_step(self._heard) and self.is_quiet()

    # What others see

    @property
    def state(self) -> State:
        return self._arrival.state

    @property
    def member(self) -> Member:
        return self._exchange.member

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
        return self._exchange.locks.others()

    @property
    def progress(self) -> float | None:
        """How much of the room's content is shown here, or of ours is shared, from 0 to 1; None once it is all."""
        return self._arrival.progress

    def digest(self) -> str:
        """Equal on members that hold the same document."""
        return self.member.confirmed.digest()

    def stamp(self) -> Stamp | None:
        """What this file is to carry of the room, if it is saved now; None while it is not in step."""
        return self._arrival.stamp(self.client.address, self.client.room)

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
            self._undo.settle()
        self.mirror.still = must_stand_still()
        busy = self._receive()
        if self._work:
            if not self._work.rests:
                self._step(deadline)
                busy = True
        elif self.state is State.LOADING and not self._inbox:
            self._arrival.load_if_whole(self._heard)
        elif self.state is State.IN_STEP:
            self._upkeep.settle()
            self._exchange.hold_what_is_edited()
            if self.lookout.notes:
                self._exchange.edit(self.lookout.noted(deadline))
                busy = True
            self._exchange.ask_digest()
            swept = self.lookout.sweep(min(deadline, time.perf_counter() + budget * SWEEP_SHARE), time.monotonic())
            self._exchange.edit(swept)
            busy |= bool(swept)
        if busy:
            self.stats.tick.add(time.perf_counter() - start)
        return busy or bool(self._work)

    def _receive(self) -> bool:
        """Sorts what came; what changes the document waits while the last change is still being shown."""
        messages = self.client.poll()
        for message in messages:
            self._handle(message)
        if messages:
            self._heard = time.monotonic()
        self._work.begin_next()
        if self._inbox and not self._work:
            some = 1 if self.state is State.LOADING else len(self._inbox)  # a room's content is long
            batch, self._inbox = self._inbox[:some], self._inbox[some:]
            self._fold(batch)
            return True
        return bool(messages)

    def _handle(self, message: Message) -> None:
        match message["type"]:
            case "joined":
                self._joined(message)
            case "records" if self.state is State.LOADING and not self._work:
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
                self._exchange.locks.heard(message)
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
        self._arrival.check(message)
        self.client.begin()  # not sooner: what the above made pending goes with all else
        self._exchange.begin(message)
        self.people.joined(message["members"])
        self.client.send(self.people.ours())
        self._arrival.joined(message)

    def _fold(self, batch: list[Message]) -> None:
        is_first = self.state in (State.JOINING, State.LOADING)
        touched = self._exchange.fold(batch, notes_authors=not is_first)
        self._arrival.show(touched, self._heard)

    def _step(self, deadline: float) -> None:
        if self._work.step(deadline) and self.state is not State.IN_STEP:
            self._arrival.arrived()

    def _finish_work(self) -> None:
        while self._work:
            self._step(math.inf)

    # Local edits

    def look_everywhere(self) -> None:
        """Finds every local edit now, whatever it costs."""
        if self.lookout.notes.undone and self.state is State.IN_STEP:
            self._undo.settle()
        self._finish_work()
        if self.state is State.IN_STEP:
            self._exchange.edit(self.lookout.all_noted())
            self._finish_work()
            self._exchange.edit(self.mirror.collect(list(self.mirror.entries)))

    def put_back(self, edit: Overruled) -> None:
        """Makes an edit of ours again that gave way."""
        touched = self._exchange.put_back(edit)
        self._work.later(lambda: self.mirror.apply(touched, self.member))

    def trust(self) -> None:
        """Takes scripted drivers, registering texts and script nodes of this room from now on."""
        self._work.later(lambda: self.mirror.trust(self.member))

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
            self._exchange.edit(self.lookout.all_noted())
        end = time.monotonic() + HAND_OVER_SECONDS
        while self.member.pending and self.client.link is Link.JOINED and (rest := end - time.monotonic()) > 0:
            self.client.wait(rest)
            for message in self.client.poll():
                self._handle(message)
            batch, self._inbox = self._inbox, []
            self._exchange.receive(batch)

    def leave(self) -> None:
        """Leaves the room; the scene stays as it is."""
        if self.state is not State.LEFT:
            self._arrival.leave()
            self._work.drop()
            self._undo.leave()
            self.client.close()

    # For scripts and tests, which own the loop

    def is_quiet(self) -> bool:
        """Whether nothing of ours is unanswered and nothing came for a while."""
        return (
            self.state is State.IN_STEP
            and not self._work
            and not self.member.pending
            and not self._inbox
            and time.monotonic() - self._heard > QUIET_SECONDS
        )

    def conflicts(self) -> list[str]:
        """What we and others changed while we were away, by name; ours stands."""
        return self._arrival.conflicts()

    def rings(self) -> list[str]:
        """What was let go here as it closed a ring with what others did: "who: whom", by name."""
        return self._upkeep.let_go()

    def report(self) -> dict[str, Any]:
        """The figures of this stay: the keys are promised in the README."""
        kinds = Counter(entry.kind for entry in self.mirror.entries.values())
        return {
            "revision": self.revision,
            "digest": self.digest(),
            **self.stats.report(self.client),
            "repaired": self._upkeep.repaired,
            "conflicts": self.conflicts(),
            "rings": self.rings(),
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
