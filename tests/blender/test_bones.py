"""Bones: read without edit mode, written through it, and nobody's mode is disturbed."""

from __future__ import annotations

import math
import os
from pathlib import Path
from typing import Any

import bpy
import pytest

from broadcaster.errors import RemoteProtocolError
from broadcaster.tree import Tree, diff
from mixer.proxy.bones import Skeleton, edit_mode
from mixer.proxy.context import Busy, Context
from mixer.proxy.struct import read_struct, write_struct

from .roundtrip import MemoryBlobs, Nobody, unlike

pytestmark = pytest.mark.usefixtures("empty")

SKELETON = Skeleton("skeleton")
CORPUS = os.environ.get("MIXER_CORPUS", "")
RIGS = ("mannequiny.blend", "RobotExpressive.blend", "rig-bird.blend")
ROUNDING = 1e-4  # of a matrix in a long chain of bones, single precision


def context(uuid: str = "armature") -> Context:
    return Context(Nobody(), MemoryBlobs(), uuid=uuid)


def rig(*names: str) -> Any:
    """An armature with a chain of connected bones."""
    armature = bpy.data.armatures.new("rig")
    with edit_mode(armature) as bones:
        above = None
        for place, name in enumerate(names or ("hip", "spine", "head")):
            bone = bones.new(name)
            bone.parent, bone.use_connect = above, above is not None
            bone.head, bone.tail, bone.roll = (0, 0, place), (0.1 * place, 0, place + 1), 0.3 * place
            above = bone
    return armature


def read(ctx: Context, armature: Any, prev: Tree = None) -> Tree:
    return SKELETON.read(ctx, armature, prev, {})


def write(ctx: Context, armature: Any, new: Tree) -> Tree:
    """Writes as the mirror does, against a fresh read; what Blender then holds."""
    SKELETON.write(ctx, armature, read(ctx, armature, new), new, {})
    return read(ctx, armature, new)


def copy(armature: Any) -> tuple[Context, Any, Tree]:
    """Another armature with the same skeleton, and what was written to it."""
    tree, other = read(context(), armature), bpy.data.armatures.new("copy")
    ctx = context("copy")
    assert unlike(tree, write(ctx, other, tree)) == []
    return ctx, other, tree


def bone(tree: Tree, name: str) -> tuple[str, dict[str, Tree]]:
    return next((key, one) for key, one in tree["bones"]["of"].items() if one["name"] == name)


def with_bone(tree: Tree, key: str, **fields: Tree) -> Tree:
    bones = tree["bones"]
    return {**tree, "bones": {**bones, "of": {**bones["of"], key: {**bones["of"][key], **fields}}}}


def matrices(armature: Any) -> dict[str, list[float]]:
    return {one.name: [number for row in one.matrix_local for number in row] for one in armature.bones}


def assert_lie_alike(one: Any, two: Any) -> None:
    first, second = matrices(one), matrices(two)
    assert first.keys() == second.keys()
    for name, numbers in first.items():
        assert numbers == pytest.approx(second[name], abs=ROUNDING), name


def test_a_skeleton_survives_the_way_into_a_new_armature() -> None:  # BONE1
    armature = rig()
    hip, spine = armature.bones["hip"], armature.bones["spine"]
    hip.bbone_segments, hip.use_deform, hip["stiffness"] = 4, False, 0.5
    hip.color.palette, spine.color.palette = "THEME03", "CUSTOM"
    spine.color.custom.normal = (0.25, 0.5, 0.75)
    spine.bbone_handle_type_start, spine.bbone_custom_handle_start = "ABSOLUTE", hip
    spine.envelope_distance, spine.head_radius, spine.inherit_scale = 0.75, 0.5, "ALIGNED"
    _, other, tree = copy(armature)
    assert other.bones["hip"]["stiffness"] == 0.5
    assert other.bones["spine"].bbone_custom_handle_start == other.bones["hip"]
    assert other.bones["spine"].use_connect
    assert other.bones["spine"].parent == other.bones["hip"]
    assert [one.name for one in other.bones] == [one.name for one in armature.bones]
    assert_lie_alike(armature, other)
    assert read(context(), other, tree) is tree


def test_what_edit_mode_shows_is_what_was_written() -> None:  # BONE1
    armature = rig()
    with edit_mode(armature) as bones:
        bones["head"].use_connect = False
        bones["head"].head, bones["head"].tail, bones["head"].roll = (0.1, 0.7, 3), (0.1, -0.9, 3.000001), 2.5
    _, other, _ = copy(armature)
    with edit_mode(armature) as bones:
        here = {one.name: (one.head[:], one.tail[:], one.roll) for one in bones}
    with edit_mode(other) as bones:
        for one in bones:
            head, tail, roll = here[one.name]
            assert (one.head[:], one.tail[:]) == (head, tail)
            assert math.remainder(one.roll - roll, 2 * math.pi) == pytest.approx(0, abs=ROUNDING)


def test_reading_twice_gives_the_same_object_and_writing_what_was_read_changes_nothing() -> None:  # BONE2
    armature, ctx = rig(), context()
    tree = read(ctx, armature)
    assert read(ctx, armature, tree) is tree
    before = matrices(armature)
    for _ in range(3):
        assert write(ctx, armature, tree) is tree
    assert matrices(armature) == before


def test_a_skeleton_does_not_drift_over_many_hands() -> None:  # BONE2
    armature = rig(*(f"bone {i}" for i in range(40)))
    tree = read(context(), armature)
    for _ in range(3):
        other = bpy.data.armatures.new("next")
        write(context("next"), other, tree)
        seen = read(context("fresh"), other)
        assert len(seen["bones"]["of"]) == 40
        assert_lie_alike(armature, other)
        assert read(context("again"), other, tree) is tree


def test_a_changed_bone_is_a_small_delta() -> None:  # BONE3
    armature, ctx = rig(), context()
    tree = read(ctx, armature)
    key, _ = bone(tree, "head")
    with edit_mode(armature) as bones:
        bones["head"].tail = (0, 0, 9)
        bones["head"].roll += 0.01
    new = read(ctx, armature, tree)
    delta = diff(tree, new)
    assert delta is not None
    assert delta[1].keys() == {"bones"}
    assert delta[1]["bones"][1].keys() == {key}
    assert delta[1]["bones"][1][key][1].keys() == {"tail", "roll"}
    armature.bones["hip"].use_deform = False
    assert diff(new, read(ctx, armature, new)) == [
        "patch",
        {"bones": ["patch", {bone(tree, "hip")[0]: ["patch", {"use_deform": ["put", False]}]}]},
    ]


def test_a_renamed_bone_keeps_its_key() -> None:  # BONE4
    armature, ctx = rig(), context()
    tree = read(ctx, armature)
    armature.bones["spine"].name = "back"
    new = read(ctx, armature, tree)
    key, _ = bone(tree, "spine")
    assert diff(tree, new) == ["patch", {"bones": ["patch", {key: ["patch", {"name": ["put", "back"]}]}]}]
    with edit_mode(armature) as bones:  # renamed and moved in one go
        bones["head"].tail = (1, 1, 5)
        bones["head"].name = "skull"
    assert bone(read(ctx, armature, new), "skull")[0] == bone(tree, "head")[0]


def test_names_that_change_hands_are_written() -> None:  # BONE4
    ctx, other, tree = copy(rig())
    (hip, _), (head, _) = bone(tree, "hip"), bone(tree, "head")
    new = with_bone(with_bone(tree, hip, name="head"), head, name="hip")
    assert write(ctx, other, new) == new
    assert other.bones["head"].parent is None
    assert other.bones["hip"].parent.name == "spine"


def test_a_renamed_bone_takes_its_pose_along() -> None:  # BONE4
    ctx, other, tree = copy(rig())
    thing = bpy.data.objects.new("posed", other)
    bpy.context.scene.collection.objects.link(thing)
    bpy.context.view_layer.update()
    thing.pose.bones["spine"].location = (1, 2, 3)
    write(ctx, other, with_bone(tree, bone(tree, "spine")[0], name="back"))
    assert thing.pose.bones["back"].location[:] == (1, 2, 3)


def test_bones_are_added_removed_and_hung_elsewhere() -> None:  # BONE5
    ctx, other, tree = copy(rig())
    key, spine = bone(tree, "spine")
    head, _ = bone(tree, "head")
    added = {**spine, "name": "arm", "head": [0.0, 0.0, 1.0], "tail": [2.0, 0.0, 1.0], "use_connect": False}
    bones = tree["bones"]
    rest = {one: fields for one, fields in bones["of"].items() if one != key}
    rest = {**rest, head: {**rest[head], "parent": "arm-key", "use_connect": False}, "arm-key": added}
    new = {**tree, "bones": {"$": "items", "order": list(rest), "of": rest}}
    assert unlike(write(ctx, other, new), new) == []
    assert other.bones.keys() == ["hip", "arm", "head"]
    assert other.bones["head"].parent.name == "arm"


def test_bones_of_one_name_get_the_same_names_wherever_they_meet() -> None:  # BONE12
    tree = read(context(), rig("one", "two"))
    key, two = bone(tree, "two")
    mine = {**two, "name": "new", "use_connect": False}
    theirs, long = {**mine, "parent": key}, {**mine, "name": "x" * 63}
    both = {**tree["bones"]["of"], "mine": mine, "theirs": theirs, "a": long, "b": long}
    order = [*tree["bones"]["order"], "mine", "theirs", "a", "b"]
    named = {}
    for known in ((), ("mine", "a"), ("theirs", "b")):
        armature, ctx = bpy.data.armatures.new("rig"), context(str(known))
        of = {one: both[one] for one in (*tree["bones"]["order"], *known)}
        write(ctx, armature, {**tree, "bones": {"$": "items", "order": list(of), "of": of}})
        for _ in range(2):
            seen = write(ctx, armature, {**tree, "bones": {"$": "items", "order": order, "of": both}})
            named[str(known)] = {one: fields["name"] for one, fields in seen["bones"]["of"].items()}
            assert read(ctx, armature, seen) is seen
    first, *rest = named.values()
    assert (first["mine"], first["theirs"], first["b"]) == ("new", "new.001", "x" * 59 + ".001")
    assert rest == [first, first]


def test_collections_of_bones_of_one_name_get_the_same_names_wherever_they_meet() -> None:  # BONE12
    tree = read(context(), rig("one"))
    plain = {"name": "new", "is_visible": True, "parent": None, "bones": {"$": "set", "of": []}}
    both = {"mine": plain, "theirs": {**plain, "is_visible": False}}
    for known in ((), ("mine",), ("theirs",)):
        armature, ctx = bpy.data.armatures.new("rig"), context(str(known))
        of = {one: both[one] for one in known}
        write(ctx, armature, {**tree, "collections": {"$": "items", "order": list(of), "of": of}})
        for _ in range(2):
            write(ctx, armature, {**tree, "collections": {"$": "items", "order": list(both), "of": both}})
            assert [(one.name, one.is_visible) for one in armature.collections] == [("new", True), ("new.001", False)]


def test_parent_and_child_change_places() -> None:  # BONE5
    ctx, other, tree = copy(rig("one", "two"))
    (one, _), (two, _) = bone(tree, "one"), bone(tree, "two")
    new = with_bone(with_bone(tree, one, parent=two), two, parent=None, use_connect=False)
    assert write(ctx, other, new) == new
    assert other.bones["one"].parent.name == "two"


def test_a_ring_of_parents_is_cut_alike_by_all_who_hold_it() -> None:  # BONE5
    tree = read(context(), rig("one", "two"))
    (one, _), (two, _) = bone(tree, "one"), bone(tree, "two")
    flat = with_bone(tree, two, parent=None, use_connect=False)
    ring = with_bone(with_bone(flat, one, parent=two), two, parent=one)
    parents = []
    for start in (flat, with_bone(flat, one, parent=two), with_bone(flat, two, parent=one)):
        armature, ctx = bpy.data.armatures.new("ring"), context(str(len(parents)))
        write(ctx, armature, start)
        write(ctx, armature, ring)
        parents.append({item.name: item.parent.name if item.parent else None for item in armature.bones})
    assert parents[0] == parents[1] == parents[2]
    assert list(parents[0].values()).count(None) == 1


def test_collections_of_bones_survive_with_names_nesting_and_members() -> None:  # BONE6
    armature = rig()
    controls = armature.collections.new("controls")
    face = armature.collections.new("face", parent=controls)
    armature.collections.new("hands", parent=controls)
    armature.collections.new("deform").is_visible = False
    controls.assign(armature.bones["hip"])
    face.assign(armature.bones["head"])
    face.assign(armature.bones["spine"])
    face["rank"] = 3
    ctx, other, tree = copy(armature)
    assert [(one.name, one.parent and one.parent.name) for one in other.collections_all] == [
        (one.name, one.parent and one.parent.name) for one in armature.collections_all
    ]
    assert {one.name for one in other.collections_all["face"].bones} == {"spine", "head"}
    assert other.collections_all["face"]["rank"] == 3
    assert not other.collections_all["deform"].is_visible

    here = context()
    face.unassign(armature.bones["spine"])
    face.name = "mimic"
    renamed = read(here, armature, tree)
    armature.collections_all["hands"].child_number = 0
    armature.collections_all["deform"].parent = face
    new = read(here, armature, renamed)
    assert new["collections"]["of"].keys() == tree["collections"]["of"].keys()
    assert unlike(write(ctx, other, new), new) == []
    assert [one.name for one in other.collections_all["controls"].children] == ["hands", "mimic"]
    assert [one.name for one in other.collections_all["mimic"].bones] == ["head"]
    assert other.collections_all["deform"].parent.name == "mimic"

    armature.collections.remove(armature.collections_all["mimic"])
    gone = read(here, armature, new)
    assert unlike(write(ctx, other, gone), gone) == []


def test_a_bone_assigned_is_a_small_delta() -> None:  # BONE6
    armature, ctx = rig(), context()
    chosen = armature.collections.new("chosen")
    tree = read(ctx, armature)
    chosen.assign(armature.bones["head"])
    collection, key = tree["collections"]["order"][0], bone(tree, "head")[0]
    assert diff(tree, read(ctx, armature, tree)) == [
        "patch",
        {"collections": ["patch", {collection: ["patch", {"bones": ["link", [key], []]}]}]},
    ]


def test_writing_bones_leaves_the_user_in_edit_mode_of_another_object() -> None:  # BONE7
    mesh = bpy.data.meshes.new("edited")
    mesh.from_pydata([(0, 0, 0), (1, 0, 0), (0, 1, 0)], [], [(0, 1, 2)])
    edited = bpy.data.objects.new("edited", mesh)
    bpy.context.scene.collection.objects.link(edited)
    bpy.context.view_layer.objects.active = edited
    edited.select_set(True)
    bpy.ops.object.mode_set(mode="EDIT")
    present = {kind: set(getattr(bpy.data, kind).keys()) for kind in ("objects", "scenes")}
    copy(rig())
    assert edited.mode == "EDIT"
    assert bpy.context.view_layer.objects.active == edited
    assert edited.select_get()
    assert present == {kind: set(getattr(bpy.data, kind).keys()) for kind in ("objects", "scenes")}
    bpy.ops.object.mode_set(mode="OBJECT")


def test_writing_bones_leaves_a_pose_as_it_is() -> None:  # BONE7
    ctx, other, tree = copy(rig())
    thing = bpy.data.objects.new("posed", other)
    bpy.context.scene.collection.objects.link(thing)
    bpy.context.view_layer.objects.active = thing
    bpy.ops.object.mode_set(mode="POSE")
    thing.pose.bones["spine"].rotation_quaternion = (0, 1, 0, 0)
    thing.pose.bones["head"].constraints.new("COPY_ROTATION").target = thing
    write(ctx, other, with_bone(tree, bone(tree, "head")[0], tail=[0.0, 1.0, 4.0]))
    assert thing.mode == "POSE"
    assert thing.pose.bones["spine"].rotation_quaternion[:] == (0, 1, 0, 0)
    assert thing.pose.bones["head"].constraints[0].target == thing
    bpy.ops.object.mode_set(mode="OBJECT")


def test_an_armature_in_edit_mode_reads_as_before_and_is_not_written() -> None:  # BONE8
    ctx, other, tree = copy(rig())
    thing = bpy.data.objects.new("edited", other)
    bpy.context.scene.collection.objects.link(thing)
    bpy.context.view_layer.objects.active = thing
    bpy.ops.object.mode_set(mode="EDIT")
    other.edit_bones["head"].tail = (5, 5, 5)
    assert read(ctx, other, tree) is tree
    with pytest.raises(Busy):
        SKELETON.write(ctx, other, tree, with_bone(tree, bone(tree, "hip")[0], roll=1.0), {})
    bpy.ops.object.mode_set(mode="OBJECT")
    assert bone(read(ctx, other, tree), "head")[1]["tail"] == [5.0, 5.0, 5.0]


def test_mirrored_editing_does_not_move_the_other_side() -> None:  # BONE9
    armature = bpy.data.armatures.new("sides")
    with edit_mode(armature) as bones:
        for name, side in (("arm.L", 1), ("arm.R", -1)):
            bones.new(name).tail = (side, 0, 0)
    armature.use_mirror_x = True
    ctx, other, tree = copy(armature)
    other.use_mirror_x = True
    write(ctx, other, with_bone(tree, bone(tree, "arm.L")[0], tail=[3.0, 0.0, 0.0]))
    assert other.bones["arm.R"].tail_local[:] == (-1, 0, 0)
    assert other.use_mirror_x


@pytest.mark.parametrize(
    "fields",
    [
        {"head": [0.0, 0.0]},
        {"tail": "up"},
        {"roll": None},
        {"tail": [{"$": "num", "of": "nan"}, 0.0, 0.0]},
        {"name": 5},
    ],
)
def test_what_is_no_bone_is_an_error_of_the_sender(fields: dict[str, Tree]) -> None:  # BONE10
    ctx, other, tree = copy(rig())
    scenes = len(bpy.data.scenes)
    with pytest.raises(RemoteProtocolError):
        SKELETON.write(ctx, other, tree, with_bone(tree, bone(tree, "spine")[0], **fields), {})
    assert len(bpy.data.scenes) == scenes
    assert not other.is_editmode


def test_a_bone_without_length_keeps_nothing_else_from_being_written() -> None:  # BONE10
    ctx, other, tree = copy(rig())
    key, head = bone(tree, "head")
    short = with_bone(with_bone(tree, key, tail=head["head"]), bone(tree, "hip")[0], use_deform=False)
    write(ctx, other, short)
    if "head" in other.bones:  # 5.0 gives it a little
        assert other.bones["head"].length > 0
    else:
        assert "no length" in ctx.refused["Armature.bones"]
    assert not other.bones["hip"].use_deform


def test_a_bone_that_is_nowhere_stays_where_it_was_for_others() -> None:  # BONE14
    armature, ctx = rig(), context()
    tree = read(ctx, armature)
    with edit_mode(armature) as bones:
        bones["hip"].head = bones["head"].tail = (math.nan, math.inf, 0)
        bones.new("new").tail = (0, math.nan, 1)
    new = read(ctx, armature, tree)
    for name in ("hip", "spine", "head"):
        (key, seen), here = bone(new, name), armature.bones[name]
        for end, place in (("head", here.head_local[:]), ("tail", here.tail_local[:])):
            there = list(place) if all(map(math.isfinite, place)) else tree["bones"]["of"][key][end]
            assert seen[end] == there, (name, end)  # 5.0 and later give some of them a place of their own
    assert all(math.isfinite(number) for one in new["bones"]["of"].values() for number in (one["roll"], *one["tail"]))
    other, elsewhere = bpy.data.armatures.new("other"), context("other")
    assert unlike(bone(new, "spine"), bone(write(elsewhere, other, new), "spine")) == []
    key, _ = bone(new, "hip")
    SKELETON.write(ctx, armature, new, with_bone(new, key, head=[0.0, 0.0, -1.0]), {})
    assert armature.bones["hip"].head_local[:] == (0, 0, -1)


@pytest.mark.skipif(not CORPUS, reason="MIXER_CORPUS names no folder")
@pytest.mark.parametrize("file_name", RIGS)
def test_rigs_of_artists_survive(file_name: str) -> None:  # BONE1
    found = sorted(Path(CORPUS).rglob(file_name))
    assert found, f"{file_name} is not in the corpus"
    bpy.ops.wm.open_mainfile(filepath=str(found[0]))
    for armature in list(bpy.data.armatures):
        ctx = context(armature.name)
        tree = read_struct(ctx, armature, None)
        other, there = bpy.data.armatures.new("copy"), context("copy")
        write_struct(there, other, read_struct(there, other, tree), tree)
        assert unlike({**tree, "name": ""}, {**read_struct(there, other, tree), "name": ""}) == []
        assert_lie_alike(armature, other)
        assert there.refused == {}
