"""Edit locks between two Blenders."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from .processes import Broadcaster, in_step, run_together

BEGIN = """
from mixer import session as sessions
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
    assert ended[1].said == [["host"], ["leased", 1.0, 5.0], 9.0]
    assert ended[0].said[-1] == 9.0


def dedented(script: str) -> str:
    return "\n".join(line.removeprefix("    ") for line in script.splitlines())
