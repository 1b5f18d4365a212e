"""What a document holds, and what is said about it."""

from __future__ import annotations

from collections.abc import Iterable
from hashlib import blake2b
from typing import Any, Final, NamedTuple, TypeAlias

import orjson

from ..errors import RemoteProtocolError
from ..limits import DEFAULTS, Limits
from ..tree import Delta, Facts, Tree, check_delta, check_tree

Deltas: TypeAlias = list[list[Any]]  # [[uuid, delta], ...]
Record: TypeAlias = dict[str, Any]

DIGEST_BYTES: Final = 16
MAX_UUID_CHARS: Final = 64
LITTLE_BYTES: Final = 2048


class Drop(NamedTuple):
    """A part of a transaction that did not take effect, and why: gone, kind, layout, dangling, exists, named, old."""

    uuid: str
    path: tuple[str, ...]
    reason: str


class Outcome:
    """What a transaction did. `effect` is the sent list itself where all of it took effect."""

    __slots__ = ("dropped", "effect", "named")

    def __init__(self, effect: Deltas, dropped: list[Drop], named: Iterable[str] = ()) -> None:
        self.effect = effect
        self.dropped = dropped
        self.named = named  # whose strong references came or went


class Entity:
    """One datablock, job or note. Its tree is kept encoded and decoded on touch."""

    __slots__ = ("_bytes", "_data", "_growth", "_tree", "changed", "created", "creator", "kind")

    def __init__(
        self,
        kind: str,
        tree: Tree,
        created: int,
        changed: int,
        creator: str,
        known: int | None = None,
        growth: int = 0,
    ) -> None:
        self.kind = kind
        self.created = created  # the revision of its latest creation: what was based on an earlier one is void
        self.changed = changed
        self.creator = creator
        self._tree: Tree = tree
        self._data: bytes | None = None
        self._bytes = known  # how long the data were when that was last looked at
        self._growth = growth  # and by how much they grew since, at most

    @property
    def tree(self) -> Tree:
        if self._tree is None:
            assert self._data is not None
            self._tree = orjson.loads(self._data)
        return self._tree

    @property
    def data(self) -> bytes:
        """The tree as canonical JSON: equal trees give equal bytes."""
        if self._data is None:
            # A copy: the buffer that orjson hands out is far larger than its text.
            self._data = bytes(bytearray(orjson.dumps(self._tree, option=orjson.OPT_SORT_KEYS)))
        return self._data

    def changed_to(self, tree: Tree, revision: int, effect: Delta) -> Entity:
        """This entity after an edit."""
        known, growth = self._bytes, self._growth
        if known is not None:  # a key of a collection stands there twice
            growth += 2 * len(orjson.dumps(effect))
        return Entity(self.kind, tree, self.created, revision, self.creator, known, growth)

    @property
    def weight(self) -> int:
        """About how many bytes its data are, as far as that is known."""
        return len(self._data) if self._data is not None else (self._bytes or 0) + self._growth

    def is_larger_than(self, max_bytes: int) -> bool:
        """Whether its data are; encoded only where that cannot be told, or hardly, without."""
        known = self._bytes
        if known is None or known + self._growth > max_bytes or self._growth > known + LITTLE_BYTES:
            known = self._bytes = len(self.data)
            self._growth = 0
        return known + self._growth > max_bytes

    def cool(self) -> None:
        """Keeps the bytes alone."""
        _ = self.data
        self._tree = None

    def hash(self, uuid: str, *, keep_data: bool) -> int:
        text = blake2b(f"{uuid}\0{self.kind}\0".encode(), digest_size=DIGEST_BYTES)
        text.update(self.data)
        if not keep_data and self._tree is not None:
            self._data = None
        return int.from_bytes(text.digest(), "big")

    def record(self, uuid: str) -> Record:
        """This entity for a snapshot, without decoding it."""
        return {
            "uuid": uuid,
            "kind": self.kind,
            "created": self.created,
            "changed": self.changed,
            "creator": self.creator,
            "tree": orjson.Fragment(self.data),
        }


def check_deltas(deltas: object, limits: Limits = DEFAULTS) -> set[str]:
    """The blobs that `deltas` name. Raises RemoteProtocolError unless they are a well-formed transaction."""
    if type(deltas) is not list or len(deltas) > limits.deltas:
        raise RemoteProtocolError(f"a transaction is a list of at most {limits.deltas} deltas")
    facts = Facts(max_depth=limits.depth)
    for pair in deltas:
        if type(pair) is not list or len(pair) != 2 or type(pair[1]) is not list:
            raise RemoteProtocolError(f"malformed delta {str(pair)[:60]}")
        uuid, delta = pair
        if len(delta) == 2 and delta[0] == "patch" and type(delta[1]) is dict:  # as most are
            check_delta(delta, facts)
        else:
            match delta:
                case ["create", str(kind), dict(tree)] if 0 < len(kind) <= MAX_UUID_CHARS and "$" not in tree:
                    check_tree(tree, facts)
                case ["remove"]:
                    pass
                case _:
                    raise RemoteProtocolError(f"malformed delta {str(pair)[:60]}")
        if type(uuid) is not str or not 0 < len(uuid) <= MAX_UUID_CHARS:
            raise RemoteProtocolError("malformed uuid")
    return facts.shas
