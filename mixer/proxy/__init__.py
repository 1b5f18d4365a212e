"""The proxies: bpy.data as trees. Importing this package joins the special proxies to the generic ones."""

from __future__ import annotations

from operator import methodcaller

from . import (
    actions,
    alike,
    bones,
    caches,
    collection,
    create,
    curve_mapping,
    drivers,
    fields,
    geometry,
    hair,
    images,
    interface,
    links,
    modifier_inputs,
    nla,
    node_links,
    nodes,
    packed,
    shape_keys,
    slots,
    sockets,
    splines,
    struct,
    texts,
    weights,
)
from .mirror import Mirror

struct.COLLECTIONS.update(items=collection.ItemsProxy, rows=collection.RowsProxy)
struct.SPECIAL.update(
    {
        "action": actions.proxy,
        "animated_by": actions.AnimatedBy,
        "beyond": fields.Beyond,
        "bones": bones.proxy,
        "class": fields.ClassName,
        "constant": fields.Constant,
        "drivers": drivers.proxy,
        "first_name": fields.FirstName,
        "geometry": geometry.GeometryProxy,
        "hair": hair.HairProxy,
        "image": images.ImageProxy,
        "image_size": images.ImageSize,
        "interface": interface.InterfaceProxy,
        "kept": fields.Kept,
        "line_style": fields.NeverNone,
        "links": links.LinksProxy,
        "modifier_inputs": modifier_inputs.ModifierInputs,
        "nla": nla.StripsProxy,
        "node": nodes.OtherNode,
        "node_links": node_links.NodeLinksProxy,
        "nodes": nodes.NodesProxy,
        "packed": packed.PackedProxy,
        "particle_cache": caches.ParticleCache,
        "pose_bone": bones.proxy,
        "shape_keys": shape_keys.ShapeKeys,
        "slot": actions.SlotReference,
        "slot_material": slots.SlotMaterial,
        "sockets": sockets.SocketsProxy,
        "splines": splines.SplinesProxy,
        "text": texts.TextProxy,
        "texture_space": fields.TextureSpace,
        "vertex_groups": weights.ObjectGroups,
    }
)
struct.AFTER.update(
    curve_mapping=curve_mapping.update,
    curve_profile=methodcaller("update"),
    inverse=lambda constraint: setattr(constraint, "set_inverse_pending", False),  # it was told
)
create.CREATORS.update(alike.CREATORS)
create.CREATORS.update(images.CREATORS)
create.CREATORS.update(packed.CREATORS)

__all__ = ["Mirror"]
