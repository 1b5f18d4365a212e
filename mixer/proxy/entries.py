"""What is mirrored: a datablock's tree in the document beside what Blender read back."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from broadcaster.tree import Tree

from ..rules import KINDS
from .context import Datablock
from .fields import Fields

ORDER: Final = {kind.name: place for place, kind in enumerate(KINDS)}


@dataclass(slots=True)
class Entry:
    """One datablock: the document's tree and the one that Blender read back."""

    kind: str
    doc: Tree
    live: Fields


def in_order(came: Iterable[tuple[str, Datablock, str]]) -> list[tuple[str, Datablock, str]]:
    """[(kind, datablock, uuid)] as they are to be made: what others name first."""
    return sorted(came, key=lambda one: ORDER[one[0]])
