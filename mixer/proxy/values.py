"""Single values between Blender and trees: numbers that JSON lacks, strings that are not UTF-8, vectors, flags."""

from __future__ import annotations

import base64
import binascii
import math
from typing import Any, Final

from broadcaster.errors import RemoteProtocolError
from broadcaster.tree import Tree

INT64: Final = range(-(2**63), 2**64)  # what JSON carries exactly here


def encode(value: Any) -> Tree:
    """A scalar, a vector or a matrix (anything iterable) of scalars as a tree."""
    kind = type(value)
    if kind is bool or value is None:
        return value
    if kind is float:
        return value if math.isfinite(value) else {"$": "num", "of": repr(value)}
    if kind is int:
        return value if value in INT64 else {"$": "num", "of": str(value)}
    if kind is str:
        return value if value.isascii() or _is_utf8(value) else encode(value.encode(errors="surrogateescape"))
    if kind is bytes:
        return {"$": "bytes", "of": base64.b64encode(value).decode()}
    if kind is set or kind is frozenset:
        return sorted(value)
    return [encode(element) for element in value]


def decode(tree: Tree) -> Any:
    """What `encode` was given, vectors as lists.

    Raises RemoteProtocolError if a number or string is malformed.
    """
    if type(tree) is list:
        return [decode(element) for element in tree]
    if type(tree) is not dict:
        return tree
    try:
        match tree:
            case {"$": "num", "of": ("nan" | "inf" | "-inf") as text}:
                return float(text)
            case {"$": "num", "of": str(text)} if len(text) < 400:
                return int(text)
            case {"$": "bytes", "of": str(text)}:
                return base64.b64decode(text, validate=True)
    except (ValueError, binascii.Error) as exc:
        raise RemoteProtocolError(f"malformed value: {exc}") from exc
    raise RemoteProtocolError(f"{str(tree)[:40]!r} is not a value")


def _is_utf8(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
