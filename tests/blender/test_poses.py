"""Poses: an object whose data is an armature has one for each bone, and Blender makes and drops them with the bones."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import bpy
import pytest

from broadcaster.document import Deltas
from broadcaster.member import Member
from broadcaster.tree import Tree, diff
from mixer import undo
from mixer.authors import Authors
from mixer.proxy import Mirror
from mixer.proxy.bones import edit_mode

from .roundtrip import MemoryBlobs, load, mismatches, share

pytestmark = pytest.mark.usefixtures("fresh")


def rig(name: str, *bones: str) -> Any:
    armature = bpy.data.armatures.new(name)
    with edit_mode(armature) as edit_bones:
        for place, bone in enumerate(bones):
            edit_bones.new(bone).tail = (place, 0, 1)
    return armature


def posed(name: str, armature: Any, *, linked: bool = True) -> Any:
    """An object with a pose that is no default in any way."""
    thing = bpy.data.objects.new(name, armature)
    bpy.context.scene.collection.objects.link(thing)
    bpy.context.view_layer.update()
    strike(thing.pose.bones["one"])
    if not linked:
        bpy.context.scene.collection.objects.unlink(thing)
    return thing


def strike(bone: Any) -> None:
    bone.rotation_mode = "XYZ"
    bone.location, bone.rotation_euler = (1, 2, 3), (0.1, 0.2, 0.3)
    bone.constraints.new("COPY_LOCATION").target = bpy.data.objects["Cube"]
    bone.custom_shape = bpy.data.objects["Cube"]
    bone["mood"] = "heroic"


def is_struck(bone: Any) -> bool:
    return (
        bone.rotation_mode == "XYZ"
        and bone.location[:] == (1, 2, 3)
        and bone.rotation_euler.y == pytest.approx(0.2)
        and [one.target for one in bone.constraints] == [bpy.data.objects["Cube"]]
        and bone.custom_shape == bpy.data.objects["Cube"]
        and bone.get("mood") == "heroic"
    )


class Here:
    """This Blender in a room, and what others do there."""

    def __init__(self) -> None:
        self.mirror = Mirror(MemoryBlobs())
        self.member = Member("me")
        self.member.hold(share(self.mirror))
        self.mirror.sent([[uuid, None] for uuid in self.mirror.entries], self.member.shown)
        self.mirror.verify()

    def uuid(self, datablock: Any) -> str:
        uuid = self.mirror.identity.uuid_of(datablock)
        assert uuid is not None
        return uuid

    def tree(self, datablock: Any) -> Any:
        entity = self.member.shown.get(self.uuid(datablock))
        assert entity is not None
        return entity.tree

    def others(self, *deltas: Any) -> None:
        """Somebody else's edits come to be shown here. Nothing of it is an edit of ours."""
        outcome = self.member.confirmed.apply(list(deltas), revision=self.member.revision + 1, sender="other")
        assert outcome.dropped == []
        self.show(self.mirror.apply([uuid for uuid, _ in deltas], self.member))

    def show(self, work: Iterator[Deltas]) -> None:
        assert [deltas for deltas in work if deltas] == []
        assert self.mirror.verify() == []
        assert self.found() == []

    def found(self) -> Deltas:
        """What there is to be found here that the room has not been told."""
        return self.mirror.scan() + self.mirror.collect(list(self.mirror.entries))

    def unlike(self) -> list[str]:
        return [text for text in mismatches(self.mirror, self.member.shown) if ".pose" in text or ".skeleton" in text]


def rigged() -> tuple[Any, Any, Here]:
    """An armature, the object that has it and is active, and this Blender in a room with them."""
    armature = rig("rig", "one", "two")
    thing = posed("thing", armature)
    bpy.context.view_layer.objects.active = thing
    return armature, thing, Here()


def change(here: Here, datablock: Any, tree: Tree) -> Any:
    return [here.uuid(datablock), diff(here.tree(datablock), tree)]


def bones_anew(here: Here, armature: Any) -> Any:
    """Somebody else has deleted the bones and made them again."""
    tree = here.tree(armature)
    skeleton = tree["skeleton"]
    order = [f"{key}-anew" for key in skeleton["bones"]["order"]]
    of = {f"{key}-anew": bone for key, bone in skeleton["bones"]["of"].items()}
    new = {**tree, "skeleton": {**skeleton, "bones": {"$": "items", "order": order, "of": of}}}
    return change(here, armature, new)


@pytest.mark.parametrize("linked", [True, False])
def test_poses_stay_when_another_makes_the_bones_anew(linked: bool) -> None:  # POSE1
    armature = rig("rig", "one", "two")
    things = [posed(f"thing {number}", armature, linked=linked) for number in range(2)]
    here = Here()
    here.others(bones_anew(here, armature))
    assert all(is_struck(thing.pose.bones["one"]) for thing in things)
    assert here.unlike() == []


def test_poses_stay_when_bones_made_anew_had_to_wait_for_edit_mode() -> None:  # POSE1
    armature, thing, here = rigged()
    bpy.ops.object.mode_set(mode="EDIT")
    here.others(bones_anew(here, armature))
    assert here.mirror.deferred == {here.uuid(armature)}
    bpy.ops.object.mode_set(mode="OBJECT")
    here.show(here.mirror.retry(here.member))
    assert is_struck(thing.pose.bones["one"])
    assert here.unlike() == []


def test_bones_that_another_removed_while_this_one_edited_them_take_their_poses_along_unsaid() -> None:  # POSE2
    armature, thing, here = rigged()
    tree, posing = here.tree(armature), here.tree(thing)
    bones, poses = tree["skeleton"]["bones"], posing["pose"]["bones"]
    second = bones["order"][1]
    left = {"$": "items", "order": [second], "of": {second: bones["of"][second]}}
    two = {"$": "items", "order": ["two"], "of": {"two": poses["of"]["two"]}}
    bpy.ops.object.mode_set(mode="EDIT")
    here.others(
        change(here, armature, {**tree, "skeleton": {**tree["skeleton"], "bones": left}}),
        change(here, thing, {**posing, "pose": {**posing["pose"], "bones": two}}),
    )
    bpy.ops.object.mode_set(mode="OBJECT")
    here.show(here.mirror.retry(here.member))
    assert thing.pose.bones.keys() == ["two"]
    assert here.unlike() == []


@pytest.mark.parametrize("linked", [True, False])
def test_an_object_gets_its_pose_when_another_makes_it(linked: bool) -> None:  # POSE3
    thing = posed("thing", rig("rig", "one", "two"), linked=linked)
    here = Here()
    uuid, tree = here.uuid(thing), here.tree(thing)
    document, blobs = here.member.shown, here.mirror.ctx.blobs
    mirror = load(document, blobs)  # type: ignore[arg-type]
    assert mirror.verify() == []
    assert [text for text in mismatches(mirror, document) if ".pose" in text] == []
    assert is_struck(mirror.identity.find(uuid).pose.bones["one"])  # type: ignore[union-attr]
    assert tree["pose"]["bones"]["of"].keys() == {"one", "two"}
    assert mirror.collect(list(mirror.entries)) == []


def without_pose(here: Here, thing: Any, *names: str) -> Any:
    """Somebody else has lost the poses of bones that are still there, as an undo among others' edits may."""
    tree = here.tree(thing)
    of = {name: one for name, one in tree["pose"]["bones"]["of"].items() if name not in names}
    bones = {"$": "items", "order": list(of), "of": of}
    return change(here, thing, {**tree, "pose": {**tree["pose"], "bones": bones}})


def test_an_edit_of_a_pose_that_the_document_lacks_tells_the_whole_of_it() -> None:  # POSE4
    thing = posed("thing", rig("rig", "one", "two"))
    here = Here()
    here.others(without_pose(here, thing, "two"))
    thing.pose.bones["two"].location.x = 4
    ((uuid, delta),) = here.found()
    (insert,) = delta[1]["pose"][1]["bones"][1].values()
    assert insert[:2] == ["insert", "one"]
    assert insert[2]["location"] == [4, 0, 0]
    assert here.member.edit([[uuid, delta]]) is not None
    assert here.unlike() == []


def test_the_pose_of_a_new_bone_takes_the_place_of_what_an_earlier_one_left_in_the_document() -> None:  # POSE4
    armature = rig("rig", "one")
    thing = posed("thing", armature)
    here = Here()
    tree = here.tree(thing)
    of = {**tree["pose"]["bones"]["of"], "two": {**tree["pose"]["bones"]["of"]["one"], "location": [0.0, 0.0, 9.0]}}
    bones = {"$": "items", "order": ["one", "two"], "of": of}
    here.others(change(here, thing, {**tree, "pose": {**tree["pose"], "bones": bones}}))
    with edit_mode(armature) as edit_bones:
        edit_bones.new("two").tail = (0, 0, 1)
    here.member.edit(here.found())
    assert here.tree(thing)["pose"]["bones"]["of"]["two"]["location"] == [0, 0, 0]
    assert here.unlike() == []


def test_what_gave_way_at_once_is_written_as_the_document_has_it() -> None:  # MIRROR24
    thing = posed("thing", rig("rig", "one", "two"))
    here = Here()
    thing.pose.bones["two"].location.x = 4
    gave_way = here.found()
    here.mirror.sent(gave_way, here.member.shown)
    assert here.unlike() != []
    assert here.mirror.doubt([uuid for uuid, _ in gave_way]) == {here.uuid(thing)}
    here.show(here.mirror.apply([here.uuid(thing)], here.member))
    assert thing.pose.bones["two"].location.x == 0
    assert (here.unlike(), here.mirror.doubted) == ([], set())


def test_a_pose_that_nobody_has_told_of_is_told_by_who_has_it() -> None:  # POSE4
    thing = posed("thing", rig("rig", "one", "two"))
    here = Here()
    assert here.mirror.glance(here.uuid(thing), {thing.session_uid}) == []
    here.others(without_pose(here, thing, "one", "two"))
    told = here.mirror.glance(here.uuid(thing), {thing.session_uid})
    assert here.member.edit(told) is not None
    here.mirror.sent(told, here.member.shown)
    assert here.unlike() == []
    assert here.mirror.glance(here.uuid(thing), {thing.session_uid}) == []


def test_the_pose_of_a_bone_that_is_to_go_is_not_told() -> None:  # POSE4
    armature, thing, here = rigged()
    bpy.ops.object.mode_set(mode="EDIT")
    tree = here.tree(armature)
    none = {"$": "items", "order": [], "of": {}}
    here.others(
        change(here, armature, {**tree, "skeleton": {**tree["skeleton"], "bones": none}}),
        without_pose(here, thing, "one", "two"),
    )
    assert here.mirror.glance(here.uuid(thing), {thing.session_uid}) == []
    bpy.ops.object.mode_set(mode="OBJECT")


@pytest.mark.parametrize("first", ["rig", "thing"])
def test_bones_and_poses_are_one_edit_whichever_is_found_first(first: str) -> None:  # POSE5
    armature = rig("rig", "one", "two")
    things = [posed(name, armature) for name in ("thing", "other")]
    here = Here()
    with edit_mode(armature) as bones:
        bones.remove(bones["one"])
        bones.new("three").tail = (0, 0, 1)
    deltas = here.mirror.collect([here.uuid(armature if first == "rig" else things[0])])
    assert {uuid for uuid, _ in deltas} == {here.uuid(one) for one in (armature, *things)}
    assert here.member.edit(deltas) is not None
    assert here.found() == []
    assert here.unlike() == []


def test_an_object_takes_its_pose_along_to_another_armature() -> None:  # POSE1
    first, second = rig("first", "one", "two"), rig("second", "one", "three")
    thing = posed("thing", first)
    here = Here()
    for armature, gone, come in ((second, "two", "three"), (first, "three", "two")):
        tree = here.tree(thing)
        of = tree["pose"]["bones"]["of"]
        of = {"one": of["one"], come: {**of[gone], "location": [0.0, 5.0, 0.0]}}
        bones = {"$": "items", "order": sorted(of), "of": of}
        data = {"$": "ref", "to": here.uuid(armature), "strong": True}
        here.others(change(here, thing, {**tree, "data": data, "pose": {**tree["pose"], "bones": bones}}))
        assert is_struck(thing.pose.bones["one"])
        assert thing.pose.bones[come].location.y == 5
        assert here.unlike() == []


def undone(here: Here, authors: Authors) -> Deltas:
    """Undoes one step as a session does; what of it is ours."""
    bpy.ops.ed.undo()
    mine, wrong = undo.split(here.mirror, authors)
    assert not mine or here.member.edit(mine) is not None
    here.mirror.sent(mine, here.member.shown)
    here.show(here.mirror.restore(wrong, here.member))
    return mine


@pytest.mark.parametrize("linked", [True, False])
def test_an_undo_leaves_the_bones_and_poses_of_others(linked: bool) -> None:  # POSE6
    armature = rig("rig", "one", "two")
    posed("thing", armature, linked=linked)
    here, authors = Here(), Authors()
    bpy.ops.ed.undo_push(message="before")
    bpy.data.objects["Light"].location.x = 9
    bpy.ops.ed.undo_push(message="mine")
    mine = here.found()
    here.member.edit(mine)
    here.mirror.sent(mine, here.member.shown)
    thing = bpy.data.objects["thing"]
    tree, posing = here.tree(armature), here.tree(thing)
    one, poses = next(iter(tree["skeleton"]["bones"]["of"].values())), posing["pose"]["bones"]["of"]
    bones = {"$": "items", "order": ["key"], "of": {"key": {**one, "name": "three"}}}
    posing_three = {"$": "items", "order": ["three"], "of": {"three": poses["one"]}}
    theirs = [
        change(here, armature, {**tree, "skeleton": {**tree["skeleton"], "bones": bones}}),
        change(here, thing, {**posing, "pose": {**posing["pose"], "bones": posing_three}}),
    ]
    authors.wrote(theirs, theirs=True)
    here.others(*theirs)
    assert is_struck(thing.pose.bones["three"])
    assert [uuid for uuid, _ in undone(here, authors)] == [here.uuid(bpy.data.objects["Light"])]
    thing = bpy.data.objects["thing"]
    assert thing.pose.bones.keys() == ["three"]
    assert is_struck(thing.pose.bones["three"])
    assert here.unlike() == []


def edited(thing: Any) -> None:
    """Has the user edit an object's bones, with an edit that is not seen outside the mode yet."""
    bpy.context.view_layer.objects.active = thing
    bpy.ops.object.mode_set(mode="EDIT")
    thing.data.edit_bones["two"].tail = (0, 0, 7)


def test_bones_that_are_edited_where_another_hid_them_are_edited_no_more() -> None:  # BONE13
    armature = rig("rig", "one", "two")
    thing = posed("thing", armature)
    here = Here()
    edited(thing)
    bpy.context.scene.collection.objects.unlink(thing)
    here.member.edit(here.found())
    here.others(bones_anew(here, armature))
    assert here.mirror.deferred == {here.uuid(armature)}
    here.mirror.looked_at.clear()
    mine = [delta for deltas in here.mirror.retry(here.member) for delta in deltas]
    assert [uuid for uuid, _ in mine] == [here.uuid(armature)]
    assert (armature.is_editmode, here.mirror.deferred) == (False, set())
    assert armature.bones["one"].tail_local[:] == (0, 0, 1)


def test_bones_whose_object_another_removed_are_edited_no_more() -> None:  # BONE13
    armature = rig("rig", "one", "two")
    thing = posed("thing", armature)
    posed("other", armature)
    here = Here()
    edited(thing)
    here.member.confirmed.apply([[here.uuid(thing), ["remove"]]], revision=2, sender="other")
    for deltas in here.mirror.apply([here.uuid(thing)], here.member):
        assert deltas == []
    assert (armature.is_editmode, bpy.context.mode) == (False, "OBJECT")
    assert armature.bones["two"].tail_local[:] == (0, 0, 7)
    assert here.mirror.verify() == []
    ((uuid, _),) = here.found()
    assert uuid == here.uuid(armature)


def test_of_bones_of_one_name_the_later_is_renamed_for_all() -> None:  # BONE12
    armature = rig("rig", "one", "two")
    thing = posed("thing", armature)
    here = Here()
    tree = here.tree(armature)
    bones = tree["skeleton"]["bones"]
    first = bones["order"][0]
    order = ["theirs", *bones["order"]]
    of = {"theirs": {**bones["of"][first], "tail": [0.0, 2.0, 0.0]}, **bones["of"]}
    new = {**tree["skeleton"], "bones": {"$": "items", "order": order, "of": of}}
    here.others(change(here, armature, {**tree, "skeleton": new}))
    assert armature.bones["one"].tail_local.y == 2
    assert armature.bones["one.001"].tail_local.z == 1
    assert is_struck(thing.pose.bones["one"])
    for datablock in (armature, thing):
        told = here.mirror.glance(here.uuid(datablock), {datablock.session_uid})
        assert [uuid for uuid, _ in told] == [here.uuid(datablock)]
        assert here.member.edit(told) is not None
        here.mirror.sent(told, here.member.shown)
        assert here.mirror.glance(here.uuid(datablock), {datablock.session_uid}) == []
    assert here.tree(armature)["skeleton"]["bones"]["of"][first]["name"] == "one.001"
    assert here.unlike() == []
