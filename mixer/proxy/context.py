"""What proxies share while they read or write one datablock."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Protocol

import bpy

from broadcaster.tree import Tree

Struct = Any  # a bpy_struct: its properties are known at run time only
Datablock = Any  # a bpy.types.ID

MAX_REASON_CHARS: Final = 300


class Busy(Exception):
    """The user is in a mode in which this must not be written: to be tried again later."""


class Blobs(Protocol):
    """Bytes by their sha256."""

    def put(self, data: bytes) -> str: ...

    def get(self, sha: str) -> bytes: ...


class Directory(Protocol):
    """Datablocks by uuid and back."""

    def uuid_of(self, datablock: Datablock) -> str | None: ...

    def find(self, uuid: str) -> Datablock | None: ...


@dataclass(slots=True)
class Context:
    """Handed to every proxy. One `uuid` is worked on at a time; nothing here holds a bpy reference."""

    directory: Directory
    blobs: Blobs
    trusted: bool = False
    uuid: str = ""
    geometry: bool = True  # whether arrays are to be read; else they stay as they were
    derived: Mapping[tuple[int, str], frozenset[int]] = field(default_factory=dict)  # what curves and drivers control
    local: dict[str, dict[str, Any]] = field(default_factory=dict)  # uuid -> handles that hold on this peer only
    refused: dict[str, str] = field(default_factory=dict)  # "Type.property" -> why Blender did not take it
    busy: bool = False  # whether something could not be written because of the user's mode
    by_products: list[tuple[str, int]] = field(default_factory=list)  # (kind, session_uid) of what Blender made unasked
    withheld: dict[str, str] = field(
        default_factory=dict
    )  # "datablock: property" -> what a member sent and trust holds back
    unknown: dict[int, str] = field(default_factory=dict)  # session_uid of what has no uuid yet -> uuid of who names it
    strangers: set[int] = field(default_factory=set)  # session_uids of what never gets one
    items_of: Callable[[str], Tree | None] = lambda uuid: None  # the live tree of another datablock

    def refuse(self, struct: Struct, name: str, why: object) -> None:
        """Notes that a value could not be written; it is listed, never hidden."""
        self.refused[f"{type(struct).__name__}.{name}"] = str(why)[:MAX_REASON_CHARS]

    def withhold(self, struct: Struct, name: str) -> None:
        """Notes that a value stays in the document and out of Blender until the room is trusted."""
        owner = struct.id_data
        self.withheld[f"{owner.name if owner else self.uuid}: {type(struct).__name__}.{name}"] = "withheld: not trusted"

    def meet(self, datablock: Datablock) -> None:
        """Notes that the datablock at hand names one without a uuid: a new one, unless it is never mirrored."""
        if isinstance(datablock, bpy.types.ID) and datablock.session_uid not in self.strangers:
            self.unknown[datablock.session_uid] = self.uuid

    def handles(self) -> dict[str, Any]:
        """Local handles of the datablock at hand, kept between reads."""
        return self.local.setdefault(self.uuid, {})
