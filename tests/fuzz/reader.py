"""Values made of bytes: whoever chooses the bytes, by chance or by what code they reach, chooses the values."""

from __future__ import annotations

import base64
from collections.abc import Callable, Sequence
from typing import Any, Final, TypeVar

from broadcaster.document import Document
from broadcaster.tree import tag

T = TypeVar("T")

DEEP: Final = 5
NUMBERS: Final = (0, 1, 2, 3, -1, 63, 64, 255, 65536, 2**31, 2**53, 2**63 - 1, -(2**63), 2**64 - 1, 1e308, -0.0, 0.5)
UUIDS: Final = ("a", "b", "c", "d", "nobody")
FIELDS: Final = ("x", "y", "to", "of")
NO_NAMES: Final = ("", "$", "x" * 2000, "é")
KINDS: Final = ("struct", "items", "set", "ref", "layout", "array", "blob", "num", "bytes", "list", "scalar", "any")
TAGS: Final = ("", "items", "set", "ref", "layout", "array", "blob", "num", "bytes", "nothing")
TYPES: Final = ("<f4", "<i4", "<i2", "|i1", "|u1", "|b1")
SHAS: Final = ("0" * 64, "1" * 64, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855")
NO_SHAS: Final = ("0" * 63, "G" * 64)


class Reader:
    """Takes values off bytes; where there are none left, the simplest ones."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._place = 0

    @property
    def is_empty(self) -> bool:
        return self._place >= len(self._data)

    def byte(self) -> int:
        self._place += 1
        return self._data[self._place - 1] if self._place <= len(self._data) else 0

    def one_of(self, choices: Sequence[T]) -> T:
        return choices[self.byte() % len(choices)]

    def raw(self, most: int = 32) -> bytes:
        length = self.byte() % (most + 1)
        self._place += length
        return self._data[self._place - length : self._place]

    def rest(self) -> bytes:
        found, self._place = self._data[self._place :], len(self._data)
        return found

    def some(self, make: Callable[[], T], most: int = 4) -> list[T]:
        return [make() for _ in range(self.byte() % (most + 1))]

    def text(self) -> str:
        return self.raw().decode("utf-8", "replace")

    def is_rare(self) -> bool:
        return self.byte() % 32 == 31

    # Values

    def any(self, left: int = DEEP) -> Any:
        """Whatever JSON can hold."""
        match self.byte() % 8:
            case 0:
                return self.text()
            case 1:
                return self.one_of((None, True, False))
            case 2 | 3:
                return self.one_of(NUMBERS)
            case 4:
                return self.one_of((*UUIDS, *FIELDS, *NO_NAMES, *TAGS))
            case 5 if left:
                return self.some(lambda: self.any(left - 1))
            case 6 | 7 if left:
                return {self.name(): self.any(left - 1) for _ in range(self.byte() % 4)}
        return 0

    def tree(self, left: int = DEEP) -> Any:
        """A tree that is of the grammar, most of the time."""
        kind = self.one_of(KINDS) if left else "scalar"
        match kind:
            case "struct":
                return self.struct(left)
            case "items":
                of = {self.uuid(): self.tree(left - 1) for _ in range(self.byte() % 4)}
                return {"$": "items", "order": self.some(self.uuid) if self.is_rare() else list(of), "of": of}
            case "set":
                return {"$": "set", "of": self.some(self.uuid) if self.is_rare() else sorted(set(self.some(self.uuid)))}
            case "ref":
                return {"$": "ref", "to": self.uuid(), **({"strong": True} if self.byte() % 2 else {})}
            case "layout":
                return {
                    "$": "layout",
                    "id": self.uuid(),
                    "of": {self.uuid(): self.array() for _ in range(self.byte() % 3)},
                }
            case "array":
                return self.array()
            case "blob":
                return {"$": "blob", "sha": self.sha(), "size": self.byte()}
            case "num" | "bytes":
                return {"$": kind, "of": self.text()}
            case "list":
                return self.some(lambda: self.tree(left - 1))
            case "any":
                return self.any(left)
        return self.one_of((None, True, 1, 0.5, "x"))

    def struct(self, left: int = DEEP) -> dict[str, Any]:
        return {self.name(): self.tree(left - 1) for _ in range(self.byte() % 5)}

    def array(self) -> Any:
        array: dict[str, Any] = {"$": "array", "dtype": self.one_of(TYPES)}
        if self.byte() % 2:
            data = self.raw()
            return array | {"shape": [len(data)], "data": base64.b64encode(data).decode()}
        count = self.byte() % 4
        return array | {"shape": [16384, count], "chunks": [self.sha() for _ in range(count)]}

    def uuid(self) -> str:
        return self.one_of(NO_NAMES if self.is_rare() else UUIDS)

    def name(self) -> str:
        """Of a field, or an item."""
        return self.one_of(NO_NAMES if self.is_rare() else (*FIELDS, *UUIDS))

    def sha(self) -> str:
        return self.one_of(NO_SHAS if self.is_rare() else SHAS)

    def delta(self, tree: Any, left: int = DEEP) -> Any:
        """A delta of a field or an item that holds `tree`: one that fits it, most of the time."""
        if self.is_rare() or not left:
            return self.any(left)
        kind = tag(tree) if self.byte() % 4 else self.one_of((None, "", "items", "set", "layout"))
        match kind:
            case "" | "items" if self.byte() % 8:
                of = (tree or {}).get("of" if kind == "items" else "$", tree) if tag(tree) == kind else {}
                return ["patch", {name: self._change(kind, of.get(name), left) for name in self._names(of)}]
            case "set" if self.byte() % 8:
                return ["link", list(set(self.some(self.uuid))), list(set(self.some(self.uuid)))]
            case "layout" if self.byte() % 8:
                id, of = (tree["id"], tree["of"]) if tag(tree) == kind else (self.uuid(), {})
                return ["arrays", id, {name: self.array_delta() for name in self._names(of)}]
        return ["remove"] if self.byte() % 4 == 0 else ["put", self.tree(left)]

    def _change(self, kind: str, tree: Any, left: int) -> Any:
        match self.byte() % 4 if kind == "items" else 3:
            case 0 | 1:
                return ["insert", self.one_of((None, *UUIDS)), self.tree(left - 1)]
            case 2:
                return ["move", self.one_of((None, *UUIDS))] + ([self.delta(tree, left - 1)] if self.byte() % 2 else [])
        return self.delta(tree, left - 1)

    def _names(self, of: dict[str, Any]) -> list[str]:
        """Of what is there, and others."""
        there = sorted(of)
        return [self.one_of(there) if there and self.byte() % 4 else self.name() for _ in range(self.byte() % 4)]

    def array_delta(self) -> Any:
        match self.byte() % 4:
            case 0:
                return ["put", self.array()]
            case 1:
                return ["remove"]
            case 2:
                return ["chunks", {str(self.byte() % 4): self.sha()}, *self.some(lambda: "<f4[16384, 1]", 2)]
        return self.any()

    def deltas(self, document: Document) -> list[Any]:
        """Of one transaction."""
        return self.some(lambda: self._pair(document))

    def _pair(self, document: Document) -> Any:
        uuid = self.uuid()
        there = document.get(uuid)
        if self.is_rare():
            return self.any()
        if (there is None) == (self.byte() % 8 > 0):
            return [uuid, ["create", "objects", self.struct()]]
        if self.byte() % 8 == 0:
            return [uuid, ["remove"]]
        of = there.tree if there else {}
        return [uuid, ["patch", {name: self.delta(of.get(name)) for name in self._names(of)}]]
