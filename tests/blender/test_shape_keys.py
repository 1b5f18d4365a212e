"""Shape keys: part of their owner's tree, changed without an object of the user's."""

from __future__ import annotations

from typing import Any, Literal

import bpy
import numpy as np
import pytest

from broadcaster.errors import RemoteProtocolError
from broadcaster.tree import Tree, diff
from mixer.proxy import keyblocks
from mixer.proxy.context import Busy, Context
from mixer.proxy.shape_keys import ShapeKeys

from .roundtrip import MemoryBlobs, Nobody, unlike

pytestmark = pytest.mark.usefixtures("empty")

SHAPE_KEYS = ShapeKeys("shape_keys")
BLOBS = MemoryBlobs()
CORNERS = [(0.0, 0.0, 0.0), (1.0, 0.0, 0.0), (0.0, 1.0, 0.0), (0.0, 0.0, 1.0)]


def context(uuid: str = "mesh") -> Context:
    return Context(Nobody(), BLOBS, uuid=uuid)


def mesh_of(corners: list[tuple[float, float, float]] = CORNERS) -> Any:
    mesh = bpy.data.meshes.new("mesh")
    mesh.from_pydata(corners, [], [tuple(range(len(corners)))])
    return mesh


def face(*names: str) -> Any:
    """An object whose mesh has shape keys, each lifted a little higher than the one before."""
    thing = bpy.data.objects.new("face", mesh_of())
    bpy.context.scene.collection.objects.link(thing)
    for place, name in enumerate(names or ("Basis", "smile", "frown", "blink")):
        block = thing.shape_key_add(name=name, from_mix=False)
        block.value = 0.0
        block.data[0].co.z = place / 4
    return thing


def owner_of(kind: str, count: int) -> Any:
    """A curve or a lattice of so many points, with two shape keys."""
    if kind == "CURVE":
        owner: Any = bpy.data.curves.new("curve", "CURVE")
        owner.splines.new("BEZIER").bezier_points.add(count - 2)
        owner.splines.new("POLY")
        owner.splines[0].bezier_points[0].co = (1, 2, 3)
    else:
        owner = bpy.data.lattices.new("lattice")
        owner.points_u = count
    thing = bpy.data.objects.new("thing", owner)
    for name in ("Basis", "lifted"):
        thing.shape_key_add(name=name)
    return owner


def blocks(owner: Any) -> Any:
    return owner.shape_keys.key_blocks


def read(ctx: Context, owner: Any, prev: Tree = None) -> Tree:
    return SHAPE_KEYS.read(ctx, owner, prev, {})


def write(ctx: Context, owner: Any, new: Tree) -> Tree:
    """Writes as the mirror does: twice, against a fresh read; what Blender then holds."""
    for _ in range(2):
        if (live := read(ctx, owner, new)) != new:
            SHAPE_KEYS.write(ctx, owner, live, new, {})
    return read(ctx, owner, new)


def copy(owner: Any, other: Any) -> tuple[Context, Tree]:
    """Writes the shape keys of `owner` to `other`; what `other` then holds."""
    tree, ctx = read(context(), owner), context("copy")
    got = write(ctx, other, tree)
    assert unlike(tree, got) == []
    return ctx, got


def key_of(tree: Tree, name: str) -> str:
    return next(key for key, block in tree["key_blocks"]["of"].items() if block["name"] == name)


def with_blocks(tree: Tree, of: dict[str, Tree]) -> Tree:
    return {**tree, "key_blocks": {"$": "items", "order": list(of), "of": of}}


def with_block(tree: Tree, name: str, **fields: Tree) -> Tree:
    of, key = tree["key_blocks"]["of"], key_of(tree, name)
    return with_blocks(
        tree, {one: {**of[one], **fields} if one == key else of[one] for one in tree["key_blocks"]["order"]}
    )


def in_order(tree: Tree, *names: str) -> Tree:
    return with_blocks(tree, {(key := key_of(tree, name)): tree["key_blocks"]["of"][key] for name in names})


def coordinates(block: Any) -> list[float]:
    found = np.empty(len(block.data) * 3, np.float32)
    block.data.foreach_get("co", found)
    return found.tolist()  # type: ignore[no-any-return]


def test_shape_keys_survive_the_way_into_a_new_mesh() -> None:  # KEY1
    mesh = face().data
    smile, frown = blocks(mesh)["smile"], blocks(mesh)["frown"]
    smile.slider_min, smile.slider_max, smile.value = -2, 5, 3
    frown.relative_key, frown.vertex_group, frown.mute, frown.interpolation = smile, "mouth", True, "KEY_BSPLINE"
    blocks(mesh)["blink"].lock_shape = True
    mesh.shape_keys.eval_time = 7
    other = mesh_of()
    copy(mesh, other)
    assert blocks(other).keys() == ["Basis", "smile", "frown", "blink"]
    assert (blocks(other)["smile"].value, blocks(other)["smile"].slider_max) == (3, 5)
    assert blocks(other)["frown"].relative_key == blocks(other)["smile"]
    assert blocks(other)["frown"].vertex_group == "mouth"
    assert blocks(other)["blink"].lock_shape
    assert [coordinates(one) for one in blocks(other)] == [coordinates(one) for one in blocks(mesh)]
    assert other.shape_keys.eval_time == 7


def test_the_name_of_what_holds_shape_keys_is_given_as_they_are_made_and_then_says_nothing() -> None:  # KEY11
    mesh = face().data
    mesh.shape_keys.name = "Face"
    tree = read(context(), mesh)
    mesh.shape_keys.name = "Elsewhere"
    assert read(context(), mesh, tree)["name"] == "Face"
    for name in ("Face", "Face.001"):  # Blender has no two of one name
        other = mesh_of()
        assert write(context(name), other, tree)["name"] == "Face"
        assert other.shape_keys.name == name


@pytest.mark.parametrize("kind", ["curve", "surface", "lattice"])
def test_shape_keys_of_curves_and_lattices_survive(kind: str) -> None:  # KEY1
    def make() -> Any:
        if kind == "lattice":
            return bpy.data.lattices.new("lattice")
        curve = bpy.data.curves.new(kind, kind.upper())
        spline = curve.splines.new("BEZIER" if kind == "curve" else "NURBS")
        (spline.bezier_points if kind == "curve" else spline.points).add(2)
        if kind == "curve":
            curve.splines.new("POLY").points.add(3)
        return curve

    owner, other = make(), make()
    thing = bpy.data.objects.new("thing", owner)
    for name in ("Basis", "bent"):
        thing.shape_key_add(name=name, from_mix=False)
    for place, point in enumerate(blocks(owner)["bent"].data):
        point.co = (place, 1, 2)
    copy(owner, other)
    assert [point.co[:] for point in blocks(other)["bent"].data] == [
        point.co[:] for point in blocks(owner)["bent"].data
    ]


def test_reading_twice_gives_the_same_object() -> None:  # KEY2
    mesh, ctx = face().data, context()
    tree = read(ctx, mesh)
    assert read(ctx, mesh, tree) is tree
    assert read(ctx, mesh_of(), None) is None


def test_a_changed_value_is_a_small_delta() -> None:  # KEY2
    mesh, ctx = face().data, context()
    tree = read(ctx, mesh)
    blocks(mesh)["smile"].value = 0.5
    key = key_of(tree, "smile")
    assert diff(tree, read(ctx, mesh, tree)) == [
        "patch",
        {"key_blocks": ["patch", {key: ["patch", {"value": ["put", 0.5]}]}]},
    ]


def test_arrays_are_read_only_where_geometry_is_asked_for() -> None:  # KEY3
    mesh, ctx = face().data, context()
    tree = read(ctx, mesh)
    blocks(mesh)["smile"].data[0].co.x = 9
    ctx.geometry = False
    assert read(ctx, mesh, tree) is tree
    ctx.geometry = True
    delta = diff(tree, read(ctx, mesh, tree))
    assert delta is not None
    changes = delta[1]["key_blocks"][1]
    assert changes.keys() == {key_of(tree, "smile")}
    assert changes[key_of(tree, "smile")][1].keys() == {"data"}


def test_a_renamed_shape_key_keeps_its_key() -> None:  # KEY4
    mesh, ctx = face().data, context()
    tree = read(ctx, mesh)
    blocks(mesh)["smile"].name = "grin"
    key = key_of(tree, "smile")
    assert diff(tree, read(ctx, mesh, tree)) == [
        "patch",
        {"key_blocks": ["patch", {key: ["patch", {"name": ["put", "grin"]}]}]},
    ]
    other = mesh_of()
    there, tree = copy(mesh, other)
    smile, frown = key_of(tree, "grin"), key_of(tree, "frown")
    of = tree["key_blocks"]["of"]
    swapped = with_blocks(tree, {**of, smile: {**of[smile], "name": "frown"}, frown: {**of[frown], "name": "grin"}})
    write(there, other, swapped)
    assert blocks(other).keys() == ["Basis", "frown", "grin", "blink"]


def test_shape_keys_are_added_and_removed() -> None:  # KEY5
    other = mesh_of()
    ctx, tree = copy(face().data, other)
    blink = tree["key_blocks"]["of"][key_of(tree, "blink")]
    fewer = in_order(tree, "Basis", "blink")
    assert write(ctx, other, fewer) == fewer
    assert blocks(other).keys() == ["Basis", "blink"]
    more = with_blocks(fewer, {**fewer["key_blocks"]["of"], "new-key": {**blink, "name": "wink", "value": 0.25}})
    assert write(ctx, other, more) == more
    assert blocks(other)["wink"].value == 0.25
    assert write(ctx, other, None) is None
    assert other.shape_keys is None


def test_all_shape_keys_are_replaced() -> None:  # KEY5
    other = mesh_of()
    ctx, tree = copy(face().data, other)
    new = {**read(context(), face("Base", "open").data), "name": tree["name"]}
    assert write(ctx, other, new) == new
    assert blocks(other).keys() == ["Base", "open"]


def test_a_new_order_leaves_values_ranges_and_drivers_as_they_are() -> None:  # KEY6
    other = mesh_of()
    ctx, tree = copy(face().data, other)
    driver = blocks(other)["frown"].driver_add("value").driver
    driver.type, driver.expression = "SCRIPTED", "frame / 100"
    blocks(other)["smile"].slider_max = 4
    blocks(other)["smile"].value = 3
    shapes = {block.name: coordinates(block) for block in blocks(other)}
    tree = read(ctx, other, tree)
    write(ctx, other, in_order(tree, "Basis", "blink", "frown", "smile"))
    assert blocks(other).keys() == ["Basis", "blink", "frown", "smile"]
    assert {block.name: coordinates(block) for block in blocks(other)} == shapes
    assert (blocks(other)["smile"].value, blocks(other)["smile"].slider_max) == (3, 4)
    assert [curve.data_path for curve in other.shape_keys.animation_data.drivers] == ['key_blocks["frown"].value']


def test_the_first_shape_key_moves_where_blender_moves_it() -> None:  # KEY6
    other = mesh_of()
    ctx, tree = copy(face().data, other)
    new = in_order(tree, "blink", "Basis", "frown", "smile")
    write(ctx, other, new)
    if bpy.app.version < (5, 0):
        assert blocks(other).keys() == ["blink", "Basis", "frown", "smile"]
    else:
        assert blocks(other).keys()[0] == "Basis"
        assert "first shape key" in ctx.refused["Mesh.shape_keys"]


def test_writing_shape_keys_disturbs_nobody() -> None:  # KEY7
    thing = face()
    thing.active_shape_key_index = 2
    edited = bpy.data.objects.new("edited", mesh_of())
    bpy.context.scene.collection.objects.link(edited)
    bpy.context.view_layer.objects.active = edited
    bpy.ops.object.mode_set(mode="EDIT")
    present = {kind: set(getattr(bpy.data, kind).keys()) for kind in ("objects", "scenes")}
    ctx = context()
    tree = read(ctx, thing.data)
    write(ctx, thing.data, in_order(tree, "Basis", "frown", "blink", "smile"))
    assert blocks(thing.data).keys() == ["Basis", "frown", "blink", "smile"]
    assert edited.mode == "EDIT"
    assert bpy.context.view_layer.objects.active == edited
    assert thing.active_shape_key_index == 2
    assert present == {kind: set(getattr(bpy.data, kind).keys()) for kind in ("objects", "scenes")}
    bpy.ops.object.mode_set(mode="OBJECT")


def test_a_mesh_in_edit_mode_keeps_its_arrays_and_is_not_written() -> None:  # KEY8
    thing, ctx = face(), context()
    tree = read(ctx, thing.data)
    bpy.context.view_layer.objects.active = thing
    bpy.ops.object.mode_set(mode="EDIT")
    assert read(ctx, thing.data, tree) is tree
    with pytest.raises(Busy):
        SHAPE_KEYS.write(ctx, thing.data, tree, with_block(tree, "smile", value=1.0), {})
    bpy.ops.object.mode_set(mode="OBJECT")


def test_keys_of_another_number_of_vertices_move_none() -> None:  # KEY9
    other = mesh_of(CORNERS[:3])
    bpy.data.objects.new("other", other).shape_key_add(name="Basis").data[1].co.z = 7
    ctx, tree = context(), read(context(), face().data)
    write(ctx, other, with_block(tree, "smile", value=0.75))
    assert blocks(other).keys() == ["Basis", "smile", "frown", "blink"]
    assert blocks(other)["smile"].value == 0.75
    for block in blocks(other):
        assert coordinates(block) == [number for corner in CORNERS[:3] for number in corner]
    assert "ShapeKey.data" in ctx.refused


@pytest.mark.parametrize("kind", ["CURVE", "LATTICE"])
def test_so_do_keys_of_other_curves_and_lattices(kind: Literal["CURVE", "LATTICE"]) -> None:  # KEY9
    few, many = (owner_of(kind, count) for count in (2, 3))
    own = keyblocks.read_data(blocks(many)["Basis"], BLOBS, None)
    blocks(many)["lifted"].data[0].co.z = 5
    ctx = context()
    write(ctx, many, read(context(), few))
    assert [keyblocks.read_data(block, BLOBS, None) for block in blocks(many)] == [own, own]
    assert "ShapeKey.data" in ctx.refused


def test_keys_wait_for_the_vertices() -> None:  # KEY9
    empty, ctx = bpy.data.meshes.new("empty"), context()
    write(ctx, empty, read(context(), face().data))
    assert empty.shape_keys is None
    assert "no points" in ctx.refused["Mesh.shape_keys"]


def test_what_has_no_points_has_shape_keys_too() -> None:  # KEY9
    empty = bpy.data.meshes.new("empty")
    thing = bpy.data.objects.new("empty", empty)
    thing.shape_key_add(name="Basis")
    copy(empty, bpy.data.meshes.new("other"))


@pytest.mark.parametrize("tree", [5, {"key_blocks": {"$": "items", "order": ["a"], "of": {"a": {"name": 3}}}}])
def test_what_are_no_shape_keys_is_an_error_of_the_sender(tree: Tree) -> None:  # KEY10
    with pytest.raises(RemoteProtocolError):
        SHAPE_KEYS.write(context(), mesh_of(), None, tree, {})
