"""A mesh of 1,000,000 vertices: shared, one vertex moved, received."""

from __future__ import annotations

from typing import Any, Final

import bpy
import numpy as np
import orjson

from broadcaster.tree import CHUNK_BYTES, Tree, diff, shas
from mixer.proxy.context import Context
from mixer.proxy.geometry import GeometryProxy
from tests.blender.roundtrip import MemoryBlobs

from .figures import Figure, median_ms, show

SIDE: Final = 1000  # vertices
WHAT: Final = "a mesh of 1,000,000 vertices: "
GEOMETRY: Final = GeometryProxy("geometry")


class Nobody:
    """A directory in which no datablock is known."""

    def uuid_of(self, datablock: Any) -> str | None:
        return None

    def find(self, uuid: str) -> None:
        return None


def grid() -> Any:
    """A grid with a UV map, by raw arrays."""
    rows = np.arange(SIDE * SIDE, dtype=np.int32).reshape(SIDE, SIDE)
    across = np.arange(SIDE * (SIDE - 1), dtype=np.int32).reshape(SIDE, SIDE - 1)
    along = across.size + np.arange(SIDE * (SIDE - 1), dtype=np.int32).reshape(SIDE - 1, SIDE)
    pairs = [np.stack([rows[:, :-1], rows[:, 1:]], -1), np.stack([rows[:-1], rows[1:]], -1)]
    verts = np.stack([rows[:-1, :-1], rows[:-1, 1:], rows[1:, 1:], rows[1:, :-1]], -1).reshape(-1)
    edges = np.stack([across[:-1], along[:, 1:], across[1:], along[:, :-1]], -1).reshape(-1)
    positions = np.zeros((SIDE, SIDE, 3), np.float32)
    positions[..., 0], positions[..., 1] = np.meshgrid(np.arange(SIDE), np.arange(SIDE))
    mesh = bpy.data.meshes.new("grid")
    mesh.vertices.add(rows.size)
    mesh.edges.add(across.size + along.size)
    mesh.loops.add(verts.size)
    mesh.polygons.add(verts.size // 4)
    mesh.polygons.foreach_set("loop_start", np.arange(0, verts.size, 4, dtype=np.int32))
    mesh.attributes[".edge_verts"].data.foreach_set("value", np.concatenate([one.reshape(-1) for one in pairs]))
    mesh.attributes[".corner_vert"].data.foreach_set("value", verts)
    mesh.attributes[".corner_edge"].data.foreach_set("value", edges)
    mesh.attributes["position"].data.foreach_set("vector", positions.reshape(-1))
    mesh.uv_layers.new(name="UVMap")
    mesh.update()
    bpy.context.scene.collection.objects.link(bpy.data.objects.new("grid", mesh))
    return mesh


def run() -> None:
    """Prints ms and bytes."""
    bpy.ops.wm.read_factory_settings(use_empty=True)
    mesh, blobs = grid(), MemoryBlobs()
    ctx = Context(Nobody(), blobs, uuid="grid")
    trees: list[Tree] = []

    def share() -> None:
        ctx.local.clear()
        blobs.clear()
        trees[:] = [GEOMETRY.read(ctx, mesh, None, {})]

    def move() -> None:
        mesh.vertices[len(trees) * 1000].co.z += 1.0
        trees.append(GEOMETRY.read(ctx, mesh, trees[-1], {}))
        orjson.dumps(diff(trees[-2], trees[-1]))

    shared, moved = median_ms(share, 3), median_ms(move, 20)
    delta = diff(trees[-2], trees[-1])
    size = len(orjson.dumps(delta)) + CHUNK_BYTES * len(set(shas(trees[-1])) - set(shas(trees[-2])))
    received, taken = _receive(blobs, trees[-2], trees[-1])
    show(
        Figure(WHAT + "shared", shared, "ms", 500, "Blender's own save 35 to 116"),
        Figure(WHAT + "received", received, "ms", 500, "Blender's own open 20 to 120, from_pydata 3,360"),
        Figure(WHAT + "one vertex moved, found and encoded", moved, "ms", 15, "the original, of 100,489: 618"),
        Figure(WHAT + "one vertex moved, on the wire", size, "B", 80 * 1024, "the original, of 100,489: 11,607,656"),
        Figure(WHAT + "one vertex moved, written", taken, "ms"),
    )


def _receive(blobs: MemoryBlobs, before: Tree, after: Tree) -> tuple[float, float]:
    """What it takes another mesh to become `before`, and then `after`, reading back included; in ms."""

    def take(new: Tree) -> None:
        GEOMETRY.write(ctx, mesh, live[0], new, {})
        live[0] = GEOMETRY.read(ctx, mesh, new, {})

    mesh = bpy.data.meshes.new("received")
    bpy.context.scene.collection.objects.link(bpy.data.objects.new("received", mesh))
    ctx = Context(Nobody(), blobs, uuid="received")
    live = [GEOMETRY.read(ctx, mesh, None, {})]
    received = median_ms(lambda: take(before), 1)
    assert live[0] == before
    taken = median_ms(lambda: take(after), 1)
    assert live[0] == after
    return received, taken
