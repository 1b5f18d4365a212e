"""What Blender and the network process say to each other: a head, which is JSON, and a body, which is bytes. No I/O.

To the process: ["start", options], then ["send", life, shas or None] with a frame, ["blob", sha] with its data, and
["call", name]. From it: ["hello", token, way] on both connections, then ["arrived", life] with a message as JSON,
["blob", sha] with its data, and ["state", *State].
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from struct import Struct
from typing import Any, Final, NamedTuple, TypeAlias

import orjson

LOOPBACK: Final = "127.0.0.1"
TO, FROM = WAYS = "to", "from"  # what a connection is for, as Blender sees it
WRITTEN_AT_ONCE: Final = 256 * 1024  # of small messages
RECEIVE_BYTES: Final = 256 * 1024
_LENGTHS: Final = Struct(">II")

Head: TypeAlias = list[Any]
Said: TypeAlias = tuple[Head, bytes]


class State(NamedTuple):
    """What Blender is told of the process."""

    link: str  # the name of a Link
    sent_bytes: int = 0
    received_bytes: int = 0
    taken: int = 0  # messages to the room that came from Blender
    in_flight: int = 0  # of these, what was not answered, or not even written
    transfers: int = 0  # blobs on their way, up or down


def encode(head: Head, body: bytes | bytearray = b"") -> bytes:
    packed = orjson.dumps(head)
    return b"".join((_LENGTHS.pack(len(packed), len(body)), packed, body))


class Buffer:
    """Bytes in, heads and bodies out."""

    def __init__(self) -> None:
        self._data = bytearray()

    def feed(self, data: bytes) -> Iterator[Said]:
        """What is whole with `data`."""
        self._data += data
        start = 0
        while len(self._data) - start >= _LENGTHS.size:
            head, body = _LENGTHS.unpack_from(self._data, start)
            middle = start + _LENGTHS.size + head
            if len(self._data) < middle + body:
                break
            with memoryview(self._data) as view:
                said = orjson.loads(view[start + _LENGTHS.size : middle]), bytes(view[middle : middle + body])
            start = middle + body
            yield said
        del self._data[:start]


class Outbox:
    """What is to be written, in order: messages, and blobs that are read only as they go."""

    def __init__(self, blob: Callable[[str], bytes]) -> None:
        """`blob` raises KeyError for what it does not have: that is left out, and missed where it is needed."""
        self._blob = blob
        self._items: deque[bytes | str] = deque()  # messages; names of blobs

    def __bool__(self) -> bool:
        return bool(self._items)

    def say(self, head: Head, body: bytes | bytearray = b"") -> None:
        self._items.append(encode(head, body))

    def give(self, sha: str) -> None:
        self._items.append(sha)

    def clear(self) -> None:
        self._items.clear()

    def take(self) -> bytes:
        """The next, and what goes along with it."""
        parts: list[bytes] = []
        length = 0
        while self._items and length < WRITTEN_AT_ONCE:
            item = self._items.popleft()
            if isinstance(item, str):
                try:
                    item = encode(["blob", item], self._blob(item))
                except KeyError:
                    continue
            parts.append(item)
            length += len(item)
        return b"".join(parts)
