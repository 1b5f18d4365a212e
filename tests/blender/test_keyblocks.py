"""The points of shape keys: of meshes, lattices and curves."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import bpy
import numpy as np
import pytest

from broadcaster.errors import RemoteProtocolError
from broadcaster.tree import CHUNK_BYTES
from mixer.proxy import arrays, keyblocks

from .roundtrip import MemoryBlobs

pytestmark = pytest.mark.usefixtures("empty")

BLOBS = MemoryBlobs()


def keyed(data: Any) -> Any:
    """The second of two shape keys, its points moved about."""
    thing = bpy.data.objects.new("thing", data)
    bpy.context.scene.collection.objects.link(thing)
    thing.shape_key_add(name="Basis")
    return thing.shape_key_add(name="moved", from_mix=False)


def mesh_key(points: int = 10) -> Any:
    mesh = bpy.data.meshes.new("mesh")
    mesh.vertices.add(points)
    return keyed(mesh)


def lattice_key() -> Any:
    lattice = bpy.data.lattices.new("lattice")
    lattice.points_u = 3
    return keyed(lattice)


def curve_key() -> Any:
    curve = bpy.data.curves.new("curve", "CURVE")
    curve.dimensions = "3D"
    curve.splines.new("BEZIER").bezier_points.add(2)
    curve.splines.new("POLY").points.add(4)
    return keyed(curve)


MAKERS: Final = [mesh_key, lattice_key, curve_key]


def noise(block: Any) -> Any:
    array = arrays.decode(keyblocks.read_data(block, BLOBS, None), BLOBS)
    return np.random.default_rng(1).random(array.shape, np.float32)


@pytest.mark.parametrize("make", MAKERS)
def test_points_survive_the_way_into_another_key(make: Callable[[], Any]) -> None:  # KEYDATA1
    block, other = make(), make()
    keyblocks.write_data(block, arrays.encode(noise(block), BLOBS), BLOBS)
    node = keyblocks.read_data(block, BLOBS, None)
    assert node == arrays.encode(noise(block), BLOBS)
    keyblocks.write_data(other, node, BLOBS)
    assert keyblocks.read_data(other, BLOBS, None) == node
    basis = other.id_data.key_blocks["Basis"]
    assert keyblocks.read_data(basis, BLOBS, None) != node


def test_a_curve_keeps_handles_radius_and_tilt() -> None:  # KEYDATA1
    block, other = curve_key(), curve_key()
    block.data[1].handle_left, block.data[1].tilt, block.data[4].radius = (1, 2, 3), 0.5, 4.0
    keyblocks.write_data(other, keyblocks.read_data(block, BLOBS, None), BLOBS)
    assert other.data[1].handle_left[:] == (1, 2, 3)
    assert (other.data[1].tilt, other.data[4].radius) == (0.5, 4.0)


def test_a_moved_point_changes_one_chunk() -> None:  # KEYDATA2
    block, hashes = mesh_key(50_000), arrays.Hashes()
    node = keyblocks.read_data(block, BLOBS, hashes)
    assert keyblocks.read_data(block, BLOBS, hashes) is node
    block.data[20_000].co.z = 1.0
    moved = keyblocks.read_data(block, BLOBS, hashes)
    assert arrays.chunks_changed(node, moved) == [20_000 * 12 // CHUNK_BYTES]


@pytest.mark.parametrize("make", MAKERS)
@pytest.mark.parametrize("shape", [(3, 3), (10, 2), (0,), (1000, 3)])
def test_an_array_for_other_points_changes_nothing(make: Callable[[], Any], shape: tuple[int, ...]) -> None:  # KEYDATA3
    block = make()
    before = keyblocks.read_data(block, BLOBS, None)
    for dtype in (np.float32, np.int32):
        with pytest.raises(RemoteProtocolError):
            keyblocks.write_data(block, arrays.encode(np.zeros(shape, dtype), BLOBS), BLOBS)
    assert keyblocks.read_data(block, BLOBS, None) == before
