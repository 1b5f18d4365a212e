"""The mirror in one Blender: what it finds, what it writes, and whose uuid is whose."""

from __future__ import annotations

from typing import Any

import bpy
import pytest
from mathutils import Matrix

from broadcaster.document import Deltas, Document
from broadcaster.member import Member
from broadcaster.tree import diff
from mixer.proxy import Mirror
from mixer.proxy.actions import LAYERED
from mixer.proxy.animation import curves_of
from mixer.proxy.repair import Repair

from .roundtrip import MemoryBlobs, load, mismatches, share

pytestmark = pytest.mark.usefixtures("fresh")


@pytest.fixture
def mirror() -> Mirror:
    mirror = Mirror(MemoryBlobs())
    mirror.scan()
    return mirror


def everything(mirror: Mirror) -> Deltas:
    return mirror.scan() + mirror.collect(list(mirror.entries))


def uuid_of(mirror: Mirror, datablock: Any) -> str:
    uuid = mirror.identity.uuid_of(datablock)
    assert uuid is not None
    return uuid


def put(mirror: Mirror, datablock: Any, **fields: Any) -> tuple[Member, str]:
    """A member that holds what is here, and to whom somebody else's edit of `datablock` has come."""
    uuid = uuid_of(mirror, datablock)
    member = Member("me")
    member.hold(share_again(mirror))
    edit(member, uuid, **fields)
    return member, uuid


def edit(member: Member, uuid: str, **fields: Any) -> None:
    delta = ["patch", {name: ["put", value] for name, value in fields.items()}]
    member.confirmed.apply([[uuid, delta]], revision=member.revision + 1, sender="other")


def apply(mirror: Mirror, member: Member, *uuids: str) -> Deltas:
    return [delta for deltas in mirror.apply(uuids, member) for delta in deltas]


def test_reading_twice_finds_nothing(mirror: Mirror) -> None:  # MIRROR1
    assert everything(mirror) == []


def test_an_edit_is_its_own_property_alone(mirror: Mirror) -> None:  # MIRROR1
    cube = bpy.data.objects["Cube"]
    cube.location.x = 2.0
    assert everything(mirror) == [[uuid_of(mirror, cube), ["patch", {"location": ["put", [2.0, 0.0, 0.0]]}]]]
    assert everything(mirror) == []


def test_a_custom_property_is_an_edit(mirror: Mirror) -> None:  # MIRROR1
    cube = bpy.data.objects["Cube"]
    cube["price"] = 3
    cube["parts"] = {"wheels": [1.5, 2.5], "name": "wagon"}
    found = everything(mirror)
    assert found[0][1][1]["custom_properties"] == [
        "patch",
        {"price": ["put", 3], "parts": ["put", {"wheels": [1.5, 2.5], "name": "wagon"}]},
    ]
    del cube["parts"]
    assert everything(mirror)[0][1] == ["patch", {"custom_properties": ["patch", {"parts": ["remove"]}]}]


def _holders() -> dict[str, Any]:
    """Structs of many depths that take custom properties, by what they are."""
    cube, rig = bpy.data.objects["Cube"], bpy.data.objects.new("Rig", bpy.data.armatures.new("Rig"))
    bpy.context.collection.objects.link(rig)
    bpy.context.view_layer.objects.active = rig
    bpy.ops.object.mode_set(mode="EDIT")
    rig.data.edit_bones.new("Bone").tail.z = 1.0
    bpy.ops.object.mode_set(mode="OBJECT")
    return {
        "object": cube,
        "view layer": bpy.context.view_layer,
        "bone": rig.data.bones[0],
        "pose bone": rig.pose.bones[0],
        "node": cube.active_material.node_tree.nodes[0],
    }


@pytest.mark.parametrize("values", [(1, True), (True, 1.0), ([0, 1], [0.0, 1.0]), ({"x": 0}, {"x": False})])
def test_a_custom_property_of_another_type_is_an_edit_here_and_there(mirror: Mirror, values: Any) -> None:  # MIRROR1
    for what, holder in _holders().items():
        holder["kind"] = values[0]
        everything(mirror)
        before = share_again(mirror)
        holder["kind"] = values[1]
        found = everything(mirror)
        assert len(found) == 1, what
        assert everything(mirror) == [], what
        member = Member("me")
        member.hold(share_again(mirror))
        uuid = found[0][0]
        back = diff(share_again(mirror).get(uuid).tree, before.get(uuid).tree)
        member.confirmed.apply([[uuid, back]], revision=member.revision + 1, sender="other")
        assert apply(mirror, member, uuid) == [], what
        now = holder["kind"]
        now = now.to_list() if hasattr(now, "to_list") else now.to_dict() if hasattr(now, "to_dict") else now
        assert repr(now) == repr(values[0]), what


def test_a_custom_property_may_bear_the_name_of_one_of_blenders(mirror: Mirror) -> None:  # MIRROR1
    cube = bpy.data.objects["Cube"]
    cube["tag"], cube["location"] = "mine", 3
    (delta,) = mirror.collect([uuid_of(mirror, cube)])
    assert delta[1] == ["patch", {"custom_properties": ["patch", {"tag": ["put", "mine"], "location": ["put", 3]}]}]
    member, uuid = put(mirror, cube, custom_properties={"tag": "theirs"})
    apply(mirror, member, uuid)
    assert (cube["tag"], "location" in cube, cube.location.x) == ("theirs", False, 0)


def test_the_last_custom_property_goes_with_no_other_edit(mirror: Mirror) -> None:  # MIRROR1
    cube = bpy.data.objects["Cube"]
    cube["price"] = 3
    everything(mirror)
    member, uuid = put(mirror, cube)
    member.confirmed.apply([[uuid, ["patch", {"custom_properties": ["remove"]}]]], revision=9, sender="other")
    apply(mirror, member, uuid)
    assert ("price" in cube, everything(mirror)) == (False, [])


def test_what_another_still_uses_is_saved_when_it_is_protected_no_longer(mirror: Mirror) -> None:  # MIRROR18
    member = Member("me")
    member.hold(share_again(mirror))
    palette = {"name": "Theirs", "colors": [], "kept": True, "use_fake_user": True}
    member.confirmed.apply([["theirs", ["create", "palettes", palette]]], revision=2, sender="other")
    apply(mirror, member, "theirs")
    edit(member, "theirs", use_fake_user=False)
    apply(mirror, member, "theirs")
    assert (bpy.data.palettes["Theirs"].use_fake_user, bpy.data.palettes["Theirs"].users) == (False, 1)


def test_what_something_came_to_use_is_saved_only_as_long_as_it_does(mirror: Mirror) -> None:  # MIRROR18
    member = Member("me")
    member.hold(share_again(mirror))
    tree = {**mirror.entries[uuid_of(mirror, bpy.data.worlds["World"])].live, "name": "Theirs"}
    member.confirmed.apply([["theirs", ["create", "worlds", tree]]], revision=2, sender="other")
    apply(mirror, member, "theirs")
    theirs = bpy.data.worlds["Theirs"]
    assert theirs.users == 1
    bpy.context.scene.world = theirs
    apply(mirror, member)
    assert theirs.users == 1
    bpy.context.scene.world = None
    assert theirs.users == 0


def test_a_scene_that_another_made_stays_when_nothing_uses_it(mirror: Mirror) -> None:  # MIRROR18
    member = Member("me")
    member.hold(share_again(mirror))
    first = bpy.context.scene
    tree = {**mirror.entries[uuid_of(mirror, first)].live, "name": "Theirs"}
    member.confirmed.apply([["theirs", ["create", "scenes", tree]]], revision=2, sender="other")
    for _ in mirror.apply(["theirs"], member):
        if (theirs := bpy.data.scenes.get("Theirs")) is not None:
            bpy.data.objects["Cube"]["follows"] = theirs
    bpy.data.objects.remove(bpy.data.objects["Cube"])
    assert bpy.data.scenes["Theirs"].users == 1


def test_a_texture_space_is_mirrored_once_it_is_chosen(mirror: Mirror) -> None:  # MIRROR19
    mesh = bpy.data.meshes["Cube"]
    member, uuid = put(mirror, mesh, use_auto_texspace=False, texspace_location=[1.0, 2.0, 3.0])
    apply(mirror, member, uuid)
    assert (mesh.texspace_location[:], everything(mirror)) == ((1, 2, 3), [])
    mesh.texspace_size.x = 5
    assert everything(mirror) == [[uuid, ["patch", {"texspace_size": ["put", [5.0, 1.0, 1.0]]}]]]
    mesh.use_auto_texspace = True
    assert everything(mirror)[0][1][1]["texspace_size"] == ["put", None]


def test_what_lies_past_the_limits_of_a_property_is_written_as_it_got_there(mirror: Mirror) -> None:  # MIRROR31
    camera, scene = bpy.data.cameras["Camera"], bpy.context.scene
    camera.sensor_width, camera.angle = 10, 3.0
    lens = camera.lens
    assert lens < camera.bl_rna.properties["lens"].hard_min
    uuid = uuid_of(mirror, camera)
    there = {uuid}
    view: Any = scene.view_settings
    if hasattr(view, "white_balance_whitepoint"):
        view.white_balance_whitepoint = (3.0, 0.6, 0.0)
        assert view.white_balance_temperature < view.bl_rna.properties["white_balance_temperature"].hard_min
        there.add(uuid_of(mirror, scene))
    everything(mirror)
    member = Member("me")
    member.hold(share_again(mirror))
    temperature = getattr(view, "white_balance_temperature", 0)
    camera.lens = 50
    if temperature:
        view.white_balance_temperature = 5000
    everything(mirror)
    for _ in mirror.restore(there, member):
        pass
    assert camera.lens == pytest.approx(lens)
    assert getattr(view, "white_balance_temperature", 0) == pytest.approx(temperature)
    assert everything(mirror) == []


def test_what_blender_itself_leaves_at_nothing_is_no_white_point(mirror: Mirror) -> None:  # MIRROR31
    view: Any = bpy.data.scenes.new("New").view_settings
    ((_, (_, _, tree)),) = everything(mirror)
    assert getattr(view, "white_balance_temperature", 0) in (0, 6500)
    assert tree["view_settings"].get("white_balance_whitepoint") is None


def test_an_object_whose_parent_is_gone_keeps_its_matrix(mirror: Mirror) -> None:  # MIRROR8
    rows = [[1.0, 0.0, 0.0, 2.0], [0.0, 1.0, 0.0, 0.0], [0.0, 0.0, 1.0, 0.0], [0.0, 0.0, 0.0, 1.0]]
    cube = bpy.data.objects["Cube"]
    member, uuid = put(mirror, cube, parent={"$": "ref", "to": "gone"}, matrix_parent_inverse=rows)
    apply(mirror, member, uuid)
    assert cube.matrix_parent_inverse[0][3] == 2


def test_what_changes_along_with_another_is_nobodys_edit(mirror: Mirror) -> None:  # MIRROR20
    for _ in range(2):
        bpy.ops.object.metaball_add()
    everything(mirror)
    first, second = bpy.data.metaballs
    member, uuid = put(mirror, first, threshold=0.5)
    apply(mirror, member, uuid)
    assert (first.threshold, second.threshold, mirror.verify(), everything(mirror)) == (0.5, 0.5, [], [])
    member, uuid = put(mirror, bpy.data.collections["Collection"], name="Other")
    apply(mirror, member, uuid)
    assert (mirror.verify(), everything(mirror)) == ([], [])


def test_a_renamed_modifier_keeps_its_key(mirror: Mirror) -> None:  # MIRROR2
    cube = bpy.data.objects["Cube"]
    cube.modifiers.new("One", "BEVEL")
    cube.modifiers.new("Two", "BEVEL")
    keys = everything(mirror)[0][1][1]["modifiers"][1]
    first, second = keys
    cube.modifiers["One"].name = "Renamed"
    assert everything(mirror)[0][1] == [
        "patch",
        {"modifiers": ["patch", {first: ["patch", {"name": ["put", "Renamed"]}]}]},
    ]
    cube.modifiers.move(0, 1)
    moved = everything(mirror)[0][1][1]["modifiers"][1]
    assert moved in ({first: ["move", second]}, {second: ["move", None]})
    cube.modifiers.remove(cube.modifiers["Two"])
    assert everything(mirror)[0][1] == ["patch", {"modifiers": ["patch", {second: ["remove"]}]}]


def test_new_and_removed_datablocks_are_found(mirror: Mirror) -> None:  # MIRROR3
    mesh = bpy.data.meshes.new("New")
    thing = bpy.data.objects.new("New", mesh)
    bpy.context.scene.collection.objects.link(thing)
    found = everything(mirror)
    assert [delta[1][:2] for delta in found[:2]] == [["create", "meshes"], ["create", "objects"]]
    assert found[1][1][2]["data"] == {"$": "ref", "to": uuid_of(mirror, mesh), "strong": True}
    uuids = {uuid_of(mirror, mesh), uuid_of(mirror, thing)}
    bpy.data.meshes.remove(mesh)  # takes the object along
    assert {delta[0] for delta in everything(mirror) if delta[1] == ["remove"]} == uuids


def test_a_layer_collection_is_known_by_what_it_shows(mirror: Mirror) -> None:  # MIRROR2
    collection = bpy.data.collections["Collection"]
    collection.name = "Things"  # elsewhere it may have to be another one
    assert everything(mirror) == [[uuid_of(mirror, collection), ["patch", {"name": ["put", "Things"]}]]]


def test_a_copy_gets_a_uuid_of_its_own(mirror: Mirror) -> None:  # MIRROR4
    cube = bpy.data.objects["Cube"]
    before = uuid_of(mirror, cube)
    twin = cube.copy()
    twin.data = cube.data.copy()
    everything(mirror)
    assert uuid_of(mirror, cube) == before
    assert len({before, uuid_of(mirror, twin), uuid_of(mirror, twin.data), uuid_of(mirror, cube.data)}) == 4


def test_a_uuid_outlives_rename_save_and_load(mirror: Mirror, tmp_path: Any) -> None:  # MIRROR4
    cube = bpy.data.objects["Cube"]
    before = uuid_of(mirror, cube)
    cube.name = "Box"
    assert everything(mirror)[0][1] == ["patch", {"name": ["put", "Box"]}]
    bpy.ops.wm.save_as_mainfile(filepath=str(tmp_path / "a.blend"))
    bpy.ops.wm.open_mainfile(filepath=str(tmp_path / "a.blend"))
    again = Mirror(MemoryBlobs())
    again.scan()
    assert uuid_of(again, bpy.data.objects["Box"]) == before


def test_a_scene_comes_back_from_its_document() -> None:  # MIRROR5
    cube = bpy.data.objects["Cube"]
    cube.modifiers.new("Bevel", "BEVEL").width = 0.5
    cube.constraints.new("LIMIT_LOCATION").use_min_x = True
    cube["note"] = "hello"
    inner = bpy.data.collections.new("Inner")
    bpy.data.collections["Collection"].children.link(inner)
    inner.objects.link(cube)
    bpy.data.objects["Light"].parent = cube
    bpy.context.scene.render.resolution_x = 640
    blobs = MemoryBlobs()
    document = share(Mirror(blobs))
    mirror = load(document, blobs)
    # Paths are withheld; 5.2 leaves at 0 what it takes from 1800 on.
    passed = ("filepath", "white_balance_temperature", "white_balance_tint")
    assert [text for text in mismatches(mirror, document) if not any(one in text for one in passed)] == []
    assert everything(mirror) == []
    assert bpy.data.objects["Cube"].modifiers["Bevel"].width == 0.5
    assert bpy.data.objects["Light"].parent == bpy.data.objects["Cube"]
    assert bpy.data.objects["Cube"].name in bpy.data.collections["Inner"].objects


def test_a_remote_edit_is_written_and_is_no_edit_of_ours(mirror: Mirror) -> None:  # MIRROR6
    cube = bpy.data.objects["Cube"]
    member, uuid = put(mirror, cube, location=[1.0, 2.0, 3.0], name="Box")
    assert apply(mirror, member, uuid) == []
    assert (tuple(cube.location), cube.name) == ((1.0, 2.0, 3.0), "Box")
    assert everything(mirror) == []


def test_what_blender_clamps_is_no_edit_of_ours(mirror: Mirror) -> None:  # MIRROR6
    lamp = bpy.data.lights["Light"]
    member, uuid = put(mirror, lamp, shadow_soft_size=-5.0)
    apply(mirror, member, uuid)
    assert lamp.shadow_soft_size == 0.0
    assert everything(mirror) == []
    lamp.shadow_soft_size = 0.25
    assert everything(mirror) == [[uuid, ["patch", {"shadow_soft_size": ["put", 0.25]}]]]


def test_an_edit_not_noticed_yet_is_found_before_it_is_written_over(mirror: Mirror) -> None:  # MIRROR7
    cube = bpy.data.objects["Cube"]
    member, uuid = put(mirror, cube, location=[1.0, 2.0, 3.0])
    cube.location.x = 9.0
    assert apply(mirror, member, uuid) == [[uuid, ["patch", {"location": ["put", [9.0, 0.0, 0.0]]}]]]


def test_writing_the_rotation_mode_converts_nothing(mirror: Mirror) -> None:  # MIRROR8
    cube = bpy.data.objects["Cube"]
    member, uuid = put(mirror, cube, rotation_mode="QUATERNION", rotation_euler=[7.0, 0.0, 0.0])
    apply(mirror, member, uuid)
    assert cube.rotation_mode == "QUATERNION"
    assert cube.rotation_euler[0] == 7.0
    assert everything(mirror) == []


def test_values_that_drag_each_other_are_written_both(mirror: Mirror) -> None:  # MIRROR8
    scene = bpy.context.scene
    member, uuid = put(mirror, scene, frame_start=500, frame_end=900)
    apply(mirror, member, uuid)
    assert (scene.frame_start, scene.frame_end) == (500, 900)
    member, uuid = put(mirror, scene, frame_start=1, frame_end=20)
    apply(mirror, member, uuid)
    assert (scene.frame_start, scene.frame_end) == (1, 20)


def test_removing_a_mesh_takes_no_object_along(mirror: Mirror) -> None:  # MIRROR9
    cube = bpy.data.objects["Cube"]
    member = Member("me")  # its document holds nothing: the mesh is gone there, the object was never told of
    apply(mirror, member, uuid_of(mirror, cube.data))
    assert bpy.data.objects.get("Cube") is not None


def test_two_that_swap_names_swap_them(mirror: Mirror) -> None:  # MIRROR10
    cube, lamp = bpy.data.objects["Cube"], bpy.data.objects["Light"]
    member, uuid = put(mirror, cube, name="Light")
    other = uuid_of(mirror, lamp)
    edit(member, other, name="Cube")
    apply(mirror, member, uuid, other)
    assert (cube.name, lamp.name) == ("Light", "Cube")


@pytest.mark.parametrize("items", ["modifiers", "constraints"])
def test_items_of_one_name_are_named_alike_everywhere(items: str, mirror: Mirror) -> None:  # MIRROR34
    cube = bpy.data.objects["Cube"]
    cube.modifiers.new("X", "ARRAY")
    cube.constraints.new("COPY_SCALE").name = "X"
    everything(mirror)
    tree = mirror.entries[uuid_of(mirror, cube)].live[items]
    (ours,) = tree["order"]
    both = {"k": tree["of"][ours], **tree["of"]}
    member, uuid = put(mirror, cube, **{items: {**tree, "order": ["k", ours], "of": both}})
    apply(mirror, member, uuid)
    assert [one.name for one in getattr(cube, items)] == ["X", "X.001"]
    assert mirror.entries[uuid].live[items]["order"] == ["k", ours]
    assert everything(mirror) == []
    ((_, told),) = mirror.glance(uuid, {cube.session_uid})
    assert told == ["patch", {items: ["patch", {ours: ["patch", {"name": ["put", "X.001"]}]}]}]
    member.confirmed.apply([[uuid, told]], revision=member.revision + 1, sender="me")
    mirror.sent([[uuid, told]], member.shown)
    assert mirror.glance(uuid, {cube.session_uid}) == []
    assert mirror.entries[uuid].live == mirror.entries[uuid].doc


def test_every_property_of_the_document_is_stable() -> None:  # MIRROR5
    """Loading what was loaded changes nothing more: no value drifts from member to member."""
    blobs = MemoryBlobs()
    first = share(Mirror(blobs))
    second = share_again(load(first, blobs))
    for uuid in first:
        one, two = first.get(uuid), second.get(uuid)
        assert one is not None
        assert two is not None
        changes = diff({**one.tree, "render": None}, {**two.tree, "render": None})
        assert changes is None, (one.kind, changes)


def share_again(mirror: Mirror) -> Document:
    document = Document()
    deltas = [[uuid, ["create", entry.kind, entry.live]] for uuid, entry in mirror.entries.items()]
    document.apply(deltas, revision=1, sender="x")
    return document


def test_what_was_removed_here_unnoticed_is_not_written(mirror: Mirror) -> None:  # MIRROR11
    cube = bpy.data.objects["Cube"]
    member, uuid = put(mirror, cube, location=[1.0, 2.0, 3.0])
    assert mirror.identity.find(uuid) == cube
    bpy.data.objects.remove(cube)
    apply(mirror, member, uuid)
    assert [uuid, ["remove"]] in mirror.scan()


def test_while_the_user_drags_values_are_shown_and_the_rest_waits(mirror: Mirror) -> None:  # MIRROR13
    cube, lamp, camera = (bpy.data.objects[name] for name in ("Cube", "Light", "Camera"))
    for thing in bpy.data.objects:
        thing.select_set(thing == cube)
    member, uuid = put(mirror, cube, location=[1.0, 0.0, 0.0])
    other = uuid_of(mirror, lamp)
    edit(member, other, location=[2.0, 0.0, 0.0])
    member.confirmed.apply([[uuid_of(mirror, camera), ["remove"]]], revision=member.revision + 1, sender="other")
    member.confirmed.apply(
        [["new", ["create", "objects", {**mirror.entries[other].live, "name": "New"}]]],
        revision=member.revision + 1,
        sender="other",
    )
    touched = [uuid, other, uuid_of(mirror, camera), "new"]
    mirror.still = True
    apply(mirror, member, *touched)
    assert (cube.location.x, lamp.location.x) == (0, 2)
    assert "Camera" in bpy.data.objects
    assert "New" not in bpy.data.objects
    mirror.still = False
    assert [delta for deltas in mirror.show_waiting(member) for delta in deltas] == []
    assert bpy.data.objects["Cube"].location.x == 1
    assert "Camera" not in bpy.data.objects
    assert "New" in bpy.data.objects
    mirror.verify()
    assert everything(mirror) == []


def test_what_is_dragged_on_still_gets_what_waited(mirror: Mirror) -> None:  # MIRROR13
    """An edit of the dragged thing goes out between the coming of another's and the end of the drag."""
    cube = bpy.data.objects["Cube"]
    member, uuid = put(mirror, cube, scale=[1.0, 1.0, 2.0])
    mirror.still = True
    assert apply(mirror, member, uuid) == []
    cube.location.x = 5
    dragged = mirror.collect([uuid])
    member.edit(dragged)
    mirror.sent(dragged, member.shown)
    mirror.still = False
    assert [delta for deltas in mirror.show_waiting(member) for delta in deltas] == []
    assert [*cube.location, *cube.scale] == [5, 0, 0, 1, 1, 2]
    mirror.verify()
    assert everything(mirror) == []


def test_what_a_removal_takes_along_is_nobodys_edit(mirror: Mirror) -> None:  # MIRROR14
    modifier = bpy.data.objects["Cube"].modifiers.new("Array", "ARRAY")
    modifier.offset_object = bpy.data.objects["Light"]
    everything(mirror)
    member, uuid = put(mirror, bpy.data.objects["Light"])
    member.confirmed.apply([[uuid, ["remove"]]], revision=member.revision + 1, sender="other")
    assert apply(mirror, member, uuid) == []
    assert mirror.verify() == []
    assert everything(mirror) == []


def test_an_edit_made_between_two_steps_is_an_edit(mirror: Mirror) -> None:  # MIRROR30
    cube, lamp = bpy.data.objects["Cube"], bpy.data.objects["Light"]
    member, uuid = put(mirror, cube, pass_index=3)
    other = uuid_of(mirror, lamp)
    edit(member, other, pass_index=4)
    work = mirror.apply([uuid, other], member)
    for _ in range(2):  # what there is of both, and the first
        assert next(work) == []
    assert mirror.verify(done=False) == []
    cube.pass_index, lamp.location.x = 5, 6
    edits = mirror.edited_since()
    assert sorted(uuid for uuid, _ in edits) == sorted([uuid, other])
    assert list(work) == [[]]
    assert mirror.verify() == []


def test_an_edit_made_right_before_the_first_step_is_an_edit(mirror: Mirror) -> None:  # MIRROR30
    cube, lamp = bpy.data.objects["Cube"], bpy.data.objects["Light"]
    lamp.parent = cube
    everything(mirror)
    member, uuid = put(mirror, bpy.data.objects["Camera"], pass_index=3)
    work = mirror.apply([uuid], member)
    assert next(work) == []  # what there is of it is known
    bpy.data.objects["Camera"].location.x = 6
    assert [uuid for uuid, _ in mirror.edited_since()] == [uuid]
    removed = uuid_of(mirror, cube)
    member.confirmed.apply([[removed, ["remove"]]], revision=9, sender="other")
    work = mirror.apply([removed], member)
    assert next(work) == []
    lamp.location.x = 6
    assert [uuid for uuid, _ in mirror.edited_since()] == [uuid_of(mirror, lamp)]


def test_what_went_meanwhile_is_no_fault(mirror: Mirror) -> None:  # MIRROR30
    member, uuid = put(mirror, bpy.data.objects["Light"])
    camera = uuid_of(mirror, bpy.data.objects["Camera"])
    edit(member, camera, pass_index=3)
    member.confirmed.apply([[uuid, ["remove"]]], revision=member.revision + 1, sender="other")
    work = mirror.apply([uuid, camera], member)
    next(work)
    for name in ("Light", "Camera"):
        bpy.data.objects.remove(bpy.data.objects[name])
    assert [delta for _, delta in mirror.scan()] == [["remove"], ["remove"]]
    list(work)
    assert not mirror.entries.keys() & {uuid, camera}


def test_names_that_go_round_are_all_given(mirror: Mirror) -> None:  # MIRROR10
    things = [bpy.data.objects[name] for name in ("Cube", "Light", "Camera")]
    member, _ = put(mirror, things[0])
    uuids = [uuid_of(mirror, thing) for thing in things]
    mirror.sent([[uuid, ["patch", {}]] for uuid in uuids], member.shown)
    for uuid, name in zip(uuids, ("Light", "Camera", "Cube"), strict=True):
        edit(member, uuid, name=name)
    for uuid in uuids:  # one by one, each finds its name taken
        assert apply(mirror, member, uuid) == []
    for uuid in list(mirror.naming.clashing):
        mirror.naming.settle(uuid)
    assert [bpy.data.objects[name] for name in ("Light", "Camera", "Cube")] == things
    assert mirror.naming.clashing == set()
    assert everything(mirror) == []


def test_the_last_material_takes_its_slot_along(mirror: Mirror) -> None:  # MIRROR16
    cube = bpy.data.objects["Cube"]
    cube.material_slots[0].link = "OBJECT"
    everything(mirror)
    member, uuid = put(mirror, cube.data, materials=[])
    assert apply(mirror, member, uuid) == []
    assert len(bpy.data.objects["Cube"].material_slots) == 0


def test_an_object_becomes_of_another_type(mirror: Mirror) -> None:  # MIRROR17
    lamp, cube = bpy.data.objects["Light"], bpy.data.objects["Cube"]
    cube.parent = lamp
    cube.modifiers.new("Array", "ARRAY").offset_object = lamp
    everything(mirror)
    member, uuid = put(mirror, lamp, data={"$": "ref", "to": uuid_of(mirror, cube.data), "strong": True}, name="Lamp")
    apply(mirror, member, uuid)
    other = mirror.identity.find(uuid)
    assert (other.name, other.type, other.data) == ("Lamp", "MESH", cube.data)
    assert cube.parent == cube.modifiers[0].offset_object == other
    assert other.name in bpy.data.collections["Collection"].objects
    assert everything(mirror) == []
    edit(member, uuid, data=None)
    apply(mirror, member, uuid)
    other = mirror.identity.find(uuid)
    assert (other.type, other.data, cube.parent) == ("EMPTY", None, other)
    assert everything(mirror) == []


def test_a_text_converted_in_its_place_is_another_curve(mirror: Mirror) -> None:  # MIRROR17
    bpy.ops.object.text_add()
    everything(mirror)
    thing = bpy.context.object
    text, owner = uuid_of(mirror, thing.data), uuid_of(mirror, thing)
    bpy.ops.object.convert(target="CURVE")
    thing = bpy.context.object
    found = everything(mirror)
    curve = uuid_of(mirror, thing.data)
    assert curve != text
    assert [(uuid, delta[0]) for uuid, delta in found] == [(curve, "create"), (owner, "patch"), (text, "remove")]
    assert everything(mirror) == []


def test_slots_that_come_with_a_mesh_are_nobodys_edit(mirror: Mirror) -> None:  # MIRROR14
    everything(mirror)
    cube = bpy.data.objects["Cube"]
    member, uuid = put(mirror, cube.data, materials=[None, None, None])
    edit(member, uuid_of(mirror, cube), pass_index=3)
    assert apply(mirror, member, uuid, uuid_of(mirror, cube)) == []
    assert mirror.verify() == []
    assert len(cube.material_slots) == 3
    assert everything(mirror) == []


def test_a_new_datablock_that_is_met_by_name_first_is_introduced(mirror: Mirror) -> None:  # MIRROR15
    cube = bpy.data.objects["Cube"]
    cube.modifiers.new("Array", "ARRAY").offset_object = new = bpy.data.objects.new("New", None)
    uuid = uuid_of(mirror, cube)
    first = mirror.collect([uuid])  # before anybody looked for what is new
    second = mirror.introduce()
    assert [delta[0] for _, delta in second] == ["create", "patch"]
    assert uuid_of(mirror, new) not in str(first)
    assert uuid_of(mirror, new) in str(second[1])
    assert everything(mirror) == []
    assert mirror.introduce() == []


def test_a_point_of_a_curve_stays_where_it_is_though_somebody_selected_it(mirror: Mirror) -> None:  # MIRROR21
    view = bpy.context.scene.view_settings
    view.use_curve_mapping = True
    point = view.curve_mapping.curves[0].points[0]
    point.select = True
    mirror.collect(list(mirror.entries))
    settings = mirror.entries[uuid_of(mirror, bpy.context.scene)].live["view_settings"]
    clipped = {**settings, "curve_mapping": {**settings["curve_mapping"], "clip_min_y": 0.5}}
    member, uuid = put(mirror, bpy.context.scene, view_settings=clipped)
    apply(mirror, member, uuid)
    assert view.curve_mapping.clip_min_y == 0.5
    assert view.curve_mapping.curves[0].points[0].location.y == 0.0
    assert point.select


def test_what_a_removed_action_controlled_is_what_the_document_says(mirror: Mirror) -> None:  # MIRROR22
    lamp = bpy.data.lights["Light"]
    lamp.energy = 100.0
    everything(mirror)
    lamp.keyframe_insert("energy", frame=1)
    action = lamp.animation_data.action
    everything(mirror)
    member = Member("me")
    member.hold(share_again(mirror))
    lamp.energy = 7.0  # as at some other frame
    assert everything(mirror) == []
    member.confirmed.apply([[uuid_of(mirror, action), ["remove"]]], revision=member.revision + 1, sender="other")
    assert apply(mirror, member, uuid_of(mirror, action)) == []
    assert (lamp.animation_data.action, lamp.energy) == (None, 100.0)
    assert everything(mirror) == []


def test_a_value_that_is_muted_and_set_at_once_is_what_was_set(mirror: Mirror) -> None:  # MIRROR22
    cube = bpy.data.objects["Cube"]
    for frame, height in ((1, 1.0), (9, 9.0)):
        cube.location.z = height
        cube.keyframe_insert("location", index=2, frame=frame)
    action = cube.animation_data.action
    bpy.context.scene.frame_set(5)
    everything(mirror)
    uuid, member = uuid_of(mirror, cube), Member("me")
    member.hold(share_again(mirror))
    mirror.sent([[one, None] for one in mirror.entries], member.shown)
    edit(member, uuid, location=[0.0, 0.0, -2.0])
    curve = next(one for one in curves_of(action, getattr(cube.animation_data, "action_slot", None)))
    curve.mute = True
    (muted,) = mirror.collect([uuid_of(mirror, action)])
    curve.mute = False
    mirror.collect([uuid_of(mirror, action)])
    member.confirmed.apply([muted], revision=member.revision + 1, sender="other")
    for found in mirror.apply([uuid, muted[0]], member):
        assert found == []
        assert mirror.verify(done=False) == []  # each step may be the last for now
    assert mirror.verify() == []
    assert (cube.location.z, curve.mute) == (-2.0, True)


def test_what_stands_otherwise_is_shown_again_once(mirror: Mirror) -> None:  # MIRROR23
    cube, lamp = bpy.data.objects["Cube"], bpy.data.lights["Light"]
    member, uuid = put(mirror, cube, location=[1.0, 2.0, 3.0])
    edit(member, uuid_of(mirror, lamp), shadow_soft_size=-5.0)  # which Blender does not take
    apply(mirror, member, *mirror.entries)
    cube.location.x = 9.0
    mirror.collect([uuid])  # by whatever chance
    repair = Repair(mirror)
    assert repair.unlike() == {uuid, uuid_of(mirror, lamp)}
    assert [delta for deltas in repair.show_again(repair.unlike(), member) for delta in deltas] == []
    assert tuple(cube.location) == (1.0, 2.0, 3.0)
    assert lamp.shadow_soft_size == 0.0
    assert repair.unlike() == set()
    assert repair.count == 1
    assert everything(mirror) == []


def test_an_edit_is_found_while_something_is_shown_again(mirror: Mirror) -> None:  # MIRROR23
    cube = bpy.data.objects["Cube"]
    member, uuid = put(mirror, cube, location=[1.0, 2.0, 3.0])
    cube.show_name = True  # not noticed yet
    work = Repair(mirror).show_again({uuid}, member)
    assert next(work) == [[uuid, ["patch", {"show_name": ["put", True]}]]]
    for _ in work:
        cube.show_axis = not cube.show_axis
        assert mirror.edited_since() == [[uuid, ["patch", {"show_axis": ["put", cube.show_axis]}]]]


def test_a_part_that_blender_makes_for_a_while_is_made(mirror: Mirror) -> None:  # MIRROR23
    curves = [bpy.data.curves.new(name, "CURVE") for name in ("One", "Other")]
    curves[0].bevel_mode = "PROFILE"
    curves[0].bevel_mode = "ROUND"
    everything(mirror)
    profile = mirror.entries[uuid_of(mirror, curves[0])].live["bevel_profile"]
    member, uuid = put(mirror, curves[1], bevel_profile=profile)
    apply(mirror, member, uuid)
    assert curves[1].bevel_profile is not None
    assert curves[1].bevel_mode == "ROUND"


@pytest.mark.skipif(not LAYERED, reason="this Blender has no slots")
def test_a_slot_that_goes_with_its_action_is_nobodys_edit(mirror: Mirror) -> None:  # MIRROR20
    cube = bpy.data.objects["Cube"]
    cube.keyframe_insert("location", frame=1)
    everything(mirror)
    member, uuid = put(mirror, cube, show_name=True)
    action = uuid_of(mirror, cube.animation_data.action)
    slots: Any = mirror.entries[action].live["action"]["slots"]
    gone = ["patch", {"action": ["patch", {"slots": ["patch", {key: ["remove"] for key in slots["order"]}]}]}]
    member.confirmed.apply([[action, gone]], revision=member.revision + 1, sender="other")
    for found in mirror.apply([uuid, action], member):
        assert found == []
        assert mirror.verify(done=False) == []
    assert mirror.verify() == []
    assert everything(mirror) == []


def test_curves_of_particles_are_made(mirror: Mirror) -> None:  # MIRROR23
    settings = [bpy.data.particles.new(name) for name in ("One", "Other")]
    settings[0].use_roughness_curve = True
    settings[0].use_roughness_curve = False
    everything(mirror)
    curve = mirror.entries[uuid_of(mirror, settings[0])].live["roughness_curve"]
    member, uuid = put(mirror, settings[1], roughness_curve=curve)
    apply(mirror, member, uuid)
    assert settings[1].roughness_curve is not None
    assert not settings[1].use_roughness_curve


def with_particles() -> tuple[Mirror, Any, Any]:
    """A mirror, a cube whose particles it knows, and their system."""
    cube = bpy.data.objects["Cube"]
    cube.modifiers.new("Particles", "PARTICLE_SYSTEM")
    mirror = Mirror(MemoryBlobs())
    mirror.scan()
    return mirror, cube, cube.particle_systems[0]


def test_what_blender_made_for_an_object_is_not_removed_for_want_of_another() -> None:  # MIRROR26
    mirror, cube, _ = with_particles()
    modifiers = mirror.entries[uuid_of(mirror, cube)].live["modifiers"]
    cube.modifiers.clear()
    everything(mirror)
    (key,) = modifiers["of"]
    system = {**modifiers["of"][key]["particle_system"], "settings": None}
    of = {key: {**modifiers["of"][key], "particle_system": system}}
    member, uuid = put(mirror, cube, modifiers={**modifiers, "of": of})
    apply(mirror, member, uuid)
    assert len(bpy.data.objects["Cube"].particle_systems) == 1


def test_the_frames_of_a_particle_cache_are_nobodys_edit() -> None:  # MIRROR20
    mirror, cube, system = with_particles()
    system.settings.lifetime = 7
    bpy.context.view_layer.update()
    assert {uuid for uuid, _ in everything(mirror)} == {uuid_of(mirror, system.settings)}
    system.settings.type = "HAIR"
    system.point_cache.frame_end = 33
    assert "'frame_end': ['put', 33]" in str(mirror.collect([uuid_of(mirror, cube)]))


def test_a_set_of_lines_may_have_no_line_style(mirror: Mirror) -> None:  # MIRROR27
    scene = bpy.context.scene
    lines = scene.view_layers[0].freestyle_settings.linesets.new("Lines")
    everything(mirror)
    styles = len(bpy.data.linestyles)
    member, uuid = put(mirror, scene)
    (layer,) = mirror.entries[uuid].live["view_layers"]["of"]
    key = mirror.entries[uuid].live["view_layers"]["of"][layer]["freestyle_settings"]["linesets"]["order"][-1]
    delta: Any = ["patch", {"linestyle": ["put", None]}]
    for name in (key, "linesets", "freestyle_settings", layer, "view_layers"):
        delta = ["patch", {name: delta}]
    member.confirmed.apply([[uuid, delta]], revision=9, sender="other")
    apply(mirror, member, uuid)
    assert (lines.linestyle, len(bpy.data.linestyles), everything(mirror)) == (None, styles, [])


def test_an_action_without_curves_is_told_once(mirror: Mirror) -> None:  # ANIM2
    cube = bpy.data.objects["Cube"]
    cube.animation_data_create().action = bpy.data.actions.new("own")
    assert len(everything(mirror)) == 2
    assert [everything(mirror), everything(mirror)] == [[], []]
    cube.keyframe_insert("location")
    everything(mirror)
    assert everything(mirror) == []


def test_to_tweak_a_strip_is_nobodys_edit(mirror: Mirror) -> None:  # ANIM13
    cube = bpy.data.objects["Cube"]
    cube.keyframe_insert("location")
    data, own = cube.animation_data, bpy.data.actions.new("own")
    data.nla_tracks.new().strips.new("strip", 1, data.action)
    data.action = own
    everything(mirror)
    data.use_tweak_mode = True
    assert (data.action != own, everything(mirror)) == (True, [])
    uuid = uuid_of(mirror, cube)
    tree = {**mirror.entries[uuid].live["animation_data"], "action": None, "action_slot": None}
    member, uuid = put(mirror, cube, animation_data=tree)
    apply(mirror, member, uuid)
    assert (data.action_tweak_storage, mirror.deferred) == (own, {uuid})
    data.use_tweak_mode = False
    assert [deltas for deltas in mirror.retry(member) if deltas] == []
    assert data.action is None


def test_what_blender_computes_of_what_was_written_is_nobodys_edit(mirror: Mirror) -> None:  # MIRROR28
    cube = bpy.data.objects["Cube"]
    cube.constraints.new("LIMIT_DISTANCE").target = bpy.data.objects["Light"]
    everything(mirror)
    tree = mirror.entries[uuid_of(mirror, cube)].live["constraints"]
    cube.constraints.clear()
    everything(mirror)
    member, uuid = put(mirror, cube, constraints=tree)
    apply(mirror, member, uuid)
    assert cube.constraints[0].distance == 0
    assert mirror.verify() == []
    assert cube.constraints[0].distance > 1
    assert everything(mirror) == []


def test_an_inverse_that_was_told_is_not_computed_here(mirror: Mirror) -> None:  # MIRROR33
    cube = bpy.data.objects["Cube"]
    cube.constraints.new("CHILD_OF").target = bpy.data.objects["Light"]
    everything(mirror)  # before Blender has evaluated it
    tree = mirror.entries[uuid_of(mirror, cube)].live["constraints"]
    cube.constraints.clear()
    everything(mirror)
    member, uuid = put(mirror, cube, constraints=tree)
    apply(mirror, member, uuid)
    bpy.context.view_layer.update()
    assert cube.constraints[0].inverse_matrix == Matrix()
    assert everything(mirror) == []


@pytest.mark.parametrize("on_bone", [False, True])
def test_what_is_left_to_be_measured_is_told_by_who_measures_it(on_bone: bool, mirror: Mirror) -> None:  # MIRROR32
    holders = _holders()
    owner, light = (holders["pose bone"] if on_bone else holders["object"]), bpy.data.objects["Light"]
    stretch, limit = owner.constraints.new("STRETCH_TO"), owner.constraints.new("LIMIT_DISTANCE")
    stretch.target = limit.target = light
    everything(mirror)
    thing = owner.id_data
    uuid = uuid_of(mirror, thing)
    member = Member("me")
    member.hold(share_again(mirror))
    mirror.entries[uuid].doc = member.shown.get(uuid).tree  # type: ignore[union-attr]
    assert (stretch.rest_length, limit.distance) == (0, 0)
    bpy.context.view_layer.update()
    mirror.collect([uuid])  # as after what another wrote
    ((_, told),) = mirror.glance(uuid, {thing.session_uid})
    member.confirmed.apply([[uuid, told]], revision=member.revision + 1, sender="me")
    mirror.sent([[uuid, told]], member.shown)
    assert mirror.glance(uuid, {thing.session_uid}) == []
    assert (stretch.rest_length > 1, limit.distance > 1) == (True, True)


@pytest.mark.parametrize("is_reported", [False, True])
def test_a_part_that_nobody_can_take_away_is_told(is_reported: bool, mirror: Mirror) -> None:  # MIRROR29
    style = bpy.data.linestyles["LineStyle"]
    style.use_nodes = True
    style.use_nodes = False
    everything(mirror)
    member, uuid = put(mirror, style, node_tree=None)
    apply(mirror, member, uuid)
    assert (style.node_tree is not None, everything(mirror)) == (True, [])
    reported = {style.session_uid} if is_reported else set[int]()
    ((_, told),) = mirror.glance(uuid, reported)
    assert told[1]["node_tree"] == ["put", mirror.entries[uuid].live["node_tree"]]
    edit(member, uuid, thickness=9.0)
    mirror.entries[uuid].doc = member.shown.get(uuid).tree  # type: ignore[union-attr]
    assert mirror.glance(uuid, reported) == []
