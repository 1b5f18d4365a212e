"""Two trees of `walk`: where they differ."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from .plan import stands_for
from .tables import COMPUTED, PER_USER_ITEMS, TOLERANCE
from .values import Reference
from .walk import Items, Struct, Tree

SHOWN_CHARACTERS: Final = 60
ABSENT: Final = "absent"
PLAIN: Final = frozenset({bool, int, float, str, tuple, type(None), Reference})


@dataclass(frozen=True, slots=True)
class Difference:
    """One place where two files differ. `where` names the RNA type and property; `per_user` what is a person's own."""

    path: str
    where: str
    a: str
    b: str
    per_user: bool = False

    def __str__(self) -> str:
        return f"{self.path}: {self.a} != {self.b}"


def differences(a: Tree, b: Tree) -> list[Difference]:
    """Every difference. Datablocks are matched by kind and name."""
    kinds = dict.fromkeys((*a, *b))
    return [found for kind in kinds for found in _datablocks(kind, a.get(kind, {}), b.get(kind, {}))]


def _datablocks(kind: str, a: dict[str, Struct], b: dict[str, Struct]) -> Iterator[Difference]:
    for name in sorted(a.keys() | b.keys()):
        if name in a and name in b:
            yield from _struct(a[name], b[name], per_user=False)
        elif not (a.get(name) or b[name]).unused:
            yield Difference(f"{kind}[{name!r}]", kind, *("there", ABSENT) if name in a else (ABSENT, "there"))


def _struct(a: Struct, b: Struct, *, per_user: bool) -> Iterator[Difference]:
    if a.kind != b.kind:
        yield Difference(a.path, a.kind, f"a {a.kind}", f"a {b.kind}", per_user)
        return
    for mine, theirs, own in ((a.fields, b.fields, per_user), (a.user, b.user, True)):
        for name in dict.fromkeys((*mine, *theirs)):
            one, other = mine.get(name, ABSENT), theirs.get(name, ABSENT)
            if type(one) is type(other) and type(one) in PLAIN and one == other:
                continue
            is_custom = name.startswith("[")
            path = f"{a.path}{name}" if is_custom else f"{a.path}.{name}"
            where = f"{a.kind} custom properties" if is_custom else f"{a.kind}.{name}"
            yield from _value(one, other, path, where, own)


def _value(a: Any, b: Any, path: str, where: str, per_user: bool) -> Iterator[Difference]:
    match a, b:
        case Struct(), Struct():
            yield from _struct(a, b, per_user=per_user)
        case Items(), Items():
            yield from _items(a, b, path, where, per_user)
        case (Items(), None) | (None, Items()):
            yield from _items(a or Items({}, b.ordered), b or Items({}, a.ordered), path, where, per_user)
        case np.ndarray(), np.ndarray():
            yield from _array(a, b, path, where, per_user)
        case _ if not _same(*stands_for(where, a, b), TOLERANCE if where in COMPUTED else 0.0):
            yield Difference(path, where, _shown(a), _shown(b), per_user)


def _items(a: Items, b: Items, path: str, where: str, per_user: bool) -> Iterator[Difference]:
    for key in dict.fromkeys((*a.of, *b.of)):
        own = per_user or PER_USER_ITEMS.fullmatch(key) is not None
        yield from _value(a.of.get(key, ABSENT), b.of.get(key, ABSENT), f"{path}[{key}]", where, own)
    mine, theirs = [key for key in a.of if key in b.of], [key for key in b.of if key in a.of]
    if a.ordered and mine != theirs:
        yield Difference(f"{path} (order)", where, _shown(mine), _shown(theirs), per_user)


def _array(a: Any, b: Any, path: str, where: str, per_user: bool) -> Iterator[Difference]:
    if a.shape != b.shape:
        yield Difference(path, where, f"{len(a)} rows", f"{len(b)} rows", per_user)
        return
    same = (a == b) | ((a != a) & (b != b))  # NaN is the only number that is not itself
    rows = np.flatnonzero(~same.all(axis=tuple(range(1, a.ndim))))
    if len(rows):
        first = int(rows[0])
        more = f" (and {len(rows) - 1} more rows)" if len(rows) > 1 else ""
        shown = _shown(a[first].tolist()), _shown(b[first].tolist()) + more
        yield Difference(f"{path}[{first}]", where, *shown, per_user)


def _same(a: Any, b: Any, tolerance: float = 0.0) -> bool:
    """Whether two values are of one type and equal, NaN being equal to NaN."""
    if type(a) is tuple and type(b) is tuple:
        return len(a) == len(b) and all(_same(one, other, tolerance) for one, other in zip(a, b, strict=True))
    if type(a) is not type(b):
        return False
    if a == b or (a != a and b != b):
        return True
    return type(a) is float and math.isclose(a, b, rel_tol=tolerance, abs_tol=tolerance)


def _shown(value: Any) -> str:
    match value:
        case Struct():
            return f"a {value.kind}"
        case Items():
            return f"{len(value.of)} items"
        case np.ndarray():
            return f"{len(value)} rows"
        case str() if value == ABSENT:
            return value
        case str():
            text = repr(value)
        case _:
            text = str(value)
    return text if len(text) <= SHOWN_CHARACTERS else text[: SHOWN_CHARACTERS - 3] + "..."
