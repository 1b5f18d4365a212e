"""Edit locks between two Blenders."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest

from .processes import Broadcaster, in_step, run_together

BEGIN = """
from mixer import session as sessions
from mixer.ui import words
here = sessions.current()
def together(moment):
    session.settle()
    session.barrier(moment, 2)
    session.settle()
def mode(name):
    bpy.context.view_layer.objects.active = bpy.data.objects["Cube"]
    bpy.ops.object.mode_set(mode=name)
def until(condition):
    end = time.monotonic() + 30
    while not condition() and time.monotonic() < end:
        session.pump(0.05)
    assert condition()
corner = lambda: bpy.data.meshes["Cube"].vertices[0].co
together("start")
"""


@pytest.fixture
def server() -> Iterator[Broadcaster]:
    with Broadcaster() as server:
        yield server


def test_what_is_edited_in_a_mode_is_locked_for_others(server: Broadcaster, tmp_path: Path) -> None:  # LOCK3 LOCK4
    editor = """
    mode("EDIT")
    session.pump(0.3)
    together("editing")
    together("rejected")
    mode("OBJECT")
    session.pump(0.3)
    together("left")
    together("end")
    say(round(corner().z, 3))
    """
    other = """
    together("editing")
    until(lambda: here.locked)
    say([here.people.members[one]["name"] for one in here.locked.values()])
    corner().z = 9
    bpy.data.meshes["Cube"].update()
    bpy.data.objects["Cube"].location.x = 5
    session.settle()
    until(lambda: here.member.overruled)
    say(words.overruled(here.member, here.member.overruled[0]))
    say([here.member.overruled[0].reason, round(corner().z, 3), bpy.data.objects["Cube"].location.x])
    together("rejected")
    together("left")
    until(lambda: not here.locked)
    here.put_back(here.member.overruled[0])
    session.settle()
    together("end")
    say(round(corner().z, 3))
    """
    ended = run_together(server, tmp_path, *(BEGIN + dedented(script) for script in (editor, other)))
    in_step(*ended)
    assert ended[1].said == [["host"], ["Cube: host holds it", True], ["leased", 1.0, 5.0], 9.0]
    assert ended[0].said[-1] == 9.0


MOVE: Final = """
mesh.vertices[5000].co.z = 9
"""
SHRINK: Final = """
import bmesh
work = bmesh.new()
work.from_mesh(mesh)
work.verts.ensure_lookup_table()
bmesh.ops.delete(work, geom=work.verts[:9000], context="VERTS")
work.to_mesh(mesh)
work.free()
"""


@pytest.mark.parametrize("change", [MOVE, SHRINK])
def test_arrays_that_were_rejected_come_back_from_the_disk(  # LOCK5
    server: Broadcaster, tmp_path: Path, change: str
) -> None:
    """The memory of blobs holds next to nothing, and nothing is fetched from the room."""
    begin = """
def points(name):
    mesh = bpy.data.meshes[name]
    found = np.empty(len(mesh.vertices) * 3, np.float32)
    mesh.vertices.foreach_get("co", found)
    return found.tobytes()
"""
    editor = """
bpy.ops.mesh.primitive_grid_add(x_subdivisions=99, y_subdivisions=99)
together("made")
bpy.ops.object.mode_set(mode="EDIT")
session.pump(0.3)
together("editing")
together("rejected")
bpy.ops.object.mode_set(mode="OBJECT")
together("end")
"""
    other = f"""
here.client.blobs._max_bytes = 10
together("made")
mesh = bpy.data.meshes["Grid"]
before = points("Grid")
together("editing")
until(lambda: here.locked)
received = here.client.received_bytes
{change}
mesh.update()
session.settle()
until(lambda: here.member.overruled)
session.settle()
say([points("Grid") == before, len(mesh.polygons), here.client.received_bytes - received < 10_000])
together("rejected")
together("end")
"""
    begin = "import numpy as np\n" + BEGIN.replace('together("start")', begin + 'together("start")')
    ended = run_together(server, tmp_path, begin + editor, begin + other)
    in_step(*ended)
    assert ended[1].said == [[True, 99 * 99, True]]


def dedented(script: str) -> str:
    return "\n".join(line.removeprefix("    ") for line in script.splitlines())
