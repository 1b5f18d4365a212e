"""Figures in the form that Prometheus reads. Without prometheus-client there are none."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from ..figures import FIGURES

try:
    from prometheus_client import CONTENT_TYPE_PLAIN_0_0_4, CollectorRegistry, generate_latest
    from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
    from prometheus_client.registry import Collector
except ImportError:  # Blender's Python, in which the panel hosts
    CONTENT_TYPE: str | None = None

    def exposition(figures: Mapping[str, float]) -> bytes:
        raise AssertionError("there is no prometheus-client")
else:
    CONTENT_TYPE = CONTENT_TYPE_PLAIN_0_0_4

    class _Once(Collector):
        def __init__(self, figures: Mapping[str, float]) -> None:
            self._figures = figures

        def collect(self) -> Iterator[Metric]:
            for name, value in self._figures.items():
                kind, text = FIGURES[name]
                family = CounterMetricFamily if kind == "counter" else GaugeMetricFamily
                yield family(f"mixer_{name}", text, value=value)

    def exposition(figures: Mapping[str, float]) -> bytes:
        registry = CollectorRegistry()
        registry.register(_Once(figures))
        return generate_latest(registry)
