"""Meshes: everything on them survives the way into another mesh, and nothing malformed reaches one."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import bpy
import numpy as np
import orjson
import pytest

from broadcaster.errors import RemoteProtocolError
from broadcaster.tree import CHUNK_BYTES, Tree, diff, items
from mixer.proxy import arrays, attributes
from mixer.proxy.attributes import FORMS, is_supported
from mixer.proxy.context import Busy, Context
from mixer.proxy.geometry import ARRAYS, GROUPS, GeometryProxy
from mixer.proxy.topology import CORNER_EDGES, CORNER_VERTS, EDGES, OFFSETS

from .roundtrip import MemoryBlobs, Nobody, unlike

# isort: split
import bmesh  # there once bpy is

pytestmark = pytest.mark.usefixtures("empty")

GEOMETRY = GeometryProxy("geometry")
BLOBS = MemoryBlobs()
POSITION: Final = "POINT/FLOAT_VECTOR/position"
CORPUS: Final = os.environ.get("MIXER_CORPUS")
CORPUS_BYTES: Final = 32 << 20  # larger scenes are left to the peers' tests
OLD: Final = bpy.app.version < (4, 5)


def scenes() -> list[Path]:
    found = sorted(Path(CORPUS).rglob("*.blend")) if CORPUS else []
    return [path for path in found if path.stat().st_size < CORPUS_BYTES]


class Counting(MemoryBlobs):
    """Blobs that count what they are given."""

    def __init__(self) -> None:
        super().__init__()
        self.puts = 0

    def put(self, data: bytes) -> str:
        self.puts += 1
        return super().put(data)


def context(uuid: str = "mesh", blobs: MemoryBlobs = BLOBS) -> Context:
    return Context(Nobody(), blobs, uuid=uuid)


def shown(mesh: Any) -> Any:
    thing = bpy.data.objects.new(mesh.name, mesh)
    bpy.context.scene.collection.objects.link(thing)
    return thing


def made(build: Callable[[Any], object]) -> Any:
    mesh, edited = bpy.data.meshes.new("mesh"), bmesh.new()
    build(edited)
    edited.to_mesh(mesh)
    edited.free()
    shown(mesh)
    return mesh


def cube() -> Any:
    return made(lambda edited: bmesh.ops.create_cube(edited, size=2.0, calc_uvs=True))


def grid(size: int = 8) -> Any:
    return made(lambda edited: bmesh.ops.create_grid(edited, x_segments=size, y_segments=size, calc_uvs=True))


def polygons() -> Any:
    """A disc of one face, a face of five corners, loose vertices and a loose edge."""
    corners = [(np.cos(angle), np.sin(angle), 0.0) for angle in np.linspace(0, 6, 17)]
    mesh = bpy.data.meshes.new("mesh")
    loose = [(3.0, 0.0, float(z)) for z in range(4)]
    mesh.from_pydata(corners + loose, [(17, 18)], [range(17), (0, 17, 1, 19, 20)])
    shown(mesh)
    return mesh


def attributed() -> Any:
    """A grid with an attribute of every type on every domain, two UV maps and colors."""
    mesh = grid()
    noise = np.random.default_rng(1)
    for data_type, form in FORMS.items():
        for domain in ("POINT", "EDGE", "FACE", "CORNER"):
            if not is_supported(f"{domain}/{data_type}/"):
                continue
            name = f"{data_type} / {domain}".lower()
            mesh.attributes.new(name, data_type, domain)
            fill(mesh.attributes[name], form, noise)
    mesh.uv_layers.new(name="second").active_render = True
    mesh.attributes.default_color_name = "float_color / corner"
    return mesh


def fill(attribute: Any, form: Any, noise: np.random.Generator) -> None:
    if attribute.data_type == "STRING":
        for one in attribute.data:
            one.value = noise.choice([b"", b"wheel", b"\xff\xfe", "Tür".encode()])
        return
    shape = (len(attribute.data), *form.shape)
    whole = noise.integers(0, 2, shape) if form.dtype == "|b1" else noise.integers(-100, 100, shape)
    values = noise.random(shape, np.float32) if form.dtype in ("<f4", "|u1") else whole.astype(form.dtype)
    attribute.data.foreach_set(form.value, values.reshape(-1))


def marked() -> Any:
    """What edit mode marks: creases, seams, sharpness, bevels, hidden elements, Freestyle."""
    mesh = grid()
    mesh.edges[0].use_seam = mesh.edges[1].use_edge_sharp = mesh.polygons[0].hide = mesh.vertices[5].hide = True
    mesh.polygons[1].use_smooth, mesh.polygons[2].material_index = False, 3
    for name, domain in (("crease_edge", "EDGE"), ("crease_vert", "POINT"), ("bevel_weight_edge", "EDGE")):
        mesh.attributes.new(name, "FLOAT", domain).data[1].value = 0.5
    if hasattr(mesh.edges[0], "use_freestyle_mark"):
        mesh.edges[3].use_freestyle_mark = mesh.polygons[4].use_freestyle_mark = True
    return mesh


def weighted(size: int = 8) -> Any:
    mesh = grid(size)
    thing = next(one for one in bpy.data.objects if one.data == mesh)
    for name in ("arm", "leg", "tail"):
        thing.vertex_groups.new(name=name)
    points = range(len(mesh.vertices))
    thing.vertex_groups["arm"].add(points[:20], 1.0, "REPLACE")
    for point in points[10:30]:
        thing.vertex_groups["leg"].add([point], point / 64, "REPLACE")
    thing.vertex_groups["tail"].add(points[15:17], 0.0, "REPLACE")
    thing.vertex_groups["tail"].lock_weight = True
    return mesh


def empty() -> Any:
    mesh = bpy.data.meshes.new("mesh")
    shown(mesh)
    return mesh


MAKERS: Final = [cube, grid, polygons, attributed, marked, weighted, empty]


def read(ctx: Context, mesh: Any, prev: Tree = None) -> Tree:
    return GEOMETRY.read(ctx, mesh, prev, {})


def write(ctx: Context, mesh: Any, new: Tree) -> Tree:
    """Writes as the mirror does; what the mesh then reads."""
    live = read(ctx, mesh, new)
    if live != new:
        GEOMETRY.write(ctx, mesh, live, new, {})
    return read(ctx, mesh, new)


def sent(tree: Tree) -> Tree:
    return orjson.loads(orjson.dumps(tree))


def of(tree: Tree) -> dict[str, Tree]:
    found: dict[str, Tree] = tree[ARRAYS]["of"]
    return found


def with_arrays(tree: Tree, **changes: Any) -> Tree:
    new = {key: arrays.encode(array, BLOBS) for key, array in changes.items()}
    return {**tree, ARRAYS: {**tree[ARRAYS], "of": of(tree) | new}}


def other_topology(tree: Tree) -> Tree:
    return {**tree, ARRAYS: {**tree[ARRAYS], "id": "another"}}


def groups_of(mesh: Any) -> Any:
    return next(one for one in bpy.data.objects if one.data == mesh).vertex_groups


def weights_of(mesh: Any) -> list[dict[str, float]]:
    groups = groups_of(mesh)
    return [{groups[one.group].name: one.weight for one in vertex.groups} for vertex in mesh.vertices]


# The way into another mesh --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("make", MAKERS)
@pytest.mark.parametrize("target", [empty, cube, polygons, attributed, weighted])
def test_a_mesh_survives_the_way_into_another(make: Callable[[], Any], target: Callable[[], Any]) -> None:  # ARRAY4
    mesh = make()
    tree, ctx = sent(read(context(), mesh)), context("copy")
    other = target()
    got = write(ctx, other, tree)
    assert unlike(tree, got) == []
    assert got[ARRAYS]["id"] == tree[ARRAYS]["id"]
    assert ctx.refused == {}
    assert not other.validate(verbose=True)
    assert read(context("anew"), other, tree) == tree


@pytest.mark.parametrize("make", MAKERS)
def test_a_mesh_with_shape_keys_takes_another_topology(make: Callable[[], Any]) -> None:  # ARRAY4
    tree, ctx = sent(read(context(), make())), context("copy")
    other = grid(3)
    thing = next(one for one in bpy.data.objects if one.data == other)
    thing.shape_key_add(name="Basis")
    thing.shape_key_add(name="smile").value = 0.5
    meshes = len(bpy.data.meshes)
    assert unlike(tree, write(ctx, other, tree)) == []
    assert [(block.name, len(block.data)) for block in other.shape_keys.key_blocks] == [
        ("Basis", len(other.vertices)),
        ("smile", len(other.vertices)),
    ]
    assert other.shape_keys.key_blocks["smile"].value == 0.5
    assert len(bpy.data.meshes) == meshes


def test_new_points_take_nothing_from_beyond_the_end_of_shape_keys() -> None:  # ARRAY4
    tree, other = sent(read(context(), grid(60))), cube()
    thing = next(one for one in bpy.data.objects if one.data == other)
    for name in ("basis", "smile"):
        thing.shape_key_add(name=name).data[7].co = (0.5, 0.25, 0.125)
    write(context("copy"), other, tree)
    for block in other.shape_keys.key_blocks:
        points = np.empty((len(other.vertices), 3), np.float32)
        block.data.foreach_get("co", points.reshape(-1))
        assert np.abs(points).max() <= 1
        assert points[7].tolist() == [0.5, 0.25, 0.125]


def test_a_mesh_without_an_object_is_written_too() -> None:  # ARRAY4
    tree = sent(read(context(), weighted()))
    other, ctx = bpy.data.meshes.new("other"), context("copy")
    got = write(ctx, other, tree)
    assert got == tree  # its groups are taken on trust: only an object shows them
    shown(other)
    assert read(context("anew"), other, tree) == tree


def test_custom_normals_survive() -> None:  # ARRAY4
    mesh = cube()
    for face in mesh.polygons:
        face.use_smooth = True
    mesh.normals_split_custom_set([(0.0, 0.6, 0.8)] * len(mesh.loops))
    tree, other = sent(read(context(), mesh)), empty()
    got = write(context("copy"), other, tree)
    assert other.has_custom_normals
    if not OLD:
        assert got == tree
    for one, two in zip(mesh.corner_normals, other.corner_normals, strict=True):
        assert one.vector[:] == pytest.approx(two.vector[:], abs=1e-3)
    assert unlike(of(tree).get("EDGE/BOOLEAN/sharp_edge"), of(got).get("EDGE/BOOLEAN/sharp_edge")) == []


def test_selections_are_each_persons_own() -> None:  # ARRAY6
    mesh = grid()
    ctx, before = context(), read(context(), mesh)
    for one in (*mesh.vertices, *mesh.edges, *mesh.polygons):
        one.select = not one.select
    assert not any("select" in key for key in of(before))
    assert read(ctx, mesh, before) is before


def test_uv_maps_come_in_the_order_of_the_document() -> None:  # ARRAY7
    mesh = cube()
    mesh.uv_layers.new(name="b")
    mesh.uv_layers.new(name="c")
    tree = sent(read(context(), mesh))
    names = [one.name for one in mesh.uv_layers]
    other, ctx = empty(), context("copy")
    write(ctx, other, {**tree, "uv_maps": names[::-1]})
    assert [one.name for one in other.uv_layers] == names[::-1]
    got = write(ctx, other, tree)
    assert [one.name for one in other.uv_layers] == names
    assert got == tree


@pytest.mark.skipif(not CORPUS, reason="MIXER_CORPUS names no folder of scenes")
@pytest.mark.parametrize("path", scenes(), ids=str)
def test_the_meshes_of_real_scenes_survive(path: Path) -> None:  # ARRAY4
    try:
        bpy.ops.wm.open_mainfile(filepath=str(path), load_ui=False, use_scripts=False)
    except RuntimeError:
        pytest.skip("saved by a newer Blender")
    blobs = MemoryBlobs()
    for mesh in list(bpy.data.meshes):
        tree = sent(read(context(mesh.name, blobs), mesh))
        other = bpy.data.meshes.new("other")
        shown(other)
        ctx = context("copy", blobs)
        got = write(ctx, other, tree)
        if OLD:  # custom normals are rounded there
            for one in (tree, got):
                of(one).pop("CORNER/FLOAT_VECTOR/custom_normal", None)
        assert unlike(tree, got) == [], mesh.name
        assert ctx.refused == {}
        bpy.data.meshes.remove(other)


# What is found, and what is written -----------------------------------------------------------------------------------


@pytest.mark.parametrize("make", MAKERS)
def test_reading_again_finds_nothing(make: Callable[[], Any]) -> None:  # ARRAY5
    mesh, ctx = make(), context()
    tree = read(ctx, mesh)
    assert read(ctx, mesh, tree) is tree


def test_a_moved_vertex_changes_one_chunk() -> None:  # ARRAY2
    blobs = Counting()
    mesh, ctx = grid(200), context(blobs=blobs)
    tree = read(ctx, mesh)
    blobs.puts = 0
    mesh.vertices[12345].co.z = 1.0
    new = read(ctx, mesh, tree)
    chunk = 12345 * 12 // CHUNK_BYTES
    sha = of(new)[POSITION]["chunks"][chunk]
    delta = ["arrays", tree[ARRAYS]["id"], {POSITION: ["chunks", {str(chunk): sha}, "<f4[40401, 3]"]}]
    assert diff(tree, new) == ["patch", {ARRAYS: delta}]
    assert blobs.puts == 1


def test_a_chunk_moves_only_its_own_vertices() -> None:  # ARRAY8
    mesh, other = grid(200), grid(3)
    tree = read(context(), mesh)
    ctx = context("copy")
    write(ctx, other, tree)
    other.vertices[30000].co.z = 5.0  # another's edit, in another chunk: the document has both
    both = read(ctx, other, tree)
    mesh.vertices[5].co.z = 1.0
    mine = of(read(context(), mesh, tree))[POSITION]["chunks"]
    theirs = of(both)[POSITION]["chunks"]
    merged = {**of(tree)[POSITION], "chunks": [mine[0], *theirs[1:]]}
    got = write(ctx, other, {**both, ARRAYS: {**both[ARRAYS], "of": {**of(both), POSITION: merged}}})
    assert of(got)[POSITION] == merged
    assert (other.vertices[5].co.z, other.vertices[30000].co.z) == (1.0, 5.0)


def test_what_changes_the_topology_makes_another_layout() -> None:  # ARRAY3
    mesh, ctx = grid(), context()
    tree = read(ctx, mesh)
    mesh.vertices[0].co.x = 9.0
    moved = read(ctx, mesh, tree)
    assert moved[ARRAYS]["id"] == tree[ARRAYS]["id"]
    mesh.vertices.add(1)
    grown = read(ctx, mesh, moved)
    assert grown[ARRAYS]["id"] != tree[ARRAYS]["id"]
    assert diff(moved, grown)[1][ARRAYS][0] == "put"


def test_a_boolean_is_true_or_false_whatever_is_in_its_memory() -> None:  # ARRAY5
    """Blender leaves some without a value; what was in its memory before is nobody's business."""
    mesh = bpy.data.meshes.new("Mesh")
    mesh.from_pydata([(0, 0, number) for number in range(8)], [], [])
    made = mesh.attributes.new("flags", "BOOLEAN", "POINT")
    made.data.foreach_set("value", np.array([0, 1, 2, 49, 255, 0, 128, 0], np.uint8).view(np.bool_))
    assert attributes.read(made).view(np.uint8).tolist() == [0, 1, 1, 1, 1, 0, 1, 0]


def test_attributes_come_go_and_change_their_type() -> None:  # ARRAY5
    mesh, other, ctx = grid(), grid(), context("copy")
    mesh.attributes.new("age", "FLOAT", "POINT")
    write(ctx, other, tree := read(context(), mesh))
    mesh.attributes.remove(mesh.attributes["age"])
    mesh.attributes.new("age", "INT", "FACE").data[3].value = 7
    new = read(context(), mesh, tree)
    assert write(ctx, other, new) == new
    assert other.attributes["age"].data[3].value == 7
    mesh.attributes.remove(mesh.attributes["age"])
    gone = read(context(), mesh, new)
    assert write(ctx, other, gone) == gone
    assert "age" not in other.attributes


def test_of_two_attributes_of_one_name_all_show_the_same() -> None:  # ARRAY13
    one, other = grid(), grid()
    one.attributes.new("age", "FLOAT", "POINT")
    other.attributes.new("age", "BYTE_COLOR", "CORNER")
    here, there = read(context("one"), one), read(context("other"), other)
    both = {**here, ARRAYS: {**here[ARRAYS], "of": of(here) | of(there)}}
    for mesh, ctx in ((one, context("one")), (other, context("other"))):
        got = write(ctx, mesh, both)
        assert mesh.attributes["age"].data_type == "BYTE_COLOR"
        assert of(got).keys() == of(there).keys()


def test_what_is_gone_renders_no_more() -> None:  # ARRAY7
    mesh, ctx = grid(), context()
    mesh.attributes.new("Paint", "BYTE_COLOR", "CORNER")
    mesh.attributes.default_color_name = "Paint"
    assert read(ctx, mesh)["color_render"] == "Paint"
    mesh.attributes.remove(mesh.attributes["Paint"])
    mesh.attributes.default_color_name = "Paint"
    assert read(ctx, mesh)["color_render"] is None


def test_of_two_attributes_of_one_name_in_one_mesh_the_first_is_read() -> None:  # ARRAY13
    """As there may be after objects were joined."""
    one, other = (next(thing for thing in bpy.data.objects if thing.data == mesh) for mesh in (grid(), grid()))
    one.data.attributes.new("Attribute", "INT", "POINT")
    other.data.attributes.new("Attribute", "BYTE_COLOR", "CORNER")
    bpy.context.view_layer.objects.active = one
    for thing in (one, other):
        thing.select_set(True)
    bpy.ops.object.join()
    tree = read(context(), one.data)
    (key,) = (key for key in of(tree) if key.endswith("/Attribute"))
    assert key.startswith(f"{one.data.attributes['Attribute'].domain}/{one.data.attributes['Attribute'].data_type}/")
    assert unlike(tree, write(context("copy"), empty(), tree)) == []


def test_an_attribute_may_bear_the_name_of_a_vertex_group() -> None:  # ARRAY14
    mesh, ctx = grid(), context()
    groups_of(mesh).new(name="Thing")
    tree = read(ctx, mesh)
    colors = np.full((len(mesh.loops), 4), 7, np.uint8)
    got = write(ctx, mesh, with_arrays(tree, **{"CORNER/BYTE_COLOR/Thing": colors}))
    assert "CORNER/BYTE_COLOR/Thing" in of(got)
    names = [one.name for one in (*mesh.color_attributes, *groups_of(mesh))]
    assert (names, ctx.refused) == (["Thing", "Thing"], {})


def test_a_moved_object_does_not_read_its_mesh() -> None:  # ARRAY5
    mesh, ctx = grid(), context()
    tree = read(ctx, mesh)
    mesh.vertices[0].co.x = 9.0
    ctx.geometry = False
    assert read(ctx, mesh, tree) is tree


# Weights --------------------------------------------------------------------------------------------------------------


def test_weights_survive_adding_removing_renaming_and_sorting_groups() -> None:  # ARRAY9
    mesh, other, ctx, mine = weighted(), empty(), context("copy"), context()
    tree = read(mine, mesh)
    write(ctx, other, tree)
    assert weights_of(other) == weights_of(mesh)
    groups = groups_of(mesh)
    groups["leg"].name = "foot"
    renamed = read(mine, mesh, tree)
    assert renamed[GROUPS]["order"] == tree[GROUPS]["order"]
    groups.remove(groups["arm"])
    groups.new(name="wing").add([3, 60], 0.25, "REPLACE")
    new = read(mine, mesh, renamed)
    assert [new[GROUPS]["of"][key]["name"] for key in new[GROUPS]["order"]] == ["foot", "tail", "wing"]
    assert new[GROUPS]["order"][:2] == tree[GROUPS]["order"][1:]
    assert write(ctx, other, new) == new
    assert weights_of(other) == weights_of(mesh)
    turned = {**new, GROUPS: {**new[GROUPS], "order": new[GROUPS]["order"][::-1]}}
    assert write(ctx, other, turned) == turned
    assert groups_of(other).keys() == ["wing", "tail", "foot"]
    assert weights_of(other) == weights_of(mesh)


def test_two_who_add_a_group_at_once_keep_both() -> None:  # ARRAY9
    mesh, other = weighted(), empty()
    tree = read(context(), mesh)
    write(ctx := context("copy"), other, tree)
    groups_of(mesh).new(name="mine").add([0], 0.5, "REPLACE")
    groups_of(other).new(name="theirs")
    mine, theirs = read(context(), mesh, tree), read(ctx, other, tree)
    merged = {
        **mine,
        GROUPS: {
            "$": "items",
            "order": [*mine[GROUPS]["order"], theirs[GROUPS]["order"][-1]],
            "of": theirs[GROUPS]["of"] | mine[GROUPS]["of"],
        },
    }
    assert write(ctx, other, merged) == merged
    assert groups_of(other).keys() == ["arm", "leg", "tail", "mine", "theirs"]
    assert weights_of(other)[0]["mine"] == 0.5


def test_a_removed_group_is_found_without_reading_arrays() -> None:  # ARRAY9
    mesh, ctx = weighted(), context()
    tree = read(ctx, mesh)
    groups_of(mesh).remove(groups_of(mesh)["leg"])
    ctx.geometry = False
    new = read(ctx, mesh, tree)
    assert len(new[GROUPS]["order"]) == 2
    assert new[ARRAYS] != tree[ARRAYS]


def test_weights_of_a_large_mesh_are_late_but_never_lost() -> None:  # ARRAY10
    mesh, ctx = weighted(160), context()
    tree = read(ctx, mesh)
    mesh.vertices[0].co.z = 1.0  # explains Blender's notice
    groups_of(mesh)["tail"].add([77], 0.75, "REPLACE")
    moved = read(ctx, mesh, tree)
    assert [key for key in of(tree) if of(moved)[key] != of(tree)[key]] == [POSITION]
    ctx.geometry = False  # the sweep
    late = read(ctx, mesh, moved)
    assert [key for key in of(late) if of(late)[key] != of(moved).get(key)] != []
    assert read(ctx, mesh, late) is late


# Edit mode ------------------------------------------------------------------------------------------------------------


def test_a_mesh_in_edit_mode_is_read_as_it_is_edited_and_not_written() -> None:  # ARRAY11
    mesh, ctx = weighted(), context()
    tree = read(ctx, mesh)
    bpy.context.view_layer.objects.active = next(one for one in bpy.data.objects if one.data == mesh)
    bpy.ops.object.mode_set(mode="EDIT")
    edited = bmesh.from_edit_mesh(mesh)
    edited.verts.ensure_lookup_table()
    edited.verts[3].co.z = 4.0
    bmesh.update_edit_mesh(mesh)
    moved = read(ctx, mesh, tree)
    assert [key for key in of(tree) if of(moved).get(key) != of(tree)[key]] == [POSITION]
    assert moved[ARRAYS]["id"] == tree[ARRAYS]["id"]
    with pytest.raises(Busy):
        GEOMETRY.write(ctx, mesh, moved, tree, {})
    bpy.ops.object.mode_set(mode="OBJECT")
    assert read(ctx, mesh, moved) == moved


def test_a_mesh_that_is_sculpted_keeps_its_topology() -> None:  # ARRAY11
    mesh, ctx = grid(), context()
    other = sent(read(context("other"), cube()))
    bpy.context.view_layer.objects.active = next(one for one in bpy.data.objects if one.data == mesh)
    groups_of(mesh).new(name="arm")
    bpy.ops.object.mode_set(mode="SCULPT")
    with pytest.raises(Busy):
        GEOMETRY.write(ctx, mesh, read(ctx, mesh), other, {})
    assert len(mesh.vertices) == 81


# What a hostile member may send ---------------------------------------------------------------------------------------

INT = np.int32
HOSTILE: Final[dict[str, dict[str, Any]]] = {
    "a vertex outside": {CORNER_VERTS: lambda a: a + 1000},
    "a vertex below zero": {CORNER_VERTS: lambda a: a - 1},
    "an edge outside": {CORNER_EDGES: lambda a: np.full_like(a, 1 << 30)},
    "an edge to nowhere": {EDGES: lambda a: np.full_like(a, -5)},
    "an edge from a vertex to itself": {EDGES: lambda a: np.zeros_like(a)},
    "edges of other faces": {CORNER_EDGES: lambda a: a[::-1]},
    "offsets that fall": {OFFSETS: lambda a: np.concatenate([a[:1], a[1:-1][::-1], a[-1:]])},
    "offsets that wrap around": {OFFSETS: lambda a: np.array([0, 1 << 30, -(1 << 31), *a[3:]], INT)},
    "offsets that end outside": {OFFSETS: lambda a: np.append(a[:-1], INT(a[-1] + 4))},
    "no offsets": {OFFSETS: lambda a: a[:0]},
    "faces of two corners": {OFFSETS: lambda a: np.arange(0, a[-1] + 1, 2, dtype=INT)},
    "too few corner edges": {CORNER_EDGES: lambda a: a[:-1]},
    "indices that are no integers": {CORNER_VERTS: lambda a: a.astype(np.float32)},
    "positions of another number of vertices": {POSITION: lambda a: a[:-1]},
    "positions in a plane": {POSITION: lambda a: a[:, :2]},
    "an attribute that is too short": {"CORNER/FLOAT2/UVMap": lambda a: np.zeros((3, 2), np.float32)},
    "an attribute that poses as topology": {"CORNER/INT/.corner_vert": lambda a: np.zeros(24, INT)},
    "an attribute of no type": {"POINT/CODE/x": lambda a: np.zeros(8, INT)},
    "an attribute of no domain": {"CURVE/INT/x": lambda a: np.zeros(8, INT)},
    "an attribute without a name": {"POINT/INT/": lambda a: np.zeros(8, INT)},
    "weights of other vertices": {"weights/2": lambda a: np.zeros((3, 2, 2), np.float32)},
    "weights that are integers": {"weights/2": lambda a: np.zeros((8, 2, 2), INT)},
}


@pytest.mark.parametrize("changes", HOSTILE.values(), ids=HOSTILE.keys())
@pytest.mark.parametrize("same_layout", [True, False], ids=["patched", "replaced"])
def test_what_is_malformed_changes_nothing(changes: dict[str, Any], same_layout: bool) -> None:  # ARRAY12
    mesh = cube()
    tree = read(context(), mesh)
    old = {key: arrays.decode(of(tree)[key], BLOBS) if key in of(tree) else None for key in changes}
    given = {key: make(old[key]) for key, make in changes.items()}
    hostile = with_arrays(tree if same_layout else other_topology(tree), **given)
    other = cube() if same_layout else weighted()
    ctx = context("copy")
    live = read(ctx, other, tree)
    with pytest.raises(RemoteProtocolError):
        GEOMETRY.write(ctx, other, live, hostile, {})
    assert read(ctx, other, live) == live


def test_a_huge_array_is_refused_by_its_header() -> None:  # ARRAY12
    tree = read(context(), cube())
    huge = {"$": "array", "dtype": "<f4", "shape": [1 << 31, 3], "chunks": ["0" * 64] * 393216}
    hostile = {**tree, ARRAYS: {**tree[ARRAYS], "of": of(tree) | {POSITION: huge}}}
    with pytest.raises(RemoteProtocolError, match="larger"):
        GEOMETRY.write(context("copy"), empty(), None, hostile, {})


@pytest.mark.parametrize("group", [{"name": "x"}, {"name": "x", "number": 1 << 40}, {"name": "x", "number": True}])
def test_a_group_without_a_number_changes_nothing(group: Tree) -> None:  # ARRAY12
    tree = read(context(), cube())
    other = empty()
    with pytest.raises(RemoteProtocolError):
        GEOMETRY.write(context("copy"), other, None, {**tree, GROUPS: items({"key": group})}, {})
    assert len(other.vertices) == 0


@pytest.mark.skipif(bpy.app.version >= (5, 2), reason="it takes attributes of any name")
def test_an_attribute_that_this_blender_does_not_take_is_noted() -> None:  # ARRAY12
    mesh = cube()
    tree = read(context(), mesh)
    ctx, name = context("copy"), "n" * 500
    got = write(ctx, empty(), with_arrays(tree, **{f"POINT/INT/{name}": np.zeros(8, INT)}))
    assert unlike(tree, got) == []
    assert ctx.refused != {}
