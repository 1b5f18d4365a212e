"""The comparator finds what differs, names it, and finds nothing where nothing differs."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import bpy
import pytest

from mixer import compare

from . import inputs
from .inputs import compositor

CORPUS = os.environ.get("MIXER_CORPUS", "")
SCENES = sorted(Path(CORPUS).rglob("*.blend")) if CORPUS else []


def socket(node: Any, name: str) -> Any:
    return node.inputs[name]


def channels(action: Any) -> Any:
    """The F-curves of an action, whichever way this Blender keeps them."""
    return action.fcurves if hasattr(action, "fcurves") else action.layers[0].strips[0].channelbags[0].fcurves


def build() -> None:
    """A small scene with one of everything that is changed below."""
    bpy.ops.wm.read_factory_settings()
    cube = bpy.data.objects["Cube"]
    cube["wheels"] = 4
    cube["size"] = {"x": 1.5, "names": ["a", "b"]}
    cube.modifiers.new("Bevel", "BEVEL")
    cube.constraints.new("LIMIT_LOCATION")
    cube.vertex_groups.new(name="Top").add([0, 1, 2], 0.5, "REPLACE")
    cube.shape_key_add(name="Basis")
    cube.shape_key_add(name="Tall").data[0].co.z = 3
    cube.keyframe_insert("location", frame=1)
    cube.keyframe_insert("location", frame=10)
    cube.driver_add("scale", 0).driver.expression = "frame / 10"
    material = cube.active_material
    if material.node_tree is None:
        material.use_nodes = True
    nodes = material.node_tree.nodes
    noise, ramp = nodes.new("ShaderNodeTexNoise"), nodes.new("ShaderNodeValToRGB")
    material.node_tree.links.new(noise.outputs[0], ramp.inputs[0])
    armature = bpy.data.armatures.new("Rig")
    rig = bpy.data.objects.new("Rig", armature)
    bpy.context.collection.objects.link(rig)
    bpy.context.view_layer.objects.active = rig
    bpy.ops.object.mode_set(mode="EDIT")
    for name in ("Root", "Tip"):
        armature.edit_bones.new(name).tail = (0, 0, 1)
    bpy.ops.object.mode_set(mode="OBJECT")
    image = bpy.data.images.new("Painted", 8, 8)
    nodes.new("ShaderNodeTexImage").image = image
    bpy.data.texts.new("Notes").write("one\ntwo")
    inner = bpy.data.collections.new("Inner")
    bpy.context.scene.collection.children.link(inner)
    curve = bpy.data.curves.new("Path", "CURVE")
    curve.splines.new("BEZIER").bezier_points.add(2)
    bpy.context.collection.objects.link(bpy.data.objects.new("Path", curve))
    group = bpy.data.node_groups.new("Scatter", "GeometryNodeTree")
    group.interface.new_socket("Geometry", in_out="INPUT", socket_type="NodeSocketGeometry")
    group.interface.new_socket("Density", in_out="INPUT", socket_type="NodeSocketFloat")
    group.interface.new_socket("Geometry", in_out="OUTPUT", socket_type="NodeSocketGeometry")
    cube.modifiers.new("Scatter", "NODES").node_group = group
    bpy.context.scene.timeline_markers.new("Start", frame=3)


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("compare") / "base.blend"
    build()
    bpy.ops.wm.save_as_mainfile(filepath=str(path))
    return path


def saved(base: Path, change: Callable[[Any], object], path: Path) -> Path:
    bpy.ops.wm.open_mainfile(filepath=str(base))
    change(bpy.data)
    bpy.ops.wm.save_as_mainfile(filepath=str(path))
    return path


def cube(data: Any) -> Any:
    return data.objects["Cube"]


def material(data: Any) -> Any:
    return data.materials["Material"].node_tree


def set_input(data: Any) -> None:
    inputs.put(cube(data).modifiers["Scatter"], "Density", 7.0)


def paint(data: Any) -> None:
    data.images["Painted"].pixels[5] = 1.0
    data.images["Painted"].pack()


def move_bone(data: Any) -> None:
    bpy.context.view_layer.objects.active = data.objects["Rig"]
    bpy.ops.object.mode_set(mode="EDIT")
    data.armatures["Rig"].edit_bones["Tip"].head.x = 2.0
    bpy.ops.object.mode_set(mode="OBJECT")


# What is changed -> (the change, a path that must be named).
CHANGES: dict[str, tuple[Callable[[Any], object], str]] = {
    "location": (lambda d: setattr(d.objects["Light"], "location", (1, 2, 3)), "objects['Light'].location"),
    "name": (lambda d: setattr(cube(d), "name", "Box"), "objects['Box']"),
    "parent": (lambda d: setattr(d.objects["Light"], "parent", cube(d)), "objects['Light'].parent"),
    "modifier": (
        lambda d: setattr(cube(d).modifiers["Bevel"], "width", 0.3),
        "objects['Cube'].modifiers['Bevel'].width",
    ),
    "modifier order": (lambda d: cube(d).modifiers.move(0, 1), "objects['Cube'].modifiers (order)"),
    "constraint": (
        lambda d: setattr(cube(d).constraints[0], "use_max_x", True),
        "objects['Cube'].constraints['Limit Location'].use_max_x",
    ),
    "custom property": (lambda d: cube(d).__setitem__("wheels", 5), "objects['Cube']['wheels']"),
    "nested custom property": (lambda d: cube(d)["size"].__setitem__("x", 2.5), "objects['Cube']['size']"),
    "custom property's limits": (
        lambda d: cube(d).id_properties_ui("wheels").update(max=9),
        "objects['Cube']['wheels'] limits",
    ),
    "node socket": (
        lambda d: setattr(material(d).nodes["Principled BSDF"].inputs["Roughness"], "default_value", 0.25),
        "materials['Material'].node_tree.nodes['Principled BSDF'].inputs['Roughness'].default_value",
    ),
    "node link": (lambda d: material(d).links.remove(material(d).links[-1]), "materials['Material'].node_tree.links["),
    "colour ramp": (
        lambda d: setattr(material(d).nodes["Color Ramp"].color_ramp.elements[0], "position", 0.5),
        "materials['Material'].node_tree.nodes['Color Ramp'].color_ramp.elements",
    ),
    "keyframe": (
        lambda d: setattr(channels(cube(d).animation_data.action)[2].keyframe_points[1].co, "y", 5.0),
        ".keyframe_points.co[1]",
    ),
    "driver": (
        lambda d: setattr(cube(d).animation_data.drivers[0].driver, "expression", "frame / 5"),
        "objects['Cube'].animation_data.drivers['scale' 0].driver.expression",
    ),
    "weight": (lambda d: cube(d).vertex_groups[0].add([1], 0.75, "REPLACE"), "meshes['Cube'].vertex weights[1]"),
    "vertex": (lambda d: setattr(d.meshes["Cube"].vertices[7].co, "x", 9.0), "meshes['Cube'].vertices.co[7]"),
    "uv": (
        lambda d: setattr(d.meshes["Cube"].uv_layers[0].data[3].uv, "x", 9.0),
        "meshes['Cube'].attributes['UVMap'].data.vector[3]",
    ),
    "attribute": (
        lambda d: d.meshes["Cube"].attributes.new("wet", "FLOAT", "POINT"),
        "meshes['Cube'].attributes['wet']",
    ),
    "shape key": (
        lambda d: setattr(d.meshes["Cube"].shape_keys.key_blocks["Tall"].data[2].co, "z", 4.0),
        "meshes['Cube'].shape_keys.key_blocks['Tall'].data.co[2]",
    ),
    "shape key value": (
        lambda d: setattr(d.meshes["Cube"].shape_keys.key_blocks["Tall"], "value", 0.5),
        "meshes['Cube'].shape_keys.key_blocks['Tall'].value",
    ),
    "bone": (move_bone, "armatures['Rig'].bones['Tip'].head_local"),
    "pose": (
        lambda d: setattr(d.objects["Rig"].pose.bones["Tip"], "location", (0, 1, 0)),
        "objects['Rig'].pose.bones['Tip'].location",
    ),
    "image pixel": (paint, "images['Painted'].bytes"),
    "text": (lambda d: d.texts["Notes"].write("three"), "texts['Notes'].text"),
    "collection child": (
        lambda d: d.collections["Collection"].children.link(d.collections["Inner"]),
        "collections['Collection'].children",
    ),
    "collection member": (
        lambda d: d.collections["Inner"].objects.link(cube(d)),
        "collections['Inner'].objects",
    ),
    "view layer": (
        lambda d: setattr(d.scenes[0].view_layers[0].layer_collection.children["Inner"], "exclude", True),
        "scenes['Scene'].view_layers['ViewLayer'].layer_collection.children['Inner'].exclude",
    ),
    "world": (
        lambda d: setattr(d.worlds[0].node_tree.nodes["Background"].inputs["Strength"], "default_value", 3.0),
        "worlds['World'].node_tree.nodes['Background'].inputs['Strength'].default_value",
    ),
    "colour management": (
        lambda d: setattr(d.scenes[0].view_settings, "exposure", 1.0),
        "scenes['Scene'].view_settings.exposure",
    ),
    "geometry nodes input": (set_input, "objects['Cube'].modifiers['Scatter']['Density']"),
    "curve point": (
        lambda d: setattr(d.curves["Path"].splines[0].bezier_points[1], "co", (1, 1, 1)),
        "curves['Path'].splines[0].bezier_points.co[1]",
    ),
    "marker": (lambda d: setattr(d.scenes[0].timeline_markers[0], "frame", 8), ".timeline_markers['Start'].frame"),
    "new datablock": (lambda d: setattr(d.meshes.new("Extra"), "use_fake_user", True), "meshes['Extra']"),
}


@pytest.mark.parametrize("what", CHANGES)
def test_a_single_change_is_found_and_named(what: str, base: Path, tmp_path: Path) -> None:
    change, path = CHANGES[what]
    found = compare.compare(base, saved(base, change, tmp_path / "changed.blend"))
    scene = [one.path for one in found if not one.per_user]
    assert any(path in one for one in scene), scene
    assert len(scene) <= 8, scene


def test_a_file_saved_again_is_equal(base: Path, tmp_path: Path) -> None:
    assert compare.compare(base, saved(base, lambda data: None, tmp_path / "again.blend")) == []


def test_selection_is_each_persons_own(base: Path, tmp_path: Path) -> None:
    def select(data: Any) -> None:
        bpy.context.view_layer.objects.active = data.objects["Camera"]
        data.objects["Camera"].select_set(True)

    found = compare.compare(base, saved(base, select, tmp_path / "selected.blend"))
    assert found
    assert all(one.per_user for one in found), found


def test_what_a_viewport_shows_of_cycles_is_each_persons_own(base: Path, tmp_path: Path) -> None:
    def show(data: Any) -> None:
        data.scenes[0].display.shading.cycles.render_pass = "NORMAL"

    found = compare.compare(base, saved(base, show, tmp_path / "shown.blend"))
    assert [(one.where, one.per_user) for one in found] == [("CyclesView3DShadingSettings.render_pass", True)]


def test_attributes_without_points_are_nothing(tmp_path: Path) -> None:
    bpy.ops.wm.read_factory_settings()
    mesh = bpy.data.meshes.new("nothing")
    mesh.use_fake_user = True
    files = [tmp_path / name for name in ("none.blend", "some.blend")]
    bpy.ops.wm.save_as_mainfile(filepath=str(files[0]))
    mesh.clear_geometry()
    assert len(mesh.attributes) > 0
    bpy.ops.wm.save_as_mainfile(filepath=str(files[1]))
    assert compare.compare(*files) == []


def test_weights_of_a_mesh_that_no_object_uses_are_nothing(tmp_path: Path) -> None:
    bpy.ops.wm.read_factory_settings()
    cube, other = bpy.data.objects["Cube"], bpy.data.meshes.new("Other")
    cube.vertex_groups.new(name="Half")
    weighed = cube.data
    weighed.use_fake_user = other.use_fake_user = True
    files = [tmp_path / name for name in ("unused.blend", "used.blend", "unused and weighed.blend", "weighed.blend")]
    for path, data in zip(files, (other, weighed, other, weighed), strict=True):
        cube.data = weighed
        if path == files[2]:
            cube.vertex_groups["Half"].add([0, 1], 0.5, "REPLACE")
        cube.data = data
        bpy.ops.wm.save_as_mainfile(filepath=str(path))
    assert compare.compare(files[0], files[2]) == []
    assert [one.path for one in compare.compare(files[1], files[3])] == ["meshes['Cube'].vertex weights"]


def test_what_only_the_unused_uses_is_unused(base: Path, tmp_path: Path) -> None:
    def make(is_used: bool, data: Any) -> None:
        collection = data.collections.new("By Nobody")
        collection.objects.link(data.objects.new("Placed", data.meshes.new("Shape")))
        collection.use_extra_user = True  # so it is saved this once
        collection.use_fake_user = is_used

    one, two = (saved(base, partial(make, used), tmp_path / f"{used}.blend") for used in (False, True))
    assert compare.compare(base, one) == []
    there = {found.path for found in compare.compare(base, two) if found.b == "there"}
    assert there == {"meshes['Shape']", "objects['Placed']", "collections['By Nobody']"}


def test_what_nobody_can_set_stands_for_the_nearest(base: Path, tmp_path: Path) -> None:
    def compute(set_by_hand: bool, data: Any) -> None:
        mesh = data.meshes.new("Far")
        mesh.from_pydata([(float("-inf"),) * 3], [], [])
        mesh.use_fake_user = True
        assert mesh.texspace_location.x == float("-inf")
        mesh.use_auto_texspace = False
        if set_by_hand:
            mesh.texspace_location.x = float("-inf")
            assert mesh.texspace_location.x > float("-inf")

    one, two = (saved(base, partial(compute, by_hand), tmp_path / f"{by_hand}.blend") for by_hand in (False, True))
    assert compare.compare(one, two) == []


def test_outputs_for_passes_that_are_off_are_nothing(base: Path, tmp_path: Path) -> None:
    def make(data: Any) -> None:
        compositor(data.scenes[0]).nodes.new("CompositorNodeRLayers").scene = data.scenes[0]

    def pass_by(data: Any) -> None:
        aovs = data.scenes[0].view_layers[0].aovs
        aov = aovs.add()
        aov.name = "Passing"
        aovs.remove(aov)

    one = saved(base, make, tmp_path / "one.blend")
    assert compare.compare(one, saved(one, pass_by, tmp_path / "two.blend")) == []


def test_what_is_selected_in_nothing_is_each_persons_own(base: Path, tmp_path: Path) -> None:
    def make(data: Any) -> None:
        data.meshes.new("nothing").use_fake_user = True

    def select(data: Any) -> None:
        data.meshes["nothing"].attributes.new(".select_vert", "BOOLEAN", "POINT")

    one = saved(base, make, tmp_path / "one.blend")
    found = compare.compare(one, saved(one, select, tmp_path / "two.blend"))
    assert [(found.path, found.per_user) for found in found] == [("meshes['nothing'].attributes['.select_vert']", True)]


def test_a_weight_that_nobody_can_set_stands_for_the_nearest(base: Path, tmp_path: Path) -> None:
    def weigh(weight: float, data: Any) -> None:
        element = data.meshes["Cube"].vertices[2].groups
        element.foreach_set("weight", [weight])
        assert element[0].weight == weight

    one, two = (saved(base, partial(weigh, weight), tmp_path / f"{weight}.blend") for weight in (1.0, 2.0))
    assert compare.compare(one, two) == []


def test_what_a_curve_controls_is_as_it_is_at_one_moment(base: Path, tmp_path: Path) -> None:
    def play(data: Any) -> None:
        data.scenes[0].frame_set(7)

    def leave(value: float, data: Any) -> None:
        data.objects["Cube"].hide_viewport = True  # nothing evaluates it any more
        data.objects["Cube"].location.x = data.objects["Cube"].scale.x = value

    assert compare.compare(base, saved(base, play, tmp_path / "played.blend")) == []
    one, two = (saved(base, partial(leave, value), tmp_path / f"{value}.blend") for value in (3, 4))
    assert compare.compare(one, two) == []


def test_it_says_nothing_which_scene_was_shown(base: Path, tmp_path: Path) -> None:
    def add(data: Any) -> None:
        for other in (False, True):
            scene = data.scenes.new("Another") if other else data.scenes[0]
            one = data.objects.new("Placed", None)
            one.location.x = 3
            scene.collection.objects.link(one)

    def show(data: Any) -> None:
        data.window_managers[0].windows[0].scene = data.scenes["Another"]
        data.scenes["Another"].view_layers[0].update()

    one = saved(base, add, tmp_path / "one.blend")
    assert compare.compare(one, saved(one, show, tmp_path / "two.blend")) == []


def test_not_a_number_equals_itself(base: Path, tmp_path: Path) -> None:
    broken = saved(
        base, lambda data: setattr(cube(data), "delta_location", (float("nan"), 0, 0)), tmp_path / "nan.blend"
    )
    assert compare.compare(broken, broken) == []
    assert compare.compare(base, broken) != []


def test_the_command_tells_by_its_exit_code(base: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    moved = saved(base, CHANGES["location"][0], tmp_path / "moved.blend")
    capfd.readouterr()
    assert compare.main([str(base), str(base), "--json"]) == 0
    assert json.loads(capfd.readouterr().out) == {"differences": [], "per_user": []}
    assert compare.main([str(base), str(moved)]) == 1
    assert "objects['Light'].location" in capfd.readouterr().out
    assert compare.main([str(base), str(tmp_path / "missing.blend")]) == 1
    assert "missing.blend" in capfd.readouterr().err


@pytest.mark.skipif(not SCENES, reason="MIXER_CORPUS names no folder of scenes")
@pytest.mark.parametrize("scene", SCENES, ids=lambda path: path.stem)
def test_real_scenes_are_equal_to_themselves(scene: Path, tmp_path: Path) -> None:
    first, second = tmp_path / "first.blend", tmp_path / "second.blend"
    try:
        bpy.ops.wm.open_mainfile(filepath=str(scene))
    except RuntimeError:
        pytest.skip("made by a later Blender")
    bpy.ops.wm.save_as_mainfile(filepath=str(first))
    saved(first, lambda data: None, second)
    assert compare.compare(first, second) == []
