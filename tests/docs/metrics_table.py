"""The table of metrics, made of the registry, and the metrics that a PromQL expression reads."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from prometheus_client.metrics_core import Metric

from server.telemetry.metrics import REGISTRY

# What a type of metric tells of itself, beside its name.
_SUFFIXES = {"counter": ("_total",), "histogram": ("_bucket", "_sum", "_count"), "gauge": ("",)}
_NAME = re.compile(r"\bstepgraph_\w+")


@dataclass(frozen=True, slots=True)
class Told:
    """A metric: its name (a counter's with `_total`), type, labels, help, and the names of its numbers."""

    name: str
    type: str
    labels: tuple[str, ...]
    help: str
    samples: frozenset[str]


def told_metrics() -> list[Told]:
    """Every metric of the registry, in the order of the code."""
    return [_told(metric) for metric in REGISTRY.collect()]


def metrics_table() -> str:
    """One row per metric."""
    rows = ["| Metric | Type | Labels | Meaning |", "|---|---|---|---|"]
    for each in told_metrics():
        labels = ", ".join(f"`{label}`" for label in each.labels)
        rows.append(f"| `{each.name}` | {each.type} | {labels} | {each.help} |")
    return "\n".join(rows)


def names_in(expression: str) -> Iterator[str]:
    """The names of ours that an expression reads."""
    yield from _NAME.findall(expression)


def metric_of(sample: str) -> Told | None:
    """The metric that tells a number under this name."""
    return next((each for each in told_metrics() if sample in each.samples), None)


def _told(metric: Metric) -> Told:
    samples = frozenset(f"{metric.name}{suffix}" for suffix in _SUFFIXES[metric.type])
    name = f"{metric.name}_total" if metric.type == "counter" else metric.name
    # prometheus_client tells the labels of a metric that has no number yet nowhere else.
    collector = REGISTRY._names_to_collectors[name if metric.type == "counter" else metric.name]
    labels: tuple[str, ...] = collector._labelnames  # type: ignore[attr-defined]  # as above
    return Told(name, metric.type, labels, metric.documentation, samples)
