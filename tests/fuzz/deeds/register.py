"""What edits by the API share: the register of them by kind, and chances to draw from."""

from __future__ import annotations

from collections.abc import Callable
from random import Random
from typing import Any, Final

import bpy

from ..legal import NAMES

EVERY: Final = "MESH CURVE SURFACE FONT META ARMATURE LATTICE EMPTY LIGHT CAMERA SPEAKER LIGHT_PROBE"
SHAPED: Final = "MESH CURVE SURFACE FONT META LATTICE"

Deed = Callable[[Random], Any]
DEEDS: Final[dict[str, list[Deed]]] = {}


def deed(*kinds_of_it: str) -> Callable[[Deed], Deed]:
    """A decorator: this is one of the edits of these kinds."""

    def note(function: Deed) -> Deed:
        for kind in kinds_of_it:
            DEEDS.setdefault(kind, []).append(function)
        return function

    return note


def objects(types: str = EVERY) -> list[Any]:
    return [one for one in bpy.data.objects if one.type in types.split()]


def name_of(chance: Random) -> str:
    return chance.choice(NAMES)


def vector(chance: Random, length: int = 3) -> list[float]:
    return [round(chance.uniform(-3, 3), 2) for _ in range(length)]


def pick(chance: Random, things: Any) -> Any:
    """One of them. Raises IndexError if there is none."""
    return chance.choice(list(things))
