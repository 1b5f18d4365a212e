"""The body of a text, as one value."""

from __future__ import annotations

from dataclasses import dataclass

from broadcaster.errors import RemoteProtocolError
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
        body = values.encode(struct.as_string())
        return prev if prev == body else body

    def write(self, ctx: Context, struct: Struct, live: Tree, new: Tree, fields: Fields) -> None:
        body = values.decode(new)
        if type(body) is not str:
            raise RemoteProtocolError("a text that is no text")
        if body != struct.as_string():  # writing sets the cursor back
            struct.from_string(body)
