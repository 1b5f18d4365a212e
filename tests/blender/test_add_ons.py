"""Properties that add-ons register: mirrored as all else, and never a way into somebody's Blender."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import bpy
import pytest

from broadcaster.tree import ref
from mixer.proxy import Mirror, identity, struct

from .roundtrip import MemoryBlobs
from .test_mirror import apply, everything, put, uuid_of

PROPERTIES: dict[str, Any] = {
    "fleet_size": bpy.props.IntProperty(min=0, max=10),
    "fleet_speed": bpy.props.FloatVectorProperty(size=3, max=5.0),
    "fleet_frame": bpy.props.FloatVectorProperty(size=(2, 2), subtype="MATRIX"),
    "fleet_sails": bpy.props.BoolVectorProperty(size=2),
    "fleet_kind": bpy.props.EnumProperty(items=[("TRADE", "", ""), ("WAR", "", "")]),
    "fleet_flags": bpy.props.EnumProperty(items=[("A", "", ""), ("B", "", "")], options={"ENUM_FLAG"}),
    "fleet_name": bpy.props.StringProperty(maxlen=4),
    "fleet_paint": bpy.props.PointerProperty(type=bpy.types.Material),
    "fleet_chart": bpy.props.StringProperty(subtype="FILE_PATH"),
}


@pytest.fixture(autouse=True)
def _fresh() -> Iterator[None]:
    identity.register()
    bpy.ops.wm.read_factory_settings()
    yield
    for name in PROPERTIES:
        if hasattr(bpy.types.Object, name):
            delattr(bpy.types.Object, name)
    bpy.ops.wm.read_factory_settings()


@pytest.fixture
def mirror() -> Mirror:
    for name, prop in PROPERTIES.items():
        setattr(bpy.types.Object, name, prop)
    struct.forget_changed_plans()
    mirror = Mirror(MemoryBlobs())
    mirror.scan()
    return mirror


def value(name: str) -> Any:
    found = getattr(bpy.data.objects["Cube"], name)
    if isinstance(found, bpy.types.ID | str | int | set):
        return found
    return [list(one) if hasattr(one, "__len__") else one for one in found]


@pytest.mark.parametrize(
    ("name", "sent", "taken"),
    [
        ("fleet_size", 7, 7),
        ("fleet_size", 999, 10),
        ("fleet_speed", [1.0, -2.0, 99.0], [1.0, -2.0, 5.0]),
        ("fleet_speed", [1, 2, 3], [1.0, 2.0, 3.0]),
        ("fleet_frame", [[1.0, 2.0], [3.0, 4.0]], [[1.0, 2.0], [3.0, 4.0]]),
        ("fleet_sails", [True, False], [True, False]),
        ("fleet_kind", "WAR", "WAR"),
        ("fleet_kind", "PIRACY", "TRADE"),
        ("fleet_flags", ["B"], {"B"}),
        ("fleet_name", "Argo", "Argo"),
        ("fleet_name", "Argonauts", "Argo"),
        ("fleet_chart", "/etc/passwd", ""),
    ],
)
def test_a_value_is_taken_within_its_range(mirror: Mirror, name: str, sent: Any, taken: Any) -> None:  # TRUST25
    member, uuid = put(mirror, bpy.data.objects["Cube"], **{name: sent})
    apply(mirror, member, uuid)
    assert value(name) == taken
    assert everything(mirror) == []


def test_a_pointer_takes_its_own_type_only(mirror: Mirror) -> None:  # TRUST25
    for target, taken in [
        (bpy.data.materials["Material"], bpy.data.materials["Material"]),
        (bpy.data.objects["Light"], None),
    ]:
        member, uuid = put(mirror, bpy.data.objects["Cube"], fleet_paint=ref(uuid_of(mirror, target)))
        apply(mirror, member, uuid)
        assert bpy.data.objects["Cube"].fleet_paint == taken
        assert everything(mirror) == []


class Cargo(bpy.types.PropertyGroup):
    weight: bpy.props.IntProperty(max=10)  # type: ignore[valid-type]


def test_a_group_of_values_is_taken() -> None:  # TRUST25
    bpy.utils.register_class(Cargo)
    bpy.types.Object.fleet_cargo = bpy.props.PointerProperty(type=Cargo)  # type: ignore[attr-defined]
    try:
        struct.forget_changed_plans()
        mirror = Mirror(MemoryBlobs())
        mirror.scan()
        member, uuid = put(mirror, bpy.data.objects["Cube"], fleet_cargo={"name": "", "weight": 99})
        apply(mirror, member, uuid)
        assert bpy.data.objects["Cube"].fleet_cargo.weight == 10  # type: ignore[attr-defined]
        assert everything(mirror) == []
    finally:
        del bpy.types.Object.fleet_cargo  # type: ignore[attr-defined]
        bpy.utils.unregister_class(Cargo)


def test_properties_that_come_and_go_are_noticed() -> None:  # MIRROR12
    mirror = Mirror(MemoryBlobs())
    mirror.scan()
    uuid = uuid_of(mirror, bpy.data.objects["Cube"])
    bpy.types.Object.fleet_size = PROPERTIES["fleet_size"]
    struct.forget_changed_plans()
    bpy.data.objects["Cube"].fleet_size = 3
    assert [[uuid, ["patch", {"fleet_size": ["put", 3]}]]] == [one for one in everything(mirror) if one[0] == uuid]
    del bpy.types.Object.fleet_size
    struct.forget_changed_plans()
    everything(mirror)
    assert "fleet_size" not in mirror.entries[uuid].live
