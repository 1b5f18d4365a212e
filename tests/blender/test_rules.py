"""The rule tables against the whole RNA of this Blender: nothing is left out by accident."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from itertools import zip_longest
from typing import Any, Final

import bpy
import pytest

from mixer.rules import KINDS, NOT_MIRRORED, RULES, WITHHELD_NODES, Items, Rule, merged, names

SPECIAL: Final = names(
    "action animated_by beyond bones class constant drivers first_name geometry hair image image_size interface kept"
    " key_data line_style links modifier_inputs nla node node_links nodes packed particle_cache pose_bone shape_keys"
    " slot slot_material sockets splines text texture_space vertex_groups"
)
OPAQUE: Final = names("geometry image key_data packed splines text")  # they mirror arrays and bytes, not structs
PSEUDO: Final = names("action class kept geometry image modifier_inputs skeleton")  # fields that are no RNA property
SCALARS: Final = names("BOOLEAN ENUM FLOAT INT STRING")
PATHS: Final = names("DIR_PATH FILE_NAME FILE_PATH")
VERSION: Final = ".".join(map(str, bpy.app.version[:2]))

SINCE_5_2: Final = names(
    "GeometryNodeClosureToList GeometryNodeFieldToList Node.panel_states NodeTreeInterfaceItem.select"
    " NodesModifier.properties ShaderNodeRaycast"
)

GONE_IN_5_0: Final = names(
    "Action.fcurves Action.groups Action.id_root Bone.select Bone.select_head Bone.select_tail"
    " CompositorNodeColorBalance.offset CompositorNodeColorBalance.power CompositorNodeColorBalance.slope"
    " CompositorNodeOutputFile.base_path CompositorNodeOutputFile.file_slots CompositorNodeOutputFile.layer_slots"
    " CyclesRenderSettings.feature_set GeometryNodeClosureInput GeometryNodeClosureOutput"
    " GeometryNodeCombineBundle GeometryNodeEvaluateClosure GeometryNodeSeparateBundle Material.shadow_method"
    " NodeOutputFileSlotFile NodeTree.grease_pencil Object.grease_pencil_modifiers PythonConstraint"
    " Scene.grease_pencil Scene.node_tree ShaderNodeTexPointDensity"
)

# What rules name and this version does not have. A later version is not listed: it only says more.
ABSENT: Final = {
    "4.2": SINCE_5_2
    | names(
        "Action.layers Action.slots ActionChannelbag ActionConstraint.action_slot ActionConstraint.action_slot_handle"
        " ActionConstraint.action_suitable_slots ActionConstraint.last_slot_identifier ActionKeyframeStrip ActionLayer"
        " ActionSlot ActionStrip AnimData.action_slot AnimData.action_slot_handle"
        " AnimData.action_slot_handle_tweak_storage AnimData.action_suitable_slots AnimData.last_slot_identifier"
        " Camera.custom_bytecode Camera.custom_bytecode_hash Camera.custom_filepath Camera.custom_mode"
        " Camera.custom_shader Camera.cycles_custom ColorManagedViewSettings.white_balance_whitepoint"
        " CompositorNodeColorBalance.input_whitepoint CompositorNodeColorBalance.output_whitepoint"
        " CompositorNodeOutputFile.directory CompositorNodeOutputFile.file_name"
        " CompositorNodeOutputFile.file_output_items CyclesRenderSettings.debug_use_hip_adaptive_compile"
        " CyclesRenderSettings.debug_use_metal_adaptive_compile FunctionNodeFormatString GeometryAttributeConstraint"
        " GeometryNodeClosureInput GeometryNodeClosureOutput GeometryNodeCombineBundle GeometryNodeEvaluateClosure"
        " GeometryNodeFieldToGrid GeometryNodeForeachGeometryElementInput GeometryNodeForeachGeometryElementOutput"
        " GeometryNodeSeparateBundle GeometryNodeViewer.viewer_items ImageFormatSettings.media_type"
        " MaskSplinePoint.select_control_point MaskSplinePoint.select_left_handle MaskSplinePoint.select_right_handle"
        " MaskSplinePoint.select_single_handle Modifier.open_adaptive_subdivision_panel Modifier.open_advanced_panel"
        " Modifier.open_warnings_panel NlaStrip.action_slot NlaStrip.action_slot_handle NlaStrip.action_suitable_slots"
        " NlaStrip.last_slot_identifier Node.active_generation_index Node.active_item_index Node.active_main_index"
        " Node.active_output_index Node.location_absolute Node.ui_shortcut NodeClosureInput NodeClosureOutput"
        " NodeCombineBundle NodeEvaluateClosure NodeSeparateBundle NodeSocket.pin_gizmo NodeSocketStringFilePath"
        " NodeTree.annotation NodeTree.bl_use_group_interface NodeTreeInterfaceSocketStringFilePath"
        " NodesModifier.bake_target NodesModifier.node_warnings NodesModifier.show_manage_panel PoseBone.select"
        " RenderSettings.compositor_denoise_device Scene.annotation Scene.time_jump_delta Scene.time_jump_unit"
        " ViewLayer.lightgroups.remove"
    ),
    "4.5": SINCE_5_2
    | names(
        "CompositorNodeOutputFile.directory CompositorNodeOutputFile.file_name"
        " CompositorNodeOutputFile.file_output_items GeometryAttributeConstraint GeometryNodeFieldToGrid"
        " GeometryNodeViewer.viewer_items ImageFormatSettings.media_type Material.shadow_method Node.active_item_index"
        " NodeClosureInput NodeClosureOutput NodeCombineBundle NodeEvaluateClosure NodeSeparateBundle"
        " NodeTree.annotation NodesModifier.show_manage_panel Object.grease_pencil_modifiers PoseBone.select"
        " PythonConstraint Scene.annotation Scene.time_jump_delta Scene.time_jump_unit"
    ),
    "5.0": SINCE_5_2 | GONE_IN_5_0,
    "5.2": GONE_IN_5_0,
}


@cache
def every_type() -> dict[str, Any]:
    """All RNA types by name, with those that only a property leads to (add-ons' settings)."""
    found: dict[str, Any] = {}
    todo = [getattr(getattr(bpy.types, name), "bl_rna", None) for name in dir(bpy.types)]
    while todo:
        rna = todo.pop()
        if rna is None or rna.identifier in found:
            continue
        found[rna.identifier] = rna
        todo.append(rna.base)
        todo += [prop.fixed_type for prop in rna.properties if prop.type in ("POINTER", "COLLECTION")]
    return found


def lineage(rna: Any) -> list[str]:
    """The names of an RNA type and its bases, its own first."""
    found = []
    while rna is not None:
        found.append(rna.identifier)
        rna = rna.base
    return found


def family(name: str) -> list[Any]:
    """An RNA type and all types made from it."""
    return [rna for rna in every_type().values() if name in lineage(rna)]


def rule_of(rna: Any) -> Rule:
    return merged(lineage(rna))


def is_datablock(rna: Any) -> bool:
    return "ID" in lineage(rna)


def parts(rna: Any) -> Iterator[str]:
    """The RNA types of the structs that are mirrored as parts of `rna`."""
    rule = rule_of(rna)
    for prop in rna.properties:
        name = prop.identifier
        if name == "rna_type" or name in rule.skipped() or prop.type not in ("POINTER", "COLLECTION"):
            continue
        own = name in rule.embedded | rule.make.keys() or not is_datablock(prop.fixed_type)
        if own and rule.by.get(name) not in OPAQUE:
            yield prop.fixed_type.identifier


@cache
def reachable() -> tuple[Any, ...]:
    """All RNA types of which something is mirrored."""
    found: dict[str, Any] = {}
    todo = [kind.rna for kind in KINDS if kind.name in bpy.data.bl_rna.properties]
    # the special proxies of these read structs
    todo += [name for name in ("FCurve", "Action", "Bone", "BoneCollection", "NodeTreeInterfaceItem") if name in RULES]
    while todo:
        for rna in family(todo.pop()):
            if rna.identifier not in found:
                found[rna.identifier] = rna
                todo += parts(rna)
    return tuple(found.values())


def forgotten(rna: Any) -> Iterator[str]:
    """The properties of `rna` that neither a rule nor the generic path takes care of."""
    rule = rule_of(rna)
    for prop in rna.properties:
        name = prop.identifier
        known = rule.skipped() | rule.by.keys() | rule.items.keys() | rule.embedded | rule.make.keys()
        if name == "rna_type" or name in known:
            continue
        if prop.type in SCALARS:
            continue  # mirrored; read-only ones are derived
        if prop.type == "POINTER":
            own = is_datablock(prop.fixed_type) != prop.is_readonly  # a reference, or a part
            if own or "PropertyGroup" in lineage(prop.fixed_type):
                continue
        yield f"{rna.identifier}.{name}"


def test_every_property_is_mirrored_or_named_with_its_reason() -> None:  # RULE1
    assert sorted(name for rna in reachable() for name in forgotten(rna)) == []


def test_every_collection_of_datablocks_is_mirrored_or_named_with_its_reason() -> None:  # RULE1
    collections = {prop.identifier for prop in bpy.data.bl_rna.properties if prop.type == "COLLECTION"}
    assert collections <= {kind.name for kind in KINDS} | NOT_MIRRORED.keys()
    assert not {kind.name for kind in KINDS} & NOT_MIRRORED.keys()


def test_the_walk_reaches_what_matters() -> None:  # RULE1
    found = {rna.identifier for rna in reachable()}
    assert len(found) > 700
    assert found >= names("ShaderNodeMath NodesModifier ClothSettings PoseBone CurveMapPoint Driver LayerCollection")
    assert not found & names("Screen Brush ToolSettings Depsgraph MeshVertex")


def mentioned(rule: Rule) -> frozenset[str]:
    """All property names in a rule."""
    sets = rule.skipped() | rule.withheld | rule.plain | rule.blind | rule.strong | rule.embedded
    return sets | set(rule.write_first) | rule.items.keys() | rule.make.keys() | rule.by.keys()


def absent() -> frozenset[str]:
    """The types and properties that rules name and this Blender does not have."""
    gone = set()
    for type_name, rule in RULES.items():
        if type_name not in every_type():
            gone.add(type_name)
            continue
        here = {prop.identifier for rna in family(type_name) for prop in rna.properties} | PSEUDO
        gone |= {f"{type_name}.{name}" for name in mentioned(rule) - here}
    return frozenset(gone)


def test_rules_name_types_and_properties_that_some_blender_has() -> None:  # RULE2
    if VERSION in ABSENT:
        assert absent() == {name for name in ABSENT[VERSION] if name.count(".") < 2}
    assert frozenset.intersection(*ABSENT.values()) == frozenset()


@pytest.mark.parametrize("type_name", sorted(RULES))
def test_a_rule_does_not_contradict_itself(type_name: str) -> None:  # RULE3
    rule = RULES[type_name]
    reasons = [rule.derived, rule.view, rule.per_user, rule.todo, rule.items.keys() | rule.by.keys() | rule.embedded]
    assert len(set().union(*reasons)) == sum(map(len, reasons))
    mirrored = rule.withheld | rule.plain | rule.blind | rule.strong | set(rule.write_first) | rule.make.keys()
    assert not mirrored & rule.skipped()
    assert set(rule.by.values()) <= SPECIAL


def told(items: Items) -> list[str]:
    """The fields of an item that say which it is and how it is made."""
    named = [] if items.rows or not items.name else [items.name]
    return [*named, items.kind, *(arg.rpartition("=")[2] for arg in items.args if ":" not in arg and arg != ".")]


def misused(function: Any, args: tuple[str, ...]) -> Iterator[str]:
    """The arguments that `function` does not take so: those that may be missing are taken by keyword only."""
    takes = [param for param in function.parameters if not param.is_output]
    keywords = {arg.split("=")[0].split(":")[0] for arg in args if "=" in arg or ":" in arg}
    yield from keywords - {param.identifier for param in takes}
    by_place = [param for param in takes if param.identifier not in keywords]
    positional = [arg for arg in args if "=" not in arg and ":" not in arg]
    for arg, param in zip_longest(positional, by_place):
        if param is None or (arg is None) == param.is_required:
            yield f"{arg} for {param and param.identifier}"


def test_items_are_made_and_removed_by_functions_that_exist() -> None:  # RULE4
    wrong = []
    for rna in reachable():
        for name, items in rule_of(rna).items.items():
            if name not in rna.properties:
                continue
            prop = rna.properties[name]
            functions = prop.srna.functions if prop.srna is not None else {}
            fields = {field.identifier for one in family(prop.fixed_type.identifier) for field in one.properties}
            wanted = [items.new, items.move, items.remove if items.new else ""]
            bad = [one for one in wanted if one and one not in functions]
            bad += [one for one in told(items) if one and one not in fields]
            if items.new in functions:
                bad += misused(functions[items.new], items.args)
            wrong += [f"{rna.identifier}.{name}.{one}" for one in bad]
    assert set(wrong) <= ABSENT.get(VERSION, frozenset())


def test_kinds_are_made_by_functions_that_exist() -> None:  # RULE4
    for kind in KINDS:
        if kind.name in bpy.data.bl_rna.properties:
            prop = bpy.data.bl_rna.properties[kind.name]
            assert prop.fixed_type.identifier == kind.rna
            assert not kind.new or not list(misused(prop.srna.functions[kind.new], kind.args))
            assert set(kind.classes) <= every_type().keys()


def test_strong_references_are_pointers_to_datablocks() -> None:  # RULE3
    for rna in reachable():
        for name in rule_of(rna).strong & set(rna.properties.keys()):
            assert is_datablock(rna.properties[name].fixed_type), f"{rna.identifier}.{name}"


def test_withheld_nodes_are_nodes() -> None:  # RULE3
    here = WITHHELD_NODES & every_type().keys()
    assert "ShaderNodeScript" in here
    assert all("Node" in lineage(every_type()[name]) for name in here)


def test_settings_that_add_ons_register_are_blind() -> None:  # RULE5
    for rna in reachable():
        rule = rule_of(rna)
        for prop in rna.properties:
            if prop.type == "POINTER" and "PropertyGroup" in lineage(prop.fixed_type):
                assert prop.identifier in rule.blind | rule.skipped(), f"{rna.identifier}.{prop.identifier}"


def test_no_path_of_another_member_is_written_into_blender() -> None:  # RULE6
    for rna in reachable():
        rule = rule_of(rna)
        for prop in rna.properties:
            if prop.type == "STRING" and prop.subtype in PATHS and not prop.is_readonly:
                safe = rule.withheld | rule.skipped() | rule.by.keys()
                assert prop.identifier in safe, f"{rna.identifier}.{prop.identifier}"
