"""Arrays between numpy and trees: chunks named by their sha256, hashed only where a fast hash says that they changed."""

from __future__ import annotations

import base64
import binascii
import math
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import xxhash

from broadcaster.errors import RemoteProtocolError
from broadcaster.tree import CHUNK_BYTES, INLINE_BYTES, Tree

from .context import Blobs

Array = npt.NDArray[Any]

DTYPES: Final = frozenset({"<f4", "<i4", "<i2", "|i1", "|u1", "|b1"})
MAX_ELEMENTS: Final = 1 << 28  # of one array: a mesh of 89 million vertices
MAX_BYTES: Final = 1 << 31


class Hashes:
    """What the chunks of one array hashed to at the last look: a fast hash, and the sha256 it stands for."""

    def __init__(self) -> None:
        self._known: list[tuple[int, str]] = []

    def chunks(self, data: memoryview, blobs: Blobs) -> list[str]:
        """The sha256 of each chunk; those not known yet are put into `blobs`."""
        found = []
        for place, start in enumerate(range(0, len(data), CHUNK_BYTES)):
            chunk = data[start : start + CHUNK_BYTES]
            fast = xxhash.xxh3_64_intdigest(chunk)
            if place < len(self._known) and self._known[place][0] == fast:
                found.append(self._known[place])
            else:
                found.append((fast, blobs.put(bytes(chunk))))
        self._known = found
        return [sha for _, sha in found]


def encode(array: Array, blobs: Blobs, hashes: Hashes | None = None) -> Tree:
    """The array node of a C-contiguous `array` of any shape; up to INLINE_BYTES stand in the node itself."""
    node = {"$": "array", "dtype": array.dtype.str, "shape": list(array.shape)}
    if array.nbytes <= INLINE_BYTES:
        return node | {"data": base64.b64encode(array.tobytes()).decode()}
    data = memoryview(array.reshape(-1).view(np.uint8))
    return node | {"chunks": (hashes or Hashes()).chunks(data, blobs)}


def decode(node: Tree, blobs: Blobs) -> Array:
    """The array of a node that another member sent, checked: dtype, shape, and every chunk's length.

    Raises RemoteProtocolError if they contradict each other or it is too large; KeyError if a blob is not here.
    """
    if type(node) is not dict or node.get("$") != "array" or node["dtype"] not in DTYPES:
        raise RemoteProtocolError(f"not an array: {str(node)[:60]}")
    dtype, shape = np.dtype(node["dtype"]), tuple(node["shape"])
    elements = math.prod(shape)
    size = elements * dtype.itemsize
    if elements > MAX_ELEMENTS or size > MAX_BYTES:
        raise RemoteProtocolError(f"an array of {elements} elements is larger than the {MAX_ELEMENTS} allowed")
    if "chunks" in node:
        if len(node["chunks"]) != -(-size // CHUNK_BYTES):
            raise RemoteProtocolError(f"an array of {size} bytes in {len(node['chunks'])} chunks")
        data = bytearray(size)
        for place, sha in enumerate(node["chunks"]):
            chunk = blobs.get(sha)
            start = place * CHUNK_BYTES
            if len(chunk) != min(CHUNK_BYTES, size - start):
                raise RemoteProtocolError(f"a chunk of {len(chunk)} bytes does not fit its array")
            data[start : start + len(chunk)] = chunk
    else:
        try:
            data = bytearray(base64.b64decode(node["data"], validate=True))
        except binascii.Error as exc:
            raise RemoteProtocolError(f"malformed array: {exc}") from exc
        if len(data) != size:
            raise RemoteProtocolError(f"an array of {size} bytes holds {len(data)}")
    if dtype.kind == "b" and any(value > 1 for value in set(data)):
        raise RemoteProtocolError("an array of truth values holds others")
    return np.frombuffer(data, dtype).reshape(shape)
