"""The arrays of a mesh: topology, attributes and vertex weights, through raw attributes into numpy."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

import bmesh
import bpy
import numpy as np

from broadcaster.errors import RemoteProtocolError
from broadcaster.tree import Tree

from .arrays import Array, Hashes, decode, encode
from .context import Blobs, Busy, Context, Struct
from .struct import Fields

# data type of an attribute -> the property that holds its value, numpy type in Blender, elements in one value
VALUES: Final[dict[str, tuple[str, str, int]]] = {
    "FLOAT": ("value", "<f4", 1),
    "INT": ("value", "<i4", 1),
    "FLOAT_VECTOR": ("vector", "<f4", 3),
    "FLOAT_COLOR": ("color", "<f4", 4),
    "BYTE_COLOR": ("color_srgb", "<f4", 4),
    "BOOLEAN": ("value", "|b1", 1),
    "FLOAT2": ("vector", "<f4", 2),
    "INT8": ("value", "|i1", 1),
    "INT16_2D": ("value", "<i2", 2),
    "INT32_2D": ("value", "<i4", 2),
    "QUATERNION": ("value", "<f4", 4),
    "FLOAT4X4": ("value", "<f4", 16),
}
DOMAINS: Final = ("POINT", "EDGE", "CORNER", "FACE")
POSITION: Final = "POINT/FLOAT_VECTOR/position"
EDGES: Final = "topology/edges"  # int32 (edges, 2): vertices
CORNER_VERTS: Final = "topology/corner_verts"  # int32 (corners,)
CORNER_EDGES: Final = "topology/corner_edges"  # int32 (corners,)
OFFSETS: Final = "topology/offsets"  # int32 (faces + 1,): the first corner of each face, and the count of all
WEIGHTS: Final = ("weights/offsets", "weights/groups", "weights/values")  # int32 (points + 1,), int32, float32
RAW: Final = {EDGES: ".edge_verts", CORNER_VERTS: ".corner_vert", CORNER_EDGES: ".corner_edge"}
PER_USER: Final = (".select_vert", ".select_edge", ".select_poly", ".vs.", ".es.", ".pn.")  # selections
HASHES: Final = "geometry"


@dataclass(frozen=True, slots=True)
class GeometryProxy:
    """One layout node: all arrays of a mesh, replaced together when the topology changes."""

    name: str
    pseudo: bool = True

    def read(self, ctx: Context, struct: Struct, prev: Tree, fields: Fields) -> Tree:
        if prev is not None and not ctx.geometry:
            return prev
        if struct.is_editmode and prev is not None:
            return prev  # seen when the mode is left
        hashes: dict[str, Hashes] = ctx.handles().setdefault(HASHES, {})
        reader = _Reader(struct, ctx.blobs, hashes)
        weighted = WEIGHTS[0] in prev["of"] if prev is not None else False
        tree = reader.read(prev, weighted=weighted or ctx.has_weights(struct))
        return prev if prev == tree else tree

    def write(self, ctx: Context, struct: Struct, live: Tree, new: Tree, fields: Fields) -> None:
        if struct.is_editmode:
            raise Busy("the mesh is in edit mode")
        if type(new) is not dict or new.get("$") != "layout":
            raise RemoteProtocolError("malformed geometry")
        same = live is not None and live["id"] == new["id"]
        if not same:
            _rebuild(struct, new["of"], ctx.blobs)
        before = live["of"] if same else {}
        changed = {name: node for name, node in new["of"].items() if before.get(name) != node}
        if (weights := _weights_of(new["of"], ctx.blobs)) is not None and any(name in changed for name in WEIGHTS):
            _write_weights(struct, weights)
            changed = new["of"]  # on the way through bmesh some attributes got lost
        here = {name for attribute in struct.attributes if (name := name_of(attribute)) is not None}
        _write_attributes(ctx, struct, changed, here - new["of"].keys())
        struct.update()


@dataclass(slots=True)
class _Reader:
    mesh: Any
    blobs: Blobs
    hashes: dict[str, Hashes]

    def read(self, prev: Tree, *, weighted: bool) -> Tree:
        of = {name: self._raw(name, attribute) for name, attribute in RAW.items()}
        before = prev["of"] if prev else {}
        faces = len(self.mesh.polygons)
        same = all(before.get(name) == of[name] for name in RAW) and OFFSETS in before
        same = same and before[OFFSETS]["shape"] == [faces + 1] and before[POSITION]["shape"][0] == len(self.mesh.vertices)
        of[OFFSETS] = before[OFFSETS] if same else self._encode(OFFSETS, self._offsets(faces))
        of[POSITION] = self._encode(POSITION, np.empty((0, 3), np.float32))  # an empty mesh has no such attribute
        for attribute in self.mesh.attributes:
            if (name := name_of(attribute)) is not None:
                of[name] = self._encode(name, values_of(attribute))
        if weighted:
            for name, array in zip(WEIGHTS, read_weights(self.mesh), strict=True):
                of[name] = self._encode(name, array)
        return {"$": "layout", "id": prev["id"] if same else secrets.token_urlsafe(8), "of": of}

    def _encode(self, name: str, array: Array) -> Tree:
        return encode(array, self.blobs, self.hashes.setdefault(name, Hashes()))

    def _raw(self, name: str, attribute: str) -> Tree:
        found = self.mesh.attributes.get(attribute)
        width = 2 if name == EDGES else 1
        array = np.empty((len(found.data) if found else 0, width), np.int32)
        if found:
            found.data.foreach_get("value", array.reshape(-1))
        return self._encode(name, array if width > 1 else array.reshape(-1))

    def _offsets(self, faces: int) -> Array:
        offsets = np.full(faces + 1, len(self.mesh.loops), np.int32)
        self.mesh.polygons.foreach_get("loop_start", offsets[:-1])
        return offsets


def name_of(attribute: Any) -> str | None:
    """How an attribute is named among the arrays; None for topology, selections and what cannot be mirrored."""
    if attribute.name in RAW.values() or attribute.name.startswith(PER_USER) or attribute.data_type not in VALUES:
        return None
    return f"{attribute.domain}/{attribute.data_type}/{attribute.name}"


def values_of(attribute: Any) -> Array:
    """All values of an attribute, shape (elements,) or (elements, width)."""
    value, dtype, width = VALUES[attribute.data_type]
    array = np.empty(len(attribute.data) * width, dtype)
    attribute.data.foreach_get(value, array)
    if attribute.data_type == "BYTE_COLOR":
        array = np.rint(array * 255).astype(np.uint8)
    return array.reshape(-1, width) if width > 1 else array


def read_weights(mesh: Any) -> tuple[Array, Array, Array]:
    """Vertex weights: offsets (points + 1,), groups and values, each point's in the order of groups."""
    counts, groups, weights = [0], [], []
    for vertex in mesh.vertices:
        for element in sorted((one.group, one.weight) for one in vertex.groups):
            groups.append(element[0])
            weights.append(element[1])
        counts.append(len(groups))
    return np.array(counts, np.int32), np.array(groups, np.int32), np.array(weights, np.float32)


# Writing -----------------------------------------------------------------------------------------------------------


def _require(ok: Any, what: str) -> None:
    if not ok:
        raise RemoteProtocolError(f"malformed mesh: {what}")


def _topology(of: dict[str, Tree], blobs: Blobs) -> tuple[int, Array, Array, Array, Array]:
    """Vertex count, edges, corner vertices, corner edges and offsets, each index checked."""
    _require({POSITION, OFFSETS, *RAW} <= of.keys(), "arrays are missing")
    edges, verts, of_edges = (decode(of[name], blobs) for name in RAW)
    offsets = decode(of[OFFSETS], blobs)
    _require(all(array.dtype == np.int32 for array in (edges, verts, of_edges, offsets)), "an index is no int32")
    shape = of[POSITION]["shape"]
    _require(len(shape) == 2 and shape[1] == 3, "positions are no vectors")
    points, corners = shape[0], len(verts)
    _require(edges.ndim == 2 and edges.shape[1:] == (2,) and verts.ndim == of_edges.ndim == offsets.ndim == 1, "shapes")
    _require(len(of_edges) == corners and len(offsets) > 0, "counts")
    _require(offsets[0] == 0 and offsets[-1] == corners and (np.diff(offsets) >= 3).all(), "faces")
    for array, limit in ((edges, points), (verts, points), (of_edges, len(edges))):
        _require(array.size == 0 or (array.min() >= 0 and array.max() < limit), "an index points outside")
    _require((edges[:, 0] != edges[:, 1]).all(), "an edge begins where it ends")
    _require(_edges_fit(edges, verts, of_edges, offsets), "faces and edges contradict each other")
    return points, edges, verts, of_edges, offsets


def _edges_fit(edges: Array, verts: Array, of_edges: Array, offsets: Array) -> bool:
    """Whether each corner's edge runs from its vertex to the next one's of the face."""
    if not len(verts):
        return True
    following = np.arange(1, len(verts) + 1)
    following[offsets[1:] - 1] = offsets[:-1]
    pairs = np.sort(np.stack([verts, verts[following]], 1), axis=1)
    return bool((np.sort(edges[of_edges], axis=1) == pairs).all())


def _rebuild(mesh: Any, of: dict[str, Tree], blobs: Blobs) -> None:
    """Gives the mesh another topology; shape keys and vertex groups stay, and are filled by whoever mirrors them."""
    arrays = _topology(of, blobs)
    if mesh.shape_keys is None and not len(mesh.vertices):
        _fill(mesh, *arrays)
        return
    temporary = bpy.data.meshes.new("mixer.moment")
    try:
        _fill(temporary, *arrays)
        copy = bmesh.new()
        copy.from_mesh(temporary)
        copy.to_mesh(mesh)
        copy.free()
    finally:
        bpy.data.meshes.remove(temporary)


def _fill(mesh: Any, points: int, edges: Array, verts: Array, of_edges: Array, offsets: Array) -> None:
    """An empty mesh gets its topology by raw arrays."""
    mesh.vertices.add(points)
    mesh.edges.add(len(edges))
    mesh.loops.add(len(verts))
    mesh.polygons.add(len(offsets) - 1)
    for attribute, array in ((".edge_verts", edges), (".corner_vert", verts), (".corner_edge", of_edges)):
        if len(array):
            found = mesh.attributes.get(attribute)
            if found is not None:
                found.data.foreach_set("value", np.ascontiguousarray(array).reshape(-1))
    if len(offsets) > 1:
        mesh.polygons.foreach_set("loop_start", offsets[:-1])


def _write_attributes(ctx: Context, mesh: Any, changed: dict[str, Tree], gone: set[str]) -> None:
    for name in gone:
        if (attribute := _find(mesh, name)) is not None and not attribute.is_required:
            mesh.attributes.remove(attribute)
    lengths: dict[str, Callable[[], int]] = {
        "POINT": lambda: len(mesh.vertices),
        "EDGE": lambda: len(mesh.edges),
        "CORNER": lambda: len(mesh.loops),
        "FACE": lambda: len(mesh.polygons),
    }
    for name, node in changed.items():
        if name == POSITION and not len(mesh.vertices):
            continue
        domain, _, rest = name.partition("/")
        data_type, _, label = rest.partition("/")
        if domain not in DOMAINS or data_type not in VALUES or not label:
            continue
        array = decode(node, ctx.blobs)
        value, dtype, width = VALUES[data_type]
        if data_type == "BYTE_COLOR":
            _require(array.dtype == np.uint8, name)
            array = array.astype(np.float32) / np.float32(255)
        _require(array.dtype == np.dtype(dtype) and array.size == lengths[domain]() * width, name)
        attribute = _find(mesh, name) or _make(mesh, domain, data_type, label)
        if attribute is None or len(attribute.data) * width != array.size:
            ctx.refuse(mesh, name, "Blender did not make the attribute")
            continue
        attribute.data.foreach_set(value, np.ascontiguousarray(array).reshape(-1))


def _find(mesh: Any, name: str) -> Any:
    label = name.split("/", 2)[-1]
    attribute = mesh.attributes.get(label)
    return attribute if attribute is not None and name_of(attribute) == name else None


def _make(mesh: Any, domain: str, data_type: str, label: str) -> Any:
    old = mesh.attributes.get(label)
    if old is not None and not old.is_required:  # the same name with another type
        mesh.attributes.remove(old)
    if domain == "CORNER" and data_type == "FLOAT2" and not label.startswith("."):
        mesh.uv_layers.new(name=label, do_init=False)
    else:
        mesh.attributes.new(label, data_type, domain)
    return mesh.attributes.get(label)


def _weights_of(of: dict[str, Tree], blobs: Blobs) -> list[Array] | None:
    return [decode(of[name], blobs) for name in WEIGHTS] if all(name in of for name in WEIGHTS) else None


def _write_weights(mesh: Any, arrays: list[Array]) -> None:
    offsets, groups, weights = arrays
    count = len(mesh.vertices)
    _require(len(offsets) == count + 1 and len(groups) == len(weights) == offsets[-1] and offsets[0] == 0, "weights")
    _require((np.diff(offsets) >= 0).all() and (groups.size == 0 or (groups.min() >= 0 and groups.max() < 4096)), "weights")
    edited = bmesh.new()
    edited.from_mesh(mesh)
    layer = edited.verts.layers.deform.verify()
    starts, names, amounts = offsets.tolist(), groups.tolist(), weights.tolist()
    for place, vertex in enumerate(edited.verts):
        element = vertex[layer]
        element.clear()
        for at in range(starts[place], starts[place + 1]):
            element[names[at]] = amounts[at]
    edited.to_mesh(mesh)
    edited.free()
