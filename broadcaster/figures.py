"""The figures of a broadcaster that people watch: one table, filled by whoever counts."""

from __future__ import annotations

from typing import Final, NamedTuple


class Figure(NamedTuple):
    """`kind` is "gauge" for what comes and goes, "counter" for what only grows."""

    kind: str
    text: str


FIGURES: Final = {
    "rooms": Figure("gauge", "Rooms that are held"),
    "rooms_in_trouble": Figure("gauge", "Rooms whose store takes nothing"),
    "members": Figure("gauge", "Members in all rooms"),
    "connections": Figure("gauge", "Connections of members"),
    "entities": Figure("gauge", "Entities in all rooms"),
    "transactions": Figure("counter", "Transactions that took effect"),
    "rejected": Figure("counter", "Transactions that were refused whole"),
    "commits": Figure("counter", "Groups of requests that were made durable"),
    "joins": Figure("counter", "Members that came in"),
    "faults": Figure("counter", "Connections and rooms that failed by a fault of the broadcaster"),
}


class Counters:
    """What only grows, by name."""

    def __init__(self) -> None:
        self.values = {name: 0 for name, figure in FIGURES.items() if figure.kind == "counter"}

    def add(self, name: str, count: int = 1) -> None:
        self.values[name] += count
