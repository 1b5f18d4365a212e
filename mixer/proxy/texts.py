"""The body of a text, as one value."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from broadcaster.errors import RemoteProtocolError
from broadcaster.tree import Tree

from . import values
from .context import Context, Struct
from .fields import Fields
from .reuse import reuse

LONG_LINE: Final = 20_000


@dataclass(frozen=True, slots=True)
class TextProxy:
    """All lines of a text. Whether it registers is a property of its own, and withheld."""

    name: str
    pseudo: bool = False

    def read(self, ctx: Context, struct: Struct, prev: Tree, fields: Fields) -> Tree:
        return reuse(prev, values.encode(struct.as_string()))

    def write(self, ctx: Context, struct: Struct, live: Tree, new: Tree, fields: Fields) -> None:
        body = values.decode(new)
        if type(body) is not str:
            raise RemoteProtocolError("a text that is no text")
        if body != struct.as_string():  # writing sets the cursor back
            _fill(struct, body)


def _fill(text: Struct, body: str) -> None:
    """Writes all lines; those that are very long on their own: Blender's time goes by the square of their length."""
    lines = body.split("\n")
    long = {number: line for number, line in enumerate(lines) if len(line) > LONG_LINE}
    text.from_string("\n".join("" if number in long else line for number, line in enumerate(lines)))
    for number, line in long.items():
        text.lines[number].body = line
