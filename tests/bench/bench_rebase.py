"""Pending edits rebased over remote ones: at once, and one by one as they come in when both sides edit all the time."""

from __future__ import annotations

from collections.abc import Callable
from statistics import median
from time import perf_counter

from broadcaster.member import Member
from broadcaster.wire import Message

from .figures import Figure, show

EDITS = 1000
ENTITIES = 1000
FIELDS = 60  # of each: about as many as an object has


def _member(uuid_of: Callable[[int], str]) -> Member:
    member = Member("ann")
    tree = {f"field {number}": float(number) for number in range(FIELDS)} | {"x": 0, "y": 0}
    records = [
        {"uuid": f"u{number}", "kind": "objects", "created": 1, "changed": 1, "creator": "bob", "tree": dict(tree)}
        for number in range(ENTITIES)
    ]
    member.receive([{"type": "records", "entities": records, "removed": []}, {"type": "ready", "revision": 1}])
    for number in range(EDITS):
        member.edit([[uuid_of(number), ["patch", {"x": ["put", number]}]]])
    return member


def _remote(uuid_of: Callable[[int], str]) -> list[Message]:
    return [
        {
            "type": "tx",
            "revision": 2 + number,
            "member": "bob",
            "deltas": [[uuid_of(number), ["patch", {"y": ["put", 1]}]]],
        }
        for number in range(EDITS)
    ]


def _answers() -> list[Message]:
    return [{"type": "ack", "seq": 1 + number, "revision": 2 + EDITS + number} for number in range(EDITS)]


def _milliseconds(uuid_of: Callable[[int], str], batch: int, *, answered: bool = False) -> float:
    samples = []
    for _ in range(5):
        member = _member(uuid_of)
        messages = _answers() if answered else _remote(uuid_of)
        start = perf_counter()
        for place in range(0, EDITS, batch):
            member.receive(messages[place : place + batch])
        samples.append(perf_counter() - start)
    return median(samples) * 1000


def run() -> None:
    """Prints ms for 1,000 edits over 1,000."""

    def spread(number: int) -> str:
        return f"u{number * 7 % ENTITIES}"

    def one(number: int) -> str:
        return "u1"

    show(
        Figure("rebase 1,000 pending over 1,000 remote edits, at once", _milliseconds(spread, EDITS), "ms", 100),
        Figure("the same, all of one entity", _milliseconds(one, EDITS), "ms", 100),
        Figure("the same, one by one, of 1,000 entities", _milliseconds(spread, 1), "ms", 100),
        Figure("1,000 answers to 1,000 pending edits, one by one", _milliseconds(spread, 1, answered=True), "ms", 100),
    )
