"""Proxies of link sets: which objects and collections a collection holds."""

from __future__ import annotations

from dataclasses import dataclass

from broadcaster.tree import Tree, link_set

from .context import Context, Struct
from .fields import Fields
from .reuse import reuse


@dataclass(frozen=True, slots=True)
class LinksProxy:
    """A collection of datablocks without order, changed by link and unlink."""

    name: str
    pseudo: bool = False

    def read(self, ctx: Context, struct: Struct, prev: Tree, fields: Fields) -> Tree:
        uuids = {uuid for one in getattr(struct, self.name) if (uuid := ctx.directory.uuid_of(one)) is not None}
        return reuse(prev, link_set(uuids))

    def write(self, ctx: Context, struct: Struct, live: Tree, new: Tree, fields: Fields) -> None:
        before, after = set(live["of"]) if live else set(), set(new["of"])
        collection = getattr(struct, self.name)
        for uuid in sorted(before - after):
            if (gone := ctx.directory.find(uuid)) is not None:
                collection.unlink(gone)
        for uuid in sorted(after - before):
            if (found := ctx.directory.find(uuid)) is not None:
                collection.link(found)
