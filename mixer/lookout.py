"""Where local edits are found: what handlers noted first, then, a little a tick, what nothing reports."""

from __future__ import annotations

import math
import time
from dataclasses import dataclass, field
from typing import Final

from broadcaster.document import Deltas

from .proxy import Mirror, blind, struct
from .stats import Stats
from .sweep import Round

GLANCE_SECONDS: Final = 1.5  # in which all is looked at for edits that nothing reports: they are found within 2 s
LOOK_SECONDS: Final = 180.0  # in which all is compared whole


@dataclass(slots=True)
class Notes:
    """What handlers noted for the next tick: local edits that may have happened."""

    uids: dict[int, bool] = field(default_factory=dict)  # session_uid -> whether its arrays may have changed
    embedded: set[str] = field(default_factory=set)  # uuids whose embedded node tree or shape keys changed
    structure: bool = True  # datablocks may have come or gone
    undone: bool = False  # by undo or redo, which also take along what others made

    def __bool__(self) -> bool:
        return bool(self.structure or self.uids or self.embedded)


class Lookout:
    """Reads the mirror's datablocks when it is time to."""

    def __init__(self, mirror: Mirror, stats: Stats) -> None:
        self.notes = Notes()
        self._mirror = mirror
        self._stats = stats
        self._glances = Round(GLANCE_SECONDS)
        self._looks = Round(LOOK_SECONDS)
        self._reported: set[int] | None = None  # session_uids of what handlers tell about; None: to be found out

    def forget(self) -> None:
        """All that was noted has been seen to."""
        self.notes = Notes(structure=False)

    def noted(self, deadline: float) -> Deltas:
        """What handlers noted, as far as there is time: all of one tick in one transaction."""
        notes, mirror = self.notes, self._mirror
        start = time.perf_counter()
        deltas: Deltas = []
        if notes.structure:
            deltas += mirror.scan()
            notes.structure = False
            self._reported = None
        for owner in notes.embedded:
            deltas += mirror.collect([owner])
        notes.embedded.clear()
        while notes.uids and (not deltas or time.perf_counter() < deadline):
            uid, geometry = notes.uids.popitem()
            uuid = mirror.identity.uuid_of_uid(uid)
            if uuid is not None:
                deltas += mirror.collect([uuid], geometry=geometry)
            if time.perf_counter() > deadline:
                break
        deltas += mirror.introduce()
        self._stats.detect.add(time.perf_counter() - start)
        return deltas

    def all_noted(self) -> Deltas:
        """All that handlers noted, and what came and went."""
        self.notes.structure = True
        return self.noted(math.inf)

    def look_around(self, seconds: float) -> Deltas:
        """Local edits as far as there is time to look for them: what was noted first, then what no handler tells."""
        mirror = self._mirror
        uids = map(mirror.identity.uuid_of_uid, self.notes.uids)
        end = time.perf_counter() + seconds
        deltas: Deltas = []
        for uuid in [*(uuid for uuid in uids if uuid is not None), *mirror.entries]:
            deltas += mirror.collect([uuid])
            if time.perf_counter() > end:
                break
        return deltas

    def sweep(self, deadline: float, now: float) -> Deltas:
        """What nothing reports: the blind properties of all within seconds, all of all within minutes."""
        mirror = self._mirror
        deltas: Deltas = []
        if self._glances.is_over(now):
            struct.forget_changed_plans()
            deltas += mirror.scan()
            if self._reported is None:
                self._reported = blind.reported()
            self._glances.begin(mirror.entries, now)
        if self._looks.is_over(now):
            self._looks.begin(mirror.entries, now)
        self._glances.count(now)
        self._looks.count(now)
        while time.perf_counter() < deadline and (uuid := self._glances.take()) is not None:
            deltas += mirror.glance(uuid, self._reported or ())
        while time.perf_counter() < deadline and (uuid := self._looks.take()) is not None:
            deltas += mirror.look(uuid)
        return deltas + mirror.introduce()
