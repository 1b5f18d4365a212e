"""A document: entities changed by transactions, one revision each. Deterministic; no I/O, no clock.

The room and every member fold the same accepted transactions, so documents of equal revision are equal. A transaction
is resolved against the document as it stands: what no longer fits (an edit of something removed, of another layout, a
removal of what is still named strongly) is dropped and reported, the rest takes effect, whole, at one revision.
"""

from __future__ import annotations

from .entity import MAX_UUID_CHARS, Deltas, Drop, Entity, Outcome, Record, check_deltas
from .fold import Document
from .overlay import Footprint, Overlay

__all__ = [
    "MAX_UUID_CHARS",
    "Deltas",
    "Document",
    "Drop",
    "Entity",
    "Footprint",
    "Outcome",
    "Overlay",
    "Record",
    "check_deltas",
]
