"""The geometry of a mesh: topology, attributes and weights as arrays of one layout, and what names some of them."""

from __future__ import annotations

import secrets
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final

import bmesh
import numpy as np

from broadcaster.errors import RemoteProtocolError
from broadcaster.tree import Tree, tag

from . import attributes, topology, weights
from .arrays import Array, Hashes, decode, encode, header, splice
from .attributes import POSITION, UV_MAP, UV_PINS
from .context import Busy, Context, Datablock, Struct
from .fields import Fields
from .reuse import reuse
from .topology import OFFSETS, Topology
from .weights import WEIGHTS

ARRAYS: Final = "arrays"  # the layout
GROUPS: Final = "groups"  # the vertex groups
UV_MAPS: Final = "uv_maps"  # their names in order
UV_RENDER: Final = "uv_render"  # the name of the one that renders
COLOR_RENDER: Final = "color_render"  # the same of colors
HASHES: Final = "geometry"  # handle: Hashes by array
LATE: Final = "weights late"  # handle: whether weights are still to be read
MANY_POINTS: Final = 20_000  # from here on weights take long to read
MOST_EDITED: Final = 200_000  # vertices: larger meshes are not looked at while they are in edit mode


@dataclass(frozen=True, slots=True)
class GeometryProxy:
    """All arrays of a mesh, replaced together when the topology changes, and the names of its groups and maps.

    To write a mesh in edit mode, or the topology of one that is sculpted or painted, raises Busy.
    """

    name: str
    pseudo: bool = True

    # Reading

    def read(self, ctx: Context, struct: Struct, prev: Tree, fields: Fields) -> Tree:
        before: Fields = prev if tag(prev) == "" else {}
        owner = weights.owner_of(ctx, struct)
        groups = weights.read_groups(owner, before.get(GROUPS))
        known = before and groups is before.get(GROUPS)
        named = known and _names(struct).items() <= before.items()
        if named and not ctx.geometry and not ctx.handles().get(LATE):
            return prev
        with _readable(struct, owner) as mesh:
            if mesh is None:
                return prev if prev is not None else _tree(_layout({}), groups, struct)
            layout = _read_arrays(ctx, mesh, before.get(ARRAYS), owner, groups, hurry=bool(known and ctx.geometry))
            tree = _tree(layout, groups, mesh)
        return reuse(prev, tree)

    # Writing

    def write(self, ctx: Context, struct: Struct, live: Tree, new: Tree, fields: Fields) -> None:
        if struct.is_editmode:
            raise Busy("the mesh is in edit mode")
        if tag(new) != "" or tag(new.get(ARRAYS)) != "layout":
            raise RemoteProtocolError("malformed geometry")
        before: Fields = live if live is not None else self.read(ctx, struct, None, {})
        numbers = weights.numbers_of(new.get(GROUPS))
        update = _prepare(ctx, struct, before[ARRAYS], new[ARRAYS]["of"], _maps_to_remake(before, new))
        grouped = before.get(GROUPS) != new.get(GROUPS)
        with weights.any_owner(ctx, struct) if numbers or grouped or struct.shape_keys else _nobody() as owner:
            if update.topology is not None:
                if owner is not None and owner.mode not in ("OBJECT", "POSE"):
                    raise Busy("the mesh is being sculpted or painted")
                topology.replace(struct, update.topology)
            _write_attributes(ctx, struct, update, new)
            if owner is not None and (grouped or update.weights is not None or update.topology is not None):
                weights.write_groups(owner, before.get(GROUPS), new.get(GROUPS))
                array = update.weights if update.weights is not None else _weights(ctx, new[ARRAYS]["of"])
                weights.write(struct, owner, array, numbers)
        struct.update()


@contextmanager
def _nobody() -> Iterator[None]:
    yield None


# Reading ------------------------------------------------------------------------------------------------------------


def _layout(of: dict[str, Tree]) -> Tree:
    return {"$": "layout", "id": secrets.token_urlsafe(8), "of": of}


def _tree(layout: Tree, groups: Tree, mesh: Any) -> Fields:
    return {ARRAYS: layout, GROUPS: groups, **_names(mesh)}


def _names(mesh: Any) -> Fields:
    """Which maps there are and what renders: nothing reports when one is removed or chosen."""
    maps, color = mesh.uv_layers, mesh.attributes.default_color_name
    return {
        UV_MAPS: [one.name for one in maps],
        UV_RENDER: next((one.name for one in maps if one.active_render), maps[0].name if maps else None),
        COLOR_RENDER: color if color in mesh.attributes else None,  # it stays when the attribute goes
    }


@contextmanager
def _readable(mesh: Datablock, owner: Datablock | None) -> Iterator[Any]:
    """A mesh whose arrays can be read: of one in edit mode a copy that is in no file, or None."""
    if not mesh.is_editmode:
        yield mesh
        return
    edited = bmesh.from_edit_mesh(mesh)
    # With shape keys it shows one of them, and writing it anywhere would write the keys.
    if owner is None or mesh.shape_keys is not None or len(edited.verts) > MOST_EDITED:
        yield None
        return
    copy = owner.to_mesh()
    try:
        edited.to_mesh(copy)
        yield copy
    finally:
        owner.to_mesh_clear()


def _read_arrays(ctx: Context, mesh: Any, prev: Tree, owner: Datablock | None, groups: Tree, *, hurry: bool) -> Tree:
    """The layout, under the id it had if the topology is the same."""
    hashes: dict[str, Hashes] = ctx.handles().setdefault(HASHES, {})

    def node(key: str, array: Array) -> Tree:
        return encode(array, ctx.blobs, hashes.setdefault(key, Hashes()))

    before: Mapping[str, Tree] = prev["of"] if prev is not None else {}
    of = {key: node(key, topology.read(mesh, key)) for key in topology.RAW}
    # Which corners make a face follows from the edges they have: the slow array is read only where those changed.
    counted = (before[OFFSETS]["shape"], before[POSITION]["shape"][:1]) if OFFSETS in before else None
    same = counted == ([len(mesh.polygons) + 1], [len(mesh.vertices)])
    same = same and all(before[key] == of[key] for key in topology.RAW)
    of[OFFSETS] = before[OFFSETS] if same else node(OFFSETS, topology.read_offsets(mesh))
    of[POSITION] = node(POSITION, np.empty((0, 3), np.float32))  # an empty mesh has no such attribute
    of |= {key: node(key, array) for key, array in attributes.read_all(mesh)}
    of |= _read_weights(ctx, mesh, before if same else {}, of, owner, groups, hurry=hurry, node=node)
    return {"$": "layout", "id": prev["id"], "of": of} if same else _layout(of)


def _read_weights(
    ctx: Context,
    mesh: Any,
    before: Mapping[str, Tree],
    of: Mapping[str, Tree],
    owner: Datablock | None,
    groups: Tree,
    *,
    hurry: bool,
    node: Any,
) -> dict[str, Tree]:
    """The weights. In a hurry those of a large mesh stay as they were when another change explains Blender's notice."""
    stay = _weight_arrays(before)
    if owner is None:
        return stay
    numbers = weights.numbers_of(groups)
    if not numbers:
        return {}
    late = hurry and len(mesh.vertices) >= MANY_POINTS and owner.mode not in ("WEIGHT_PAINT", "EDIT")
    late = late and any(before.get(key) != array for key, array in of.items())
    ctx.handles()[LATE] = late
    if late:
        return stay
    array = weights.read(mesh, numbers)
    key = f"{WEIGHTS}{array.shape[1]}"
    return {key: node(key, array)} if array.size else {}


# Writing ------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Update:
    """What is to be written, checked and at hand."""

    topology: Topology | None  # None: it stays
    attributes: dict[str, Array]
    gone: frozenset[str]
    weights: Array | None


def _prepare(ctx: Context, mesh: Any, live: Tree, of: Mapping[str, Tree], remake: frozenset[str]) -> _Update:
    """Checks everything that is new before anything is written. Raises RemoteProtocolError."""
    before: Mapping[str, Tree] = live["of"]
    hashes: dict[str, Hashes] = ctx.handles().setdefault(HASHES, {})

    def given(key: str) -> Array:
        array = decode(of[key], ctx.blobs)
        hashes.setdefault(key, Hashes()).learn(array, of[key])  # it is about to be read back
        return array

    stays = all(key in of and before.get(key) == of[key] for key in topology.KEYS)
    stays = stays and before[POSITION]["shape"] == of.get(POSITION, {}).get("shape")
    new = None if stays else topology.checked(of, given)
    counts = topology.counts_of(mesh) if new is None else new.counts()
    found: dict[str, Array] = {}
    hidden = attributes.of_one_name([key for key in of if key not in topology.KEYS and not key.startswith(WEIGHTS)])
    for key, node in of.items():
        same = stays and before.get(key) == node and key not in remake
        if key in topology.KEYS or key.startswith(WEIGHTS) or same:
            continue
        attributes.check(key, node, counts)
        if key in hidden:
            ctx.refuse(mesh, key, "another attribute has that name")
        elif not attributes.is_supported(key):
            ctx.refuse(mesh, key, "this Blender has no such attributes")
        elif key in before and stays and (attribute := attributes.find(mesh, key)) is not None:
            found[key] = splice(attributes.read(attribute), before[key], node, ctx.blobs)
        else:
            found[key] = given(key)
    gone = frozenset(key for key in before if (key not in of or key in hidden) and not key.startswith(WEIGHTS)) | remake
    weighted = not stays or _weight_arrays(before) != _weight_arrays(of)
    array = _weights(ctx, of, counts["POINT"]) if weighted else None
    return _Update(new, found, gone if stays else frozenset(), array)


def _weight_arrays(of: Mapping[str, Tree]) -> dict[str, Tree]:
    return {key: node for key, node in of.items() if key.startswith(WEIGHTS)}


def _weights(ctx: Context, of: Mapping[str, Tree], points: int | None = None) -> Array:
    """The weights in a layout, checked. Two members may each have put an array of another width: the widest holds."""
    points = header(of[POSITION])[1][0] if points is None else points
    key = max(_weight_arrays(of), key=lambda key: (len(key), key), default=None)
    if key is None:
        return np.empty((points, 0, 2), np.float32)
    dtype, shape, _ = header(of[key])
    if dtype != np.float32 or len(shape) != 3 or (shape[0], shape[2]) != (points, 2):
        raise RemoteProtocolError("weights do not fit the mesh")
    return decode(of[key], ctx.blobs)


def _maps_to_remake(live: Fields, new: Fields) -> frozenset[str]:
    """The UV maps, and their pins, that can only get to their place by being made again: Blender does not move them."""
    of = new[ARRAYS]["of"]
    wanted, here = _map_order(new), [name for name in live.get(UV_MAPS, ()) if UV_MAP + name in of]
    start = next((i for i, (one, two) in enumerate(zip(here, wanted, strict=False)) if one != two), len(here))
    return frozenset(key for name in here[start:] for key in (UV_MAP + name, UV_PINS + name) if key in of)


def _map_order(new: Fields) -> list[str]:
    """The UV maps in their order; those of which the list does not know yet come last."""
    there = [key.removeprefix(UV_MAP) for key in new[ARRAYS]["of"] if key.startswith(UV_MAP)]
    listed = new.get(UV_MAPS)
    order = {name: place for place, name in enumerate(listed) if type(name) is str} if type(listed) is list else {}
    return sorted(there, key=lambda name: order.get(name, len(order)))


def _write_attributes(ctx: Context, mesh: Any, update: _Update, new: Fields) -> None:
    for key in update.gone:
        attributes.remove(mesh, key)
    maps = [UV_MAP + name for name in _map_order(new)]
    order = [*(key for key in maps if key in update.attributes), *(key for key in update.attributes if key not in maps)]
    for key in order:
        if not attributes.write(mesh, key, update.attributes[key]):
            ctx.refuse(mesh, key, "Blender does not take an attribute of that name")
    if attributes.HAS_NORMALS and attributes.NORMALS in update.attributes:
        _restore_sharp_edges(ctx, mesh, new[ARRAYS]["of"])
    if (render := mesh.uv_layers.get(str(new.get(UV_RENDER)))) is not None and not render.active_render:
        render.active_render = True
    color = new.get(COLOR_RENDER) or ""
    if mesh.attributes.default_color_name != color and (color == "" or color in mesh.attributes):
        mesh.attributes.default_color_name = color


def _restore_sharp_edges(ctx: Context, mesh: Any, of: Mapping[str, Tree]) -> None:
    """Setting custom normals marks edges as sharp."""
    attributes.remove(mesh, attributes.SHARP_EDGE)
    if attributes.SHARP_EDGE in of:
        attributes.write(mesh, attributes.SHARP_EDGE, decode(of[attributes.SHARP_EDGE], ctx.blobs))
