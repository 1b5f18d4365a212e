"""Figures of one session: what it cost and what travelled."""

from __future__ import annotations

from dataclasses import dataclass, field
from statistics import quantiles
from typing import Any, Final, Protocol

KEEP: Final = 10_000  # samples a timing keeps; older ones are dropped in halves


class Traffic(Protocol):
    """What a client counts on the wire."""

    @property
    def sent_bytes(self) -> int: ...

    @property
    def received_bytes(self) -> int: ...


@dataclass(slots=True)
class Timing:
    """Durations in seconds, reported in milliseconds."""

    samples: list[float] = field(default_factory=list)
    count: int = 0

    def add(self, seconds: float) -> None:
        self.samples.append(seconds)
        self.count += 1
        if len(self.samples) > KEEP:
            del self.samples[: KEEP // 2]

    def report(self) -> dict[str, float]:
        """{"p50", "p99", "max"} in ms over the latest samples, and the count of all."""
        if not self.samples:
            return {"p50": 0.0, "p99": 0.0, "max": 0.0, "count": 0}
        cuts = quantiles(self.samples, n=100, method="inclusive") if len(self.samples) > 1 else self.samples * 99
        p50, p99, top = (round(seconds * 1000, 4) for seconds in (cuts[49], cuts[98], max(self.samples)))
        return {"p50": p50, "p99": p99, "max": top, "count": self.count}


@dataclass(slots=True)
class Stats:
    """What `--stats` writes, but for what the document and the mirror know."""

    join_seconds: float | None = None
    share_seconds: float | None = None
    echoes: int = 0  # remote edits that came back out
    drift: int = 0  # repairs by the self-check
    sent: int = 0  # transactions
    received: int = 0
    detect: Timing = field(default_factory=Timing)
    encode: Timing = field(default_factory=Timing)
    apply: Timing = field(default_factory=Timing)
    tick: Timing = field(default_factory=Timing)

    def report(self, traffic: Traffic) -> dict[str, Any]:
        return {
            "join_seconds": self.join_seconds,
            "share_seconds": self.share_seconds,
            "echoes": self.echoes,
            "drift": self.drift,
            "sent": {"transactions": self.sent, "bytes": traffic.sent_bytes},
            "received": {"transactions": self.received, "bytes": traffic.received_bytes},
            "detect_ms": self.detect.report(),
            "encode_ms": self.encode.report(),
            "apply_ms": self.apply.report(),
            "tick_ms": self.tick.report(),
        }
