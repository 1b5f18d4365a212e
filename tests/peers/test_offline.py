"""A file that was saved in a room, edited at home, and opened again the next day."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import bpy
import pytest

from mixer.compare import compare

from .processes import Broadcaster, Ended, Peer, in_step
from .test_undo import NOT_MIRRORED

LOOK = """
D = bpy.data
say([
    [round(value, 3) for value in (*D.objects["Cube"].location, *D.objects["Cube"].scale)],
    sorted(D.objects.keys()),
    round(D.meshes["Cube"].vertices[0].co.x, 3),
    [m.name for m in D.objects["Cube"].modifiers],
    [round(value, 3) for value in D.objects["Camera"].rotation_euler],
])
"""


@pytest.fixture
def server() -> Iterator[Broadcaster]:
    with Broadcaster() as server:
        yield server


def run(server: Broadcaster, folder: Path, name: str, script: str, *arguments: str) -> Ended:
    ended = Peer(server, folder, name, script, *arguments).wait()
    assert ended.code == 0, ended.error
    return ended


def edited_at_home(file: Path, edit: Any) -> None:
    """Opens a file in this Blender, which has no Mixer, edits and saves it."""
    bpy.ops.wm.open_mainfile(filepath=str(file))
    edit(bpy.data)
    bpy.ops.wm.save_as_mainfile(filepath=str(file))
    bpy.ops.wm.read_factory_settings()


PIECEMEAL = "from mixer.client import ipc, process\nprocess.READ_AT_ONCE = ipc.RECEIVE_BYTES = 100\n"


@pytest.mark.parametrize("lands", ["", PIECEMEAL], ids=["at once", "piecemeal"])
def test_only_what_changed_since_goes_out_and_comes_in(server: Broadcaster, tmp_path: Path, lands: str) -> None:  # OFF1
    file, end = tmp_path / "mine.blend", [tmp_path / "one.blend", tmp_path / "two.blend"]
    begin = """
        cube = bpy.data.objects["Cube"]
        cube.modifiers.new("Bevel", "BEVEL")
        for name in ("Kept", "Doomed", "Theirs"):
            bpy.context.scene.collection.objects.link(bpy.data.objects.new(name, None))
        session.settle()
    """
    run(server, tmp_path, "first", begin, "--save", str(file))
    other = """
        session.settle()
        bpy.data.objects["Cube"].location.x = 7
        bpy.data.objects["Cube"].modifiers.new("Room", "SUBSURF")
        bpy.data.objects.remove(bpy.data.objects["Theirs"])
        bpy.context.scene.collection.objects.link(bpy.data.objects.new("New", None))
        bpy.data.objects["Camera"].rotation_euler.x = 1
        session.settle()
    """
    run(server, tmp_path, "other", other)

    def edit(data: Any) -> None:
        data.objects["Cube"].scale.z = 3
        data.objects["Cube"].modifiers.new("Home", "ARRAY")
        data.meshes["Cube"].vertices[0].co.x = 4
        data.objects.remove(data.objects["Doomed"])
        data.objects["Theirs"].location.x = 1
        data.objects["Camera"].rotation_euler.x = 2
        bpy.context.scene.collection.objects.link(data.objects.new("Home", None))

    edited_at_home(file, edit)
    back = Peer(
        server, tmp_path, "back", f"{lands}session.settle()\nsession.barrier('in', 2)\nsession.settle()\n{LOOK}",
        "--open", str(file), "--rejoin", "--save", str(end[0]),
    )  # fmt: skip
    third = Peer(
        server, tmp_path, "third", f"session.barrier('in', 2)\nsession.settle()\n{LOOK}", "--save", str(end[1])
    )
    ended = back.wait(), third.wait()
    in_step(*ended)
    assert ended[0].said == ended[1].said
    placed, names, corner, modifiers, turned = ended[0].said[0]
    assert placed == [7, 0, 0, 1, 1, 3]
    assert names == sorted(["Camera", "Cube", "Light", "Kept", "New", "Home"])
    assert (corner, sorted(modifiers), turned[0]) == (4, ["Bevel", "Home", "Room"], 2)
    assert ended[0].stats["conflicts"] == ["Camera: rotation_euler"]
    assert ended[0].stats["sent"]["transactions"] <= 2
    assert ended[0].stats["received"]["bytes"] < 60_000
    told = [str(one) for one in compare(*end) if not one.per_user]
    assert [one for one in told if not any(name in one for name in NOT_MIRRORED)] == []


def test_a_file_without_changes_sends_none(server: Broadcaster, tmp_path: Path) -> None:  # OFF1
    file = tmp_path / "mine.blend"
    run(server, tmp_path, "first", "session.settle()", "--save", str(file))
    again = run(server, tmp_path, "again", "session.settle()", "--open", str(file), "--rejoin", "--save", str(file))
    assert again.stats["sent"]["transactions"] == 0
    once_more = run(server, tmp_path, "more", "session.settle()", "--open", str(file), "--rejoin")
    assert once_more.stats["sent"]["transactions"] == 0


def test_another_room_of_the_same_name_is_left_alone(server: Broadcaster, tmp_path: Path) -> None:  # OFF2
    file = tmp_path / "mine.blend"
    with Broadcaster() as gone:
        run(gone, tmp_path, "first", "session.settle()", "--save", str(file))
    run(server, tmp_path, "other", "bpy.data.objects['Cube'].name = 'Another'\nsession.settle()")
    ended = Peer(server, tmp_path, "back", "session.settle()", "--open", str(file), "--rejoin").wait()
    assert ended.code == 1
    assert "only one of the same name" in ended.error


def test_a_file_that_was_never_in_a_room_has_none_to_go_back_to(server: Broadcaster, tmp_path: Path) -> None:  # OFF2
    file = tmp_path / "plain.blend"
    bpy.ops.wm.read_factory_settings()
    bpy.ops.wm.save_as_mainfile(filepath=str(file))
    bpy.ops.wm.read_factory_settings()
    ended = Peer(server, tmp_path, "back", "session.settle()", "--open", str(file), "--rejoin").wait()
    assert ended.code == 1
    assert "was not saved in a room" in ended.error


def test_a_file_from_a_room_gives_way_to_it_or_is_shared_in_a_new_one(
    server: Broadcaster, tmp_path: Path
) -> None:  # OFF4
    file = tmp_path / "mine.blend"
    run(server, tmp_path, "first", "bpy.data.objects['Cube'].name = 'Ours'\nsession.settle()", "--save", str(file))

    def edit(data: Any) -> None:
        data.objects["Ours"].name = "At home"

    edited_at_home(file, edit)
    look = "session.settle()\nsay(sorted(bpy.data.objects.keys()))"
    with Broadcaster() as anew:
        shared = run(anew, tmp_path, "shared", look, "--open", str(file), "--save", str(file))
        joined = run(anew, tmp_path, "joined", look)
        again = run(anew, tmp_path, "again", look, "--open", str(file), "--rejoin")
    given_way = run(server, tmp_path, "back", look, "--open", str(file))
    in_step(shared, joined, again)
    assert shared.said == joined.said == [["At home", "Camera", "Light"]]
    assert again.stats["sent"]["transactions"] == 0  # it goes on in the new one
    assert given_way.said == [["Camera", "Light", "Ours"]]
