"""What to read of each RNA type: made from RNA itself once a type, and from what `tables` leaves out."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Final, TypeAlias

import numpy as np

from .tables import LEFT_OUT, PER_USER, PER_USER_NAMES
from .values import EXTRA, UNNAMED, Extra, takes_custom_properties

SCALARS: Final = {"BOOLEAN", "INT", "FLOAT", "STRING", "ENUM"}
DTYPES: Final[dict[str, Any]] = {"BOOLEAN": np.bool_, "INT": np.int32, "FLOAT": np.float32, "ENUM": np.int32}
OUT: Final = frozenset(" ".join(LEFT_OUT.values()).split())

# The flag of each property says whether it is each person's own.
Named: TypeAlias = tuple[str, bool]
Scalar: TypeAlias = tuple[str, bool, bool, Callable[[Any], Any] | None]  # whether it is an array; what is made of it
Column: TypeAlias = tuple[str, bool, Any, int]  # and its dtype and width


@dataclass(frozen=True, slots=True)
class Plan:
    """The properties of one RNA type, by the way they are read."""

    scalars: tuple[Scalar, ...]
    collections: tuple[Named, ...]
    pointers: tuple[Named, ...]
    extra: tuple[Extra, ...]
    custom: bool


_plans: Final[dict[type, Plan]] = {}  # caches of what RNA says
_columns: Final[dict[type, tuple[Column, ...]]] = {}


def plan_of(struct: Any) -> Plan:
    """The plan of `struct`'s type."""
    if (plan := _plans.get(type(struct))) is None:
        plan = _plans[type(struct)] = _make_plan(struct)
    return plan


def _make_plan(struct: Any) -> Plan:
    bases = list(_bases(struct.bl_rna))
    scalars: list[Scalar] = []
    collections: list[Named] = []
    pointers: list[Named] = []
    for prop in _compared(struct.bl_rna, bases):
        is_user = _is_per_user(bases, prop.identifier)
        if prop.type in SCALARS:
            scalars.append((prop.identifier, is_user, *_reading(prop)))
        elif prop.type == "COLLECTION":
            collections.append((prop.identifier, is_user))
        else:
            pointers.append((prop.identifier, is_user))
    extra = tuple(one for base in bases for one in EXTRA.get(base, ()))
    return Plan(tuple(scalars), tuple(collections), tuple(pointers), extra, takes_custom_properties(struct))


def columns_of(collection: Any) -> tuple[Column, ...]:
    """The properties of a collection whose items hold numbers only; empty for any other collection."""
    kind = type(collection[0])
    if kind not in _columns:
        _columns[kind] = () if collection[0] is None else _make_columns(collection[0].bl_rna)
    return _columns[kind] if all(type(item) is kind for item in collection) else ()


def _make_columns(rna: Any) -> tuple[Column, ...]:
    bases = list(_bases(rna))
    found: list[Column] = []
    for prop in _compared(rna, bases):
        if prop.type not in DTYPES or getattr(prop, "is_enum_flag", False):
            return ()
        width = prop.array_length if _is_array(prop) else 1
        if width == 0:
            return ()  # as long as each item likes
        found.append((prop.identifier, _is_per_user(bases, prop.identifier), DTYPES[prop.type], width))
    return tuple(found)


def _bases(rna: Any) -> Iterator[str]:
    while rna is not None:
        yield rna.identifier
        rna = rna.base


def _compared(rna: Any, bases: Iterable[str]) -> Iterator[Any]:
    """The properties that are not left out."""
    for prop in rna.properties:
        name = prop.identifier
        if name == "rna_type" or getattr(prop, "is_deprecated", False):
            continue
        if not any(f"{base}.{name}" in OUT for base in ("*", *bases)):
            yield prop


def _is_array(prop: Any) -> bool:
    return bool(getattr(prop, "is_array", False) or getattr(prop, "is_enum_flag", False))


def _reading(prop: Any) -> tuple[bool, Callable[[Any], Any] | None]:
    """Whether it is an array, and what is made of its value.

    Old files hold what nobody can set: a number out of range stands for the nearest in it, an unnamed enum for any.
    """
    if _is_array(prop):
        return True, None
    if prop.type == "ENUM" and "" not in {item.identifier for item in prop.enum_items_static}:
        return False, lambda value: value or UNNAMED
    if prop.type in ("INT", "FLOAT") and not prop.is_readonly:
        low, high = prop.hard_min, prop.hard_max
        return False, lambda value: low if value < low else high if value > high else value
    return False, None


def _is_per_user(bases: Iterable[str], name: str) -> bool:
    return PER_USER_NAMES.fullmatch(name) is not None or any(f"{base}.{name}" in PER_USER for base in bases)
