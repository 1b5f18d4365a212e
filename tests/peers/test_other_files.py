"""A member opens another file, or a new one: it leaves the room, with nothing of that file in it."""

from __future__ import annotations

from pathlib import Path

import pytest

from .processes import Broadcaster, Peer

OTHER = """
session.settle()
session.barrier("there", 2)
while len(session.members) > 1:
    session.pump(0.1)
session.settle()
say([sorted(bpy.data.objects.keys()), bpy.data.objects["Cube"].location.x, session.digest()])
"""


@pytest.mark.parametrize("way", ["read_homefile()", "open_mainfile(filepath={file!r})", "revert_mainfile()"])
def test_who_opens_another_file_has_left_the_room_and_keeps_it_out(tmp_path: Path, way: str) -> None:  # PEER16
    file = str(tmp_path / "other.blend")
    script = f"""
    from mixer import session as sessions
    bpy.data.objects["Light"].name = "Unsaved"
    bpy.ops.wm.save_as_mainfile(filepath={file!r})
    bpy.data.objects["Unsaved"].name = "Mine"
    session.settle()
    say("shared")
    session.barrier("there", 2)
    session.settle()
    bpy.data.objects["Cube"].location.x = 7  # nobody has seen that yet
    here = sessions.current()
    bpy.ops.wm.{way.format(file=file)}
    assert sessions.current() is None
    bpy.data.objects["Cube"].name = "Of another file"
    bpy.context.view_layer.update()
    say([here.in_flight, here.digest()])
    raise SystemExit(0)
    """
    with Broadcaster() as server:
        first = Peer(server, tmp_path, "first", script)
        first.wait_for('"shared"')
        second = Peer(server, tmp_path, "second", OTHER)
        ended = first.wait(), second.wait()
    for one in ended:
        assert one.code == 0, one.error
    unanswered, digest = ended[0].said[-1]
    assert unanswered == 0
    assert ended[1].said[-1] == [["Camera", "Cube", "Mine"], 7, digest]
