"""Spans that the SDK's in-memory exporter keeps, read as a tree."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from server.telemetry.open_telemetry import OpenTelemetry
from server.telemetry.spans import traced_by


class Recorded:
    """The spans that have ended, in that order."""

    def __init__(self, exporter: InMemorySpanExporter) -> None:
        self._exporter = exporter

    @property
    def all(self) -> tuple[ReadableSpan, ...]:
        return self._exporter.get_finished_spans()

    @property
    def names(self) -> list[str]:
        return [span.name for span in self.all]

    def one(self, name: str) -> ReadableSpan:
        """The only span of this name."""
        (found,) = [span for span in self.all if span.name == name]
        return found

    def below(self, parent: ReadableSpan) -> list[ReadableSpan]:
        """Its children, in the order in which they began."""
        children = [
            span for span in self.all if span.parent and span.parent.span_id == parent.context.span_id
        ]
        return sorted(children, key=lambda span: span.start_time or 0)

    def told(self) -> str:
        """All that anybody could read in them."""
        return "\n".join(span.to_json() for span in self.all)


@contextmanager
def recorded() -> Iterator[Recorded]:
    """Make spans here, and keep them."""
    exporter = InMemorySpanExporter()
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    with traced_by(OpenTelemetry(provider)):
        yield Recorded(exporter)


def attributes(span: ReadableSpan) -> dict[str, Any]:
    return dict(span.attributes or {})
