"""Inputs of a geometry nodes modifier, as people set them in each Blender: an input is named by its socket's name."""

from __future__ import annotations

from typing import Any


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
