"""Actions and what they control: slots, curves and keyframes in trees, the same in every Blender."""

from __future__ import annotations

from typing import Any

import bpy
import numpy as np
import pytest

from broadcaster.tree import Patcher, Tree, diff, items
from mixer.proxy import Mirror
from mixer.proxy.actions import LAYERED, ActionProxy
from mixer.proxy.animation import NOTHING, derived
from mixer.proxy.arrays import decode, encode
from mixer.proxy.context import Context
from mixer.proxy.fcurves import EnvelopePoints
from mixer.proxy.fields import WRITE_ERRORS
from mixer.proxy.nla import StripsProxy

from .roundtrip import MemoryBlobs, load, mismatches, share, unlike
from .test_mirror import apply, edit, put

ACTION = ActionProxy("action")
STRIPS = StripsProxy("strips")
BLOBS = MemoryBlobs()


class Directory:
    """Knows a datablock by its name."""

    def uuid_of(self, datablock: Any) -> str | None:
        return datablock.name if isinstance(datablock, bpy.types.ID) else None

    def find(self, uuid: str) -> Any:
        return bpy.data.objects.get(uuid) or bpy.data.actions.get(uuid)


pytestmark = pytest.mark.usefixtures("fresh")


def context(uuid: str) -> Context:
    return Context(Directory(), BLOBS, uuid=uuid)


def bag_of(action: Any, name: str = "Slot") -> Any:
    """Where the curves and groups of an object's slot lie; made if need be."""
    if not LAYERED:
        return action
    slot = next((slot for slot in action.slots if slot.name_display == name), None)
    slot = slot or action.slots.new("OBJECT", name)
    layer = action.layers[0] if action.layers else action.layers.new("Layer")
    strip = layer.strips[0] if layer.strips else layer.strips.new(type="KEYFRAME")
    return strip.channelbag(slot, ensure=True)


def curve_of(bag: Any, path: str, index: int = 0, *points: tuple[float, float], group: str = "") -> Any:
    curve = bag.fcurves.new(path, index=index)
    curve.keyframe_points.add(len(points))
    for key, point in zip(curve.keyframe_points, points, strict=True):
        key.co = point
    curve.update()
    if group:
        curve.group = bag.groups.get(group) or bag.groups.new(group)
    return curve


def walk() -> Any:
    """An action with two curves in a group and one outside."""
    action = bpy.data.actions.new("walk")
    bag = bag_of(action)
    curve_of(bag, "location", 0, (1, 0), (10, 2), (20, 1), group="Move")
    curve_of(bag, "location", 1, (1, 5), (20, 6), group="Move")
    curve_of(bag, "scale", 2, (3, 1))
    return action


def read(ctx: Context, action: Any, prev: Tree = None) -> Tree:
    return ACTION.read(ctx, action, prev, {})


def write(ctx: Context, action: Any, new: Tree) -> Tree:
    """Writes as the mirror does: twice, against a fresh read; what Blender then holds."""
    for _ in range(2):
        if (live := read(ctx, action, new)) != new:
            ACTION.write(ctx, action, live, new, {})
    return read(ctx, action, new)


def patched(tree: Tree, delta: Any) -> Tree:
    return Patcher(lambda uuid: True).patch(tree, delta)[0]


def slot_in(tree: Tree, place: int = 0) -> Any:
    slots = tree["slots"]
    return slots["of"][slots["order"][place]]


def key_of(tree: Tree, path: str, index: int = 0) -> str:
    """The key of a curve of the first slot."""
    return next(
        key
        for key, curve in slot_in(tree)["fcurves"]["of"].items()
        if (curve["data_path"], curve["array_index"]) == (path, index)
    )


def in_slot(tree: Tree, delta: Any) -> Any:
    """The delta of an action that changes its first slot by `delta`."""
    return ["patch", {"slots": ["patch", {tree["slots"]["order"][0]: ["patch", delta]}]}]


def in_curves(tree: Tree, changes: dict[str, Any]) -> Any:
    return in_slot(tree, {"fcurves": ["patch", changes]})


def kinds_of(name: str) -> list[str]:
    return [item.identifier for item in bpy.types.Keyframe.bl_rna.properties[name].enum_items]  # type: ignore[attr-defined]


def rich_action() -> Any:
    """One of everything that an action can hold."""
    action = walk()
    bag = bag_of(action)
    kinds = kinds_of("interpolation")
    curve = curve_of(bag, "rotation_euler", 1, *((i * 3.5, i % 4) for i in range(len(kinds))), group="Turn")
    for i, (key, kind) in enumerate(zip(curve.keyframe_points, kinds, strict=True)):
        key.interpolation = kind
        key.easing = kinds_of("easing")[i % 4]
        key.type = kinds_of("type")[i % 5]
        key.handle_left_type = key.handle_right_type = kinds_of("handle_left_type")[i % 5]
        key.back, key.amplitude, key.period = 1 + i, i / 2, 3 + i
        key.handle_left, key.handle_right = (i * 3.5 - 0.7, 9 - i), (i * 3.5 + 0.3, i)
    curve.extrapolation, curve.auto_smoothing, curve.lock, curve.mute = "LINEAR", "NONE", True, True
    curve.color_mode, curve.color = "CUSTOM", (0.25, 0.5, 0.75)
    add_modifiers(curve)
    add_modifiers(curve_of(bag, 'pose.bones["Bone.001"]["twist"]', 0, (1, 1), (5, 2)), "CYCLES", "NOISE")
    bag.groups["Turn"].color_set, bag.groups["Turn"].lock = "CUSTOM", True
    bag.groups["Turn"].colors.normal = (0.5, 0.25, 0.125)
    if LAYERED:
        curve_of(bag_of(action, "Other"), "location", 0, (2, 3), (4, 5), group="Move")
        action.slots.new("MATERIAL", "Paint")
    marker = action.pose_markers.new("Step")
    marker.frame = 12
    action.use_frame_range, action.use_cyclic = True, True
    action.frame_start, action.frame_end = 300, 400
    return action


def add_modifiers(curve: Any, *kinds: str) -> None:
    for kind in kinds or ("GENERATOR", "FNGENERATOR", "ENVELOPE", "NOISE", "LIMITS", "STEPPED"):
        modifier = curve.modifiers.new(kind)
        modifier.use_restricted_range, modifier.frame_start, modifier.frame_end = True, 30, 60
        modifier.use_influence, modifier.influence, modifier.blend_in = True, 0.5, 2
        match kind:
            case "GENERATOR":
                modifier.poly_order, modifier.coefficients = 3, (1, 2, 3, 4)
            case "FNGENERATOR":
                modifier.function_type, modifier.amplitude = "TAN", 4
            case "ENVELOPE":
                for frame in (7, 3):
                    modifier.control_points.add(frame)
            case "NOISE":
                modifier.blend_type, modifier.scale = "ADD", 7
            case "LIMITS":
                modifier.use_min_y, modifier.min_y = True, -3
            case "STEPPED":
                modifier.frame_step = 5
            case "CYCLES":
                modifier.mode_after, modifier.cycles_after = "MIRROR", 4


# The way there and back -----------------------------------------------------------------------------------------------


def test_an_action_survives_the_way_into_another_blender() -> None:  # ANIM1
    rich_action().use_fake_user = True
    blobs = MemoryBlobs()
    document = share(Mirror(blobs))
    mirror = load(document, blobs)
    assert [text for text in mismatches(mirror, document) if text.startswith("actions")] == []
    assert mirror.collect(list(mirror.entries)) == []
    again = bag_of(bpy.data.actions["walk"])
    curve = again.fcurves.find("rotation_euler", index=1)
    assert [key.interpolation for key in curve.keyframe_points] == kinds_of("interpolation")
    assert tuple(curve.keyframe_points[5].handle_left) == pytest.approx((16.8, 4.0))
    assert [modifier.type for modifier in curve.modifiers][:3] == ["GENERATOR", "FNGENERATOR", "ENVELOPE"]
    assert tuple(curve.color) == (0.25, 0.5, 0.75)
    assert curve.group.name == "Turn"
    assert tuple(curve.group.colors.normal) == pytest.approx((0.5, 0.25, 0.125), abs=1 / 255)
    assert bpy.data.actions["walk"].pose_markers["Step"].frame == 12
    assert tuple(bpy.data.actions["walk"].frame_range) == (300.0, 400.0)


def test_many_keyframes_travel_in_chunks_to_the_bit() -> None:  # ANIM1
    action = bpy.data.actions.new("capture")
    curve = curve_of(bag_of(action), "location", 0)
    values = np.random.default_rng(1).random((5000, 2), np.float32)
    values[:, 0] = np.arange(5000)
    curve.keyframe_points.add(5000)
    curve.keyframe_points.foreach_set("co", values.ravel())
    tree = read(context("capture"), action)
    assert "chunks" in slot_in(tree)["fcurves"]["of"][key_of(tree, "location")]["keyframe_points"]["of"]["points"]
    other = bpy.data.actions.new("copy")
    assert write(context("copy"), other, tree) == tree
    found = np.empty(10000, np.float32)
    bag_of(other).fcurves[0].keyframe_points.foreach_get("co", found)
    assert found.tobytes() == values.tobytes()


def test_what_did_not_change_is_the_same_object() -> None:  # ANIM2
    action, ctx = rich_action(), context("walk")
    tree = read(ctx, action)
    assert read(ctx, action, tree) is tree
    ACTION.write(ctx, action, tree, tree, {})
    assert read(ctx, action, tree) is tree


def test_nothing_drifts_from_hand_to_hand() -> None:  # ANIM2
    tree = read(context("walk"), rich_action())
    for name in ("second", "third"):
        assert unlike(tree, write(context(name), bpy.data.actions.new(name), tree)) == []


def test_the_points_of_an_envelope_are_one_value() -> None:  # ANIM1
    bag = bag_of(bpy.data.actions.new("sway"))
    envelope = curve_of(bag, "location", 0, (1, 1), (9, 2)).modifiers.new("ENVELOPE")
    proxy, ctx = EnvelopePoints("control_points"), context("sway")
    rows = [[7.0, -0.5, 0.25], [3.0, -2.0, 4.0], [5.0, 0.0, 1.0]]
    for wanted in (rows, rows[:1], [], rows):
        proxy.write(ctx, envelope, proxy.read(ctx, envelope, None, {}), wanted, {})
        assert proxy.read(ctx, envelope, None, {}) == sorted(wanted)
    for wrong in ([[1.0, 2.0]], 5, [["x", 1, 2]], {"$": "items", "order": [], "of": {}}):
        with pytest.raises(WRITE_ERRORS):
            proxy.write(ctx, envelope, None, wrong, {})
    assert len(envelope.control_points) == 3


def test_moving_one_key_changes_the_arrays_of_its_curve() -> None:  # ANIM3
    action, ctx = walk(), context("walk")
    tree = read(ctx, action)
    bag_of(action).fcurves.find("location", index=1).keyframe_points[1].co.y = 60
    new = read(ctx, action, tree)
    key = key_of(tree, "location", 1)
    keys = slot_in(tree)["fcurves"]["of"][key]["keyframe_points"]
    points = slot_in(new)["fcurves"]["of"][key]["keyframe_points"]["of"]["points"]
    delta = ["arrays", keys["id"], {"points": ["put", points]}]
    assert diff(tree, new) == in_curves(tree, {key: ["patch", {"keyframe_points": delta}]})
    other, theirs = bpy.data.actions.new("copy"), context("copy")
    write(theirs, other, tree)
    assert write(theirs, other, patched(tree, diff(tree, new))) == new
    assert bag_of(other).fcurves.find("location", index=1).keyframe_points[1].co.y == 60


def test_another_number_of_keys_is_another_layout() -> None:  # ANIM3
    action, ctx = walk(), context("walk")
    tree = read(ctx, action)
    curve = bag_of(action).fcurves.find("location", index=0)
    curve.keyframe_points.insert(5, 50)
    longer = read(ctx, action, tree)
    curve.keyframe_points.clear()
    curve.keyframe_points.insert(2, 20)
    shorter = read(ctx, action, longer)
    curve.keyframe_points.clear()
    empty = read(ctx, action, shorter)
    key = key_of(tree, "location", 0)
    ids = {slot_in(one)["fcurves"]["of"][key]["keyframe_points"]["id"] for one in (tree, longer, shorter)}
    assert len(ids) == 3
    other, theirs = bpy.data.actions.new("copy"), context("copy")
    for one in (tree, longer, shorter, empty, tree):
        assert write(theirs, other, one) == one


def test_a_key_that_another_member_moved_is_seen_at_once() -> None:  # ANIM10
    cube = bpy.data.objects["Cube"]
    action, ctx = walk(), context("walk")
    cube.animation_data_create().action = action
    if LAYERED:
        cube.animation_data.action_slot = action.slots[0]
    bpy.context.scene.frame_set(20)
    assert cube.location.x == 1.0
    tree = read(ctx, action)
    key = key_of(tree, "location", 0)
    layout = slot_in(tree)["fcurves"]["of"][key]["keyframe_points"]
    points = decode(layout["of"]["points"], BLOBS)
    points[2] = (19, 7, 20, 7, 21, 7)
    delta = ["arrays", layout["id"], {"points": ["put", encode(points, BLOBS)]}]
    write(ctx, action, patched(tree, in_curves(tree, {key: ["patch", {"keyframe_points": delta}]})))
    bpy.context.view_layer.update()
    assert cube.location.x == 7.0
    new = patched(tree, in_curves(tree, {"K": ["insert", None, {**curve_tree(tree, "location"), "array_index": 2}]}))
    write(ctx, action, new)  # a curve of a property that was still
    bpy.context.view_layer.update()
    assert cube.location.z == 1.0


def curve_tree(tree: Tree, path: str, index: int = 0) -> Any:
    return slot_in(tree)["fcurves"]["of"][key_of(tree, path, index)]


def test_an_automatic_colour_is_nobodys_edit() -> None:  # ANIM4
    action, ctx = walk(), context("walk")
    tree = read(ctx, action)
    bag = bag_of(action)
    bag.fcurves[0].color = (1, 0, 0)  # as drawing the curve does
    bag.groups[0].colors.normal = (1, 0, 0)  # as reading the theme does
    assert read(ctx, action, tree) is tree
    bag.fcurves[0].color_mode = "CUSTOM"
    key = key_of(tree, bag.fcurves[0].data_path, bag.fcurves[0].array_index)
    changed = {"color_mode": ["put", "CUSTOM"], "color": ["put", [1.0, 0.0, 0.0]]}
    assert diff(tree, read(ctx, action, tree)) == in_curves(tree, {key: ["patch", changed]})


# Who is who -----------------------------------------------------------------------------------------------------------


def test_curves_keep_their_keys_when_a_bone_is_renamed() -> None:  # ANIM5
    action, ctx = bpy.data.actions.new("pose"), context("pose")
    bag = bag_of(action)
    for path in ("location", "rotation_euler"):
        for index in range(3):
            curve_of(bag, f'pose.bones["Arm"].{path}', index, (1, index), (9, 4))
    tree = read(ctx, action)
    for curve in bag.fcurves:
        curve.data_path = curve.data_path.replace("Arm", "Leg")
    new = read(ctx, action, tree)
    assert slot_in(new)["fcurves"]["order"] == slot_in(tree)["fcurves"]["order"]
    assert new == patched(tree, diff(tree, new))
    other, theirs = bpy.data.actions.new("copy"), context("copy")
    write(theirs, other, tree)
    assert write(theirs, other, new) == new


def test_curves_come_and_go_and_trade_places() -> None:  # ANIM5
    action, ctx = walk(), context("walk")
    tree = read(ctx, action)
    bag = bag_of(action)
    bag.fcurves.remove(bag.fcurves.find("location", index=1))
    curve_of(bag, "location", 2, (1, 1))
    new = read(ctx, action, tree)
    delta = diff(tree, new)
    changes = delta[1]["slots"][1][tree["slots"]["order"][0]][1]["fcurves"][1]
    assert sorted(change[0] for change in changes.values()) == ["insert", "remove"]
    other, theirs = bpy.data.actions.new("copy"), context("copy")
    write(theirs, other, tree)
    assert write(theirs, other, new) == new
    x, z = key_of(new, "location", 0), key_of(new, "location", 2)
    swap = {x: ["patch", {"array_index": ["put", 2]}], z: ["patch", {"array_index": ["put", 0]}]}
    swapped = patched(new, in_curves(new, swap))
    assert write(theirs, other, swapped) == swapped


def test_of_two_curves_for_one_property_the_first_is_shown() -> None:  # ANIM6
    action, ctx = walk(), context("walk")
    tree = read(ctx, action)
    mine = key_of(tree, "location", 0)
    twin = {**curve_tree(tree, "location", 0), "keyframe_points": None}
    both = patched(tree, in_curves(tree, {"other": ["insert", None, twin]}))  # the other member's came first
    assert write(ctx, action, both) == both
    assert len(bag_of(action).fcurves.find("location", index=0).keyframe_points) == 0
    assert read(ctx, action, both) is both
    alone = patched(both, in_curves(both, {"other": ["remove"]}))
    assert write(ctx, action, alone) == alone
    assert len(bag_of(action).fcurves.find("location", index=0).keyframe_points) == 3
    late = patched(tree, in_curves(tree, {"other": ["insert", mine, twin]}))
    assert write(ctx, action, late) == late
    bag_of(action).fcurves.remove(bag_of(action).fcurves.find("location", index=0))
    assert diff(late, read(ctx, action, late)) == in_curves(late, {mine: ["remove"], "other": ["remove"]})


def test_of_two_curves_that_stand_here_for_one_property_the_first_is_mirrored() -> None:  # ANIM6
    action, ctx = walk(), context("walk")
    tree = read(ctx, action)
    first, second = (bag_of(action).fcurves.find("location", index=index) for index in (0, 1))
    second.array_index = 0
    told = read(ctx, action, tree)
    assert diff(tree, told) == in_curves(tree, {key_of(tree, "location", 1): ["remove"]})
    assert read(ctx, action, told) is told  # and no more
    moved = patched(told, in_curves(told, {key_of(told, "location", 0): ["patch", {"mute": ["put", True]}]}))
    assert write(ctx, action, moved) == moved
    assert (first.mute, second.mute) == (True, False)
    second.array_index = 2
    assert curve_tree(read(ctx, action, moved), "location", 2)["mute"] is False


def test_groups_are_renamed_joined_and_left() -> None:  # ANIM7
    action, ctx = walk(), context("walk")
    tree = read(ctx, action)
    group = slot_in(tree)["groups"]["order"][0]
    bag = bag_of(action)
    bag.groups["Move"].name = "Renamed"
    new = read(ctx, action, tree)
    assert diff(tree, new) == in_slot(tree, {"groups": ["patch", {group: ["patch", {"name": ["put", "Renamed"]}]}]})
    other, theirs = bpy.data.actions.new("copy"), context("copy")
    write(theirs, other, tree)
    assert write(theirs, other, new) == new
    x, scale = key_of(new, "location", 0), key_of(new, "scale", 2)
    second = {**slot_in(new)["groups"]["of"][group], "name": "Second"}
    moved = patched(
        new,
        in_slot(
            new,
            {
                "groups": ["patch", {"G2": ["insert", group, second]}],
                "fcurves": ["patch", {key: ["patch", {"group": ["put", "G2"]}] for key in (x, scale)}],
            },
        ),
    )
    assert unlike(moved, write(theirs, other, moved)) == []
    assert {curve.group.name for curve in bag_of(other).fcurves} == {"Renamed", "Second"}
    left = patched(moved, in_curves(moved, {x: ["patch", {"group": ["put", None]}]}))
    assert unlike(left, write(theirs, other, left)) == []
    gone = patched(
        left,
        in_slot(
            left,
            {
                "groups": ["patch", {"G2": ["remove"]}],
                "fcurves": ["patch", {scale: ["patch", {"group": ["put", None]}]}],
            },
        ),
    )
    assert unlike(gone, write(theirs, other, gone)) == []
    assert [group.name for group in bag_of(other).groups] == ["Renamed"]


def test_a_group_that_emptied_is_there_again_when_it_is_joined() -> None:  # ANIM7
    """Blender drops a group when its last curve leaves: two curves that trade groups meet that."""
    action, ctx = bpy.data.actions.new("trade"), context("trade")
    bag = bag_of(action)
    curve_of(bag, "location", 0, (1, 1), group="A")
    curve_of(bag, "location", 1, (1, 1), group="B")
    tree = read(ctx, action)
    a, b = slot_in(tree)["groups"]["order"]
    x, y = key_of(tree, "location", 0), key_of(tree, "location", 1)
    changes = {x: ["patch", {"group": ["put", b]}], y: ["patch", {"group": ["put", a]}]}
    new = patched(tree, in_curves(tree, changes))
    back = write(ctx, action, new)
    assert slot_in(back)["fcurves"] == slot_in(new)["fcurves"]
    assert slot_in(back)["groups"]["of"] == slot_in(new)["groups"]["of"]


# Slots ----------------------------------------------------------------------------------------------------------------


def test_a_slot_is_chosen_by_its_key() -> None:  # ANIM8
    action = walk()
    cube, light = bpy.data.objects["Cube"], bpy.data.objects["Light"]
    if LAYERED:
        curve_of(bag_of(action, "Other"), "scale", 0, (1, 3))
    for thing, place in ((cube, 1), (light, 0)):
        thing.animation_data_create().action = action
        if LAYERED:
            thing.animation_data.action_slot = action.slots[place]
    blobs = MemoryBlobs()
    document = share(Mirror(blobs))
    mirror = load(document, blobs)
    assert [text for text in mismatches(mirror, document) if "animation_data" in text] == []
    cube, light = bpy.data.objects["Cube"], bpy.data.objects["Light"]
    if not LAYERED:
        assert cube.animation_data.action == light.animation_data.action == bpy.data.actions["walk"]
        return
    assert cube.animation_data.action_slot.name_display == "Other"
    assert light.animation_data.action_slot.name_display == "Slot"
    cube.animation_data.action_slot = None
    ((_, delta),) = mirror.collect(list(mirror.entries))
    assert delta[1]["animation_data"] == ["patch", {"action_slot": ["put", None]}]


@pytest.mark.skipif(not LAYERED, reason="this Blender has no slots")
def test_in_place_of_a_slot_that_is_gone_there_is_none() -> None:  # ANIM8
    cube = bpy.data.objects["Cube"]
    cube.animation_data_create().action = walk()
    mirror = Mirror(MemoryBlobs())
    mirror.scan()
    cube.animation_data.action_slot = cube.animation_data.action.slots[0]
    member, uuid = put(mirror, cube)
    tree = mirror.entries[uuid].live["animation_data"]
    edit(member, uuid, animation_data={**tree, "action_slot": "gone"})
    apply(mirror, member, uuid)
    assert cube.animation_data.action_slot is None
    assert "AnimData.action_slot" in mirror.ctx.refused


@pytest.mark.skipif(not LAYERED, reason="this Blender has no slots")
def test_slots_are_renamed_made_and_removed() -> None:  # ANIM8
    action, ctx = walk(), context("walk")
    tree = read(ctx, action)
    other, theirs = bpy.data.actions.new("copy"), context("copy")
    write(theirs, other, tree)
    first = tree["slots"]["order"][0]
    action.slots[0].name_display = "Renamed"
    new = read(ctx, action, tree)
    assert diff(tree, new) == ["patch", {"slots": ["patch", {first: ["patch", {"name": ["put", "Renamed"]}]}]}]
    assert write(theirs, other, new) == new
    curve_of(bag_of(action, "Second"), "location", 0, (1, 1))
    more = read(ctx, action, new)
    assert write(theirs, other, more) == more
    action.slots.remove(action.slots[0])
    less = read(ctx, action, more)
    assert diff(more, less) == ["patch", {"slots": ["patch", {first: ["remove"]}]}]
    assert write(theirs, other, less) == less
    assert [slot.identifier for slot in other.slots] == ["OBSecond"]


@pytest.mark.skipif(LAYERED, reason="this Blender has slots")
def test_a_blender_without_slots_shows_one_and_keeps_the_others() -> None:  # ANIM8
    action, ctx = walk(), context("walk")
    tree = read(ctx, action)
    mine = tree["slots"]["order"][0]
    second = {"name": "Second", "id_type": "OBJECT", "groups": items({}), "fcurves": items({})}
    both = patched(tree, ["patch", {"layer": ["put", "Layer"], "slots": ["patch", {"K": ["insert", mine, second]}]}])
    assert write(ctx, action, both) == both
    action.fcurves.remove(action.fcurves[0])
    delta = diff(both, read(ctx, action, both))
    assert list(delta[1]) == ["slots"]
    assert list(delta[1]["slots"][1]) == [mine]


# What another member may send -----------------------------------------------------------------------------------------


def with_keys(tree: Tree, **arrays: Any) -> Tree:
    """The action with other arrays for its first curve's keyframes."""
    key = key_of(tree, "location", 0)
    layout = slot_in(tree)["fcurves"]["of"][key]["keyframe_points"]
    of = layout["of"] | {name: encode(np.ascontiguousarray(array), BLOBS) for name, array in arrays.items()}
    new = {"$": "layout", "id": "other", "of": of}
    return patched(tree, in_curves(tree, {key: ["patch", {"keyframe_points": ["put", new], "lock": ["put", True]}]}))


BROKEN = {
    "too few": {"points": np.zeros((2, 6), np.float32)},
    "too narrow": {"points": np.zeros((3, 2), np.float32)},
    "flat": {"points": np.zeros(18, np.float32)},
    "no row": {"points": np.zeros((), np.float32)},
    "another type": {"kinds": np.zeros((3, 5), np.float32)},
    "nowhere": {"points": np.full((3, 6), np.nan, np.float32)},
    "endless": {"shapes": np.full((3, 3), np.inf, np.float32)},
}


@pytest.mark.parametrize("what", BROKEN)
def test_keyframes_that_are_none_are_noted_and_the_rest_is_written(what: str) -> None:  # ANIM9
    action, ctx = walk(), context("walk")
    tree = read(ctx, action)
    write(ctx, action, with_keys(tree, **BROKEN[what]))
    assert "FCurve.keyframe_points" in ctx.refused
    curve = bag_of(action).fcurves.find("location", index=0)
    assert [tuple(key.co) for key in curve.keyframe_points] == [(1, 0), (10, 2), (20, 1)]
    assert curve.lock


def test_kinds_without_a_name_become_the_plainest() -> None:  # ANIM9
    action, ctx = walk(), context("walk")
    write(ctx, action, with_keys(read(ctx, action), kinds=np.full((3, 5), 200, np.uint8)))
    keys = bag_of(action).fcurves.find("location", index=0).keyframe_points
    assert {(key.interpolation, key.handle_left_type, key.type) for key in keys} == {("CONSTANT", "FREE", "KEYFRAME")}


def test_keyframes_out_of_order_are_put_in_order() -> None:  # ANIM9
    action, ctx = walk(), context("walk")
    tree = read(ctx, action)
    points = np.array([[frame - 1, 0, frame, frame, frame + 1, 0] for frame in (9, 5, 7)], np.float32)
    write(ctx, action, with_keys(tree, points=points))
    keys = bag_of(action).fcurves.find("location", index=0).keyframe_points
    assert [tuple(key.co) for key in keys] == [(5, 5), (7, 7), (9, 9)]


def test_curves_that_are_none_are_noted_and_the_rest_is_written() -> None:  # ANIM9
    tree = read(context("walk"), walk())
    wrong = {
        "a": ["insert", None, {"data_path": 7, "array_index": 0}],
        "b": ["insert", None, {"data_path": "scale", "array_index": "x", "keyframe_points": [1]}],
        "c": ["insert", None, {}],
        "d": ["insert", None, 5],
        "e": ["insert", None, {"data_path": "hide", "array_index": 2**40}],
        "f": ["insert", None, {"data_path": {"$": "bytes", "of": "/w=="}, "array_index": 0}],
    }
    new = patched(tree, in_curves(tree, wrong))
    other, ctx = bpy.data.actions.new("copy"), context("copy")
    back = write(ctx, other, new)
    assert set(slot_in(tree)["fcurves"]["order"]) <= set(slot_in(back)["fcurves"]["order"])
    assert ctx.refused
    assert read(ctx, other, back) is back


# What curves control --------------------------------------------------------------------------------------------------


def names(found: Any, struct: Any) -> dict[str, set[int]]:
    return {name: set(indices) for (pointer, name), indices in found.items() if pointer == struct.as_pointer()}


def test_what_curves_and_drivers_control_is_found() -> None:  # ANIM11
    cube = bpy.data.objects["Cube"]
    assert derived(cube) is NOTHING
    cube["price"] = 1.0
    cube.keyframe_insert("location", index=0)
    cube.keyframe_insert("location", index=2)
    cube.keyframe_insert('["price"]')
    cube.driver_add("scale", 1).driver.expression = "no such thing"
    bevel = cube.modifiers.new("Bevel.001", "BEVEL")
    cube.keyframe_insert('modifiers["Bevel.001"].width')
    found = derived(cube)
    assert names(found, cube) == {"location": {0, 2}, '["price"]': {0}, "scale": {1}}
    assert names(found, bevel) == {"width": {0}}
    cube.animation_data.drivers[0].mute = True
    assert "scale" not in names(derived(cube), cube)


def test_what_leads_nowhere_controls_nothing() -> None:  # ANIM11
    cube = bpy.data.objects["Cube"]
    cube.animation_data_create().drivers.new('modifiers["gone"].width')
    cube.animation_data.drivers.new("location.x.y")
    assert derived(cube) is NOTHING


def test_what_is_controlled_in_node_trees_and_shape_keys_is_found() -> None:  # ANIM11
    material = bpy.data.materials["Material"]
    socket = material.node_tree.nodes["Principled BSDF"].inputs[1]
    socket.keyframe_insert("default_value")
    assert names(derived(material), socket) == {"default_value": {0}}
    cube = bpy.data.objects["Cube"]
    cube.shape_key_add(name="Basis")
    block = cube.shape_key_add(name="Smile")
    block.keyframe_insert("value")
    assert names(derived(cube.data), block) == {"value": {0}}


def test_strips_control_unless_they_are_muted() -> None:  # ANIM11
    cube = bpy.data.objects["Cube"]
    track = cube.animation_data_create().nla_tracks.new()
    strip = track.strips.new("walk", 1, walk())
    if LAYERED:
        strip.action_slot = strip.action.slots[0]
    assert names(derived(cube), cube) == {"location": {0, 1}, "scale": {2}}
    for struct, name, value in ((strip, "mute", True), (track, "mute", True), (cube.animation_data, "use_nla", False)):
        before = getattr(struct, name)
        setattr(struct, name, value)
        assert derived(cube) is NOTHING
        setattr(struct, name, before)


def test_playback_is_no_edit() -> None:  # ANIM11
    cube = bpy.data.objects["Cube"]
    cube["price"] = 1.0
    for frame in (1, 50):
        for path in ("location", '["price"]'):
            cube["price"], cube.location = frame, (frame, 0, 0)
            cube.keyframe_insert(path, frame=frame)
    cube.driver_add("scale", 0).driver.expression = "frame / 10"
    mirror = Mirror(MemoryBlobs())
    mirror.scan()
    for frame in range(1, 60, 7):
        bpy.context.scene.frame_set(frame)
        assert mirror.collect(list(mirror.entries)) == []
    assert (cube.location.x, cube.scale.x) == pytest.approx((50.0, 5.7))
    cube.rotation_euler.x = 1
    found = mirror.collect(list(mirror.entries))
    assert [list(delta[1]) for _, delta in found] == [["rotation_euler"]]


# Strips ---------------------------------------------------------------------------------------------------------------


def track_with(action: Any, *starts: int, name: str = "Cube") -> Any:
    track = bpy.data.objects[name].animation_data_create().nla_tracks.new()
    for start in starts:
        strip = track.strips.new(f"at {start}", start, action)
        strip.action_frame_end = strip.action_frame_start + 4
    return track


def write_strips(ctx: Context, track: Any, new: Tree) -> Tree:
    for _ in range(2):
        if (live := STRIPS.read(ctx, track, new, {})) != new:
            STRIPS.write(ctx, track, live, new, {})
    return STRIPS.read(ctx, track, new, {})


def test_strips_that_stand_close_are_all_made() -> None:  # ANIM12
    action = walk()
    track = track_with(action, 1)
    for start in (6, 11, 16):  # each is shorter than its action, and so is made where nothing follows yet
        strip = track.strips.new(f"at {start}", start, action)
        strip.action_frame_end = strip.action_frame_start + 4
        strip.blend_type, strip.use_reverse = "ADD", True
    ctx = context("Cube")
    tree = STRIPS.read(ctx, track, None, {})
    theirs = Context(Directory(), BLOBS, uuid="Light", local=ctx.local)  # one peer: the slots are the same
    other = track_with(action, name="Light")
    assert unlike(tree, write_strips(theirs, other, tree)) == []
    assert theirs.refused == {}
    assert [strip.frame_start for strip in other.strips] == [1, 6, 11, 16]
    first, second = tree["order"][:2]
    between = {**tree["of"][first], "name": "between", "frame_start": 5.0, "frame_start_raw": 5.0, "frame_end_raw": 6.0}
    new = patched(tree, ["patch", {second: ["remove"], "K": ["insert", first, between]}])
    back = write_strips(theirs, other, new)
    assert back["order"] == new["order"]
    assert [strip.name for strip in other.strips] == ["at 1", "between", "at 11", "at 16"]


def test_a_strip_whose_action_is_gone_is_made_without_one() -> None:  # ANIM12
    track, ctx = track_with(walk(), 1), context("Cube")
    tree = STRIPS.read(ctx, track, None, {})
    first = tree["order"][0]
    strip = {**tree["of"][first], "action": None, "action_slot": None, "name": "empty", "frame_start_raw": 9.0}
    actions = len(bpy.data.actions)
    back = write_strips(ctx, track, patched(tree, ["patch", {"K": ["insert", first, strip | {"frame_end_raw": 20.0}]}]))
    assert (back["order"], back["of"]["K"]["action"]) == ([first, "K"], None)
    assert (track.strips["empty"].frame_start, track.strips["empty"].frame_end) == (9, 20)
    assert (ctx.refused, len(bpy.data.actions)) == ({}, actions)


def test_a_strip_that_shows_no_action_is_noted() -> None:  # ANIM12
    action = walk()
    track, ctx = track_with(action, 1), context("Cube")
    tree = STRIPS.read(ctx, track, None, {})
    strip = {**tree["of"][tree["order"][0]], "action": None, "name": "empty", "type": "TRANSITION"}
    back = write_strips(ctx, track, patched(tree, ["patch", {"K": ["insert", tree["order"][0], strip]}]))
    assert back["order"] == tree["order"]
    assert ctx.refused == {"bpy_prop_collection.new": "only strips of an action can be made"}
