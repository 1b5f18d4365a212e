"""Where the Blenders from 4.2 to 5.2 differ, for the demo's scripts."""

from __future__ import annotations

from typing import Any

import bpy

context: Any = bpy.context  # both without types: the stubs know no kinds of lights, curves and modifiers
data: Any = bpy.data


def node_tree(datablock: Any) -> Any:
    """The nodes of a material, world or light. From 5.0 on materials and worlds are born with them."""
    if datablock.node_tree is None:
        datablock.use_nodes = True
    return datablock.node_tree


def fcurves(datablock: Any) -> Any:
    """The F-curves that animate a datablock. Before 4.4 they lie in the action itself, since 5.0 only in its slots."""
    animation = datablock.animation_data
    if hasattr(animation, "action_slot"):
        return animation.action.layers[0].strips[0].channelbag(animation.action_slot).fcurves
    return animation.action.fcurves


def set_input(modifier: Any, name: str, value: Any) -> None:
    """Sets an input of a geometry nodes modifier; the modifier knows it by a number that each file gives out anew."""
    for item in modifier.node_group.interface.items_tree:
        if item.item_type == "SOCKET" and item.in_out == "INPUT" and item.name == name:
            if hasattr(modifier, "properties"):  # since 5.2
                getattr(modifier.properties.inputs, item.identifier).value = value
            else:
                modifier[item.identifier] = value
    modifier.id_data.update_tag()


def open_file(path: str) -> None:
    """Opens a .blend whose scripts are not to run."""
    bpy.ops.wm.open_mainfile(filepath=path, load_ui=False, use_scripts=False)
