"""What to read of each RNA type: made from RNA itself once a type, and from what `tables` leaves out."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from operator import attrgetter
from typing import Any, Final, TypeAlias

import numpy as np

from .tables import LEFT_OUT, PER_USER, PER_USER_NAMES
from .values import EXTRA, Extra, takes_custom_properties

NODE_LEAST: Final = {"width": 100.0, "height": 30.0}  # what older files hold below these Blender raises when it is set
SCALARS: Final = {"BOOLEAN", "INT", "FLOAT", "STRING", "ENUM"}
DTYPES: Final[dict[str, Any]] = {"BOOLEAN": np.bool_, "INT": np.int32, "FLOAT": np.float32, "ENUM": np.int32}
OUT: Final = frozenset(" ".join(LEFT_OUT.values()).split())

# The flag of each property says whether it is each person's own.
Named: TypeAlias = tuple[str, bool]
Column: TypeAlias = tuple[str, bool, Any, int]  # and its dtype and width


@dataclass(frozen=True, slots=True)
class Plan:
    """The properties of one RNA type, by the way they are read."""

    scalars: tuple[str, ...]
    get_scalars: Callable[[Any], tuple[Any, ...]]  # all of them in one call
    rest: tuple[Named, ...]  # scalars that are each person's own, and arrays
    collections: tuple[tuple[str, bool, str], ...]  # and the RNA type of their items
    pointers: tuple[Named, ...]
    extra: tuple[Extra, ...]
    custom: bool


_plans: Final[dict[type, Plan]] = {}  # caches of what RNA says
_columns: Final[dict[type, tuple[Column, ...]]] = {}
_enums: Final[set[str]] = set()  # "RnaType.property", for `stands_for`
_limits: Final[dict[str, tuple[float, float]]] = {}


def plan_of(struct: Any) -> Plan:
    """The plan of `struct`'s type."""
    if (plan := _plans.get(type(struct))) is None:
        plan = _plans[type(struct)] = _make_plan(struct)
    return plan


def _make_plan(struct: Any) -> Plan:
    bases = list(_bases(struct.bl_rna))
    scalars: list[str] = []
    rest: list[Named] = []
    collections: list[tuple[str, bool, str]] = []
    pointers: list[Named] = []
    for prop in _compared(struct.bl_rna, bases):
        name, is_user = prop.identifier, _is_per_user(bases, prop.identifier)
        if prop.type == "COLLECTION":
            collections.append((name, is_user, prop.fixed_type.identifier))
        elif prop.type not in SCALARS:
            pointers.append((name, is_user))
        elif is_user or _is_array(prop):
            rest.append((name, is_user))
            _note_range(f"{bases[0]}.{name}", prop, bases)
        else:
            scalars.append(name)
            _note_range(f"{bases[0]}.{name}", prop, bases)
    extra = tuple(one for base in bases for one in EXTRA.get(base, ()))
    custom = takes_custom_properties(struct)
    getter = _getter(scalars)
    return Plan(tuple(scalars), getter, tuple(rest), tuple(collections), tuple(pointers), extra, custom)


def _getter(names: list[str]) -> Callable[[Any], tuple[Any, ...]]:
    if len(names) > 1:
        return attrgetter(*names)
    return lambda struct: tuple(getattr(struct, name) for name in names)


def _note_range(where: str, prop: Any, bases: Iterable[str]) -> None:
    if prop.type == "ENUM" and "" not in {item.identifier for item in prop.enum_items_static}:
        _enums.add(where)
    elif (least := NODE_LEAST.get(prop.identifier)) is not None and "Node" in bases:
        _limits[where] = least, prop.hard_max
    elif prop.type in ("INT", "FLOAT") and not prop.is_readonly:
        _limits[where] = prop.hard_min, prop.hard_max


def stands_for(where: str, a: Any, b: Any) -> tuple[Any, Any]:
    """The two values of a property as they are to be compared.

    Old files hold what nobody can set: a number out of range stands for the nearest in it, an enum whose number has no
    name for whatever the other says.
    """
    if where in _enums and "" in (a, b):
        return a, a
    if (limits := _limits.get(where)) is not None:
        return _within(a, *limits), _within(b, *limits)
    return a, b


def _within(value: Any, low: float, high: float) -> Any:
    """A number or a tuple of them, with the nearest in range for what is out of it."""
    if isinstance(value, tuple):
        return tuple(_within(one, low, high) for one in value)
    if not isinstance(value, (int, float)):
        return value  # what is absent, or cannot be read
    return low if value < low else high if value > high else value


def columns_of(collection: Any, item_type: str) -> tuple[Column, ...]:
    """The properties of a collection whose items hold numbers only; empty for any other collection."""
    first = collection[0]
    kind = type(first)
    if kind not in _columns:
        _columns[kind] = () if first is None else _make_columns(first.bl_rna)
    columns = _columns[kind]
    if columns and first.bl_rna.identifier != item_type and len(set(map(type, collection))) > 1:
        return ()
    return columns


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


def _is_per_user(bases: Iterable[str], name: str) -> bool:
    return PER_USER_NAMES.fullmatch(name) is not None or any(f"{base}.{name}" in PER_USER for base in bases)
