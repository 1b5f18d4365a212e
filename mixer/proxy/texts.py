"""The body of a text, as one value."""

from __future__ import annotations

from dataclasses import dataclass

from broadcaster.tree import Tree

from . import values
from .context import Context, Struct
from .struct import Fields


@dataclass(frozen=True, slots=True)
class TextProxy:
    """All lines of a text. Whether it registers is a property of its own, and withheld."""

    name: str
    pseudo: bool = False

    def read(self, ctx: Context, struct: Struct, prev: Tree, fields: Fields) -> Tree:
        return values.encode(struct.as_string())

    def write(self, ctx: Context, struct: Struct, live: Tree, new: Tree, fields: Fields) -> None:
        struct.from_string(values.decode(new))
