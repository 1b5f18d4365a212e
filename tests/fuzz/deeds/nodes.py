"""Nodes, their links, sockets and groups."""

from __future__ import annotations

from random import Random
from typing import Any, Final

import bpy

from .. import legal
from .register import deed, name_of, objects, pick, vector


@deed("materials")
def use_nodes(chance: Random) -> str:
    one = pick(chance, [*bpy.data.materials, *bpy.data.worlds, *bpy.data.lights])
    one.use_nodes = True
    return f"{one!r} uses nodes"


def trees() -> list[Any]:
    owners = [*bpy.data.materials, *bpy.data.worlds, *bpy.data.lights]
    inside = [one.node_tree for one in owners if one.node_tree is not None]
    inside += [tree for scene in bpy.data.scenes if (tree := getattr(scene, "node_tree", None)) is not None]
    return [*inside, *bpy.data.node_groups]


NODES: Final = {
    "ShaderNodeTree": """ShaderNodeMath ShaderNodeMix ShaderNodeValToRGB ShaderNodeRGBCurve ShaderNodeTexNoise
        ShaderNodeTexImage ShaderNodeBsdfPrincipled ShaderNodeGroup NodeFrame NodeReroute ShaderNodeVectorMath
        ShaderNodeMapping ShaderNodeAttribute NodeGroupInput NodeGroupOutput ShaderNodeMapRange ShaderNodeTexCoord""",
    "GeometryNodeTree": """GeometryNodeMeshCube GeometryNodeTransform GeometryNodeJoinGeometry GeometryNodeGroup
        ShaderNodeMath NodeGroupInput NodeGroupOutput FunctionNodeCompare GeometryNodeSwitch GeometryNodeMenuSwitch
        GeometryNodeStoreNamedAttribute GeometryNodeObjectInfo GeometryNodeSetMaterial NodeFrame NodeReroute
        FunctionNodeInputVector GeometryNodeIndexSwitch GeometryNodeRepeatInput GeometryNodeRepeatOutput""",
    "CompositorNodeTree": """CompositorNodeBlur CompositorNodeRLayers CompositorNodeMixRGB CompositorNodeGroup
        CompositorNodeValToRGB NodeFrame NodeReroute""",
    "TextureNodeTree": "TextureNodeMath TextureNodeChecker TextureNodeOutput NodeFrame TextureNodeCurveRGB",
}


@deed("nodes", "nodes", "nodes")
def add_node(chance: Random) -> str:
    tree = pick(chance, trees())
    node = tree.nodes.new(pick(chance, NODES[tree.bl_idname].split()))
    node.location = vector(chance, 2)
    if hasattr(node, "node_tree") and len(bpy.data.node_groups):
        node.node_tree = pick(chance, [one for one in bpy.data.node_groups if one.bl_idname == tree.bl_idname])
    return f"{node!r} made"


@deed("nodes")
def remove_node(chance: Random) -> str:
    tree = pick(chance, trees())
    node = pick(chance, tree.nodes)
    told = repr(node)
    tree.nodes.remove(node)
    return f"{told} removed"


def real(sockets: Any) -> list[Any]:
    """Without the last one of a group's nodes: linked in a window it makes a socket, by the API something broken."""
    return [one for one in sockets if one.bl_idname != "NodeSocketVirtual"]


@deed("nodes", "nodes", "nodes")
def link_nodes(chance: Random) -> str:
    tree = pick(chance, trees())
    source, target = pick(chance, tree.nodes), pick(chance, tree.nodes)
    link = tree.links.new(pick(chance, real(target.inputs)), pick(chance, real(source.outputs)))
    return f"{tree!r}: {source.name} to {target.name}: {link is not None}"


@deed("nodes")
def unlink_nodes(chance: Random) -> str:
    tree = pick(chance, trees())
    tree.links.remove(pick(chance, tree.links))
    return f"{tree!r}: a link removed"


@deed("nodes", "nodes")
def set_socket(chance: Random) -> str:
    tree = pick(chance, trees())
    socket = pick(chance, pick(chance, tree.nodes).inputs)
    prop = socket.bl_rna.properties["default_value"]
    socket.default_value = legal.random_value(chance, prop)
    return f"{socket!r} set"


@deed("nodes")
def edit_node(chance: Random) -> str:
    node = pick(chance, pick(chance, trees()).nodes)
    match chance.randrange(5):
        case 0:
            node.name = name_of(chance)
        case 1:
            node.mute = not node.mute
        case 2:
            node.parent = pick(chance, [one for one in node.id_data.nodes if one.bl_idname == "NodeFrame"])
        case 3 if hasattr(node, "color_ramp"):
            node.color_ramp.elements.new(chance.random())
        case _:
            node.label = name_of(chance)
    return f"{node!r} edited"


@deed("groups", "groups")
def edit_interface(chance: Random) -> str:
    group = pick(chance, bpy.data.node_groups)
    interface = group.interface
    kinds_of_sockets = "NodeSocketFloat NodeSocketColor NodeSocketVector NodeSocketInt NodeSocketBool NodeSocketShader"
    if group.bl_idname == "GeometryNodeTree":
        kinds_of_sockets = (
            "NodeSocketFloat NodeSocketGeometry NodeSocketObject NodeSocketInt NodeSocketMenu NodeSocketString"
        )
    match chance.randrange(7):
        case 0 | 1 | 2:
            interface.new_socket(
                name_of(chance),
                in_out=chance.choice(("INPUT", "OUTPUT")),
                socket_type=pick(chance, kinds_of_sockets.split()),
            )
        case 3:
            interface.new_panel(name_of(chance))
        case 4:
            interface.remove(pick(chance, interface.items_tree))
        case 5:
            interface.move(pick(chance, interface.items_tree), chance.randrange(4))
        case _:
            pick(chance, interface.items_tree).name = name_of(chance)
    return f"interface of {group!r}"


@deed("groups")
def nodes_modifier(chance: Random) -> str:
    one = pick(chance, objects("MESH CURVE"))
    modifier = one.modifiers.new(name_of(chance), "NODES")
    modifier.node_group = pick(chance, [one for one in bpy.data.node_groups if one.bl_idname == "GeometryNodeTree"])
    return f"{modifier!r} of {modifier.node_group!r}"


@deed("groups")
def modifier_input(chance: Random) -> str:
    found = [mod for one in bpy.data.objects for mod in one.modifiers if mod.type == "NODES" and mod.node_group]
    modifier = pick(chance, found)
    key = pick(chance, [key for key in modifier.keys() if not key.endswith(("_attribute_name", "_use_attribute"))])  # noqa: SIM118
    modifier[key] = type(modifier[key])(chance.randint(0, 3))
    return f"{modifier!r}[{key!r}]"
