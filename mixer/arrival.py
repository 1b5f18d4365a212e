"""How this Blender comes into step with a room: takes its content, shares its own, or goes on where it was."""

from __future__ import annotations

import gc
import time
from collections.abc import Iterator
from enum import Enum, auto
from typing import Final

from broadcaster.document import Deltas
from broadcaster.member import Message

from .exchange import Exchange, transactions
from .people import People
from .proxy import Mirror
from .resume import Resumption, stamp_of
from .stamp import Place, Stamp
from .stats import Stats
from .work import Work

SHARING_SECONDS: Final = 30.0  # without a word, after which nobody shares any more


class State(Enum):
    """How far the session has come."""

    JOINING = auto()  # waiting for the room's content
    SHARING = auto()  # a new room: what is here becomes its content
    LOADING = auto()  # the room's content takes the place of what was here
    RESUMING = auto()  # what changed there since this file was saved comes in, what changed here goes out
    IN_STEP = auto()
    LEFT = auto()


class Arrival:
    """The way from joining to being in step."""

    def __init__(self, mirror: Mirror, exchange: Exchange, work: Work, people: People, stats: Stats) -> None:
        self.state = State.JOINING
        self._mirror = mirror
        self._exchange = exchange
        self._work = work
        self._people = people
        self._stats = stats
        self._began = time.monotonic()
        self._epoch = ""
        self._resumption: Resumption | None = None
        self._moved: set[str] = set()  # by others while this scene was away

    def resume(self, stamp: Stamp) -> None:
        """This scene was in step when it was saved, and is to be again."""
        self.state = State.RESUMING
        self._exchange.member.hold(stamp.document, stamp.place.epoch)
        self._resumption = Resumption(stamp, self._mirror)
        self._exchange.edit(self._resumption.edits)

    def check(self, joined: Message) -> None:
        """Raises MixerError if this is not the room to go on in."""
        if self._resumption is not None and self.state is State.RESUMING:
            self._resumption.check(joined)

    def joined(self, message: Message) -> None:
        """A connection is there, the first one or another."""
        self._epoch = message["epoch"]
        if self.state is State.JOINING:
            is_new = message["role"] == "owner" and message["revision"] == 0
            self.state = State.SHARING if is_new else State.LOADING
            gc.disable()  # until all is there: it would walk the growing trees again and again

    def show(self, touched: set[str], heard: float) -> None:
        """Begins what follows from what came: so far, the room moved `touched`, and was `heard` last at that time."""
        member, is_ready = self._exchange.member, self._exchange.member.ready
        if self.state is State.SHARING and is_ready:
            self._work.begin(self._share())
        elif self.state is State.LOADING:
            self.load_if_whole(heard)
        elif self._resumption is not None and self.state is State.RESUMING:
            self._moved |= touched  # what came meanwhile is shown when all of it is here, or ours would be overwritten
            if is_ready:
                self._resumption.compare(member)
                self._work.begin(self._mirror.apply(self._moved | self._resumption.absent, member))
        elif touched:
            self._work.begin(self._mirror.apply(touched, member))

    def load_if_whole(self, heard: float) -> None:
        """Scenes come last in a share: as long as there is none, and somebody is there, it goes on. For a while."""
        shown = self._exchange.member.shown
        has_scene = any((entity := shown.get(uuid)) is not None and entity.kind == "scenes" for uuid in shown)
        is_due = time.monotonic() - heard > SHARING_SECONDS or len(self._people.members) == 1
        if self._exchange.member.ready and (has_scene or is_due):
            self._mirror.clear()
            self._work.begin(self._load())

    def _share(self) -> Iterator[Deltas]:
        """What is here becomes the content of a new room."""
        yield from transactions(self._mirror.scan())

    def _load(self) -> Iterator[Deltas]:
        member = self._exchange.member
        yield from self._mirror.apply(list(member.shown), member)
        self._mirror.drop_placeholder()

    def arrived(self) -> None:
        """The work that led here is done."""
        seconds = time.monotonic() - self._began
        if self.state is State.SHARING:
            self._stats.share_seconds = seconds
        else:
            self._stats.join_seconds = seconds
        self.state = State.IN_STEP
        gc.enable()
        gc.freeze()  # trees hold no cycles: a walk over all of them would be felt as a hitch

    def leave(self) -> None:
        """Nothing is left of being here."""
        self.state = State.LEFT
        gc.enable()
        gc.unfreeze()

    @property
    def progress(self) -> float | None:
        """How much of the room's content is shown here, or of ours is shared, from 0 to 1; None once it is all."""
        if self.state is State.IN_STEP:
            return None
        shown = len(self._exchange.member.shown)
        if self.state is State.SHARING:
            return shown / max(1, len(self._mirror.entries))
        return min(1.0, self._work.steps / max(1, 2 * shown))

    def stamp(self, address: tuple[str, int], room: str) -> Stamp | None:
        """What this file is to carry of the room, if it is saved now; None while it is not in step."""
        if self.state is not State.IN_STEP:
            return None
        confirmed = self._exchange.member.confirmed
        return stamp_of(Place(*address, room, self._epoch, confirmed.revision), confirmed, self._mirror)

    def conflicts(self) -> list[str]:
        """What we and others changed while we were away, by name; ours stands."""
        return [] if self._resumption is None else self._resumption.told(self._exchange.member.shown)
