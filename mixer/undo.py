"""What undo or redo did, told apart: Blender goes back to an older state of the whole file, another's work included."""

from __future__ import annotations

from broadcaster.document import Deltas

from .authors import Authors
from .proxy import Mirror
from .proxy.mirror import in_order


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
    deltas += [mirror.admit(*one) for one in in_order(back) if not authors.theirs(one[2])]
    for uuid in known:
        before = mirror.entries[uuid].live
        for _, delta in mirror.collect([uuid]):
            mine = authors.mine(uuid, delta, before, lost)
            if mine is not None:
                deltas.append([uuid, mine])
            if mine != delta:
                wrong.add(uuid)
    return deltas, wrong
