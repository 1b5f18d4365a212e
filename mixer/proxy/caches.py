"""Caches of simulations."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from broadcaster.tree import Tree

from .context import Context, Struct
from .fields import Fields
from .reuse import reuse
from .struct import Pointer

RANGE: Final = ("frame_start", "frame_end")


@dataclass(frozen=True, slots=True)
class ParticleCache(Pointer):
    """The cache of a particle system. Which frames it holds Blender computes as it evaluates, but for hair."""

    pseudo: bool = False

    def read(self, ctx: Context, struct: Struct, prev: Tree, fields: Fields) -> Tree:
        cache = Pointer.read(self, ctx, struct, prev, fields)
        if struct.settings is None or struct.settings.type == "HAIR":
            return cache
        kept = {name: value for name, value in cache.items() if name not in RANGE}
        return reuse(prev, kept)
