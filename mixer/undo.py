"""What undo or redo did, told apart: Blender goes back to an older state of the whole file, another's work included."""

from __future__ import annotations

import time
from typing import Final

from broadcaster.document import Deltas
from broadcaster.tree import Path, Tree, tag

from .authors import Authors, filtered
from .exchange import Exchange
from .lookout import Lookout
from .proxy import Mirror
from .proxy.entries import in_order
from .proxy.undo_steps import Whole
from .proxy.untold import LASTING
from .work import Work

AROUND_SECONDS: Final = 0.2  # to look around before an undo, which itself takes as long in a scene of 2,000 objects
REST_SECONDS: Final = 1.5


class Undo:
    """What is done right before an undo or redo, right after it, and so that the next one takes nothing of others."""

    def __init__(self, mirror: Mirror, lookout: Lookout, exchange: Exchange, work: Work) -> None:
        self._mirror = mirror
        self._lookout = lookout
        self._exchange = exchange
        self._work = work
        self._whole = Whole()
        self._ended = 0.0  # when there was an undo

    def begin(self, *, in_step: bool) -> None:
        """Before it: what was edited here and not found yet is ours, and none of what the undo does."""
        if in_step and not self._lookout.notes.undone:
            if not self._work:  # else there may be what Blender makes for a moment
                self._exchange.edit(self._lookout.all_noted())
            self._exchange.edit(self._lookout.look_around(AROUND_SECONDS))
        self._whole.begin()

    def end(self) -> None:
        """After it every reference into bpy.data is void, and anything may have changed."""
        self._whole.end()
        self._mirror.identity.forget()
        self._lookout.notes.undone = True
        self._ended = time.monotonic()

    def settle(self) -> None:
        """Sends what it changed of ours, and puts back what it changed of others. Nothing comes between."""
        self._lookout.forget()
        self._mirror.looked_at.clear()
        mine, wrong = split(self._mirror, self._exchange.authors)
        self._exchange.edit(mine)
        self._work.at_once(self._mirror.restore(wrong | self._mirror.waiting, self._exchange.member))

    def wants_step(self, heard: float) -> bool:
        """Whether it is time for an undo step, if all is quiet and the room was `heard` last at that time.

        Without one the next undo would take along what others made. Not before the user rests, nor while there may be
        something to redo, which a step would end.
        """
        edited = self._exchange.edited
        rests = time.monotonic() - max(heard, edited) > REST_SECONDS
        return self._mirror.made and rests and self._ended <= edited

    def leave(self) -> None:
        """Undo is Blender's own again."""
        self._whole.end()


def split(mirror: Mirror, authors: Authors) -> tuple[Deltas, set[str]]:
    """The part that is ours to send, and whose state is not what it is to be: `Mirror.restore` puts that back.

    Each field that another wrote last is theirs, with what they made and what they removed.
    """
    mirror.identity.forget()
    mirror.identity.stamp()
    came, went = mirror.identity.scan()
    deltas: Deltas = []
    wrong: set[str] = set()
    for _, uuid in went:
        mirror.dismiss(uuid)
        if authors.theirs(uuid):
            wrong.add(uuid)
        else:
            deltas.append([uuid, ["remove"]])
    lost = frozenset(wrong)
    known = list(mirror.entries)
    back = [one for one in came if one[2] not in mirror.entries]
    mirror.discard([(kind, uuid) for kind, _, uuid in back if authors.theirs(uuid)])
    ours = [one for one in in_order(back) if not authors.theirs(one[2])]
    there = {*mirror.entries, *(uuid for _, _, uuid in ours)}
    for kind, datablock, uuid in ours:
        delta = mirror.admit(kind, datablock, uuid)
        live = mirror.entries[uuid].live
        if (tree := authors.brought_back(uuid, live, there.__contains__)) is not live:
            delta = [uuid, ["create", kind, tree]]
            wrong.add(uuid)
        deltas.append(delta)
    for uuid in known:
        before = mirror.entries[uuid].live if uuid in mirror.entries else None
        for changed, delta in mirror.collect([uuid]):
            mine = authors.mine(changed, delta, before if changed == uuid else None, lost)
            if mine is not None and (mine := filtered(mine, _can_go, before)) is not None:
                deltas.append([changed, mine])
            if mine != delta:
                wrong.add(changed)
    return deltas, wrong


def _can_go(path: Path, before: Tree) -> bool:
    """Whether others could do without what stood at a path before the undo, as this Blender does now."""
    return path not in LASTING or type(before) is not dict or tag(before) != ""
