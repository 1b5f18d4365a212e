"""The proxies: bpy.data as trees. Importing this package joins the special proxies to the generic ones."""

from __future__ import annotations

from . import animation, collection, links, slots, struct
from .mirror import Mirror

struct.COLLECTIONS.update(items=collection.ItemsProxy, rows=collection.RowsProxy)
struct.SPECIAL.update(
    {
        "constant": struct.Constant,
        "class": struct.ClassName,
        "links": links.LinksProxy,
        "slot_material": slots.SlotMaterial,
    }
)

__all__ = ["Mirror"]
