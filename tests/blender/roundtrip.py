"""A scene shared into a document and loaded back from it, in one Blender: what a joiner would hold."""

from __future__ import annotations

from hashlib import sha256
from typing import Any

import orjson

from broadcaster.document import Document, check_deltas
from broadcaster.member import Member
from broadcaster.tree import Tree
from mixer.proxy import Mirror


class MemoryBlobs(dict[str, bytes]):
    """Blobs as a session's client keeps them."""

    def put(self, data: bytes) -> str:
        sha = sha256(data).hexdigest()
        self[sha] = bytes(data)
        return sha

    def get(self, sha: str) -> bytes:  # type: ignore[override]
        return self[sha]


class Nobody:
    """A directory in which no datablock is known."""

    def uuid_of(self, datablock: Any) -> str | None:
        return None

    def find(self, uuid: str) -> None:
        return None


def share(mirror: Mirror) -> Document:
    """Everything here, as a room would hold it."""
    document = Document()
    deltas = orjson.loads(orjson.dumps(mirror.scan()))
    check_deltas(deltas)
    outcome = document.apply(deltas, revision=1, sender="sharer")
    assert outcome.dropped == []
    return document


def load(document: Document, blobs: MemoryBlobs, *, trusted: bool = False) -> Mirror:
    """Takes a document's content in place of what is here."""
    mirror = Mirror(blobs, trusted=trusted)
    member = Member("joiner")
    member.hold(document)
    mirror.clear()
    for deltas in mirror.apply(list(document), member):
        assert deltas == []
    mirror.drop_placeholder()
    return mirror


def unlike(one: Tree, two: Tree, path: str = "") -> list[str]:
    """Where two trees differ, for people."""
    if one == two:
        return []
    if isinstance(one, dict) and isinstance(two, dict):
        found: list[str] = []
        for name in sorted(one.keys() | two.keys()):
            found += unlike(one.get(name, "(none)"), two.get(name, "(none)"), f"{path}.{name}")
        return found
    if (
        isinstance(one, list)
        and isinstance(two, list)
        and len(one) == len(two)
        and any(isinstance(v, dict) for v in one)
    ):
        return [text for i, (a, b) in enumerate(zip(one, two, strict=True)) for text in unlike(a, b, f"{path}[{i}]")]
    return [f"{path}: {shorten(one)} != {shorten(two)}"]


def shorten(tree: Tree) -> str:
    text = str(tree)
    return text if len(text) < 80 else text[:77] + "..."


def mismatches(mirror: Mirror, document: Document) -> list[str]:
    """Where Blender, as read back, is not what the document says."""
    found: list[str] = []
    for uuid in document:
        entity: Any = document.get(uuid)
        entry = mirror.entries.get(uuid)
        label = f"{entity.kind}[{entity.tree.get('name')}]"
        if entry is None:
            found.append(f"{label}: missing")
        else:
            found += [label + text for text in unlike(entity.tree, entry.live)]
    return found
