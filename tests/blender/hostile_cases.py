"""What a hostile member tries, each a function that fails by an exception, or by the end of its Blender.

`python -m tests.blender.hostile_cases NAME...` runs some of them and prints a line before and after each.
"""

from __future__ import annotations

import base64
import os
import sys
import traceback
from collections.abc import Callable, Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

import bpy
import numpy as np
import pytest

from broadcaster.document import check_deltas
from broadcaster.errors import RemoteProtocolError
from broadcaster.tree import Tree, items, new_uuid, ref, tag
from mixer.proxy import identity, struct
from mixer.proxy.along import evaluate

from .hostile import GARBAGE, Scene, build, nested, transactions

Case = Callable[[Path], None]

CASES: Final[dict[str, Case]] = {}


def case(function: Case) -> Case:
    """Adds a case; it is given an empty folder."""
    CASES[function.__name__] = function
    return function


def changed(tree: Tree, change: Callable[[Tree], Tree]) -> Tree:
    """`tree` with every value in it, from the leaves up, put through `change`. Keys and tags stay."""
    match tag(tree):
        case "":
            return change({name: changed(value, change) for name, value in tree.items()})
        case "items" | "layout":
            return change({**tree, "of": {key: changed(value, change) for key, value in tree["of"].items()}})
        case None if type(tree) is list:
            return change([changed(value, change) for value in tree])
    return change(tree)


def with_fields(tree: Tree, **fields: Tree) -> Tree:
    """`tree` with every struct in it that has such fields given these."""

    def change(value: Tree) -> Tree:
        return {**value, **{name: to for name, to in fields.items() if name in value}} if tag(value) == "" else value

    return changed(tree, change)


# Code ----------------------------------------------------------------------------------------------------------------


def command(folder: Path) -> str:
    """An expression that leaves a file behind."""
    return f"[open({str(folder / 'ran')!r}, 'w').close(), 1.0][1]"[:250]


def nothing_ran(folder: Path) -> None:
    evaluate()
    for frame in (2, 3):
        bpy.context.scene.frame_set(frame)
    assert not (folder / "ran").exists(), "a member's code ran here"


def try_driver(folder: Path, expression: Tree, **fields: Tree) -> None:
    bpy.context.preferences.filepaths.use_scripts_auto_execute = True
    try:
        scene = Scene()
        cube = bpy.data.objects["Cube"]
        tree = scene.tree(scene.uuid(cube))["animation_data"]
        scene.put(cube, animation_data=with_fields(tree, expression=expression, mute=False, **fields))
        (curve,) = cube.animation_data.drivers
        nothing_ran(folder)
        assert curve.mute or curve.driver.expression == "var + frame"  # what it was
        assert scene.mirror.ctx.withheld or scene.mirror.ctx.refused
        assert scene.local_edits() == []
    finally:
        bpy.context.preferences.filepaths.use_scripts_auto_execute = False


@case
def the_command_would_run(folder: Path) -> None:  # TRUST10
    """What the other cases say is worth something: the same driver, made here, does it."""
    bpy.context.preferences.filepaths.use_scripts_auto_execute = True
    bpy.data.objects["Camera"].driver_add("scale", 0).driver.expression = command(folder)
    evaluate()
    bpy.context.preferences.filepaths.use_scripts_auto_execute = False
    assert (folder / "ran").exists()


@case
def a_driver_that_runs_a_command(folder: Path) -> None:  # TRUST10
    try_driver(folder, command(folder))


@case
def a_driver_whose_expression_is_given_as_bytes(folder: Path) -> None:  # TRUST10
    try_driver(folder, {"$": "bytes", "of": base64.b64encode(command(folder).encode()).decode()})


@case
def a_driver_with_a_variable_named_like_a_function(folder: Path) -> None:  # TRUST10
    try_driver(folder, command(folder), name="open", use_self=True)


@case
def a_driver_of_a_new_datablock(folder: Path) -> None:  # TRUST10
    bpy.context.preferences.filepaths.use_scripts_auto_execute = True
    try:
        scene = Scene()
        tree = scene.tree(scene.uuid(bpy.data.objects["Cube"]))
        made = scene.create("objects", with_fields(tree, name="New", expression=command(folder), mute=False))
        bpy.context.scene.collection.objects.link(made)
        assert all(curve.mute for curve in made.animation_data.drivers)
        nothing_ran(folder)
    finally:
        bpy.context.preferences.filepaths.use_scripts_auto_execute = False


@case
def a_text_that_registers(folder: Path) -> None:  # TRUST11
    scene = Scene()
    tree = scene.tree(scene.uuid(bpy.data.texts["Notes"]))
    text = scene.create("texts", {**tree, "name": "evil.py", "lines": command(folder), "use_module": True})
    assert text.as_string() == command(folder)
    assert not text.use_module
    scene.put(bpy.data.texts["Notes"], use_module=True, lines=command(folder))
    path = str(folder / "saved.blend")
    bpy.ops.wm.save_as_mainfile(filepath=path, copy=True)
    bpy.ops.wm.open_mainfile(filepath=path, use_scripts=True)
    nothing_ran(folder)


@case
def a_text_that_registers_is_taken_when_trusted(folder: Path) -> None:  # TRUST11
    scene = Scene(trusted=True)
    scene.put(bpy.data.texts["Notes"], use_module=True)
    assert bpy.data.texts["Notes"].use_module


@case
def a_freestyle_module_at_render(folder: Path) -> None:  # TRUST12
    scene = Scene()
    text = scene.create("texts", {"name": "style.py", "lines": command(folder)})
    here: Any = bpy.context.scene
    tree = scene.tree(scene.uuid(here))
    module = [{"script": ref(scene.uuid(text)), "use": True}]
    layers = with_fields(tree["view_layers"], modules=module, mode="SCRIPT", use_freestyle=True)
    render = {**tree["render"], "use_freestyle": True, "engine": "CYCLES", "resolution_percentage": 1}
    scene.put(here, view_layers=layers, render=render)
    assert here.render.use_freestyle
    assert [layer.freestyle_settings.mode for layer in here.view_layers] == ["SCRIPT"] * len(here.view_layers)
    assert not any(layer.freestyle_settings.modules for layer in here.view_layers)
    here.cycles.samples = 1
    bpy.ops.render.render()
    nothing_ran(folder)


@case
def a_script_node(folder: Path) -> None:  # TRUST13
    scene = Scene()
    material: Any = bpy.data.materials["Material"]
    tree = scene.tree(scene.uuid(material))["node_tree"]
    nodes = tree["nodes"]
    one = nodes["of"][nodes["order"][0]]
    encoded = {"$": "bytes", "of": base64.b64encode(b"ShaderNodeScript").decode()}
    for idname in ("ShaderNodeScript", encoded, ["ShaderNodeScript"]):
        made = items({**nodes["of"], "evil": {**one, "name": "Evil", "bl_idname": idname, "mode": "EXTERNAL"}})
        scene.put(material, node_tree={**tree, "nodes": made})
    assert "ShaderNodeScript" not in [node.bl_idname for node in material.node_tree.nodes]
    assert any("ShaderNodeScript" in what for what in scene.mirror.ctx.withheld)


@case
def an_add_on_that_watches_a_property(folder: Path) -> None:  # TRUST14
    """A property that an add-on registered is set, and what the add-on does then is not done."""
    called: list[object] = []

    def update(owner: Any, context: Any) -> None:
        called.append(owner)

    bpy.types.Object.watched = bpy.props.StringProperty(update=update)  # type: ignore[attr-defined]
    try:
        struct.forget_changed_plans()
        scene = Scene()
        scene.put(bpy.data.objects["Cube"], watched="x", custom_properties={"watched": "y"})
        assert not called, "a member's value called an add-on"
    finally:
        del bpy.types.Object.watched  # type: ignore[attr-defined]
        struct.forget_changed_plans()


# Paths ---------------------------------------------------------------------------------------------------------------


def paths_of(struct: Any, seen: set[int]) -> Iterator[tuple[str, str]]:
    """What each property under `struct` that names a file says."""
    if struct.as_pointer() in seen:
        return
    seen.add(struct.as_pointer())
    for prop in struct.bl_rna.properties:
        if prop.type == "STRING" and prop.subtype in ("FILE_PATH", "DIR_PATH", "FILE_NAME"):
            yield f"{type(struct).__name__}.{prop.identifier}", getattr(struct, prop.identifier)
        elif prop.type == "POINTER" and prop.identifier not in ("rna_type", "uv_sculpt"):  # the latter crashes 4.2
            if (inner := getattr(struct, prop.identifier)) is not None:
                yield from paths_of(inner, seen)
        elif prop.type == "COLLECTION" and prop.identifier not in ("pixels", "vertices", "edges", "loops", "polygons"):
            for inner in getattr(struct, prop.identifier):
                if isinstance(inner, bpy.types.bpy_struct):
                    yield from paths_of(inner, seen)


@case
def every_text_a_path(folder: Path) -> None:  # TRUST15
    """Whatever field may name a file: none that Blender opens or writes to says what a member sent."""
    nodes = bpy.data.materials["Material"].node_tree.nodes
    nodes.new("ShaderNodeTexIES")
    bpy.data.volumes.new("Smoke")
    bpy.data.objects["Cube"].modifiers.new("Cache", "MESH_CACHE")
    bpy.data.objects["Cube"].modifiers.new("Sea", "OCEAN")
    bpy.data.fonts.load("<builtin>")
    evil = str(folder / "private")
    scene = Scene()

    def change(value: Tree) -> Tree:
        """Also the fields that a rule leaves out."""
        if tag(value) == "":
            return {**value, **dict.fromkeys(("filepath", "filepath_raw", "directory", "base_path", "path"), evil)}
        return value

    for uuid in list(scene.document):
        tree = scene.tree(uuid)
        fields = {name: ["put", to] for name, to in changed(tree, change).items() if to != tree.get(name)}
        scene.receive([uuid, ["patch", fields]])
    for uuid in list(scene.document):
        scene.receive([new_uuid(), ["create", scene.document.get(uuid).kind, changed(scene.tree(uuid), change)]])  # type: ignore[union-attr]
    found = [(where, path) for one in bpy.data.user_map() for where, path in paths_of(one, set())]
    assert len(found) > 20
    assert [where for where, path in found if "private" in path] == []


@case
def an_image_of_a_private_file(folder: Path) -> None:  # TRUST16
    private: Any = bpy.data.images.new("Private", 3, 3)
    private.filepath_raw, private.file_format = str(folder / "private.png"), "PNG"
    private.save()
    bpy.data.images.remove(private)
    scene = Scene()
    tree = scene.tree(scene.uuid(bpy.data.images["Picture"]))
    path = str(folder / "private.png")
    sent = {**tree, "name": "Evil", "source": "FILE", "filepath": path, "filepath_raw": path}
    for file in (None, path, {"path": path}, {"$": "blob", "sha": "0" * 64, "size": 9}):
        made = scene.create(
            "images", {**sent, "image": {"file": file, "pixels": None, "tiles": None, "filepath": path}}
        )
        if made is not None:
            made.reload()
            assert (made.filepath, made.filepath_raw, tuple(made.size)) == ("", "", (0, 0))
        scene.put(bpy.data.images["Picture"], source="FILE", filepath=path, filepath_raw=path, image={"file": file})
        assert bpy.data.images["Picture"].filepath == ""
    assert not any("private" in str(edit) for edit in scene.local_edits())


@case
def where_rendering_writes(folder: Path) -> None:  # TRUST15
    scene = Scene()
    here: Any = bpy.context.scene
    here.use_nodes = True
    before = here.render.filepath
    tree = scene.tree(scene.uuid(here))
    evil = str(folder / "ran")
    scene.put(here, render={**tree["render"], "filepath": evil, "use_file_extension": False}, use_nodes=True)
    assert here.render.filepath == before
    kind = "CompositorNodeTree"
    output = {"name": "Out", "bl_idname": "CompositorNodeOutputFile", "base_path": evil, "directory": evil}
    slots = items({"s": {"path": evil, "name": evil, "socket_type": "RGBA"}})
    output |= {"file_slots": slots, "layer_slots": slots, "file_output_items": slots, "file_name": "ran"}
    made = scene.create("node_groups", {"name": "Comp", "bl_idname": kind, "nodes": items({"o": output})})
    said = [path for _, path in paths_of(made, set())]
    assert not any(evil in path for path in said)


# Meshes --------------------------------------------------------------------------------------------------------------


def array(values: Any, dtype: str) -> Tree:
    data = np.ascontiguousarray(values, dtype)
    return {"$": "array", "dtype": dtype, "shape": list(data.shape), "data": base64.b64encode(data.tobytes()).decode()}


def decoded(node: Tree) -> Any:
    return np.frombuffer(base64.b64decode(node["data"]), node["dtype"]).reshape(node["shape"]).copy()


def at(place: Any, value: Any) -> Callable[[Any], Any]:
    """An array with one element set."""

    def change(data: Any) -> Any:
        data[place] = value
        return data

    return change


EDGES, VERTS, CORNERS, OFFSETS = "topology/edges", "topology/corner_verts", "topology/corner_edges", "topology/offsets"
TOPOLOGIES: Final[dict[str, tuple[str, Callable[[Any], Any]]]] = {
    "an edge's vertex beyond the last": (EDGES, at((0, 0), 8)),
    "an edge's vertex far beyond": (EDGES, at((0, 0), 2**31 - 1)),
    "an edge's vertex below the first": (EDGES, at((0, 0), -1)),
    "an edge from a vertex to itself": (EDGES, lambda data: data[:, [0, 0]]),
    "edges of three": (EDGES, lambda data: np.zeros((4, 3), np.int32)),
    "no edges": (EDGES, lambda data: data[:0]),
    "a corner's vertex beyond the last": (VERTS, at(0, 8)),
    "a corner's vertex below the first": (VERTS, at(0, -(2**31))),
    "corners without vertices": (VERTS, lambda data: data[:0]),
    "a corner's edge beyond the last": (CORNERS, at(3, 12)),
    "a corner's edge that is not there": (CORNERS, lambda data: data[::-1]),
    "fewer edges than vertices of corners": (CORNERS, lambda data: data[:-1]),
    "faces that begin late": (OFFSETS, at(0, 1)),
    "faces that end late": (OFFSETS, at(-1, 100)),
    "faces that go back": (OFFSETS, at(2, 0)),
    "faces of no corners": (OFFSETS, lambda data: np.full_like(data, data[-1])),
    "faces without an end": (OFFSETS, lambda data: data[:0]),
    "a face of two corners": (OFFSETS, at(1, 2)),
    "all in one row": (EDGES, lambda data: data.reshape(-1)),
}


def geometry(scene: Scene) -> tuple[Any, Tree, dict[str, Tree]]:
    """The cube's mesh, its tree of geometry, and the arrays in that."""
    mesh = bpy.data.objects["Cube"].data
    tree = scene.tree(scene.uuid(mesh))["geometry"]
    return mesh, tree, tree["arrays"]["of"]


def put_arrays(scene: Scene, of: dict[str, Tree]) -> None:
    mesh, tree, _ = geometry(scene)
    scene.put(mesh, geometry={**tree, "arrays": {"$": "layout", "id": new_uuid(), "of": of}})
    scene.create("meshes", {"name": "New", "geometry": {**tree, "arrays": {"$": "layout", "id": "x", "of": of}}})


def meshes_are_sound() -> None:
    for mesh in bpy.data.meshes:
        assert not mesh.validate(verbose=False), f"{mesh.name} was not sound"
        mesh.calc_loop_triangles()
    evaluate()


@case
def meshes_that_contradict_themselves(folder: Path) -> None:  # TRUST17
    scene = Scene()
    _, _, of = geometry(scene)
    bpy.data.objects["Cube"].modifiers.clear()
    for name, (key, change) in TOPOLOGIES.items():
        before = len(bpy.data.objects["Cube"].data.vertices)
        put_arrays(scene, {**of, key: array(change(decoded(of[key])), "<i4")})
        assert len(bpy.data.objects["Cube"].data.vertices) == before, name
        meshes_are_sound()
    put_arrays(scene, of)
    assert scene.mirror.entries[scene.uuid(bpy.data.objects["Cube"].data)].live["geometry"]["arrays"]["of"] == of


@case
def arrays_that_are_something_else(folder: Path) -> None:  # TRUST17
    scene = Scene()
    _, _, of = geometry(scene)
    bpy.data.objects["Cube"].modifiers.clear()
    for key in of:
        put_arrays(scene, {name: node for name, node in of.items() if name != key})
        for dtype in ("<f4", "<i4", "<i2", "|u1", "|b1"):
            for shape in ([0], [8], [8, 3], [12, 2], [24], [3, 8], [1, 1, 1]):
                put_arrays(scene, {**of, key: array(np.ones(shape), dtype)})
        meshes_are_sound()


@case
def attributes_that_no_mesh_has(folder: Path) -> None:  # TRUST17
    scene = Scene()
    _, _, of = geometry(scene)
    eight = array(np.ones(8), "<f4")
    for key in ("", "x", "/", "POINT/FLOAT/", "POINT/DRAGON/x", "MOON/FLOAT/x", "POINT/INT/.corner_vert", "POINT//x",
                "POINT/FLOAT/.edge_verts", "POINT/FLOAT/position", "POINT/FLOAT/" + "long" * 200, "POINT/STRING/x",
                "weights/1", "weights/x", "POINT/FLOAT/mixer\0x", "CORNER/FLOAT2/x", "topology/more"):  # fmt: skip
        if key:
            put_arrays(scene, {**of, key: eight})
    put_arrays(scene, {**of, "POINT/STRING/x": array(np.full(8, 255), "|u1")})
    put_arrays(scene, {**of, "weights/2": array(np.full((8, 2, 2), 1e30), "<f4")})
    meshes_are_sound()


@case
def numbers_that_are_none(folder: Path) -> None:  # TRUST17
    scene = Scene()
    mesh, _, of = geometry(scene)
    for value in (np.nan, np.inf, -np.inf, 3e38):
        put_arrays(scene, {**of, "POINT/FLOAT_VECTOR/position": array(np.full((8, 3), value), "<f4")})
        evaluate()
        mesh.update()
    scene.is_usable()


@case
def headers_of_ten_gigabytes(folder: Path) -> None:  # TRUST18
    scene = Scene()
    mesh, _, of = geometry(scene)
    one = scene.mirror.ctx.blobs.put(bytes(65536))
    for shape in ([830_000_000, 3], [10_000_000_000, 1], [100_000, 100_000], [1 << 20, 1 << 13]):
        size = int(np.prod(shape)) * 4
        if size < 11_000_000_000:
            huge = {"$": "array", "dtype": "<f4", "shape": shape, "chunks": [one] * -(-size // 65536)}
            put_arrays(scene, {**of, "POINT/FLOAT_VECTOR/position": huge})
        small = {"$": "array", "dtype": "<f4", "shape": shape, "data": "AAAA"}
        put_arrays(scene, {**of, "POINT/FLOAT_VECTOR/position": small, "POINT/FLOAT/mark": small})
    assert len(mesh.vertices) == 8
    scene.is_usable()


@case
def blobs_of_another_length(folder: Path) -> None:  # TRUST18
    scene = Scene()
    mesh, _, of = geometry(scene)
    for data in (b"", b"short", bytes(70_000)):
        sha = scene.mirror.ctx.blobs.put(data)
        node = {"$": "array", "dtype": "<f4", "shape": [2000, 3], "chunks": [sha]}
        put_arrays(scene, {**of, "POINT/FLOAT_VECTOR/position": node})
        for kind, field in (("images", "image"), ("sounds", "packed_file"), ("fonts", "packed_file")):
            file = {"$": "blob", "sha": sha, "size": 1 << 40}
            scene.create(kind, {"name": "x", "source": "FILE", field: {"file": file}})
            scene.create(kind, {"name": "x", "source": "FILE", field: file})
    assert len(mesh.vertices) == 8
    scene.is_usable()


# Trees of other shapes -----------------------------------------------------------------------------------------------


@case
def trees_nested_deep(folder: Path) -> None:  # TRUST19
    scene = Scene()
    cube = bpy.data.objects["Cube"]
    scene.put(cube, custom_properties={"deep": nested(90)}, location=nested(90), modifiers=items({"k": nested(90)}))
    with pytest.raises(RemoteProtocolError, match="deeper"):
        check_deltas([[scene.uuid(cube), ["patch", {"custom_properties": ["put", nested(10_000)]}]]])
    scene.is_usable()
    assert scene.local_edits() == []


def one_of_each_kind(scene: Scene) -> dict[str, str]:
    """A datablock of each kind: the largest."""
    found: dict[str, str] = {}
    for uuid in scene.document:
        kind = scene.document.get(uuid).kind  # type: ignore[union-attr]
        if kind not in found or len(str(scene.tree(uuid))) > len(str(scene.tree(found[kind]))):
            found[kind] = uuid
    return found


def at_depth(tree: Tree, depth: int, garbage: Tree) -> Tree:
    """`tree` with all that stands at `depth` replaced."""
    if depth == 0:
        return garbage
    match tag(tree):
        case "":
            return {name: at_depth(value, depth - 1, garbage) for name, value in tree.items()}
        case "items":
            return items({key: at_depth(value, depth - 1, garbage) for key, value in tree["of"].items()})
    return tree


def garbage_in_every_field(depth: int) -> None:
    """One kind of garbage after the other in all fields of one datablock of each kind."""
    scene = Scene()
    for kind, uuid in one_of_each_kind(scene).items():
        tree = scene.tree(uuid)
        for garbage in GARBAGE:
            fields = {name: ["put", at_depth(value, depth, garbage)] for name, value in tree.items() if name != "name"}
            try:
                check_deltas([[uuid, ["patch", fields]]])
            except RemoteProtocolError:
                continue
            scene.receive([uuid, ["patch", fields]])
            if depth == 0:
                scene.create(kind, dict.fromkeys(tree, garbage))
        evaluate()
        scene.receive([uuid, ["patch", {name: ["put", value] for name, value in tree.items()}]])
    scene.is_usable()


@case
def garbage_for_fields(folder: Path) -> None:  # TRUST20
    garbage_in_every_field(0)


@case
def garbage_in_structs_and_items(folder: Path) -> None:  # TRUST20
    garbage_in_every_field(1)


@case
def garbage_in_items_of_structs(folder: Path) -> None:  # TRUST20
    garbage_in_every_field(2)


@case
def garbage_further_in(folder: Path) -> None:  # TRUST20
    garbage_in_every_field(3)


@case
def references_to_anything(folder: Path) -> None:  # TRUST21
    """Every reference names itself, or one and the same datablock of each kind: rings, and kinds that do not fit."""
    scene = Scene()
    chosen = one_of_each_kind(scene)
    for uuid in chosen.values():
        tree = scene.tree(uuid)
        for to in chosen.values():

            def change(value: Tree, to: str = to) -> Tree:
                return {**value, "to": to} if tag(value) == "ref" else value

            bent = {name: changed(value, change) for name, value in tree.items()}
            fields = {name: ["put", value] for name, value in bent.items() if value != tree[name]}
            if fields:
                scene.receive([uuid, ["patch", fields]])
        evaluate()
        scene.receive([uuid, ["patch", {name: ["put", value] for name, value in tree.items()}]])
    scene.is_usable()


@case
def rings(folder: Path) -> None:  # TRUST21
    """Parents, collections, node groups and instances that contain themselves."""
    scene = Scene()
    one, two = bpy.data.objects["Cube"], bpy.data.objects["Camera"]
    scene.put(one, parent=ref(scene.uuid(two)))
    scene.put(two, parent=ref(scene.uuid(one)))
    scene.put(one, parent=ref(scene.uuid(one)))
    inner = bpy.data.collections["Inner"]
    outer = bpy.data.collections["Collection"]
    both = {"$": "set", "of": sorted([scene.uuid(inner), scene.uuid(outer)])}
    for collection in (inner, outer, inner):
        scene.put(collection, children=both)
    holder = scene.create("objects", {"name": "Holder", "data": None})
    inner.objects.link(holder)
    scene.put(holder, instance_type="COLLECTION", instance_collection=ref(scene.uuid(inner)))
    group = bpy.data.node_groups["Grow"]
    tree = scene.tree(scene.uuid(group))
    node = {"name": "Again", "bl_idname": "GeometryNodeGroup", "node_tree": ref(scene.uuid(group))}
    scene.put(group, nodes=items({**tree["nodes"]["of"], "again": node}))
    other = scene.create("node_groups", {**tree, "name": "Other", "nodes": items({"again": node})})
    node = {**node, "node_tree": ref(scene.uuid(other))}
    scene.put(group, nodes=items({**tree["nodes"]["of"], "again": node}))
    here: Any = bpy.context.scene
    more = scene.create("scenes", {"name": "More", "background_set": ref(scene.uuid(here))})
    scene.put(here, background_set=ref(scene.uuid(more)))
    evaluate()
    scene.is_usable()


@case
def what_no_blender_has(folder: Path) -> None:  # INPUT10
    """Kinds, types of modifiers and nodes of another Blender stay in the document; what stands beside them is shown."""
    scene = Scene()
    assert scene.create("dragons", {"name": "Smaug"}) is None
    cube = bpy.data.objects["Cube"]
    good = {"name": "Good", "type": "BEVEL"}
    scene.put(cube, modifiers=items({"a": {"name": "x", "type": "DRAGON"}, "b": good, "c": {"type": 7}}), fly="high")
    assert [one.name for one in cube.modifiers] == ["Good"]
    group = bpy.data.node_groups["Grow"]
    math = {"name": "Math", "bl_idname": "ShaderNodeMath"}
    scene.put(group, nodes=items({"a": {"name": "D", "bl_idname": "GeometryNodeDragon"}, "b": math}))
    assert [node.name for node in group.nodes] == ["Math"]
    scene.put(cube, rotation_mode="SIDEWAYS", location=[1.0, 2.0, 3.0])
    assert list(cube.location) == [1.0, 2.0, 3.0]
    assert scene.local_edits() == []
    assert {"ObjectModifiers: DRAGON", "ObjectModifiers: 7", "Object.rotation_mode"} <= scene.mirror.ctx.refused.keys()


@case
def custom_properties_of_any_name(folder: Path) -> None:  # TRUST22
    scene = Scene()
    cube = bpy.data.objects["Cube"]
    uuid = scene.uuid(cube)
    names = [
        "mixer_uuid",
        "_RNA_UI",
        "cycles",
        "__class__",
        "__dict__",
        "bl_rna",
        "name",
        "filepath",
        "x" * 63,
        "y" * 64,
    ]
    names += ["z" * 1000, "\0", "a\0b", '"]', '["', "\n", "é" * 40, "location", "data", "$$"]
    for value in (
        1,
        "text",
        [1, 2],
        [1, "x"],
        {"a": [{}, [], None]},
        ref("nobody"),
        None,
        [[]],
        [[1, "a"]],
        2**62,
        nested(50),
    ):
        scene.put(cube, custom_properties=dict.fromkeys(names, value))
        evaluate()
    assert cube.mixer_uuid == uuid
    assert cube.name == "Cube"
    assert scene.local_edits() == []
    scene.put(cube, custom_properties={})
    scene.is_usable()


@case
def everything_removed(folder: Path) -> None:  # TRUST23
    scene = Scene()
    uuids = list(scene.document)
    scene.receive(*([uuid, ["remove"]] for uuid in uuids))
    assert len(scene.document) == 0
    assert len(bpy.data.objects) == 0
    assert len(bpy.data.scenes) == 1
    evaluate()
    scene.is_usable()


@case
def a_fuzz(folder: Path) -> None:  # TRUST24
    """Trees of a shared scene changed at random, made, and removed."""
    for seed in range(4):
        build()
        scene = Scene()
        for deltas in transactions(seed, 40, scene.document):
            scene.receive(*deltas)
            found = scene.local_edits()
            scene.sent(found)
        scene.is_usable()


def main(names: list[str]) -> None:
    """Runs cases one by one; each ends with a line that says "ok" or the traceback, in one line."""
    identity.register()
    for name in names:
        print(f"CASE {name}", flush=True)
        try:
            with TemporaryDirectory() as folder:
                build()
                CASES[name](Path(folder))
            said = "ok"
        except Exception:  # noqa: BLE001 (told to the parent)
            said = traceback.format_exc()
        print(f"END {said!r}", flush=True)


if __name__ == "__main__":
    main(sys.argv[1:] or list(CASES))
    os._exit(0)  # Blender's own exit can hang where properties were registered
