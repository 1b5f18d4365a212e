"""What no depsgraph update reports is found by looking at it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import bpy
import numpy as np
import pytest

from broadcaster.document import Deltas
from mixer.proxy import Mirror, blind
from tests.blender import inputs
from tests.blender.roundtrip import MemoryBlobs, share

pytestmark = pytest.mark.usefixtures("empty")

MANY = 10_000


def shown(name: str, data: Any) -> Any:
    """An object of `data` in the scene."""
    thing = bpy.data.objects.new(name, data)
    bpy.context.scene.collection.objects.link(thing)
    return thing


def shared() -> Mirror:
    bpy.context.view_layer.update()
    mirror = Mirror(MemoryBlobs())
    share(mirror)
    return mirror


def found(mirror: Mirror) -> Deltas:
    """What one round of glances finds."""
    reported = blind.reported()
    return [delta for uuid in list(mirror.entries) for delta in mirror.glance(uuid, reported)]


def test_one_custom_property_among_many_objects_is_found() -> None:  # SWEEP1
    mesh = bpy.data.meshes.new("Shared")
    for place in range(MANY):
        shown(f"Thing.{place:05}", mesh)
    mirror = shared()
    assert found(mirror) == []
    thing = bpy.data.objects["Thing.05000"]
    thing["note"] = 7
    uuid = mirror.identity.uuid_of(thing)
    assert found(mirror) == [[uuid, ["patch", {"custom_properties": ["patch", {"note": ["put", 7]}]}]]]
    assert found(mirror) == []


def pose_bone() -> Callable[[], None]:
    armature = bpy.data.armatures.new("Rig")
    rig = shown("Rig", armature)
    bpy.context.view_layer.objects.active = rig
    bpy.ops.object.mode_set(mode="EDIT")
    armature.edit_bones.new("Bone").tail = (0, 0, 1)
    bpy.ops.object.mode_set(mode="OBJECT")
    return lambda: rig.pose.bones["Bone"].__setitem__("handle", 0.5)


def input_of_geometry_nodes() -> Callable[[], None]:
    group: Any = bpy.data.node_groups.new("Group", "GeometryNodeTree")
    group.interface.new_socket("Amount", in_out="INPUT", socket_type="NodeSocketFloat")
    modifier: Any = shown("Shape", bpy.data.meshes.new("Shape")).modifiers.new("Nodes", "NODES")
    modifier.node_group = group
    return lambda: inputs.put(modifier, "Amount", 2.5)


def setting_of_an_add_on() -> Callable[[], None]:
    thing: Any = shown("Lit", bpy.data.meshes.new("Lit"))
    return lambda: setattr(thing.cycles, "use_camera_cull", not thing.cycles.use_camera_cull)


def setting_of_a_view_layer() -> Callable[[], None]:
    layer = bpy.context.view_layer
    return lambda: layer.__setitem__("note", "x")


def fake_user() -> Callable[[], None]:
    material = bpy.data.materials.new("Kept")
    shown("Painted", bpy.data.meshes.new("Painted")).data.materials.append(material)
    return lambda: setattr(material, "use_fake_user", True)


def marker() -> Callable[[], None]:
    return lambda: bpy.context.scene.timeline_markers.new("Here", frame=12) and None


def spline() -> Callable[[], None]:
    curve: Any = shown("Curve", bpy.data.curves.new("Curve", "CURVE")).data
    return lambda: curve.splines.new("POLY") and None


def text() -> Callable[[], None]:
    note: Any = bpy.data.texts.new("Note")
    return lambda: note.write("hello")


def pixels() -> Callable[[], None]:
    image: Any = bpy.data.images.new("Picture", 8, 8)
    image.pixels.foreach_set(np.zeros(8 * 8 * 4, np.float32))
    return lambda: image.pixels.foreach_set(np.ones(8 * 8 * 4, np.float32))


def place_of_what_is_in_no_scene() -> Callable[[], None]:
    loose = bpy.data.objects.new("Loose", None)
    return lambda: setattr(loose, "location", (1, 2, 3))


@pytest.mark.parametrize(
    "prepare",
    [
        pose_bone,
        input_of_geometry_nodes,
        setting_of_an_add_on,
        setting_of_a_view_layer,
        fake_user,
        marker,
        spline,
        text,
        pixels,
        place_of_what_is_in_no_scene,
    ],
)
def test_what_nothing_reports_is_found(prepare: Callable[[], Callable[[], None]]) -> None:  # SWEEP2
    edit = prepare()
    mirror = shared()
    assert found(mirror) == []
    edit()
    assert len(found(mirror)) == 1
    assert found(mirror) == []


def test_what_is_reported_is_left_to_its_report_and_to_the_slow_look() -> None:  # SWEEP3
    thing = shown("Thing", None)
    mirror = shared()
    thing.location.x = 1.0  # not evaluated yet, so not reported either
    assert found(mirror) == []
    uuid = mirror.identity.uuid_of(thing)
    assert uuid is not None
    assert mirror.look(uuid) == [[uuid, ["patch", {"location": ["put", [1.0, 0.0, 0.0]]}]]]


def test_what_is_hidden_is_read_whole_from_then_on() -> None:  # SWEEP2
    thing, other = shown("Thing", None), shown("Other", None)
    mirror = shared()
    assert {thing.session_uid, other.session_uid} <= blind.reported()
    thing.hide_viewport = True
    bpy.context.view_layer.update()
    mirror.collect(list(mirror.entries))
    thing.location.x = other.location.x = 1.0
    reported = blind.reported()
    assert [one for one in (thing, other) if mirror.glance(mirror.identity.uuid_of(one) or "", reported)] == [thing]
