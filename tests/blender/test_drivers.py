"""Drivers: the way there and back, and that none of another member's runs more than arithmetic."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import bpy
import pytest

from broadcaster.document import Document
from broadcaster.member import Member
from broadcaster.tree import Patcher, Tree, diff
from mixer.proxy import Mirror, identity
from mixer.proxy.context import Context
from mixer.proxy.drivers import Drivers

from .roundtrip import MemoryBlobs, load, mismatches, share, unlike

DRIVERS = Drivers("drivers")
BLOBS = MemoryBlobs()
SCRIPT = "max(len('text'), frame)"  # more than arithmetic, and still harmless


class Directory:
    """Knows objects, and what is part of them or of their data, by their names."""

    def uuid_of(self, datablock: Any) -> str | None:
        if not isinstance(datablock, bpy.types.ID):
            return None
        if isinstance(datablock, bpy.types.Key):
            datablock = datablock.user
        if datablock.is_embedded_data:
            return "Material/Material"
        return f"{type(datablock).__name__}/{datablock.name}"

    def find(self, uuid: str) -> Any:
        kind, _, name = uuid.partition("/")
        kinds = {"Object": bpy.data.objects, "Mesh": bpy.data.meshes, "Material": bpy.data.materials}
        return kinds.get(kind, bpy.data.scenes).get(name)


@pytest.fixture(autouse=True)
def _fresh() -> Iterator[None]:
    identity.register()
    bpy.ops.wm.read_factory_settings()
    bpy.context.preferences.filepaths.use_scripts_auto_execute = True  # then a driver runs whatever it is
    namespace = dict(bpy.app.driver_namespace)
    yield
    bpy.context.preferences.filepaths.use_scripts_auto_execute = False
    bpy.app.driver_namespace.clear()
    bpy.app.driver_namespace.update(namespace)
    bpy.ops.wm.read_factory_settings()


@pytest.fixture
def cube() -> Any:
    return bpy.data.objects["Cube"]


def context(*, trusted: bool = False) -> Context:
    return Context(Directory(), BLOBS, uuid="Object/Cube", trusted=trusted)


def read(ctx: Context, thing: Any, prev: Tree = None) -> Tree:
    return DRIVERS.read(ctx, thing.animation_data_create(), prev, {})


def write(ctx: Context, thing: Any, new: Tree) -> Tree:
    """Writes as the mirror does: twice, against a fresh read; what Blender then holds."""
    for _ in range(2):
        if (live := read(ctx, thing, new)) != new:
            DRIVERS.write(ctx, thing.animation_data_create(), live, new, {})
    return read(ctx, thing, new)


def patched(tree: Tree, changes: dict[str, Any]) -> Tree:
    return Patcher(lambda uuid: True).patch(tree, ["patch", changes])[0]


def drive(thing: Any, path: str, expression: str, index: int = -1) -> Any:
    """A muted driver: it never runs where it is made."""
    curve = thing.driver_add(path, index)
    curve.mute = True
    curve.driver.type, curve.driver.expression = "SCRIPTED", expression
    return curve


def sent(expression: str, **driver: Any) -> Tree:
    """The drivers that another member sends: one, unmuted, of the cube's first scale."""
    light = bpy.data.objects["Light"]
    drive(light, "scale", expression, 0)
    tree = read(context(), light)
    light.driver_remove("scale", 0)
    (key,) = tree["order"]
    one = tree["of"][key]
    return {"$": "items", "order": ["K"], "of": {"K": {**one, "mute": False, "driver": {**one["driver"], **driver}}}}


def evaluate() -> None:
    bpy.context.view_layer.update()
    bpy.context.scene.frame_set(bpy.context.scene.frame_current + 1)


def curve_of(thing: Any) -> Any:
    return thing.animation_data.drivers[0]


# The way there and back -----------------------------------------------------------------------------------------------


def all_variables(cube: Any) -> None:
    """A driver with a variable of each type."""
    light, camera = bpy.data.objects["Light"], bpy.data.objects["Camera"]
    curve = drive(cube, "location", "single + place + turn + far + near", 2)
    curve.mute = False
    curve.driver.use_self = True
    kinds = ("SINGLE_PROP", "TRANSFORMS", "ROTATION_DIFF", "LOC_DIFF", "CONTEXT_PROP")
    for name, kind in zip(("single", "place", "turn", "far", "near"), kinds, strict=True):
        variable = curve.driver.variables.new()
        variable.name, variable.type = name, kind
        if kind == "CONTEXT_PROP":
            variable.targets[0].context_property = "ACTIVE_SCENE"
            variable.targets[0].data_path = "frame_end"
            continue
        for target, thing in zip(variable.targets, (light, camera), strict=False):
            target.id = thing
    single, place, turn, far, _ = curve.driver.variables
    single.targets[0].data_path = "location.x"
    single.targets[0].use_fallback_value, single.targets[0].fallback_value = True, 2.5
    place.targets[0].transform_type, place.targets[0].transform_space = "ROT_Y", "LOCAL_SPACE"
    place.targets[0].rotation_mode = "SWING_TWIST_Y"
    turn.targets[1].bone_target = "Bone"
    far.targets[1].transform_space = "TRANSFORM_SPACE"
    for index, kind in enumerate(("AVERAGE", "SUM", "MIN")):
        cube.driver_add("scale", index).driver.type = kind
    shaped = cube.driver_add("rotation_euler", 0)
    shaped.keyframe_points.insert(2, 3)
    shaped.modifiers.new("LIMITS")
    shaped.extrapolation = "LINEAR"


def test_drivers_survive_the_way_into_another_blender(cube: Any) -> None:  # DRIVER1
    all_variables(cube)
    blobs = MemoryBlobs()
    document = share(Mirror(blobs))
    mirror = load(document, blobs)
    assert [text for text in mismatches(mirror, document) if "animation_data" in text] == []
    assert mirror.collect(list(mirror.entries)) == []
    assert not any("scale" in name or "location" in name for name in mirror.ctx.withheld)
    curve = bpy.data.objects["Cube"].animation_data.drivers.find("location", index=2)
    assert [variable.name for variable in curve.driver.variables] == ["single", "place", "turn", "far", "near"]
    assert curve.driver.variables["far"].targets[1].id == bpy.data.objects["Camera"]
    assert not curve.mute


def test_what_did_not_change_is_the_same_object(cube: Any) -> None:  # DRIVER2
    all_variables(cube)
    ctx = context()
    tree = read(ctx, cube)
    assert read(ctx, cube, tree) is tree
    assert unlike(tree, write(ctx, bpy.data.objects["Light"], tree)) == []


def test_an_edit_is_its_own_field_alone(cube: Any) -> None:  # DRIVER2
    all_variables(cube)
    ctx = context()
    tree = read(ctx, cube)
    curve = cube.animation_data.drivers.find("location", index=2)
    curve.driver.expression = "single * 2"
    (delta,) = diff(tree, read(ctx, cube, tree))[1].values()
    assert delta == ["patch", {"driver": ["patch", {"expression": ["put", "single * 2"]}]}]
    curve.driver.expression = "single + place + turn + far + near"
    curve.driver.variables["place"].targets[0].transform_type = "LOC_Z"
    (delta,) = diff(tree, read(ctx, cube, tree))[1].values()
    (variable,) = delta[1]["driver"][1]["variables"][1].values()
    assert variable[1]["targets"][0] == "put"
    other = bpy.data.objects["Light"]
    write(ctx, other, tree)
    new = read(ctx, cube, tree)
    assert unlike(new, write(ctx, other, new)) == []


def test_drivers_come_and_go(cube: Any) -> None:  # DRIVER2
    ctx = context()
    tree = sent("frame")
    assert write(ctx, cube, tree) == tree
    more = patched(tree, {"L": ["insert", "K", {**tree["of"]["K"], "array_index": 1}]})
    assert write(ctx, cube, more) == more
    moved = patched(more, {"L": ["patch", {"data_path": ["put", "rotation_euler"]}]})
    assert write(ctx, cube, moved) == moved
    twin = patched(moved, {"T": ["insert", "K", {**tree["of"]["K"], "lock": True}]})  # another member's for the same
    assert write(ctx, cube, twin) == twin
    assert len(cube.animation_data.drivers) == 2
    fewer = patched(twin, {"K": ["remove"], "L": ["remove"]})
    assert write(ctx, cube, fewer) == fewer
    assert curve_of(cube).lock


def test_a_target_that_is_part_of_another_is_named_by_its_owner(cube: Any) -> None:  # DRIVER3
    cube.shape_key_add(name="Basis")
    cube.shape_key_add(name="Smile")
    keys, tree = cube.data.shape_keys, bpy.data.materials["Material"].node_tree
    curve = drive(cube, "scale", "smile + rough", 0)
    for name, kind, target, path in (
        ("smile", "KEY", keys, 'key_blocks["Smile"].value'),
        ("rough", "NODETREE", tree, 'nodes["Principled BSDF"].inputs[2].default_value'),
    ):
        variable = curve.driver.variables.new()
        variable.name, variable.targets[0].id_type = name, kind
        variable.targets[0].id, variable.targets[0].data_path = target, path
    curve.mute = False
    ctx = context()
    found = read(ctx, cube)
    rows = [one["targets"][0] for one in next(iter(found["of"].values()))["driver"]["variables"]["of"].values()]
    assert [row["id"]["to"] for row in rows] == ["Mesh/Cube", "Material/Material"]
    light = bpy.data.objects["Light"]
    assert unlike(found, write(ctx, light, found)) == []
    assert [one.targets[0].id for one in curve_of(light).driver.variables] == [keys, tree]
    evaluate()
    smile, rough = keys.key_blocks["Smile"], tree.nodes["Principled BSDF"].inputs[2]
    assert light.scale.x == pytest.approx(smile.value + rough.default_value)
    assert curve_of(light).driver.is_valid


# Trust ----------------------------------------------------------------------------------------------------------------


def touch(path: Path) -> str:
    return f"__import__('os').mkdir({str(path)!r}) or 5"


def test_a_driver_of_another_member_runs_no_code(cube: Any, tmp_path: Path) -> None:  # TRUST4
    target = tmp_path / "x"
    ctx = context()
    back = write(ctx, cube, sent(touch(target)))
    evaluate()
    assert not target.exists()
    assert curve_of(cube).mute
    assert curve_of(cube).driver.expression == touch(target)
    assert back["of"]["K"]["mute"] is True
    assert list(ctx.withheld) == ["Cube: FCurve.scale[0]"]
    assert ctx.refused == {}


def test_the_same_driver_runs_in_a_trusted_room(cube: Any, tmp_path: Path) -> None:  # TRUST4
    target = tmp_path / "x"
    ctx = context(trusted=True)
    tree = sent(touch(target))
    assert write(ctx, cube, tree) == tree
    evaluate()
    assert target.exists()
    assert ctx.withheld == {}


@pytest.mark.parametrize("expression", ["frame * 2 + var", "sin(frame) + hypot(var, 2) % 3", "var ** 2"])
def test_arithmetic_runs_at_once(cube: Any, expression: str) -> None:  # TRUST4
    variables = {"$": "items", "order": ["V"], "of": {"V": {"name": "var", "type": "SINGLE_PROP", "targets": []}}}
    ctx = context()
    back = write(ctx, cube, sent(expression, variables=variables))
    assert not curve_of(cube).mute
    assert ctx.withheld == {}
    assert back["of"]["K"]["driver"]["expression"] == expression


def test_code_that_is_slipped_in_later_is_muted_again(cube: Any, tmp_path: Path) -> None:  # TRUST5
    target = tmp_path / "x"
    ctx = context()
    tree = sent("frame")
    write(ctx, cube, tree)
    assert not curve_of(cube).mute
    changes = (
        {"driver": ["patch", {"expression": ["put", touch(target)]}]},
        {"mute": ["put", True]},
        {"mute": ["put", False]},  # another member unmutes it
        {"driver": ["patch", {"type": ["put", "AVERAGE"]}]},
        {"driver": ["patch", {"type": ["put", "SCRIPTED"]}], "lock": ["put", True]},
    )
    for change in changes:
        tree = patched(tree, {"K": ["patch", change]})
        write(ctx, cube, tree)
        evaluate()
        assert not target.exists()
    assert curve_of(cube).mute


def test_a_code_behind_another_type_waits_there(cube: Any, tmp_path: Path) -> None:  # TRUST5
    target = tmp_path / "x"
    ctx = context()
    tree = sent(touch(target), type="AVERAGE")
    assert write(ctx, cube, tree) == tree
    assert not curve_of(cube).mute
    write(ctx, cube, patched(tree, {"K": ["patch", {"driver": ["patch", {"type": ["put", "SCRIPTED"]}]}]}))
    evaluate()
    assert curve_of(cube).mute
    assert not target.exists()


def test_a_withheld_driver_that_becomes_harmless_runs(cube: Any) -> None:  # TRUST5
    ctx = context()
    tree = sent(SCRIPT)
    write(ctx, cube, tree)
    assert curve_of(cube).mute
    tree = patched(tree, {"K": ["patch", {"driver": ["patch", {"expression": ["put", "frame"]}]}]})
    assert write(ctx, cube, tree) == tree
    assert not curve_of(cube).mute


def test_ones_own_driver_is_left_running(cube: Any) -> None:  # TRUST6
    ctx = context()
    drive(cube, "scale", SCRIPT, 0).mute = False
    tree = read(ctx, cube)
    (key,) = tree["order"]
    new = patched(tree, {key: ["patch", {"lock": ["put", True], "extrapolation": ["put", "LINEAR"]}]})
    assert write(ctx, cube, new) == new
    assert not curve_of(cube).mute
    new = patched(new, {key: ["patch", {"driver": ["patch", {"expression": ["put", SCRIPT + " + 1"]}]}]})
    write(ctx, cube, new)
    assert curve_of(cube).mute


def test_a_function_that_a_user_put_in_its_place_is_not_called(cube: Any) -> None:  # TRUST7
    called = []

    def mine(*args: float) -> float:
        called.append(args)
        return 1.0

    bpy.app.driver_namespace["hypot"] = mine
    bpy.app.driver_namespace["helper"] = mine
    for expression in ("hypot(frame, 1)", "helper(frame)", "helper"):
        ctx = context()
        write(ctx, cube, sent(expression))
        evaluate()
        assert curve_of(cube).mute, expression
        assert ctx.withheld
    assert called == []
    del bpy.app.driver_namespace["hypot"]
    bpy.app.driver_namespace["hypot"] = __import__("math").hypot
    write(context(), cube, sent("hypot(frame, 2)"))
    assert not curve_of(cube).mute


def test_an_expression_longer_than_blender_holds_is_withheld(cube: Any) -> None:  # TRUST4
    ctx = context()
    write(ctx, cube, sent("frame + 1 " + "+ 1 " * 80))
    assert curve_of(cube).mute or len(curve_of(cube).driver.expression) <= 255


# The whole way --------------------------------------------------------------------------------------------------------


def joined(expression: str) -> tuple[Mirror, Document]:
    """A joiner of a room whose cube has an unmuted driver; it was never evaluated."""
    drive(bpy.data.objects["Cube"], "scale", expression, 0)
    blobs = MemoryBlobs()
    document = share(Mirror(blobs))
    (uuid,) = (uuid for uuid in document if document.get(uuid).tree["name"] == "Cube" and is_object(document, uuid))
    (key,) = document.get(uuid).tree["animation_data"]["drivers"]["order"]  # type: ignore[union-attr]
    change = ["patch", {"drivers": ["patch", {key: ["patch", {"mute": ["put", False]}]}]}]
    document.apply([[uuid, ["patch", {"animation_data": change}]]], revision=2, sender="hostile")
    return load(document, blobs), document


def is_object(document: Document, uuid: str) -> bool:
    return document.get(uuid).kind == "objects"  # type: ignore[union-attr]


def test_withholding_is_nobodys_edit(tmp_path: Path) -> None:  # TRUST8
    mirror, document = joined(touch(tmp_path / "x"))
    evaluate()
    assert not (tmp_path / "x").exists()
    assert mirror.collect(list(mirror.entries)) == []
    assert "Cube: FCurve.scale[0]" in mirror.ctx.withheld
    (text,) = [text for text in mismatches(mirror, document) if "animation_data" in text]
    assert text.endswith("mute: False != True")


def test_unmuting_here_is_an_edit() -> None:  # TRUST8
    mirror, _ = joined(SCRIPT)
    cube = bpy.data.objects["Cube"]
    curve_of(cube).mute = False
    ((_, delta),) = mirror.collect(list(mirror.entries))
    (change,) = delta[1]["animation_data"][1]["drivers"][1].values()
    assert change == ["patch", {"mute": ["put", False]}]


def test_trusting_the_room_lets_it_run(tmp_path: Path) -> None:  # TRUST8
    mirror, document = joined(touch(tmp_path / "x"))
    member = Member("joiner")
    member.hold(document)
    for deltas in mirror.trust(member):
        assert deltas == []
    evaluate()
    assert (tmp_path / "x").exists()
    assert mirror.ctx.withheld.keys() <= {"Scene: RenderSettings.filepath"}
    assert mirror.collect(list(mirror.entries)) == []
