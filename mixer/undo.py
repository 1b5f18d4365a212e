"""What undo or redo did, told apart: Blender goes back to an older state of the whole file, another's work included."""

from __future__ import annotations

from typing import Final

from broadcaster.document import Deltas
from broadcaster.tree import Path, Tree, tag

from .authors import Authors, filtered
from .proxy import Mirror
from .proxy.entries import in_order

LASTING: Final = {  # parts that Blender makes and only an undo takes away: others could not follow
    ("bevel_profile",),
    ("clump_curve",),
    ("color_ramp",),
    ("node_tree",),
    ("roughness_curve",),
    ("twist_curve",),
    ("render", "image_settings", "view_settings", "curve_mapping"),
    ("view_settings", "curve_mapping"),
}


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
