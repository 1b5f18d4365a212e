"""The topology of a mesh: read, checked, and put into a mesh that had another."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

import bmesh
import bpy
import numpy as np

from broadcaster.errors import RemoteProtocolError
from broadcaster.tree import Tree

from . import attributes
from .arrays import Array, header
from .context import Datablock
from .moment import MOMENT

EDGES: Final = "topology/edges"  # int32 (edges, 2): vertices
CORNER_VERTS: Final = "topology/corner_verts"  # int32 (corners,)
CORNER_EDGES: Final = "topology/corner_edges"  # int32 (corners,)
OFFSETS: Final = "topology/offsets"  # int32 (faces + 1,): the first corner of each face, and the count of all
RAW: Final = {EDGES: ".edge_verts", CORNER_VERTS: ".corner_vert", CORNER_EDGES: ".corner_edge"}
KEYS: Final = (*RAW, OFFSETS)
SMALLEST_FACE: Final = 3  # corners
BLOCK: Final = 1 << 16  # corners that are checked at once: what stays in the processor's cache goes three times as fast


@dataclass(frozen=True, slots=True)
class Topology:
    """A checked topology: no index points outside, and faces and edges agree."""

    points: int
    edges: Array
    corner_verts: Array
    corner_edges: Array
    offsets: Array

    def counts(self) -> dict[str, int]:
        """The elements of each domain."""
        corners, faces = len(self.corner_verts), len(self.offsets) - 1
        return {"POINT": self.points, "EDGE": len(self.edges), "CORNER": corners, "FACE": faces}


def read(mesh: Any, key: str) -> Array:
    """One of the arrays that Blender holds as an attribute."""
    found = mesh.attributes.get(RAW[key])
    shape = (len(found.data) if found else 0, 2)[: 2 if key == EDGES else 1]
    array = np.empty(shape, np.int32)
    if found:
        found.data.foreach_get("value", array.reshape(-1))
    return array


def read_offsets(mesh: Any) -> Array:
    """The one that Blender tells slowly: worth it only where the others changed."""
    offsets = np.full(len(mesh.polygons) + 1, len(mesh.loops), np.int32)
    mesh.polygons.foreach_get("loop_start", offsets[:-1])
    return offsets


def counts_of(mesh: Any) -> dict[str, int]:
    """The elements of each domain of a mesh."""
    return {
        "POINT": len(mesh.vertices),
        "EDGE": len(mesh.edges),
        "CORNER": len(mesh.loops),
        "FACE": len(mesh.polygons),
    }


# Checking -----------------------------------------------------------------------------------------------------------


def checked(of: Mapping[str, Tree], decode: Callable[[str], Array]) -> Topology:
    """The topology in the arrays of a layout, which `decode` gives by their keys.

    Raises RemoteProtocolError if Blender could trip over it.
    """
    _require({*KEYS, attributes.POSITION} <= of.keys(), "arrays are missing")
    for key in KEYS:
        dtype, shape, _ = header(of[key])
        _require(dtype == np.int32 and len(shape) == (2 if key == EDGES else 1), key)
    edges, verts, of_edges, offsets = map(decode, KEYS)
    points = (*header(of[attributes.POSITION])[1], 0)[0]
    _require(edges.shape[1] == 2 and len(of_edges) == len(verts) and len(offsets) > 0, "counts")
    for array, limit in ((edges, points), (verts, points), (of_edges, len(edges)), (offsets, len(verts) + 1)):
        _require(array.min(initial=0) >= 0 and array.max(initial=-1) < limit, "an index points outside")
    _require(offsets[0] == 0 and offsets[-1] == len(verts) and (np.diff(offsets) >= SMALLEST_FACE).all(), "faces")
    _require((edges[:, 0] != edges[:, 1]).all(), "an edge begins where it ends")
    _require(_edges_fit(edges, verts, of_edges, offsets), "faces and edges contradict each other")
    return Topology(points, edges, verts, of_edges, offsets)


def _require(ok: Any, what: str) -> None:
    if not ok:
        raise RemoteProtocolError(f"malformed mesh: {what}")


def _edges_fit(edges: Array, verts: Array, of_edges: Array, offsets: Array) -> bool:
    """Whether each corner's edge runs between its vertex and the next one of the face."""
    if not len(verts):
        return True
    following = np.empty_like(verts)
    following[:-1] = verts[1:]
    following[offsets[1:] - 1] = verts[offsets[:-1]]
    pairs = np.ascontiguousarray(edges).view(np.int64).reshape(-1)  # both vertices of an edge in one number
    for start in range(0, len(verts), BLOCK):
        block = slice(start, start + BLOCK)
        one, two, found = verts[block].astype(np.int64), following[block].astype(np.int64), pairs[of_edges[block]]
        if not ((found == one | two << 32) | (found == two | one << 32)).all():
            return False
    return True


# Writing ------------------------------------------------------------------------------------------------------------


def replace(mesh: Datablock, topology: Topology) -> None:
    """Gives a mesh another topology, without attributes and weights. Shape keys stay, with the new number of points."""
    if mesh.shape_keys is None:
        mesh.clear_geometry()
        _fill(mesh, topology)
        return
    # Only bmesh gives shape keys their new number of points. It must not read the keys of before, which have another.
    blocks = mesh.shape_keys.key_blocks
    before = [_points_of(block) for block in blocks]
    between = bpy.data.meshes.new(MOMENT)
    edited = bmesh.new()
    try:
        _fill(between, topology)
        edited.from_mesh(between, face_normals=False, vertex_normals=False)
        edited.to_mesh(mesh)
    finally:
        edited.free()
        bpy.data.meshes.remove(between)
    for block, old in zip(blocks, before, strict=True):
        points = _points_of(block)
        points[: len(old)] = old[: len(points)]
        block.data.foreach_set("co", points.reshape(-1))


def _points_of(block: Any) -> Array:
    points = np.empty((len(block.data), 3), np.float32)
    block.data.foreach_get("co", points.reshape(-1))
    return points


def _fill(mesh: Any, topology: Topology) -> None:
    counts = topology.counts()
    mesh.vertices.add(counts["POINT"])
    mesh.edges.add(counts["EDGE"])
    mesh.loops.add(counts["CORNER"])
    mesh.polygons.add(counts["FACE"])
    for key, array in zip(RAW, (topology.edges, topology.corner_verts, topology.corner_edges), strict=True):
        if len(array):
            mesh.attributes[RAW[key]].data.foreach_set("value", array.reshape(-1))
    if counts["FACE"]:
        mesh.polygons.foreach_set("loop_start", topology.offsets[:-1])
