"""The grammar of trees and deltas: plain JSON values, checked, patched and compared. Pure.

A tree is None, bool, int, float, str, a list, a struct (a dict without the key "$") or a tagged dict:

    {"$": "num", "of": "nan"}                                        numbers that JSON lacks
    {"$": "bytes", "of": BASE64}                                     strings that are not UTF-8
    {"$": "ref", "to": UUID, "strong": true}                         a reference, weak without "strong"
    {"$": "items", "order": [KEY], "of": {KEY: TREE}}                a keyed collection
    {"$": "set", "of": [TEXT]}                                       a link set, sorted
    {"$": "layout", "id": ID, "of": {NAME: ARRAY}}                   arrays that must agree
    {"$": "array", "dtype": "<f4", "shape": [N, 3], "chunks": [SHA]} or "data": BASE64 in place of chunks
    {"$": "blob", "sha": SHA, "size": BYTES}                         a file's bytes

A delta is a list, its verb first:

    ["put", TREE]  ["remove"]  ["patch", {NAME: DELTA}]              fields of structs and items
    ["insert", AFTER, TREE]  ["move", AFTER]  ["move", AFTER, DELTA] items; AFTER is a key, or None for the front
    ["link", [ADDED], [REMOVED]]                                     link sets
    ["arrays", ID, {NAME: DELTA or ["chunks", {INDEX: SHA}, HEAD]}]  arrays of the layout ID, dropped for another;
                                                                     HEAD tells dtype and shape, and may be missing

Trees are immutable by convention: `patch` copies the path it changes, so what did not change stays the same object.
"""

from __future__ import annotations

from .check import Facts, check_delta, check_tree
from .diff import diff, diff_fields
from .patch import Patcher
from .values import (
    CHUNK_BYTES,
    INLINE_BYTES,
    ITEM_BYTES,
    MAX_DEPTH,
    Delta,
    Path,
    Tree,
    delta_shas,
    items,
    link_set,
    names_one_of,
    new_uuid,
    parts,
    ref,
    same,
    shas,
    strong_refs,
    tag,
)

__all__ = [
    "CHUNK_BYTES",
    "INLINE_BYTES",
    "ITEM_BYTES",
    "MAX_DEPTH",
    "Delta",
    "Facts",
    "Patcher",
    "Path",
    "Tree",
    "check_delta",
    "check_tree",
    "delta_shas",
    "diff",
    "diff_fields",
    "items",
    "link_set",
    "names_one_of",
    "new_uuid",
    "parts",
    "ref",
    "same",
    "shas",
    "strong_refs",
    "tag",
]
