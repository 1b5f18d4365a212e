"""Node trees, node groups and what hangs on them: from one Blender into another, and edited by several."""

from __future__ import annotations

import os
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import bpy
import pytest

from broadcaster.document import Document
from broadcaster.member import Member
from broadcaster.tree import new_uuid
from mixer.proxy import Mirror, interface
from mixer.proxy.along import evaluate
from mixer.proxy.node_links import Link, parse
from mixer.rules import names

from . import inputs
from .inputs import compositor
from .roundtrip import MemoryBlobs, load, mismatches, share
from .test_mirror import apply, edit, everything, put, uuid_of

pytestmark = pytest.mark.usefixtures("empty")

VERSION: Final = bpy.app.version[:2]
KINDS: Final = ("materials", "node_groups", "objects")
CORPUS: Final = os.environ.get("MIXER_CORPUS")
SCENES: Final = names(
    "armory_examples/material_batch/material_batch.blend blender_essentials/procedural_hair_node_assets_4.5.blend"
    " gltf_blender_io/22_node_groups.blend vrm_addon/mtoon1_2_20_61_vrm1.blend"
)

# What old files hold and no Blender of today takes: sizes below the least, muted outputs, enums that are gone.
CLAMPED: Final = (".height: ", ".width: ", ".mute: ", ".subsurface_method: ", ".node_tree.name: ")


def shader(name: str = "Paint") -> Any:
    """A new material and its node tree."""
    material = bpy.data.materials.new(name)
    material.use_fake_user = True
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # Blender 5 has node trees at once
        material.use_nodes = True
    return material.node_tree


def geometry(name: str = "Group") -> Any:
    """A new node group with a geometry input and output."""
    group = bpy.data.node_groups.new(name, "GeometryNodeTree")
    group.use_fake_user = True
    for side in ("INPUT", "OUTPUT"):
        group.interface.new_socket("Geometry", in_out=side, socket_type="NodeSocketGeometry")
    return group


def again() -> tuple[Mirror, Document]:
    """What is here, shared and loaded in its place: nothing may be lost."""
    blobs = MemoryBlobs()
    document = share(Mirror(blobs))
    mirror = load(document, blobs)
    assert [text for text in mismatches(mirror, document) if "node" in text] == []
    assert [delta for delta in everything(mirror) if mirror.entries[delta[0]].kind in KINDS] == []
    return mirror, document


def wires(tree: Any) -> set[tuple[str, str, str, str]]:
    """The links of a tree by names."""
    return {(one.from_node.name, one.from_socket.name, one.to_node.name, one.to_socket.name) for one in tree.links}


def joined(node: Any) -> list[str]:
    """What is linked to the first input of a node, in the order in which it is evaluated."""
    return [link.from_node.name for link in node.inputs[0].links]


def test_a_material_comes_back() -> None:  # NODE1
    tree = shader()
    outer, frame = tree.nodes.new("NodeFrame"), tree.nodes.new("NodeFrame")
    noise, ramp = tree.nodes.new("ShaderNodeTexNoise"), tree.nodes.new("ShaderNodeValToRGB")
    frame.parent, noise.parent = outer, frame
    noise.location, noise.label, noise.inputs["Scale"].default_value = (-250, 40), "Grain", 17.5
    ramp.color_ramp.elements.new(0.25).color = (1, 0, 0, 1)
    ramp.name = "Colours"
    principled = tree.nodes["Principled BSDF"]
    principled.inputs["Roughness"].default_value = 0.125
    principled.inputs["IOR"].hide = True
    tree.links.new(noise.outputs[0], ramp.inputs[0])
    tree.links.new(ramp.outputs[0], principled.inputs[0]).is_muted = True
    before = wires(tree)
    again()
    tree = bpy.data.materials["Paint"].node_tree
    assert wires(tree) == before
    assert [link.is_muted for link in tree.links if link.from_node.name == "Colours"] == [True]
    noise = tree.nodes["Noise Texture"]
    assert (noise.parent.parent.name, tuple(noise.location), noise.label) == (outer_name(tree), (-250, 40), "Grain")
    assert (noise.inputs["Scale"].default_value, tree.nodes["Principled BSDF"].inputs["IOR"].hide) == (17.5, True)
    assert len(tree.nodes["Colours"].color_ramp.elements) == 3


def outer_name(tree: Any) -> str:
    return next(node.name for node in tree.nodes if node.bl_idname == "NodeFrame" and node.parent is None)


def test_groups_in_groups_come_back() -> None:  # NODE1
    inner, outer = geometry("Inner"), geometry("Outer")
    inner.interface.new_socket("Size", in_out="INPUT", socket_type="NodeSocketFloat").default_value = 3.5
    user = outer.nodes.new("GeometryNodeGroup")
    user.node_tree = inner
    user.inputs["Size"].default_value = 7.25
    start, end = outer.nodes.new("NodeGroupInput"), outer.nodes.new("NodeGroupOutput")
    outer.links.new(start.outputs[0], user.inputs[0])
    outer.links.new(user.outputs[0], end.inputs[0])
    before = wires(outer)
    again()
    outer = bpy.data.node_groups["Outer"]
    assert wires(outer) == before
    assert outer.nodes["Group"].inputs["Size"].default_value == 7.25
    assert bpy.data.node_groups["Inner"].interface.items_tree["Size"].default_value == 3.5


def zone(tree: Any, kind: str) -> tuple[Any, Any]:
    first, last = tree.nodes.new(f"GeometryNode{kind}Input"), tree.nodes.new(f"GeometryNode{kind}Output")
    first.pair_with_output(last)
    return first, last


def test_zones_come_back_with_items_and_links() -> None:  # NODE2
    group = geometry()
    for kind, items in (("Repeat", "repeat_items"), ("Simulation", "state_items")):
        first, last = zone(group, kind)
        collection = getattr(last, items)
        collection.new("FLOAT", "Gone")  # so that what comes next is numbered otherwise than it will be there
        collection.new("FLOAT", "Weight")
        collection.new("VECTOR", "Way")
        collection.remove(collection["Gone"])
        collection.move(2, 0)
        for name in ("Weight", "Way", "Geometry"):
            group.links.new(first.outputs[name], last.inputs[name])
        first.inputs["Weight"].default_value = 2.5
    before = wires(group)
    assert len(before) == 6
    again()
    group = bpy.data.node_groups["Group"]
    assert wires(group) == before
    assert [item.name for item in group.nodes["Repeat Output"].repeat_items] == ["Way", "Geometry", "Weight"]
    assert group.nodes["Repeat Input"].inputs["Weight"].default_value == 2.5
    assert group.nodes["Simulation Input"].paired_output == group.nodes["Simulation Output"]


def test_nodes_with_items_come_back() -> None:  # NODE2
    group = geometry()
    menu, index = group.nodes.new("GeometryNodeMenuSwitch"), group.nodes.new("GeometryNodeIndexSwitch")
    menu.data_type = index.data_type = "FLOAT"
    menu.enum_items.new("C").description = "third"
    menu.enum_items.remove(menu.enum_items["A"])
    index.index_switch_items.new()
    index.index_switch_items.remove(index.index_switch_items[0])
    for place, value in ((1, 4.0), (2, 5.0)):
        menu.inputs[place].default_value = index.inputs[place].default_value = value
    capture, value = group.nodes.new("GeometryNodeCaptureAttribute"), group.nodes.new("ShaderNodeValue")
    for name in ("Gone", "Kept"):
        capture.capture_items.new("FLOAT", name)
    capture.capture_items.remove(capture.capture_items[0])
    capture.capture_items[0].data_type = "FLOAT_VECTOR"
    group.links.new(value.outputs[0], capture.inputs["Kept"])
    again()
    nodes = bpy.data.node_groups["Group"].nodes
    assert [(item.name, item.description) for item in nodes["Menu Switch"].enum_items] == [("B", ""), ("C", "third")]
    assert [nodes["Menu Switch"].inputs[i].default_value for i in (1, 2)] == [4.0, 5.0]
    assert [nodes["Index Switch"].inputs[i].default_value for i in (1, 2)] == [4.0, 5.0]
    assert [item.data_type for item in nodes["Capture Attribute"].capture_items] == ["FLOAT_VECTOR"]
    assert wires(bpy.data.node_groups["Group"]) == {("Value", "Value", "Capture Attribute", "Kept")}


def test_sockets_that_follow_an_interface_are_nobodys_edit() -> None:  # NODE3
    inner, outer = geometry("Inner"), geometry("Outer")
    node = outer.nodes.new("GeometryNodeGroup")
    node.node_tree = inner
    thing = bpy.data.objects.new("Thing", bpy.data.meshes.new("Thing"))
    bpy.context.scene.collection.objects.link(thing)
    thing.modifiers.new("Nodes", "NODES").node_group = inner
    mirror = Mirror(MemoryBlobs())
    mirror.scan()
    member, uuid = put(mirror, inner)
    sockets = mirror.entries[uuid].live["interface"]
    key = f"Socket_9~{new_uuid()}"
    first = next(iter(sockets["of"].values()))
    size = {**first, "name": "Size", "in_out": "INPUT", "socket_type": "NodeSocketFloat"}
    edit(member, uuid, interface={"$": "items", "order": [*sockets["order"], key], "of": {**sockets["of"], key: size}})
    assert [delta for deltas in mirror.apply([uuid], member) for delta in deltas] == []
    evaluate()
    assert mirror.verify() == []
    assert everything(mirror) == []
    assert "Size" in [socket.name for socket in node.inputs]


def test_an_interface_comes_back_with_panels_and_order() -> None:  # NODE3
    group = geometry()
    sockets = group.interface
    gone = sockets.new_socket("Gone", in_out="INPUT", socket_type="NodeSocketInt")
    panel, empty = sockets.new_panel("Panel"), sockets.new_panel("Empty")
    size = sockets.new_socket("Size", in_out="INPUT", socket_type="NodeSocketFloat", parent=panel)
    size.min_value, size.max_value, size.default_value, size.description = -1.0, 3.0, 2.0, "how large"
    size.subtype = "FACTOR"
    way = sockets.new_socket("Way", in_out="INPUT", socket_type="NodeSocketVector", parent=panel)
    sockets.remove(gone)
    sockets.move(way, 0)
    sockets.move(empty, 0)
    panel.default_closed = True

    def look() -> list[tuple[Any, ...]]:
        items = bpy.data.node_groups["Group"].interface.items_tree
        sockets = {one.index: one.identifier for one in items if one.item_type == "SOCKET"}
        return [(one.name, one.parent.name, sockets.get(one.index), one.index) for one in items]

    before = look()
    again()
    assert look() == before  # identifiers too, so that the files are alike
    panel, size = (bpy.data.node_groups["Group"].interface.items_tree[name] for name in ("Panel", "Size"))
    assert (panel.default_closed, size.subtype, size.max_value, size.description) == (True, "FACTOR", 3.0, "how large")


@pytest.mark.parametrize("name", ["", "\0x"])
def test_an_input_without_a_name_ends_no_blender(name: str) -> None:  # NODE10
    """As members of other versions may have them: 4.2 and 5.2 give it one of their own."""
    group = geometry()
    thing = bpy.data.objects.new("Thing", bpy.data.meshes.new("Mesh"))
    bpy.context.scene.collection.objects.link(thing)
    thing.modifiers.new("Nodes", "NODES").node_group = group
    mirror = Mirror(MemoryBlobs())
    mirror.scan()
    member, uuid = put(mirror, group)
    sockets = mirror.entries[uuid].live["interface"]
    first, key = sockets["order"][0], f"Socket_9~{new_uuid()}"
    nameless = {**sockets["of"][first], "name": name}
    wanted = {"$": "items", "order": [*sockets["order"], key], "of": {**sockets["of"], first: nameless, key: nameless}}
    edit(member, uuid, interface=wanted)
    assert apply(mirror, member, uuid) == []
    evaluate()
    assert everything(mirror) == []
    found = [one.name for one in group.interface.items_tree]
    assert len(found) == len(wanted["order"])
    assert ("" in found) == ((4, 5) <= VERSION < (5, 2))


def test_a_name_that_is_long_ends_no_blender() -> None:  # NODE10
    """5.2 ended now and then as it evaluated sockets whose names do not fit its nodes: it gets as much as fits."""
    group = geometry()
    mirror = Mirror(MemoryBlobs())
    mirror.scan()
    member, uuid = put(mirror, group)
    sockets = mirror.entries[uuid].live["interface"]
    of = {key: {**one, "name": one["name"] + "\u00e4" * 100} for key, one in sockets["of"].items()}
    edit(member, uuid, interface={**sockets, "of": of})
    assert apply(mirror, member, uuid) == []
    assert everything(mirror) == []
    found = {len(one.name.encode()) > 63 for one in group.interface.items_tree}
    assert found == {VERSION < (5, 2)}
    assert all(
        one.name.startswith(before["name"])
        for one, before in zip(group.interface.items_tree, sockets["of"].values(), strict=True)
    )


def test_a_socket_that_has_another_number_here_is_the_same_socket() -> None:  # NODE4
    """Two members add a socket at once: both are `Socket_2` where they were made."""
    group = geometry()
    thing = bpy.data.objects.new("Thing", bpy.data.meshes.new("Mesh"))
    bpy.context.scene.collection.objects.link(thing)
    thing.modifiers.new("Nodes", "NODES").node_group = group
    mirror = Mirror(MemoryBlobs())
    mirror.scan()
    group.interface.new_socket("Mine", in_out="INPUT", socket_type="NodeSocketFloat")
    everything(mirror)
    member, uuid = put(mirror, group)
    theirs, before = f"Socket_2~{new_uuid()}", mirror.entries[uuid].live["interface"]
    mine = before["of"][before["order"][-1]]
    wanted = {**before, "order": [*before["order"], theirs]}
    wanted["of"] = {**before["of"], theirs: {**mine, "name": "Theirs", "default_value": 0.5}}
    edit(member, uuid, interface=wanted)
    modifiers = {**mirror.entries[uuid_of(mirror, thing)].live["modifiers"]}
    (modifier,) = modifiers["order"]
    tree = modifiers["of"][modifier]
    modifiers["of"] = {modifier: {**tree, "modifier_inputs": {**tree["modifier_inputs"], theirs: {"value": 0.75}}}}
    edit(member, uuid_of(mirror, thing), modifiers=modifiers)
    assert apply(mirror, member, uuid, uuid_of(mirror, thing)) == []
    found = group.interface.items_tree["Theirs"]
    assert found.identifier == "Socket_3"
    assert inputs.get(thing.modifiers["Nodes"], "Theirs") == 0.75
    assert everything(mirror) == []


def test_a_number_that_an_undo_gave_free_is_of_another_socket() -> None:  # NODE4
    group = geometry()
    mirror = Mirror(MemoryBlobs())
    group.interface.new_socket("Size", in_out="INPUT", socket_type="NodeSocketFloat")
    mirror.scan()
    bpy.ops.ed.undo_push(message="before")
    member, uuid = put(mirror, group)
    before = mirror.entries[uuid].live["interface"]
    *rest, key = before["order"]
    edit(member, uuid, interface={**before, "order": rest, "of": {one: before["of"][one] for one in rest}})
    apply(mirror, member, uuid)
    assert "Size" not in group.interface.items_tree
    edit(member, uuid, interface=before)
    apply(mirror, member, uuid)
    group.interface.items_tree["Size"].description = "made anew, by another number"
    bpy.ops.ed.undo_push(message="after")
    bpy.ops.ed.undo()
    mirror.identity.forget()
    mirror.identity.stamp()
    everything(mirror)
    group = bpy.data.node_groups["Group"]
    group.interface.new_socket("Other", in_out="INPUT", socket_type="NodeSocketFloat")
    everything(mirror)
    sockets = mirror.entries[uuid].live["interface"]
    assert sockets["of"][key]["name"] == "Size"
    assert [sockets["of"][one]["name"] for one in sockets["order"]] == [one.name for one in group.interface.items_tree]


def test_who_has_a_group_is_known() -> None:  # NODE4
    inner, outer = geometry("Inner"), geometry("Outer")
    outer.nodes.new("GeometryNodeGroup").node_tree = inner
    thing = bpy.data.objects.new("Thing", bpy.data.meshes.new("Mesh"))
    thing.modifiers.new("Nodes", "NODES").node_group = inner
    mirror = Mirror(MemoryBlobs())
    mirror.scan()
    assert interface.users_of(mirror.ctx, inner) == sorted([uuid_of(mirror, outer), uuid_of(mirror, thing)])
    assert interface.users_of(mirror.ctx, outer) == []


def test_the_inputs_of_a_modifier_come_back() -> None:  # NODE5
    group = geometry()
    sockets = names("Bool Collection Color Float Int Material Object String Vector")
    for name in sorted(sockets):
        group.interface.new_socket(name, in_out="INPUT", socket_type=f"NodeSocket{name}")
    group.interface.new_socket("Out", in_out="OUTPUT", socket_type="NodeSocketFloat")
    group.nodes.new("NodeGroupOutput")
    thing = bpy.data.objects.new("Thing", bpy.data.meshes.new("Mesh"))
    bpy.context.scene.collection.objects.link(thing)
    modifier = thing.modifiers.new("Nodes", "NODES")
    modifier.node_group = group
    wanted = {"Float": 0.5, "Int": 7, "Bool": True, "String": "word", "Vector": [1.0, 2.0, 3.0], "Object": thing}
    for name, value in wanted.items():
        inputs.put(modifier, name, value)
    inputs.put(modifier, "Int", "ATTRIBUTE", "type")
    inputs.put(modifier, "Int", "count", "attribute_name")
    inputs.put(modifier, "Out", "result", "attribute_name")
    mirror, _ = again()
    thing = bpy.data.objects["Thing"]
    modifier = thing.modifiers["Nodes"]
    assert {name: inputs.get(modifier, name) for name in wanted} == {**wanted, "Object": thing}
    assert inputs.get(modifier, "Float", "type") == "VALUE"
    assert (inputs.get(modifier, "Int", "type"), inputs.get(modifier, "Int", "attribute_name")) == (
        "ATTRIBUTE",
        "count",
    )
    assert inputs.get(modifier, "Out", "attribute_name") == "result"
    inputs.put(modifier, "Float", 0.75)
    (found,) = (delta for delta in everything(mirror) if delta[0] == uuid_of(mirror, thing))
    assert str(found).endswith("{'value': ['put', 0.75]}]}]}]}]}]]")


def without_inputs() -> tuple[Any, Mirror, Member, str]:
    """A modifier, with an input of which the document knows nothing: its socket came as another made the modifier."""
    group = geometry()
    group.interface.new_socket("Size", in_out="INPUT", socket_type="NodeSocketFloat")
    thing = bpy.data.objects.new("Thing", bpy.data.meshes.new("Thing"))
    bpy.context.scene.collection.objects.link(thing)
    modifier = thing.modifiers.new("Nodes", "NODES")
    modifier.node_group = group
    mirror = Mirror(MemoryBlobs())
    mirror.scan()
    member, uuid = put(mirror, thing)
    (key,) = mirror.entries[uuid].live["modifiers"]["of"]
    fields = ["patch", {"modifier_inputs": ["put", {}]}]
    member.confirmed.apply([[uuid, ["patch", {"modifiers": ["patch", {key: fields}]}]]], revision=9, sender="other")
    apply(mirror, member, uuid)
    return modifier, mirror, member, uuid


def told_inputs(member: Member, uuid: str) -> Any:
    entity = member.shown.get(uuid)
    assert entity is not None
    (modifier,) = entity.tree["modifiers"]["of"].values()
    return modifier["modifier_inputs"]


def test_an_input_that_nobody_told_of_is_told_by_who_has_it() -> None:  # NODE13
    _, mirror, member, uuid = without_inputs()
    assert everything(mirror) == []
    told = mirror.glance(uuid, {mirror.identity.find(uuid).session_uid})
    assert member.edit(told) is not None
    mirror.sent(told, member.shown)
    assert [text for text in mismatches(mirror, member.shown) if "modifier" in text] == []
    assert mirror.glance(uuid, {mirror.identity.find(uuid).session_uid}) == []


def test_an_edit_of_what_the_document_lacks_tells_the_whole_of_it() -> None:  # MIRROR25
    modifier, mirror, member, uuid = without_inputs()
    inputs.put(modifier, "Size", 2.0)
    told = everything(mirror)
    assert member.edit(told) is not None
    mirror.sent(told, member.shown)
    (known,) = told_inputs(member, uuid).values()
    assert known == {"value": 2.0, "use_attribute": False, "attribute": ""}


def test_a_renamed_node_keeps_its_key_and_a_new_link_is_a_link() -> None:  # NODE6
    tree = shader()
    one, two = tree.nodes.new("ShaderNodeMath"), tree.nodes.new("ShaderNodeMath")
    mirror = Mirror(MemoryBlobs())
    mirror.scan()
    two.name = "Sum"
    (delta,) = everything(mirror)
    ((key, change),) = delta[1][1]["node_tree"][1]["nodes"][1].items()
    assert change == ["patch", {"name": ["put", "Sum"]}]
    tree.links.new(one.outputs[0], two.inputs[1])
    (delta,) = everything(mirror)
    verb, added, removed = delta[1][1]["node_tree"][1]["links"]
    assert (verb, removed) == ("link", [])
    assert [parse(text).target for text in added] == [(key, "Value_001")]  # type: ignore[union-attr]


def test_the_order_of_many_links_to_one_socket_is_kept() -> None:  # NODE7
    group = geometry()
    join = group.nodes.new("GeometryNodeJoinGeometry")
    cubes = [group.nodes.new("GeometryNodeMeshCube") for _ in range(4)]
    for cube in cubes:
        group.links.new(cube.outputs[0], join.inputs[0])
    group.links.remove(join.inputs[0].links[2])
    group.links.new(cubes[1].outputs[0], join.inputs[0])  # Blender gives it a number that another one has
    before = joined(join)
    mirror, _ = again()
    group = bpy.data.node_groups["Group"]
    join = group.nodes["Join Geometry"]
    assert joined(join) == before
    first, last = join.inputs[0].links[0], join.inputs[0].links[3]
    first.swap_multi_input_sort_id(last)
    after = joined(join)
    assert after != before
    (delta,) = everything(mirror)
    links = delta[1][1]["links"]
    assert links[0] == "link"
    member, uuid = put(mirror, group)
    join.inputs[0].links[0].swap_multi_input_sort_id(join.inputs[0].links[3])  # and back, by another member
    everything(mirror)
    apply(mirror, member, uuid)
    assert joined(join) == after


def test_of_two_links_to_one_socket_all_see_the_same() -> None:  # NODE8
    tree = shader()
    one, two, into = (tree.nodes.new("ShaderNodeMath") for _ in range(3))
    for name, node in (("One", one), ("Two", two), ("Into", into)):
        node.name = name
    tree.links.new(one.outputs[0], into.inputs[0])
    mirror = Mirror(MemoryBlobs())
    mirror.scan()
    material = bpy.data.materials["Paint"]
    member, uuid = put(mirror, material)
    live = mirror.entries[uuid].live["node_tree"]
    keys = {node["name"]: key for key, node in live["nodes"]["of"].items()}
    both = [Link((keys[name], "Value", keys["Into"], "Value")).text(several=False) for name in ("One", "Two")]
    winner = "One" if max(both) == both[0] else "Two"
    others = [text for text in live["links"]["of"] if text not in both]
    edit(member, uuid, node_tree={**live, "links": {"$": "set", "of": sorted(others + both)}})
    assert apply(mirror, member, uuid) == []
    assert [link.from_node.name for link in into.inputs[0].links] == [winner]
    assert everything(mirror) == []
    tree.links.remove(into.inputs[0].links[0])
    (delta,) = everything(mirror)
    assert delta[1][1]["node_tree"][1]["links"] == ["link", [], sorted(both)]  # the one that nobody saw goes too


@pytest.mark.skipif(bpy.app.version >= (5, 1), reason="there a node has no output for a pass that is off")
def test_a_link_from_a_pass_that_is_off_comes_back() -> None:  # NODE8
    tree = compositor(bpy.context.scene)
    output = next(one for one in tree.nodes.new("CompositorNodeRLayers").outputs if one.is_unavailable)
    name = output.name
    tree.links.new(output, tree.nodes.new("NodeReroute").inputs[0])
    mirror, document = again()
    assert [text for text in mismatches(mirror, document) if "links" in text] == []
    assert name in [one.from_socket.name for one in compositor(bpy.context.scene).links]


def test_links_say_what_they_say() -> None:  # NODE8
    for link in (Link(("a", "b/c>d", "e", "f#1!")), Link(("a", "Fac ü", "b", "%2F"), 3, True)):
        assert parse(link.text(several=link.place > 0)) == link
    for text in ("", "a/b", "a/b>c", "a/b>c/d>e/f", "a/b>c/d#x", "a/b>c/d#1#2", "a/b>c/d!!", "a/b>c/d#99999999999"):
        assert parse(text) is None


def test_like_materials_are_copies_that_differ_as_they_should() -> None:  # NODE9
    for name, value in (("A", 0.25), ("B", 0.5), ("C", 0.75)):
        tree = shader(name)
        noise = tree.nodes.new("ShaderNodeTexNoise")
        noise.inputs["Scale"].default_value = value
        tree.links.new(noise.outputs[0], tree.nodes["Principled BSDF"].inputs[0])
    bpy.data.materials["B"]["note"] = "mine"
    bpy.data.materials["A"].node_tree.nodes["Noise Texture"].location = (33, 44)
    again()
    found = {material.name: material for material in bpy.data.materials}
    scales = {name: one.node_tree.nodes["Noise Texture"].inputs["Scale"].default_value for name, one in found.items()}
    assert scales == {"A": 0.25, "B": 0.5, "C": 0.75}
    assert [name for name, one in found.items() if one.get("note")] == ["B"]
    assert len({material.mixer_uuid for material in found.values()}) == 3


def test_a_copy_takes_nothing_along() -> None:  # NODE9
    """Another member makes a material like one that has much of its own here."""
    blobs = MemoryBlobs()
    shader("A")
    document = share(Mirror(blobs))
    mirror = load(document, blobs)
    (uuid,) = (uuid for uuid in document if document.get(uuid).kind == "materials")  # type: ignore[union-attr]
    plain = document.get(uuid).tree  # type: ignore[union-attr]
    template = bpy.data.materials["A"]
    template["note"], template.roughness = "mine", 0.9
    template.keyframe_insert("diffuse_color")
    template.node_tree.nodes["Principled BSDF"].inputs["Alpha"].default_value = 0.5
    everything(mirror)
    member, twin = Member("me"), new_uuid()
    member.hold(document)
    document.apply([[twin, ["create", "materials", {**plain, "name": "B"}]]], revision=2, sender="other")
    assert apply(mirror, member, twin) == []
    made = bpy.data.materials["B"]
    assert (made.get("note"), made.roughness, made.animation_data) == (None, plain["roughness"], None)
    assert made.node_tree.nodes["Principled BSDF"].inputs["Alpha"].default_value == 1.0
    assert mirror.entries[twin].live == {**plain, "name": "B"}


def hostile(change: Callable[[dict[str, Any]], None]) -> tuple[Mirror, Any]:
    """A node tree into which a member wrote what makes no sense."""
    tree = shader()
    tree.nodes.new("ShaderNodeMath")
    frames = [tree.nodes.new("NodeFrame") for _ in range(3)]
    frames[0].name = "Frame"
    mirror = Mirror(MemoryBlobs())
    mirror.scan()
    material = bpy.data.materials["Paint"]
    member, uuid = put(mirror, material)
    live = mirror.entries[uuid].live["node_tree"]
    wanted = {**live, "nodes": {**live["nodes"], "of": {key: {**one} for key, one in live["nodes"]["of"].items()}}}
    change(wanted)
    edit(member, uuid, node_tree=wanted)
    assert apply(mirror, member, uuid) == []
    assert everything(mirror) == []
    return mirror, material.node_tree


def test_frames_in_a_ring_are_cut_open() -> None:  # NODE10
    def ring(tree: dict[str, Any]) -> None:
        frames = [key for key, one in tree["nodes"]["of"].items() if one["bl_idname"] == "NodeFrame"]
        for key, above in zip(frames, frames[1:] + frames[:1], strict=True):
            tree["nodes"]["of"][key]["parent"] = above

    _, tree = hostile(ring)
    for node in tree.nodes:
        above = node.parent
        for _ in range(4):
            above = above.parent if above is not None else None
        assert above is None


def test_links_to_nowhere_and_nodes_of_no_type_are_noted_and_the_rest_is_written() -> None:  # NODE10
    def nonsense(tree: dict[str, Any]) -> None:
        (math,) = (key for key, one in tree["nodes"]["of"].items() if one["bl_idname"] == "ShaderNodeMath")
        tree["links"] = {"$": "set", "of": ["nonsense", f"{math}/Value>{math}/Nothing", f"gone/a>{math}/Value"]}
        new = {"name": "New", "bl_idname": "NodeOfTomorrow", "inputs": 3, "parent": math}
        tree["nodes"]["of"] |= {"x" * 22: new}
        tree["nodes"]["order"] = sorted(tree["nodes"]["of"])
        tree["nodes"]["of"][math] |= {"label": "written", "location": [float(10**9), 0.0]}

    mirror, tree = hostile(nonsense)
    assert tree.nodes["Math"].label == "written"
    assert len(tree.links) == 0
    assert any("NodeOfTomorrow" in reason for reason in mirror.ctx.refused.values())
    assert any("Nothing" in reason for reason in mirror.ctx.refused.values())


def test_a_group_never_comes_to_hold_itself() -> None:  # NODE10
    one, two = geometry("One"), geometry("Two")
    node = one.nodes.new("GeometryNodeGroup")
    node.node_tree = two
    mirror = Mirror(MemoryBlobs())
    mirror.scan()
    member, uuid = put(mirror, two)
    nodes = mirror.entries[uuid_of(mirror, one)].live["nodes"]
    inner = {key: {**tree, "node_tree": {"$": "ref", "to": uuid_of(mirror, one)}} for key, tree in nodes["of"].items()}
    edit(member, uuid, nodes={**nodes, "of": inner})
    apply(mirror, member, uuid)
    bpy.context.view_layer.update()
    assert not two.contains_tree(one)


def test_a_malformed_interface_harms_nobody() -> None:  # NODE10
    group = geometry()
    mirror = Mirror(MemoryBlobs())
    mirror.scan()
    member, uuid = put(mirror, group)
    panel = {"item_type": "PANEL", "name": "Panel"}
    socket = {"item_type": "SOCKET", "name": "Socket", "in_out": "INPUT", "socket_type": "NodeSocketFloat"}
    of = {
        "a": {**panel, "parent": "b"},
        "b": {**panel, "parent": "a"},
        "c": {**socket, "in_out": "SIDEWAYS"},
        "Socket_999999~d": socket,
        "e": {**socket, "socket_type": "NodeSocketOfTomorrow", "parent": "Socket_999999~d"},
        "f": {**socket, "min_value": "low", "default_value": [1, 2], "name": "Kept"},
    }
    edit(member, uuid, interface={"$": "items", "order": list(of), "of": of})
    assert apply(mirror, member, uuid) == []
    assert sorted(one.name for one in group.interface.items_tree) == ["Kept", "Panel", "Panel", "Socket"]
    assert everything(mirror) == []


@pytest.mark.skipif(not CORPUS, reason="MIXER_CORPUS names no folder of real scenes")
@pytest.mark.parametrize("scene", sorted(SCENES))
def test_the_node_trees_of_real_scenes_come_back(scene: str) -> None:  # NODE1
    path = Path(CORPUS or "", scene)
    try:
        bpy.ops.wm.open_mainfile(filepath=str(path))
    except RuntimeError:
        pytest.skip(f"Blender {VERSION} does not open it")
    blobs = MemoryBlobs()
    document = share(Mirror(blobs))
    mirror = load(document, blobs)
    found = [text for text in mismatches(mirror, document) if text.startswith(("node_groups[", "materials["))]
    assert [text for text in found if not any(known in text for known in CLAMPED)] == []


def test_of_two_outputs_chosen_at_once_all_show_the_same() -> None:  # NODE11
    outputs = ("Material Output", "Second")
    tree = shader()
    tree.nodes.new("ShaderNodeOutputMaterial").name = "Second"
    mirror = Mirror(MemoryBlobs())
    mirror.scan()
    shown = []
    for mine in outputs:
        tree.nodes[mine].is_active_output = True
        everything(mirror)
        member, uuid = put(mirror, bpy.data.materials["Paint"])
        mirror.sent([[uuid, []]], member.shown)
        nodes: Any = mirror.entries[uuid].live["node_tree"]["nodes"]["of"]
        both = [key for key, node in nodes.items() if "is_active_output" in node]
        chosen = {key: ["patch", {"is_active_output": ["put", True]}] for key in both}
        delta = ["patch", {"node_tree": ["patch", {"nodes": ["patch", chosen]}]}]
        member.confirmed.apply([[uuid, delta]], revision=9, sender="other")
        apply(mirror, member, uuid)
        shown.append([tree.nodes[name].is_active_output for name in outputs])
    assert shown[0] == shown[1]
    assert sorted(shown[0]) == [False, True]


@pytest.mark.parametrize(("place", "bearer"), [("first", 100.0), ("last", 0.0)])
def test_of_two_nodes_of_one_name_one_bears_it_with_all(place: str, bearer: float) -> None:  # NODE12
    tree = shader()
    tree.nodes.new("ShaderNodeMath").name = "Sum"
    mirror = Mirror(MemoryBlobs())
    mirror.scan()
    member, uuid = put(mirror, bpy.data.materials["Paint"])
    nodes: Any = mirror.entries[uuid].live["node_tree"]["nodes"]
    mine = next(node for node in nodes["of"].values() if node["name"] == "Sum")
    after = nodes["order"][-1] if place == "last" else None
    insert = ["insert", after, {**mine, "location": [100.0, 0.0]}]
    delta = ["patch", {"node_tree": ["patch", {"nodes": ["patch", {new_uuid(): insert}]}]}]
    member.confirmed.apply([[uuid, delta]], revision=9, sender="other")
    apply(mirror, member, uuid)
    assert {node.name for node in tree.nodes} >= {"Sum", "Sum.001"}
    assert tree.nodes["Sum"].location.x == bearer
