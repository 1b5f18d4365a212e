"""What the two edit scripts share: finding something to edit, and making one edit after another in company."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterable
from typing import Any, Final

import bpy

PACE_SECONDS: Final = 0.12  # between two edits: meanwhile the other's arrive
LATE_SECONDS: Final = 2.5  # until names that both took at once are told apart

Edit = Callable[[], None]


class NothingToEdit(Exception):
    """The scene has nothing of the kind."""


class Edits:
    """The edits of one person. Each is a function whose docstring says what it does.

    edits = Edits(session, "host")

    @edits
    def move_the_boat() -> None:
        "moves a boat"

    edits.run()
    """

    def __init__(self, session: Any, who: str) -> None:
        self._session = session
        self._who = who
        self._edits: list[Edit] = []
        self._old = {(one.id_type, one.name) for one in bpy.data.user_map()}

    def __call__(self, edit: Edit) -> Edit:
        self._edits.append(edit)
        return edit

    def find(self, collection: Iterable[Any], name: str, fits: Callable[[Any], object] = bool) -> Any:
        """The one of that name; else any that fits, so that an edit works in every scene. Raises NothingToEdit."""
        able = [one for one in collection if one.library is None and fits(one)]
        able.sort(key=lambda one: (one.name != name, (one.id_type, one.name) not in self._old))
        if not able:
            raise NothingToEdit(name)
        return able[0]

    def find_old(self, collection: Iterable[Any], name: str, fits: Callable[[Any], object] = bool) -> Any:
        """The same, of what was here before the edits: for those that take something away. Raises NothingToEdit."""
        return self.find(collection, name, lambda one: (one.id_type, one.name) in self._old and fits(one))

    def run(self) -> None:
        """Waits for the other, makes all edits at the same time, and stays until both hold the same.

        Raises TimeoutError if the other does not come, or the room does not come to rest.
        """
        session = self._session
        self._tell("ready")
        session.barrier("ready", 2)
        for edit in self._edits:
            try:
                edit()
            except NothingToEdit as exc:
                self._tell("skipped", text=f"no {exc} in this scene")
                continue
            session.pump(PACE_SECONDS)
            self._tell("edit", text=(edit.__doc__ or edit.__name__).strip())
        for moment in ("edited", "late", "settled"):
            session.settle()
            session.barrier(moment, 2)
            session.pump(LATE_SECONDS if moment == "edited" else 0)
        self._tell("end", revision=session.revision, digest=session.digest())

    def _tell(self, event: str, **more: object) -> None:
        """One line of JSON on standard output, for whoever watches."""
        stats = self._session.stats()
        traffic = {"sent": stats["sent"], "received": stats["received"], "revision": stats["revision"]}
        print(json.dumps({"demo": event, "who": self._who, "time": time.time(), **traffic, **more}), flush=True)
