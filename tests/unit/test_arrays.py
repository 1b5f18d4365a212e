"""Arrays between numpy and trees: what changed is hashed and kept, what is malformed never becomes an array."""

from __future__ import annotations

from hashlib import sha256
from typing import Any, Final

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from broadcaster.errors import RemoteProtocolError
from broadcaster.tree import CHUNK_BYTES, INLINE_BYTES, ITEM_BYTES, Facts, Tree, check_tree

arrays = pytest.importorskip("mixer.proxy.arrays", reason="the package it stands in needs bpy")

LARGE: Final = np.arange(CHUNK_BYTES, dtype=np.int32)  # four chunks
DTYPES: Final = st.sampled_from(sorted(ITEM_BYTES))
ARRAYS: Final = DTYPES.flatmap(lambda dtype: hnp.arrays(dtype, hnp.array_shapes(min_dims=1, max_dims=3, min_side=0)))


class Blobs(dict[str, bytes]):
    """Blobs in memory, and how many were given."""

    puts = 0

    def put(self, data: bytes) -> str:
        self.puts += 1
        sha = sha256(data).hexdigest()
        self[sha] = data
        return sha

    def get(self, sha: str) -> bytes:  # type: ignore[override]
        return self[sha]


def same(one: Any, two: Any) -> bool:
    return bool(one.dtype == two.dtype and one.shape == two.shape and one.tobytes() == two.tobytes())


@given(ARRAYS)
def test_an_array_survives(array: Any) -> None:  # ARRAY1
    blobs = Blobs()
    node = arrays.encode(array, blobs)
    check_tree(node, Facts())
    assert same(arrays.decode(node, blobs), array)


@pytest.mark.parametrize("extra", [-1, 0, 1])
@pytest.mark.parametrize("limit", [INLINE_BYTES, CHUNK_BYTES, 3 * CHUNK_BYTES])
def test_an_array_survives_at_the_limits(limit: int, extra: int) -> None:  # ARRAY1
    array, blobs = np.arange(limit + extra).astype(np.uint8), Blobs()
    node = arrays.encode(array, blobs)
    assert ("data" in node) == (limit + extra <= INLINE_BYTES)
    assert same(arrays.decode(node, blobs), array)


def test_a_view_is_encoded_as_what_it_shows() -> None:  # ARRAY1
    blobs = Blobs()
    view = LARGE.reshape(-1, 4)[:, 1:3]
    assert same(arrays.decode(arrays.encode(view, blobs), blobs), view)


def test_only_what_changed_is_kept_again() -> None:  # ARRAY2
    blobs, hashes, array = Blobs(), arrays.Hashes(), LARGE.copy()
    node = arrays.encode(array, blobs, hashes)
    assert arrays.encode(array, blobs, hashes) is node
    assert blobs.puts == 4
    array[20000] = -1
    changed = arrays.encode(array, blobs, hashes)
    assert blobs.puts == 5
    assert arrays.chunks_changed(node, changed) == [20000 * 4 // CHUNK_BYTES]
    assert same(arrays.decode(changed, blobs), array)


@pytest.mark.parametrize("other", [LARGE[:-1], LARGE.astype(np.float32), LARGE.reshape(-1, 2), LARGE[:3]])
def test_another_shape_or_type_is_another_array(other: Any) -> None:  # ARRAY2
    blobs, hashes = Blobs(), arrays.Hashes()
    node = arrays.encode(LARGE, blobs, hashes)
    changed = arrays.encode(other, blobs, hashes)
    assert arrays.chunks_changed(node, changed) is None
    assert same(arrays.decode(changed, blobs), other)
    assert same(arrays.splice(LARGE.copy(), node, changed, blobs), other)
    assert same(arrays.decode(arrays.encode(LARGE, blobs, hashes), blobs), LARGE)


def test_what_was_decoded_is_not_kept_again() -> None:  # ARRAY2
    blobs, hashes = Blobs(), arrays.Hashes()
    node = arrays.encode(LARGE, blobs)
    hashes.learn(arrays.decode(node, blobs), node)
    blobs.puts = 0
    assert arrays.encode(LARGE, blobs, hashes) is node
    assert blobs.puts == 0


@given(st.lists(st.tuples(st.integers(0, len(LARGE) - 1), st.integers(-9, 9)), max_size=5))
def test_splicing_is_decoding(edits: list[tuple[int, int]]) -> None:  # ARRAY2
    blobs = Blobs()
    new = LARGE.copy()
    for place, value in edits:
        new[place] = value
    before, after = arrays.encode(LARGE, blobs), arrays.encode(new, blobs)
    assert same(arrays.splice(LARGE.copy(), before, after, blobs), arrays.decode(after, blobs))


def test_splicing_asks_for_the_changed_chunks_alone() -> None:  # ARRAY2
    new, blobs, few = LARGE.copy(), Blobs(), Blobs()
    new[0] = 7
    before, after = arrays.encode(LARGE, blobs), arrays.encode(new, blobs)
    few.put(blobs[after["chunks"][0]])
    assert same(arrays.splice(LARGE.copy(), before, after, few), new)


BLOBS: Final = Blobs()
GOOD: Final[Tree] = arrays.encode(LARGE, BLOBS)
SHORT: Final = BLOBS.put(b"short")
HOSTILE: Final[dict[str, Tree]] = {
    "nothing": None,
    "no array": {"$": "blob", "sha": SHORT, "size": 5},
    "an unknown type": {**GOOD, "dtype": "|O"},
    "a type that is no text": {**GOOD, "dtype": 3},
    "no shape": {"$": "array", "dtype": "<i4", "data": ""},
    "a shape that is no list": {**GOOD, "shape": 65536},
    "a length below zero": {**GOOD, "shape": [-65536, -1]},
    "a length that is no integer": {**GOOD, "shape": [65536.0]},
    "a length that is a truth value": {"$": "array", "dtype": "|u1", "shape": [True], "data": "AA=="},
    "too few chunks": {**GOOD, "chunks": GOOD["chunks"][:-1]},
    "too many chunks": {**GOOD, "chunks": GOOD["chunks"] * 2},
    "no chunks": {"$": "array", "dtype": "<i4", "shape": [65536]},
    "a chunk that is too short": {**GOOD, "chunks": [*GOOD["chunks"][:-1], SHORT]},
    "ten gigabytes": {**GOOD, "shape": [5 << 29]},
    "ten gigabytes of one chunk": {**GOOD, "shape": [5 << 29], "chunks": GOOD["chunks"][:1] * 163840},
    "more than can be counted": {**GOOD, "shape": [1 << 62, 1 << 62]},
    "too little data": {"$": "array", "dtype": "<i4", "shape": [2], "data": "AAAA"},
    "data that is no base64": {"$": "array", "dtype": "|u1", "shape": [3], "data": "?!*#"},
    "data beyond ASCII": {"$": "array", "dtype": "|u1", "shape": [3], "data": "ÄÄÄÄ"},
    "a truth value of seven": {"$": "array", "dtype": "|b1", "shape": [3], "data": "AAcA"},
}


@pytest.mark.parametrize("node", HOSTILE.values(), ids=HOSTILE.keys())
def test_what_is_malformed_is_refused(node: Tree) -> None:  # ARRAY12
    with pytest.raises(RemoteProtocolError):
        arrays.decode(node, BLOBS)


@pytest.mark.parametrize("chunk", [b"", b"x", b"x" * (CHUNK_BYTES + 1)])
def test_a_chunk_that_does_not_fit_is_not_spliced(chunk: bytes) -> None:  # ARRAY12
    hostile = {**GOOD, "chunks": [BLOBS.put(chunk), *GOOD["chunks"][1:]]}
    with pytest.raises(RemoteProtocolError):
        arrays.splice(LARGE.copy(), GOOD, hostile, BLOBS)


def test_a_blob_that_is_not_here_is_a_key_error() -> None:  # ARRAY12
    with pytest.raises(KeyError):
        arrays.decode(GOOD, Blobs())
