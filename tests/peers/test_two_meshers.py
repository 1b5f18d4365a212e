"""Two Blenders edit one mesh at once: its points, its topology, its groups, its maps."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from .processes import Broadcaster, Ended, in_step, run_together

LOOK = """
import hashlib
import numpy as np

def look(mesh):
    thing = next(one for one in bpy.data.objects if one.data == mesh)
    groups = thing.vertex_groups
    weights = [
        sorted((groups[one.group].name, round(one.weight, 6)) for one in vertex.groups) for vertex in mesh.vertices
    ]
    maps = [[list(one.uv) for one in layer.data] for layer in mesh.uv_layers]
    keys = mesh.shape_keys.key_blocks if mesh.shape_keys else []
    return {
        "points": [list(vertex.co) for vertex in mesh.vertices],
        "faces": [list(face.vertices) for face in mesh.polygons],
        "groups": groups.keys(),
        "weights": weights,
        "maps": [mesh.uv_layers.keys(), hashlib.sha256(repr(maps).encode()).hexdigest()],
        "attributes": sorted(one.name for one in mesh.attributes if not one.name.startswith(".")),
        "keys": [[block.name, [list(point.co) for point in block.data]] for block in keys],
    }

"""
END = """
session.settle()
session.barrier("end", 2)
session.settle()
say(look(bpy.data.objects["Cube"].data))
"""


@pytest.fixture
def server() -> Iterator[Broadcaster]:
    with Broadcaster() as server:
        yield server


def both(server: Broadcaster, folder: Path, setup: str, host: str, joiner: str) -> tuple[Ended, Ended]:
    before = 'mesh = bpy.data.objects["Cube"].data\nthing = bpy.data.objects["Cube"]\n'
    start = 'session.barrier("start", 2)\n'
    first, second = run_together(
        server,
        folder,
        LOOK + before + setup + "session.settle()\n" + start + host + END,
        LOOK + "session.settle()\n" + start + before + joiner + END,
    )
    in_step(first, second)
    assert first.said[-1] == second.said[-1]
    return first, second


GROUPS = """
for name in ("arm", "leg", "tail"):
    thing.vertex_groups.new(name=name).add(range(8), len(name) / 8, "REPLACE")
"""


def test_a_group_that_one_removes_while_another_paints(server: Broadcaster, tmp_path: Path) -> None:  # MESHES1
    host = 'thing.vertex_groups.remove(thing.vertex_groups["arm"])\nsession.pump(0.2)\n'
    joiner = 'thing.vertex_groups["tail"].add([3], 0.25, "REPLACE")\nthing.vertex_groups.new(name="wing")\n'
    first, _ = both(server, tmp_path, GROUPS, host, joiner)
    assert sorted(first.said[-1]["groups"]) == ["leg", "tail", "wing"]
    assert all(name != "arm" for vertex in first.said[-1]["weights"] for name, _ in vertex)
    assert all(len(vertex) == 2 for vertex in first.said[-1]["weights"])


def test_a_topology_that_one_changes_while_another_moves_points(server: Broadcaster, tmp_path: Path) -> None:  # MESHES1
    host = """
import bmesh
edited = bmesh.new()
edited.from_mesh(mesh)
bmesh.ops.subdivide_edges(edited, edges=edited.edges[:], cuts=2, use_grid_fill=True)
edited.to_mesh(mesh)
edited.free()
mesh.update()
"""
    joiner = """
for step in range(10):
    mesh.vertices[step % 8].co.z += 0.25
    mesh.update()
    session.pump(0.02)
"""
    first, _ = both(server, tmp_path, GROUPS, host, joiner)
    assert len(first.said[-1]["faces"]) == 54


def test_a_mesh_with_shape_keys_that_both_edit(server: Broadcaster, tmp_path: Path) -> None:  # MESHES1
    setup = 'thing.shape_key_add(name="Basis")\nthing.shape_key_add(name="smile")\n'
    host = """
mesh.shape_keys.key_blocks["smile"].data[0].co.z = 3.0
mesh.uv_layers.new(name="second")
session.pump(0.1)
mesh.attributes.new("age", "FLOAT", "POINT").data[3].value = 7.0
mesh.update()
"""
    joiner = """
mesh.uv_layers.new(name="third")
mesh.shape_keys.key_blocks["Basis"].data[7].co.x = -3.0
session.pump(0.1)
mesh.vertices[7].co.x = -3.0
mesh.update()
"""
    first, _ = both(server, tmp_path, setup, host, joiner)
    assert first.said[-1]["maps"][0][0] == "UVMap"
    assert sorted(first.said[-1]["maps"][0]) == ["UVMap", "second", "third"]


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_many_edits_at_once_end_equal(server: Broadcaster, tmp_path: Path, seed: int) -> None:  # MESHES2
    script = """
import random
import bmesh
chance = random.Random({seed})

def grow():
    edited = bmesh.new()
    edited.from_mesh(mesh)
    bmesh.ops.poke(edited, faces=edited.faces[:1])
    edited.to_mesh(mesh)
    edited.free()

def move():
    mesh.vertices[chance.randrange(len(mesh.vertices))].co.x = chance.random()

def paint():
    chance.choice(thing.vertex_groups).add([chance.randrange(len(mesh.vertices))], chance.random(), "REPLACE")

def group():
    if len(thing.vertex_groups) > 3:
        thing.vertex_groups.remove(chance.choice(thing.vertex_groups))
    thing.vertex_groups.new(name=os.environ["PEER"] + str(chance.randrange(100)))

def unwrap():
    layer = chance.choice(mesh.uv_layers)
    layer.data[chance.randrange(len(layer.data))].uv = (chance.random(), chance.random())

def map():
    if len(mesh.uv_layers) > 3:
        mesh.uv_layers.remove(mesh.uv_layers[-1])
    mesh.uv_layers.new(name=os.environ["PEER"] + str(chance.randrange(100)))

for _ in range(20):
    for edit in chance.choices([grow, move, paint, group, unwrap, map], [1, 6, 4, 2, 4, 1], k=3):
        edit()
    mesh.update()
    session.pump(0.02)
"""
    both(server, tmp_path, GROUPS, script.format(seed=seed), script.format(seed=seed + 100))
