"""The rules: what is mirrored of every RNA type, and of what not and why. Tables by name: no bpy here."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, fields
from functools import reduce
from types import MappingProxyType
from typing import Any, Final

from .animation import ANIMATION
from .armatures import ARMATURES
from .curves import CURVES
from .images import IMAGES
from .lights import LIGHTS
from .materials import MATERIALS
from .meshes import MESHES
from .misc import MISC
from .modifiers import MODIFIERS, PHYSICS
from .nodes import NODES, WITHHELD_NODES
from .objects import CONSTRAINTS, OBJECTS
from .rule import Items, Rule, names
from .scenes import RENDER, SCENES, VIEW_LAYERS

__all__ = ["KINDS", "NOT_MIRRORED", "RULES", "WITHHELD_NODES", "Items", "Kind", "Rule", "merged", "names"]

_TABLES: Final = (
    OBJECTS,
    CONSTRAINTS,
    MODIFIERS,
    PHYSICS,
    MESHES,
    MATERIALS,
    NODES,
    ANIMATION,
    ARMATURES,
    SCENES,
    RENDER,
    VIEW_LAYERS,
    LIGHTS,
    IMAGES,
    CURVES,
    MISC,
)


def _sum(first: Rule, second: Rule) -> Rule:
    """What either rule says; where both speak of one key, the first."""
    parts: dict[str, Any] = {}
    for part in fields(Rule):
        one, two = getattr(first, part.name), getattr(second, part.name)
        match one:
            case frozenset():
                parts[part.name] = one | two
            case tuple():
                parts[part.name] = one + tuple(name for name in two if name not in one)
            case _:
                parts[part.name] = {**two, **one}
    return Rule(**parts)


def _collect(tables: Iterable[Mapping[str, Rule]]) -> Mapping[str, Rule]:
    rules: dict[str, Rule] = {}
    for table in tables:
        for type_name, rule in table.items():
            rules[type_name] = _sum(rules[type_name], rule) if type_name in rules else rule
    return MappingProxyType(rules)


RULES: Final = _collect(_TABLES)


def merged(type_names: Iterable[str]) -> Rule:
    """The rule of an RNA type, given its name and those of its bases, its own first. Unknown names have no rule."""
    return reduce(_sum, (RULES[name] for name in type_names if name in RULES), Rule())


@dataclass(frozen=True, slots=True)
class Kind:
    """One collection of bpy.data that is mirrored, and how a datablock of it is made.

    `new` is a method of the collection, with `args` as in `Items`. Where `new` is empty a special proxy makes it. If
    Blender has several classes here which no property tells apart, `classes` maps their RNA names to what
    the argument "class" says. A datablock is left out where a field in `never` has one of the values there.
    """

    name: str
    rna: str
    new: str = "new"
    args: tuple[str, ...] = ("name",)
    classes: Mapping[str, str] = field(default_factory=dict)
    never: Mapping[str, str] = field(default_factory=dict)


# In this order datablocks are made: what others name comes first, as far as there is such an order.
KINDS: Final = (
    Kind("texts", "Text"),
    Kind("images", "Image", args=("name", "generated_width", "generated_height"), never={"source": "VIEWER"}),
    Kind("sounds", "Sound", new="", args=()),  # made of its bytes
    Kind("fonts", "VectorFont", new="", args=()),  # made of its bytes
    Kind("palettes", "Palette"),
    Kind("masks", "Mask"),
    Kind("actions", "Action"),
    Kind("node_groups", "NodeTree", args=("name", "bl_idname")),
    Kind("textures", "Texture", args=("name", "type")),
    Kind("materials", "Material"),
    Kind("worlds", "World"),
    Kind("linestyles", "FreestyleLineStyle"),
    Kind("particles", "ParticleSettings"),
    Kind("cameras", "Camera"),
    Kind("lights", "Light", args=("name", "type")),
    Kind("lightprobes", "LightProbe", args=("name", "type")),
    Kind("speakers", "Speaker"),
    Kind("armatures", "Armature"),
    Kind("lattices", "Lattice"),
    Kind("metaballs", "MetaBall"),
    Kind(
        "curves",
        "Curve",
        args=("name", "class"),
        classes={"Curve": "CURVE", "SurfaceCurve": "SURFACE", "TextCurve": "FONT"},
    ),
    Kind("hair_curves", "Curves"),
    Kind("pointclouds", "PointCloud"),
    Kind("volumes", "Volume"),
    Kind("meshes", "Mesh"),
    Kind("objects", "Object", args=("name", "data"), never={"type": "GPENCIL GREASEPENCIL"}),
    Kind("collections", "Collection"),
    Kind("scenes", "Scene"),
)

NOT_MIRRORED: Final = MappingProxyType(
    {
        "all_ids": "view: each is in the collection of its type",
        "annotations": "todo: drawn notes",
        "brushes": "per user: a tool's settings",
        "cache_files": "todo: only an operator makes one, from a file on this machine",
        "grease_pencils": "todo: drawings",
        "grease_pencils_v3": "todo: drawings",
        "libraries": "view: linked datablocks are mirrored as if they were local",
        "movieclips": "todo: a video on this machine, and its tracks",
        "paint_curves": "per user: a brush stroke at rest",
        "shape_keys": "view: part of their mesh, curve or lattice",
        "screens": "per user: the window's layout",
        "window_managers": "per user: windows and key maps",
        "workspaces": "per user: the window's layout",
    }
)
