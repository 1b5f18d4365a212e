"""Names of datablocks: Blender keeps those of one kind apart, the document need not."""

from __future__ import annotations

from typing import Final

import bpy

from broadcaster.document import Deltas

from . import values
from .context import Context, Datablock
from .entries import Entry
from .fields import WRITE_ERRORS
from .identity import Identity

ASIDE: Final = "mixer.moving"  # what bears it gets its own name next


class Naming:
    """Gives datablocks the names of the document, as far as they are free."""

    def __init__(self, identity: Identity, entries: dict[str, Entry], ctx: Context) -> None:
        self._identity = identity
        self._entries = entries
        self._ctx = ctx
        self.clashing: set[str] = set()  # whose name in the document another bears here

    def settle(self, uuid: str) -> None:
        """Writes a name that was taken once more: by now it may be free. `clashing` holds those whose is not.

        Whoever bears it here and another one in the document is set aside, and gets that next.
        """
        unsettled: str | None = uuid
        while unsettled is not None:
            unsettled = self._settle_one(unsettled)

    def _settle_one(self, uuid: str) -> str | None:
        """Whose name is to be settled next, having been set aside."""
        entry, datablock = self._entries.get(uuid), self._identity.find(uuid)
        self.clashing.discard(uuid)
        if entry is None or datablock is None or entry.live.get("name") == entry.doc.get("name"):
            return None
        aside = self._set_aside(entry)
        try:
            datablock.name = values.decode(entry.doc.get("name"))
        except WRITE_ERRORS as exc:
            self._ctx.refuse(datablock, "name", exc)
        entry.live = {**entry.live, "name": values.encode(datablock.name)}
        if entry.live["name"] != entry.doc.get("name") and _bearer(entry) is not None:
            self.clashing.add(uuid)
        return aside

    def _set_aside(self, entry: Entry) -> str | None:
        """Frees the name that the document gives to `entry`, if who bears it here has another one there."""
        holder = _bearer(entry)
        uuid = None if holder is None else self._identity.uuid_of(holder)
        other = None if uuid is None else self._entries.get(uuid)
        if holder is None or other is None or not other.doc or other.doc.get("name") == entry.doc.get("name"):
            return None
        if other.live.get("name") != values.encode(holder.name):
            return None  # renamed here, and not noticed yet
        holder.name = ASIDE
        other.live = {**other.live, "name": values.encode(holder.name)}
        return uuid

    def holder(self, uuid: str) -> str | None:
        """Who bears the name here that the document gives to `uuid`."""
        entry = self._entries.get(uuid)
        holder = _bearer(entry) if entry is not None else None
        return None if holder is None else self._identity.uuid_of(holder)

    def rename(self, later: str, first: str) -> Deltas:
        """Lets `first` have the name that both bear in the document; `later` gets a free one, which the delta tells."""
        named, renamed = self._identity.find(first), self._identity.find(later)
        if named is None or renamed is None:
            return []
        renamed.name = ASIDE
        self.settle(first)
        renamed.name = self._entries[later].doc["name"]
        self.clashing.discard(later)
        entry = self._entries[later]
        entry.live = {**entry.live, "name": renamed.name}
        return [[later, ["patch", {"name": ["put", renamed.name]}]]]


def _bearer(entry: Entry) -> Datablock | None:
    """Who bears the name here that the document gives to this one."""
    name = entry.doc.get("name")
    return getattr(bpy.data, entry.kind).get(name) if type(name) is str else None
