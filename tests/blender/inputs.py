"""What each Blender keeps in another place: inputs of a geometry nodes modifier, by socket, and the compositor."""

from __future__ import annotations

from typing import Any

import bpy


def _place(modifier: Any, name: str, part: str) -> tuple[Any, str]:
    """Whose it is, and its name there: up to Blender 5.1 it is a custom property of the modifier."""
    identifier = next(one.identifier for one in modifier.node_group.interface.items_tree if one.name == name)
    if not hasattr(modifier, "properties"):
        return modifier, identifier + {"value": "", "type": "_use_attribute"}.get(part, f"_{part}")
    ends = modifier.properties.inputs, modifier.properties.outputs
    return next(getattr(end, identifier) for end in ends if hasattr(end, identifier)), part


def get(modifier: Any, name: str, part: str = "value") -> Any:
    """`part` is "value", "type" ("VALUE" or "ATTRIBUTE") or "attribute_name"."""
    place, key = _place(modifier, name, part)
    value = place[key] if place == modifier else getattr(place, key)
    if part == "type" and place == modifier:
        return "ATTRIBUTE" if value else "VALUE"
    return list(value) if hasattr(value, "__len__") and not isinstance(value, str) else value


def put(modifier: Any, name: str, value: Any, part: str = "value") -> None:
    place, key = _place(modifier, name, part)
    if place != modifier:
        setattr(place, key, value)
    else:
        place[key] = value == "ATTRIBUTE" if part == "type" else value


def compositor(scene: Any) -> Any:
    """The nodes of a scene's compositor, made if need be."""
    if hasattr(scene, "compositing_node_group"):
        if scene.compositing_node_group is None:
            scene.compositing_node_group = bpy.data.node_groups.new("Compositing", "CompositorNodeTree")
        return scene.compositing_node_group
    scene.use_nodes = True
    return scene.node_tree
