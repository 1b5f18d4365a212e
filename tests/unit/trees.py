"""Hypothesis strategies for trees, and small trees for examples."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from broadcaster.tree import items, link_set, ref

NAMES = st.sampled_from(list("abcdef"))
SHAS = st.sampled_from([digit * 64 for digit in "0123456789"])
SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(2**53), 2**53),
    st.floats(allow_nan=False, allow_infinity=False),
    st.text(max_size=5),
    st.just({"$": "num", "of": "nan"}),
    NAMES.map(ref),
)
ARRAYS = st.one_of(
    st.lists(SHAS, min_size=3, max_size=3).map(
        lambda chunks: {"$": "array", "dtype": "<f4", "shape": [49152], "chunks": chunks}
    ),
    st.sampled_from(["AAAA", "AQID"]).map(lambda data: {"$": "array", "dtype": "|u1", "shape": [3], "data": data}),
)
LAYOUTS = st.builds(
    lambda id, of: {"$": "layout", "id": id, "of": of},
    st.sampled_from("LM"),
    st.dictionaries(NAMES, ARRAYS, max_size=3),
)


def _larger(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    structs = st.dictionaries(NAMES, inner, max_size=4)
    keyed = st.dictionaries(NAMES, inner, max_size=4).map(items)
    return st.one_of(structs, keyed, st.sets(NAMES).map(link_set), st.lists(SCALARS, max_size=3), LAYOUTS)


TREES = st.recursive(SCALARS, _larger, max_leaves=12)
STRUCTS = st.dictionaries(NAMES, TREES, max_size=5)
