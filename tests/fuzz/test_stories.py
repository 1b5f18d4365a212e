"""Whatever members do, whatever becomes of lines and broadcaster: in the end one document, and each edit once.

200,000 steps; `make fuzz SEEDS=50` tells more. What failed once stands below, shrunk.
"""

from __future__ import annotations

import pytest

from .story import tell, why_not

SEEDS = range(20)
STEPS = 10_000

REGRESSIONS = {
    "an edit that was answered before the disk was torn": (1, [36, 44, 47, 55, 61, 132, 150, 158]),
    "an edit that is sent again": (1, [19, 31, 32, 54, 56]),
    "removals that were missed": (1, [65, 79, 91, 94, 96, 103]),
    "an edit based on what the torn disk lost": (2, [1002, 1250, 1547]),
    "a lease held by another": (1, [1126, 1164, 1165, 1174, 1236, 1246, 1248, 1250]),
}


@pytest.mark.parametrize("seed", SEEDS)
def test_in_the_end_one_document_and_each_edit_once(seed: int) -> None:  # FUZZ1
    tell(seed, range(1, STEPS + 1))


@pytest.mark.parametrize("name", REGRESSIONS)
def test_what_failed_once(name: str) -> None:  # FUZZ1
    tell(*REGRESSIONS[name])


def test_a_fault_would_be_seen(monkeypatch: pytest.MonkeyPatch) -> None:  # FUZZ2
    monkeypatch.setattr(
        "broadcaster.room.answers.Answers.again", lambda answers, seq: {"type": "ack", "seq": seq, "revision": 0}
    )
    assert why_not(1, range(1, 2000)) is not None
