"""Which driver expressions are arithmetic and may run though another member sent them."""

from __future__ import annotations

import math
from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mixer.trust import FUNCTIONS, MAX_BYTES, is_safe_expression, redefined_in

VARIABLES = frozenset({"var", "size", "os"})

ARITHMETIC = """
var
frame
-var + size * 2
var / (size or 1)
frame % 24 // 2
var ** 2 + size ** -0.5
sin(frame / 10) * pi
lerp(0.0, 1.0, clamp(frame / 100))
smoothstep(0, 1, var)
min(var, size, 3) if var > 1 else max(var, 0)
0 < var <= 1 and not size == 2
atan2(var, size) * 180 / pi
round(var, 2)
round(var * 10) / 10
degrees(radians(var)) + tau - e
floor(var) + ceil(size) - int(frame) + float(var) + bool(size) + trunc(var)
sqrt(pow(var, 2) + fmod(size, 2)) + hypot(var, size) + log(abs(var), 2) + exp(-var)
True
1e3
os
"""

MORE = """
__import__('os').system('true')
os.system
os.system("true")
system
bpy
self
depsgraph
unknown
var.real
var[0]
var()
sin
eval(var)
exec(var)
getattr(var, "x")
open("/etc/passwd")
(lambda: 1)()
[x for x in (1, 2)]
{x for x in (1, 2)}
(x for x in (1, 2))
[1, 2]
(1, 2)
{1: 2}
{*var}
"text"
b"bytes"
f"{var}"
...
None
1j
(var := 1)
await var
yield var
var is size
var in size
var @ size
1 << 10000000000
var >> 1
var & 1
var | 1
~var
min(*var)
max(var, key=size)
round(var, -size)
round(var, ndigits=2)
factorial(100000)
comb(100000, 50000)
prod(var)
noise.random()
sin.__class__
"""


@pytest.mark.parametrize("text", ARITHMETIC.strip().splitlines())
def test_arithmetic_runs(text: str) -> None:  # TRUST1
    assert is_safe_expression(text, VARIABLES)


@pytest.mark.parametrize("text", MORE.strip().splitlines())
def test_anything_more_does_not(text: str) -> None:  # TRUST1
    assert not is_safe_expression(text, VARIABLES)


@pytest.mark.parametrize(
    "text",
    [
        "",
        " ",
        "1 +",
        "var; var",
        "var\nvar",
        "import os",
        "var = 1",
        "\0",
        "1\0",
        "\ud800",
        "var +" * 60 + "var",
        "-" * 200 + "var",
        "not " * 60 + "var",
        "sin(" * 60 + "var" + ")" * 60,
        "é" * 200,
    ],
)
def test_what_is_broken_or_too_large_does_not(text: str) -> None:  # TRUST2
    assert not is_safe_expression(text, VARIABLES)


@pytest.mark.parametrize(
    "text",
    [
        "9**9**9",
        "9**9999999",
        "9**-(9**9)",
        "var**size",
        "floor(1e308)**floor(1e308)",
        "(((floor(var)**9)**9)**9)**9",
        "2**1e999",
        "*".join(["floor(1e308)"] * 18),
        "(9**99)**(9**99)",
        "(-9)**9**9",
    ],
)
def test_no_number_grows_without_end(text: str) -> None:  # TRUST2
    assert not is_safe_expression(text, VARIABLES)


def test_a_name_counts_only_as_what_it_is() -> None:  # TRUST1
    assert not is_safe_expression("sin(var)", {"var", "sin"})  # to call a variable is to call what it holds
    assert not is_safe_expression("var + size", {"var"})
    assert is_safe_expression("\uff53\uff49\uff4e(frame)", set())  # in wide letters, which Python reads as sin
    assert not is_safe_expression("\uff4fpen(frame)", set())


def test_a_function_that_a_user_redefined_does_not_count() -> None:  # TRUST3
    native = vars(SimpleNamespace(clamp=object(), lerp=object(), smoothstep=object()))
    assert redefined_in(vars(math) | native, native) == frozenset()
    mine = redefined_in({"sin": lambda x: x, "max": max, "min": print, "lerp": object(), "other": print}, native)
    assert mine == {"sin", "min", "lerp"}
    assert not is_safe_expression("sin(var)", {"var"}, mine)
    assert is_safe_expression("cos(var)", {"var"}, mine)
    assert is_safe_expression("sin + 1", {"sin"}, mine)  # a variable of that name is no call


@given(st.text(max_size=40))
def test_no_text_breaks_the_check(text: str) -> None:  # TRUST2
    is_safe_expression(text, VARIABLES)


ATOMS = st.sampled_from(["var", "size", "frame", "pi", "1", "2.5", "1e9", "True", "300"])
FUNCTIONS_OF_ONE = ("abs", "floor", "ceil", "int", "sin", "sqrt", "round")
UNARY = st.sampled_from(["-{}", "(not {})", *(f"{name}({{}})" for name in FUNCTIONS_OF_ONE)])
OPERATORS = ("+", "-", "*", "/", "//", "%", "**", "<", "==", "and", "or")
BINARY = st.sampled_from([f"({{}} {operator} {{}})" for operator in OPERATORS])


def grown(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    one = st.builds(str.format, UNARY, inner)
    return one | st.builds(str.format, BINARY, inner, inner)


@given(st.recursive(ATOMS, grown, max_leaves=20), st.floats(-1e6, 1e6), st.floats(allow_nan=False))
def test_what_is_safe_ends_soon_and_is_a_number(text: str, var: float, size: float) -> None:  # TRUST2
    if not is_safe_expression(text, {"var", "size"}):
        return
    assert len(text.encode()) <= MAX_BYTES
    names = {name: function for name, function in FUNCTIONS.items() if function is not None}
    try:
        value = eval(text, {"__builtins__": {}}, names | {"var": var, "size": size, "frame": 7.0, "pi": math.pi})
    except (ArithmeticError, ValueError, TypeError):
        return
    assert isinstance(value, (bool, int, float, complex))
    assert not isinstance(value, int) or value.bit_length() <= 1 << 14
