"""Legal values for what RNA declares: properties of structs and options of operators. Runs in a Blender."""

from __future__ import annotations

import re
from random import Random
from typing import Any, Final

import bpy

NAMES: Final = (
    "Thing",
    "Thing",
    "Other",
    "Cube",
    "A",
    "B",
    "Ünïcødé",
    "ends.001",
    "with space",
    "dots.and/slash",
    "x" * 63,
)
SCALARS: Final = {"BOOLEAN", "INT", "FLOAT", "STRING", "ENUM"}
SMALL: Final = 4  # counts, levels and resolutions: what is cheap to evaluate
FAR: Final = 3.0

CHOICES = re.compile(r"'([^']*)'")


def random_value(chance: Random, prop: Any) -> Any:
    """A value that the declaration of `prop` allows. Raises LookupError where it names none."""
    if getattr(prop, "is_array", False):
        return [_one(chance, prop) for _ in range(_length(prop))]
    if prop.type == "ENUM" and prop.is_enum_flag:
        return {one.identifier for one in prop.enum_items if chance.random() < 0.5}
    return _one(chance, prop)


def _length(prop: Any) -> int:
    length = 1
    for size in prop.array_dimensions:
        length *= size or 1
    if sum(size > 0 for size in prop.array_dimensions) > 1:
        raise LookupError("a matrix")
    return length


def _one(chance: Random, prop: Any) -> Any:
    match prop.type:
        case "BOOLEAN":
            return chance.random() < 0.5
        case "INT":
            low, high = max(prop.hard_min, -SMALL), min(prop.hard_max, SMALL)
            return chance.randint(low, high) if low <= high else prop.hard_min
        case "FLOAT":
            low, high = max(prop.soft_min, -FAR), min(prop.soft_max, FAR)
            return round(chance.uniform(low, high), 1) if low <= high else prop.hard_min
        case "STRING":
            return chance.choice(NAMES)
        case "ENUM":
            return chance.choice([one.identifier for one in prop.enum_items] or [""])
    raise LookupError(prop.type)


def put(struct: Any, name: str, value: Any, chance: Random) -> Any:
    """Sets a property; of an enum whose choices depend on more than RNA declares, another choice. What was set."""
    try:
        setattr(struct, name, value)
    except TypeError as exc:
        choices = CHOICES.findall(str(exc).partition(" not found in ")[2])
        if not choices:
            raise
        value = chance.choice(choices)
        setattr(struct, name, value)
    return value


def options(chance: Random, operator: Any, never: frozenset[str]) -> dict[str, Any]:
    """Some of an operator's options."""
    found = {}
    for prop in operator.get_rna_type().properties:
        name = prop.identifier
        if name == "rna_type" or name in never or prop.type not in SCALARS or prop.is_readonly or chance.random() < 0.6:
            continue
        if prop.type == "STRING":
            continue
        try:
            value = random_value(chance, prop)
        except LookupError:
            continue
        if value != "":
            found[name] = value
    return found


def operator(path: str) -> Any:
    """The operator of a path such as "mesh.primitive_cube_add". Raises AttributeError if this Blender has none."""
    area, _, name = path.partition(".")
    found = getattr(getattr(bpy.ops, area), name)
    found.get_rna_type()
    return found
