"""Undo and redo in a room: each takes back their own, and nobody's work is lost."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from textwrap import dedent
from typing import Any, Final

import bpy
import pytest

from mixer.compare import compare

from .processes import Broadcaster, Peer, in_step

NOT_MIRRORED = (".sequence_editor: ", ".render.filepath: ", ".field: ", ".collision: ")  # of Blender's first scene

# What both begin with: a few objects, and a step to go back to.
BEGIN = """
D = bpy.data  # its collections do not outlive an undo
def push(message="step"):
    bpy.ops.ed.undo_push(message=message)
    session.pump(0.03)
def undo(times=1):
    for _ in range(times):
        bpy.ops.ed.undo()
        session.pump(0.03)
def redo(times=1):
    for _ in range(times):
        bpy.ops.ed.redo()
        session.pump(0.03)
def new(name):
    thing = D.objects.new(name, D.meshes["Cube"])
    bpy.context.scene.collection.objects.link(thing)
    return thing
def together(moment):
    session.settle()
    session.barrier(moment, 2)
    session.settle()
say("here")
session.barrier("here", 2)
if os.environ["PEER"] == "first":
    for number in range(6):
        new(f"Thing {number}")
together("begun")
push("begin")
"""
END = """
together("end")
say(look())
session.barrier("looked", 2)
"""


@pytest.fixture
def server() -> Iterator[Broadcaster]:
    with Broadcaster() as server:
        yield server


def story(server: Broadcaster, folder: Path, mine: str, theirs: str, look: str) -> Any:
    """Two people do things; what both see in the end, which is the same in every way."""
    files = [folder / f"{name}.blend" for name in ("first", "second")]
    scripts = [f"{BEGIN}\nlook = lambda: {look}\n{dedent(doing)}\n{END}" for doing in (mine, theirs)]
    first = Peer(server, folder, "first", scripts[0], "--save", str(files[0]))
    first.wait_for('"here"')
    second = Peer(server, folder, "second", scripts[1], "--save", str(files[1]))
    ended = first.wait(), second.wait()
    in_step(*ended)
    assert ended[0].said[-1] == ended[1].said[-1]
    told = [str(one) for one in compare(*files) if not one.per_user]
    assert [one for one in told if not any(name in one for name in NOT_MIRRORED)] == []
    bpy.ops.wm.read_factory_settings()
    return ended[0].said[-1]


def test_twenty_undone_and_ten_redone_among_anothers_edits(server: Broadcaster, tmp_path: Path) -> None:  # UNDO4
    mine = """
    for step in range(25):
        D.objects[f"Thing {step % 6}"].location.x = step + 1
        push()
    together("edited")
    undo(20)
    together("undone")
    say(look())
    redo(10)
    together("redone")
    undo(5)
    redo(5)
    """
    theirs = """
    for step in range(25):
        D.objects[f"Thing {step % 6}"].scale.z = step + 1
        D.objects["Light"].location.z = step + 1
        session.pump(0.03)
    together("edited")
    for step in range(25):
        D.objects["Camera"].location.z = step + 1
        session.pump(0.03)
    together("undone")
    say(look())
    D.objects["Thing 0"].rotation_euler.y = 3
    together("redone")
    """
    look = "[[o.location.x, o.scale.z] for o in map(D.objects.get, sorted(D.objects.keys())) if 'Thing' in o.name]"
    seen = story(server, tmp_path, mine, theirs, look)
    assert seen == [[13, 25], [14, 20], [15, 21], [10, 22], [11, 23], [12, 24]]


EDITED: Final = """
[round(D.meshes["Cube"].vertices[0].co.x, 3), round(D.objects["Cube"].scale.z, 3), D.objects["Light"].location.z]
"""
MASKED: Final = """
[round(D.meshes["Cube"].attributes[".sculpt_mask"].data[0].value, 2), round(D.objects["Cube"].scale.z, 3),
 D.objects["Light"].location.z]
"""


@pytest.mark.parametrize(
    ("mode", "edit", "look", "ends"),
    [
        ("EDIT", 'bpy.ops.transform.translate("EXEC_DEFAULT", True, value=(1, 0, 0))', EDITED, [16, 1.5, 25]),
        (
            "SCULPT",
            'bpy.ops.paint.mask_flood_fill("EXEC_DEFAULT", True, mode="VALUE", value=(step + 1) / 25)',
            MASKED,
            [0.6, 1.5, 25],
        ),
    ],
)
def test_twenty_undone_and_ten_redone_in_a_mode_of_its_own(  # UNDO4
    server: Broadcaster, tmp_path: Path, mode: str, edit: str, look: str, ends: list[float]
) -> None:
    mine = f"""
    bpy.context.view_layer.objects.active = D.objects["Cube"]
    bpy.ops.object.mode_set(mode={mode!r})
    push()
    for step in range(25):
        {edit}
        session.pump(0.03)
    together("edited")
    undo(20)
    together("undone")
    redo(10)
    together("redone")
    undo(5)
    redo(5)
    bpy.ops.object.mode_set(mode="OBJECT")
    """
    theirs = """
    for step in range(25):
        D.objects["Cube"].scale.z += 0.02
        D.objects["Light"].location.z = step + 1
        session.pump(0.03)
    together("edited")
    D.objects["Camera"].name = "Renamed"
    new("Made")
    together("undone")
    D.objects.remove(D.objects["Thing 5"])
    together("redone")
    """
    look = f"[{look.strip()}, sorted(D.objects.keys())]"
    names = sorted(["Renamed", "Cube", "Light", "Made", *(f"Thing {number}" for number in range(5))])
    assert story(server, tmp_path, mine, theirs, look) == [ends, names]


def test_an_object_undone_before_it_had_its_uuid_comes_back_as_itself(
    server: Broadcaster, tmp_path: Path
) -> None:  # UNDO5
    mine = """
    bpy.ops.mesh.primitive_cube_add("EXEC_DEFAULT", True)
    session.settle()
    uuid = bpy.context.object.mixer_uuid
    undo()
    together("gone")
    redo()
    session.settle()
    say([uuid, bpy.context.object.mixer_uuid])
    undo()
    redo()
    """
    theirs = """
    together("gone")
    """
    seen = story(server, tmp_path, mine, theirs, "[o.mixer_uuid for o in D.objects if o.name == 'Cube.001']")
    assert len(seen) == 1


def test_an_undo_removes_nothing_that_another_has_edited_since(server: Broadcaster, tmp_path: Path) -> None:  # UNDO2
    mine = """
    thing = new("Mine")
    thing.modifiers.new("Bevel", "BEVEL").width = 1
    push()
    together("made")
    together("edited")
    undo()
    """
    theirs = """
    together("made")
    D.objects["Mine"].modifiers["Bevel"].width = 2
    D.objects["Mine"].modifiers.new("Theirs", "SUBSURF")
    together("edited")
    """
    look = "[[m.name, getattr(m, 'width', 0)] for m in D.objects['Mine'].modifiers] if 'Mine' in D.objects else None"
    assert story(server, tmp_path, mine, theirs, look) == [["Bevel", 2], ["Theirs", 0]]


def test_a_deletion_is_undone(server: Broadcaster, tmp_path: Path) -> None:  # UNDO6
    mine = """
    uuid = D.objects["Cube"].mixer_uuid
    D.objects.remove(D.objects["Cube"])
    D.objects.remove(D.objects["Thing 1"])
    push()
    together("gone")
    together("seen")
    undo()
    session.settle()
    assert D.objects["Cube"].mixer_uuid == uuid
    """
    theirs = """
    together("gone")
    assert "Cube" not in D.objects
    together("seen")
    """
    look = "sorted(D.objects.keys())"
    names = ["Camera", "Cube", "Light", *(f"Thing {number}" for number in range(6))]
    assert story(server, tmp_path, mine, theirs, look) == names


def test_a_deletion_that_is_undone_brings_back_what_others_did_before(  # UNDO12
    server: Broadcaster, tmp_path: Path
) -> None:
    mine = """
    D.objects["Thing 1"].location.x = 1
    push()
    together("moved")
    together("first")
    D.objects["Thing 1"].modifiers.new("Mine", "BEVEL")
    push()
    together("mine")
    together("second")
    D.objects.remove(D.objects["Thing 1"])
    push()
    together("gone")
    together("seen")
    undo()
    together("back")
    together("third")
    undo(2)
    redo()
    """
    theirs = """
    together("moved")
    D.objects["Thing 1"].scale.z = 2
    together("first")
    together("mine")
    D.objects["Thing 1"].scale.z = 3
    D.objects["Thing 1"].modifiers.new("Theirs", "SUBSURF")
    together("second")
    together("gone")
    assert "Thing 1" not in D.objects
    together("seen")
    together("back")
    say(look())
    D.objects["Thing 1"].rotation_euler.z = 1
    together("third")
    """
    look = """[
        D.objects["Thing 1"].location.x, D.objects["Thing 1"].scale.z, D.objects["Thing 1"].rotation_euler.z,
        sorted(m.name for m in D.objects["Thing 1"].modifiers),
    ]"""
    assert story(server, tmp_path, mine, theirs, look) == [1, 3, 1, ["Theirs"]]


def test_what_another_removed_does_not_come_back(server: Broadcaster, tmp_path: Path) -> None:  # UNDO2
    mine = """
    D.objects["Cube"].location.x = 1
    push()
    together("moved")
    together("removed")
    undo()
    """
    theirs = """
    together("moved")
    D.objects.remove(D.objects["Light"])
    D.objects["Thing 1"].parent = D.objects["Thing 2"]
    together("removed")
    """
    look = "[D.objects['Cube'].location.x, 'Light' in D.objects, D.objects['Thing 1'].parent.name]"
    assert story(server, tmp_path, mine, theirs, look) == [0, False, "Thing 2"]


def test_what_another_made_stays_with_all_that_names_it(server: Broadcaster, tmp_path: Path) -> None:  # UNDO3
    mine = """
    D.objects["Cube"].location.x = 1
    push()
    together("moved")
    together("made")
    D.objects["Thing 0"].parent = D.objects["Theirs"]
    D.objects["Thing 1"].modifiers.new("Array", "ARRAY").offset_object = D.objects["Theirs"]
    session.settle()
    undo()
    """
    theirs = """
    together("moved")
    thing = D.objects.new("Theirs", D.meshes.new("Theirs"))
    thing.data.from_pydata([(0, 0, 0), (1, 0, 0), (0, 1, 0)], [], [(0, 1, 2)])
    thing.data.materials.append(D.materials.new("Theirs"))
    bpy.context.scene.collection.children.link(D.collections.new("Theirs"))
    D.collections["Theirs"].objects.link(thing)
    together("made")
    """
    look = """[
        D.objects["Cube"].location.x, [o.name for o in D.collections["Theirs"].objects],
        len(D.objects["Theirs"].data.polygons), D.objects["Theirs"].active_material.name,
    ]"""
    assert story(server, tmp_path, mine, theirs, look) == [0, ["Theirs"], 1, "Theirs"]


def test_renaming_and_duplicating_are_undone(server: Broadcaster, tmp_path: Path) -> None:  # UNDO4
    mine = """
    D.objects["Thing 0"].name = "Renamed"
    push()
    with bpy.context.temp_override(selected_objects=[D.objects["Thing 1"]], active_object=D.objects["Thing 1"]):
        bpy.ops.object.duplicate()
    push()
    D.objects["Thing 2"].modifiers.new("A", "BEVEL")
    D.objects["Thing 2"].modifiers.new("B", "SUBSURF")
    push()
    D.objects["Thing 2"].modifiers.move(1, 0)
    push()
    together("edited")
    together("seen")
    undo(4)
    session.settle()
    redo(3)
    """
    theirs = """
    together("edited")
    say(look())
    D.objects["Thing 3"].location.z = 3
    together("seen")
    """
    look = "[sorted(D.objects.keys()), [m.name for m in D.objects['Thing 2'].modifiers]]"
    seen = story(server, tmp_path, mine, theirs, look)
    assert seen[0] == sorted(
        ["Camera", "Cube", "Light", "Renamed", "Thing 1", "Thing 1.001", *(f"Thing {n}" for n in range(2, 6))]
    )
    assert seen[1] == ["A", "B"]


def test_a_change_of_a_mesh_is_undone_unless_another_has_changed_it_since(  # UNDO2
    server: Broadcaster, tmp_path: Path
) -> None:
    mine = """
    def subdivide(name):
        bpy.context.view_layer.objects.active = D.objects[name]
        bpy.ops.object.mode_set(mode="EDIT")
        bpy.ops.mesh.subdivide()
        bpy.ops.object.mode_set(mode="OBJECT")
        push()
    D.meshes.new("Other")
    for name in ("One", "Two"):
        thing = new(name)
        thing.data = D.meshes["Cube"].copy()
        thing.data.name = name
    push()
    subdivide("One")
    subdivide("Two")
    D.meshes["Cube"].vertices[0].co.x = 5
    push()
    together("edited")
    together("theirs")
    undo(3)
    """
    theirs = """
    together("edited")
    assert len(D.meshes["Two"].vertices) > 8
    D.meshes["Two"].vertices[0].co.z = 9
    D.meshes["Two"].update()
    together("theirs")
    """
    look = """[
        len(D.meshes["One"].vertices), len(D.meshes["Two"].vertices),
        D.meshes["Two"].vertices[0].co.z, D.meshes["Cube"].vertices[0].co.x,
    ]"""
    assert story(server, tmp_path, mine, theirs, look) == [8, 26, 9, 1]


@pytest.mark.parametrize(
    "theirs",
    [
        "D.objects['Cube'].data.materials[0] = D.materials.new('Theirs')",
        "D.objects['Cube'].modifiers.new('Theirs', 'ARRAY').offset_object = new('Theirs')",
        "D.objects['Cube'].parent = new('Theirs')",
    ],
)
def test_an_undo_leaves_no_name_of_what_another_made_dangling(  # UNDO7
    server: Broadcaster, tmp_path: Path, theirs: str
) -> None:
    mine = """
    for step in range(2):
        D.objects["Light"].location.x = step + 1
        push()
    together("edited")
    together("made")
    undo()
    session.settle()
    preferences = bpy.context.preferences
    assert not preferences.is_dirty
    assert not preferences.view.show_developer_ui
    assert not preferences.experimental.use_undo_legacy
    """
    look = """[
        D.objects["Light"].location.x, D.objects["Cube"].parent and D.objects["Cube"].parent.name,
        D.objects["Cube"].data.materials[0].name, [m.offset_object.name for m in D.objects["Cube"].modifiers],
    ]"""
    seen = story(server, tmp_path, mine, f"together('edited')\n{theirs}\ntogether('made')", look)
    assert seen[0] == 1
    assert "Theirs" in str(seen)


def test_an_undo_does_not_take_what_anothers_object_needs(server: Broadcaster, tmp_path: Path) -> None:  # UNDO8
    mine = """
    D.lights.new("Mine", "POINT")
    push()
    together("made")
    together("used")
    undo()
    """
    theirs = """
    together("made")
    thing = D.objects.new("Theirs", D.lights["Mine"])
    bpy.context.scene.collection.objects.link(thing)
    together("used")
    """
    look = "[D.lights.keys(), D.objects['Theirs'].type, D.objects['Theirs'].data.name]"
    assert story(server, tmp_path, mine, theirs, look) == [["Light", "Mine"], "LIGHT", "Mine"]


def test_a_node_tree_stays_with_all_when_its_making_is_undone(server: Broadcaster, tmp_path: Path) -> None:  # UNDO9
    mine = """
    D.lights["Light"].use_nodes = True
    bpy.context.scene.view_settings.use_curve_mapping = True
    push()
    together("made")
    undo()
    """
    theirs = """
    together("made")
    """
    look = "[D.lights['Light'].use_nodes, D.lights['Light'].node_tree is None]"
    assert story(server, tmp_path, mine, theirs, look) == [False, False]


def test_what_was_edited_right_before_an_undo_and_is_none_of_it_stays(  # UNDO10
    server: Broadcaster, tmp_path: Path
) -> None:
    mine = """
    together("moved")
    D.objects["Thing 1"].location.x = 7  # another's until now
    bpy.ops.ed.undo_push(message="first")
    D.objects["Thing 2"].location.x = 5
    bpy.ops.ed.undo_push(message="second")
    bpy.ops.ed.undo()
    """
    theirs = """
    D.objects["Thing 1"].location.x = 3
    together("moved")
    """
    look = "[D.objects[name].location.x for name in ('Thing 1', 'Thing 2')]"
    assert story(server, tmp_path, mine, theirs, look) == [7, 0]


def test_modifiers_and_nodes_that_another_removed_stay_away(server: Broadcaster, tmp_path: Path) -> None:  # UNDO11
    mine = """
    thing, tree = D.objects["Thing 1"], D.materials["Material"].node_tree
    thing.modifiers.new("Bevel", "BEVEL")
    thing.constraints.new("COPY_LOCATION")
    value = tree.nodes.new("ShaderNodeValue")
    tree.links.new(value.outputs[0], tree.nodes["Principled BSDF"].inputs["Roughness"])
    push()
    together("made")
    together("removed")
    D.objects["Thing 2"].location.x = 5
    push()
    D.objects["Thing 2"].location.x = 6
    push()
    undo(2)
    """
    theirs = """
    together("made")
    thing, tree = D.objects["Thing 1"], D.materials["Material"].node_tree
    thing.modifiers.remove(thing.modifiers["Bevel"])
    thing.constraints.remove(thing.constraints[0])
    tree.nodes.remove(tree.nodes["Value"])
    together("removed")
    """
    look = (
        "[len(D.objects['Thing 1'].modifiers), len(D.objects['Thing 1'].constraints),"
        " 'Value' in D.materials['Material'].node_tree.nodes, D.objects['Thing 2'].location.x]"
    )
    assert story(server, tmp_path, mine, theirs, look) == [0, 0, False, 0]


@pytest.mark.parametrize("who", ["mine", "theirs"])
def test_a_bone_that_an_undo_brings_back_is_the_one_that_it_was(  # BONE11
    server: Broadcaster, tmp_path: Path, who: str
) -> None:
    begin = """
    from mixer import session as sessions
    def in_edit_mode(do):
        bpy.context.view_layer.objects.active = D.objects["Rig"]
        bpy.ops.object.mode_set(mode="EDIT")
        do(D.armatures["Rig"].edit_bones)
        bpy.ops.object.mode_set(mode="OBJECT")
    def make(bones):
        for height, name in enumerate(("one", "two")):
            bone = bones.new(name)
            bone.head, bone.tail = (0, 0, height), (0, 0, height + 1)
    def remove():
        in_edit_mode(lambda bones: bones.remove(bones["two"]))
    def keys():
        document = sessions.current().member.confirmed
        tree = document.get(D.armatures["Rig"].mixer_uuid).tree
        return {one["name"]: key for key, one in tree["skeleton"]["bones"]["of"].items()}
    """
    mine = f"""
    bpy.context.scene.collection.objects.link(D.objects.new("Rig", D.armatures.new("Rig")))
    in_edit_mode(make)
    push()
    together("made")
    before = keys()
    say([sorted(before), len(D.objects["Rig"].pose.bones)])
    D.objects["Light"].location.x = 5
    {"remove()" if who == "mine" else ""}
    push()
    together("moved")
    together("removed")
    undo()
    session.settle()
    say([keys()[name] == before[name] for name in sorted(keys())])
    """
    theirs = f"""
    together("made")
    together("moved")
    {"remove()" if who == "theirs" else ""}
    together("removed")
    """
    look = "[sorted(D.armatures['Rig'].bones.keys()), sorted(D.objects['Rig'].pose.bones.keys()), sorted(keys())]"
    left = ["one", "two"] if who == "mine" else ["one"]
    scripts = (dedent(begin) + dedent(script) for script in (mine, theirs))
    assert story(server, tmp_path, *scripts, look) == [left, left, left]
