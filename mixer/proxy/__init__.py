"""The proxies: bpy.data as trees. Importing this package joins the special proxies to the generic ones."""

from __future__ import annotations

from . import (
    actions,
    bones,
    collection,
    drivers,
    geometry,
    interface,
    links,
    modifier_inputs,
    nodes,
    shape_keys,
    slots,
    sockets,
    struct,
    texts,
)
from .mirror import Mirror

struct.COLLECTIONS.update(items=collection.ItemsProxy, rows=collection.RowsProxy)
struct.SPECIAL.update(
    {
        "action": actions.proxy,
        "bones": bones.proxy,
        "class": struct.ClassName,
        "constant": struct.Constant,
        "drivers": drivers.proxy,
        "geometry": geometry.GeometryProxy,
        "interface": interface.InterfaceProxy,
        "links": links.LinksProxy,
        "modifier_inputs": modifier_inputs.ModifierInputs,
        "node": nodes.OtherNode,
        "node_links": nodes.NodeLinksProxy,
        "nodes": nodes.NodesProxy,
        "pose_bone": bones.proxy,
        "shape_keys": shape_keys.ShapeKeys,
        "slot": actions.SlotReference,
        "slot_material": slots.SlotMaterial,
        "sockets": sockets.SocketsProxy,
        "text": texts.TextProxy,
    }
)

__all__ = ["Mirror"]
