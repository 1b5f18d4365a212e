"""Arrays between numpy and trees: chunks named by their sha256, hashed only where a fast hash says that they changed.

No bpy here.
"""

from __future__ import annotations

import base64
import binascii
import math
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import xxhash

from broadcaster.errors import RemoteProtocolError
from broadcaster.tree import CHUNK_BYTES, INLINE_BYTES, ITEM_BYTES, Tree

from .context import Blobs

Array = npt.NDArray[Any]

MAX_ELEMENTS: Final = 1 << 28  # of one array: the UV map of a mesh of 33 million faces
MAX_BYTES: Final = 1 << 30


class Hashes:
    """What one array was when it was encoded last: the fast hash of each chunk, and the node."""

    __slots__ = ("marks", "node")

    def __init__(self) -> None:
        self.marks: list[int] = []
        self.node: Tree = None

    def learn(self, array: Array, node: Tree) -> None:
        """Remembers an array that was decoded, so that to encode it again costs no sha256."""
        self.marks, self.node = list(map(xxhash.xxh3_64_intdigest, _chunks(array))), node


def encode(array: Array, blobs: Blobs, hashes: Hashes | None = None) -> Tree:
    """The node of an array; up to INLINE_BYTES stand in the node itself.

    Only chunks that differ from what `hashes` remembers are put into `blobs`. If none does, the node is the old one.
    """
    head = {"$": "array", "dtype": array.dtype.str, "shape": list(array.shape)}
    if array.nbytes <= INLINE_BYTES:
        return head | {"data": base64.b64encode(array.tobytes()).decode()}
    chunks = _chunks(array)
    marks = list(map(xxhash.xxh3_64_intdigest, chunks))
    old: Any = hashes.node if hashes is not None else None
    if hashes is None or not _alike(old, head) or "chunks" not in old:
        shas = [blobs.put(bytes(chunk)) for chunk in chunks]
    elif marks == hashes.marks:
        return old
    else:
        known = zip(chunks, marks, hashes.marks, old["chunks"], strict=True)
        shas = [sha if mark == before else blobs.put(bytes(chunk)) for chunk, mark, before, sha in known]
    node = head | {"chunks": shas}
    if hashes is not None:
        hashes.marks, hashes.node = marks, node
    return node


def decode(node: Tree, blobs: Blobs) -> Array:
    """The array of a node that another member sent: writable, and of the dtype and shape that the node says.

    Raises RemoteProtocolError if the node contradicts itself or its blobs, or is too large; KeyError for a lost blob.
    """
    dtype, shape, size = header(node)
    if "data" in node:
        try:
            data = base64.b64decode(node["data"], validate=True)
        except (binascii.Error, ValueError) as exc:
            raise RemoteProtocolError(f"malformed array: {exc}") from exc
        if len(data) != size:
            raise RemoteProtocolError(f"an array of {size} bytes holds {len(data)}")
        raw = np.frombuffer(bytearray(data), np.uint8)
    else:
        raw = np.empty(size, np.uint8)
        for index, sha in enumerate(node["chunks"]):
            _put_chunk(raw, index, blobs.get(sha))
    return _typed(raw, dtype).reshape(shape)


def splice(array: Array, old: Tree, new: Tree, blobs: Blobs) -> Array:
    """What the node `new` says, given the `array` of the node `old`: made of its changed chunks alone, in place.

    Raises as `decode`.
    """
    changed = chunks_changed(old, new)
    if changed is None:
        return decode(new, blobs)
    header(new)
    raw = array.reshape(-1).view(np.uint8)
    for index in changed:
        _put_chunk(raw, index, blobs.get(new["chunks"][index]))
    return _typed(raw, array.dtype).reshape(array.shape)


def chunks_changed(old: Tree, new: Tree) -> list[int] | None:
    """The places of the chunks in which two array nodes differ; None if it takes more to make one of the other."""
    if not _alike(old, new) or "chunks" not in old or "chunks" not in new or len(old["chunks"]) != len(new["chunks"]):
        return None
    return [index for index, (one, two) in enumerate(zip(old["chunks"], new["chunks"], strict=True)) if one != two]


def header(node: Tree) -> tuple[np.dtype[Any], tuple[int, ...], int]:
    """The dtype, shape and bytes of a node, none of whose blobs is touched.

    Raises RemoteProtocolError if they are not allowed or contradict the number of chunks.
    """
    if type(node) is not dict or node.get("$") != "array" or node.get("dtype") not in ITEM_BYTES:
        raise RemoteProtocolError(f"not an array: {str(node)[:60]}")
    dtype, shape = np.dtype(node["dtype"]), node.get("shape")
    if type(shape) is not list or not all(type(one) is int and one >= 0 for one in shape):
        raise RemoteProtocolError(f"not the shape of an array: {str(shape)[:60]}")
    elements = math.prod(shape)
    size = elements * dtype.itemsize
    if elements > MAX_ELEMENTS or size > MAX_BYTES:
        raise RemoteProtocolError(f"an array of {elements} elements is larger than is allowed")
    if "data" not in node and len(node.get("chunks", ())) != -(-size // CHUNK_BYTES):
        raise RemoteProtocolError(f"an array of {size} bytes in {len(node.get('chunks', ()))} chunks")
    return dtype, tuple(shape), size


def _chunks(array: Array) -> list[memoryview]:
    data = np.ascontiguousarray(array).reshape(-1).view(np.uint8).data
    return [data[start : start + CHUNK_BYTES] for start in range(0, len(data), CHUNK_BYTES)]


def _alike(one: Tree, two: Tree) -> bool:
    return one is not None and one["dtype"] == two["dtype"] and one["shape"] == two["shape"]


def _put_chunk(raw: Array, index: int, chunk: bytes) -> None:
    place = raw[index * CHUNK_BYTES : (index + 1) * CHUNK_BYTES]
    if len(chunk) != len(place):
        raise RemoteProtocolError(f"a chunk of {len(chunk)} bytes where {len(place)} belong")
    place[:] = np.frombuffer(chunk, np.uint8)


def _typed(raw: Array, dtype: np.dtype[Any]) -> Array:
    if dtype.kind == "b" and raw.max(initial=0) > 1:
        raise RemoteProtocolError("an array of truth values holds others")
    return raw.view(dtype)
