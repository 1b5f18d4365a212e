"""How figures are shown: what, how much, against which reference."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from statistics import median
from time import perf_counter
from typing import Final

COLUMNS: Final = "{:<58} {:>14}   {:<46} {}"


@dataclass(frozen=True, slots=True)
class Figure:
    """One measured value; `budget` is the most it may be, where there is one."""

    what: str
    value: float
    unit: str
    budget: float | None = None
    reference: str = ""  # in words: whose figure, measured how
    at_least: bool = False  # the budget is the least it may be

    def line(self) -> str:
        verdict = ""
        if self.budget is not None:
            kept = self.value >= self.budget if self.at_least else self.value <= self.budget
            verdict = "kept" if kept else "MISSED"
        word = "at least" if self.at_least else "at most"
        beside = f"{word} {self.budget:g} {self.unit}" if self.budget is not None else ""
        beside = "; ".join(text for text in (beside, self.reference) if text)
        return COLUMNS.format(self.what, f"{self.value:,.4g} {self.unit}", beside, verdict)


@dataclass(frozen=True, slots=True)
class Scale:
    """How much is done for a figure: by default what steadies it, with --short what is there within some minutes."""

    rounds: int = 3
    seconds: float = 1.5  # of each cell of a round
    size: float = 1.0  # of what is large, as a part of the whole


SHORT: Final = Scale(rounds=1, seconds=0.5, size=0.1)


def show(*figures: Figure) -> None:
    """Prints figures as they come."""
    for figure in figures:
        print(figure.line(), flush=True)


def median_ms(work: Callable[[], object], times: int) -> float:
    """The median duration of `work` in ms over so many runs."""
    samples = []
    for _ in range(times):
        start = perf_counter()
        work()
        samples.append(perf_counter() - start)
    return median(samples) * 1000
