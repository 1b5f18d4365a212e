"""The proxies: bpy.data as trees. Importing this package joins the special proxies to the generic ones."""

from __future__ import annotations

from . import bones, collection, geometry, links, shape_keys, slots, struct
from .mirror import Mirror

struct.COLLECTIONS.update(items=collection.ItemsProxy, rows=collection.RowsProxy)
struct.SPECIAL.update(
    {
        "constant": struct.Constant,
        "class": struct.ClassName,
        "links": links.LinksProxy,
        "bones": bones.proxy,
        "geometry": geometry.GeometryProxy,
        "pose_bone": bones.proxy,
        "shape_keys": shape_keys.ShapeKeys,
        "slot_material": slots.SlotMaterial,
    }
)

__all__ = ["Mirror"]
