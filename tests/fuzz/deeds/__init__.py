"""What people do to a scene, by kinds: operators, and edits by the API. Runs in a Blender."""

from __future__ import annotations

from random import Random
from typing import Final

from ..anything import edit_anything
from . import animation, data, datablocks, nodes, on_objects  # noqa: F401 (they register what they bring)
from .operators import OPERATORS, Tell, call
from .register import DEEDS, pick

ANYTHING: Final = "anything"
KINDS: Final = tuple(sorted(OPERATORS.keys() | DEEDS.keys() | {ANYTHING}))
WEIGHTS: Final = {
    ANYTHING: 12,
    "add": 2,
    "object": 3,
    "remove": 1,
    "mesh": 3,
    "move": 3,
    "nodes": 3,
    "purge": 0.2,
    "scene": 0.7,
}


def do(chance: Random, kind: str, tell: Tell) -> str:
    """One edit of a kind; what it did. Raises what Blender raises where there is nothing to do it to."""
    if kind == ANYTHING:
        return edit_anything(chance, tell)
    by_api = DEEDS.get(kind, [])
    if kind in OPERATORS and (not by_api or chance.random() < 0.5):
        return call(chance, kind, tell)
    function = pick(chance, by_api)
    tell(f"{function.__name__}: ")
    return str(function(chance))
