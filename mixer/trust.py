"""What another member sent is data. Which driver expressions are no more than arithmetic, and so may run here. Pure."""

from __future__ import annotations

import ast
import builtins
import math
from collections.abc import Collection, Mapping
from types import MappingProxyType
from typing import Any, Final

MAX_BYTES: Final = 255  # what a driver holds of its expression; a longer one would be cut to another one
MAX_DEPTH: Final = 48
MAX_BITS: Final = 1 << 14  # of an integer on the way
FLOAT_BITS: Final = 1024  # of the largest integer that one float becomes

_MATH: Final = (
    "acos acosh asin asinh atan atan2 atanh ceil copysign cos cosh degrees exp fabs floor fmod hypot log log10 log2 pow"
    " radians sin sinh sqrt tan tanh trunc"
)
_BUILTINS: Final = "abs bool float int max min round"

# Where each comes from; None for those that only Blender has.
FUNCTIONS: Final[Mapping[str, Any]] = MappingProxyType(
    {name: getattr(math, name) for name in _MATH.split()}
    | {name: getattr(builtins, name) for name in _BUILTINS.split()}
    | dict.fromkeys(("clamp", "lerp", "smoothstep"))
)
CONSTANTS: Final = frozenset({"frame", "e", "pi", "tau"})

_ARITHMETIC: Final = (ast.Add, ast.Sub, ast.Mult, ast.Div, ast.FloorDiv, ast.Mod)
_SIGNS: Final = (ast.UAdd, ast.USub, ast.Not)
_COMPARISONS: Final = (ast.Eq, ast.NotEq, ast.Lt, ast.LtE, ast.Gt, ast.GtE)


class _Unsafe(Exception):
    """The expression holds more than arithmetic."""


def is_safe_expression(text: str, variables: Collection[str], redefined: Collection[str] = ()) -> bool:
    """Whether a driver's expression holds only its variables, the frame, numbers, operators and listed functions.

    No call of it reaches code that a user wrote: a function in `redefined` does not count as listed. It is small, and
    no integer in it grows beyond MAX_BITS.
    """
    try:
        if len(text.encode()) > MAX_BYTES:
            return False
        _bits(ast.parse(text, mode="eval").body, frozenset(variables), frozenset(redefined), 0)
    except (_Unsafe, SyntaxError, ValueError, RecursionError, MemoryError):
        return False
    return True


def redefined_in(namespace: Mapping[str, object], native: Mapping[str, object]) -> frozenset[str]:
    """The listed functions that mean something else in `namespace`. `native` are those that only Blender has."""
    found = set()
    for name, function in FUNCTIONS.items():
        own = native.get(name) if function is None else function
        if name in namespace and namespace[name] is not own:
            found.add(name)
    return frozenset(found)


def _bits(node: ast.expr, variables: frozenset[str], redefined: frozenset[str], depth: int) -> int:
    """An upper bound of the bits of the integer that `node` may become.

    Raises _Unsafe if it is too large or `node` is more than arithmetic.
    """
    if depth > MAX_DEPTH:
        raise _Unsafe

    def inner(*nodes: ast.expr) -> list[int]:
        return [_bits(one, variables, redefined, depth + 1) for one in nodes]

    match node:
        case ast.Constant(value=bool() | float()):
            bits = FLOAT_BITS
        case ast.Constant(value=int(value)):
            bits = value.bit_length()
        case ast.Name(id=name) if name in variables or name in CONSTANTS:
            bits = FLOAT_BITS
        case ast.UnaryOp(op=op, operand=operand) if isinstance(op, _SIGNS):
            bits = max(inner(operand))
        case ast.BinOp(op=ast.Pow(), left=left, right=right):
            bits = max(inner(left, right)) * _exponent(right)
        case ast.BinOp(op=op, left=left, right=right) if isinstance(op, _ARITHMETIC):
            bits = sum(inner(left, right)) + 1
        case ast.BoolOp(values=values):
            bits = max(inner(*values))
        case ast.Compare(left=left, ops=ops, comparators=others) if all(isinstance(op, _COMPARISONS) for op in ops):
            bits = max(inner(left, *others))
        case ast.IfExp(test=test, body=body, orelse=orelse):
            bits = max(inner(test, body, orelse))
        case ast.Call(func=ast.Name(id=name), args=args, keywords=[]) if name in FUNCTIONS and name not in redefined:
            if name in variables or (name == "round" and len(args) > 1 and not isinstance(args[1], ast.Constant)):
                raise _Unsafe
            bits = max([FLOAT_BITS, *inner(*args)])
        case _:
            raise _Unsafe
    if bits > MAX_BITS:
        raise _Unsafe
    return bits


def _exponent(node: ast.expr) -> int:
    """How many times over a power makes an integer longer. Raises _Unsafe unless the exponent is a small number."""
    match node:
        case ast.UnaryOp(op=ast.USub() | ast.UAdd(), operand=operand):
            return _exponent(operand)
        case ast.Constant(value=int() | float() as value) if value <= MAX_BITS:
            return max(1, math.ceil(value))
    raise _Unsafe
