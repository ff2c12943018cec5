"""Spans by OpenTelemetry, and their way to a collector. The packages are the extra `otel`."""

import asyncio
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import AbstractContextManager, asynccontextmanager, contextmanager
from threading import Thread
from typing import Any, Final

from opentelemetry import context, trace
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import OTELResourceDetector, Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from server.telemetry.spans import NO_SPAN, Attributes, Kind, Span, traced_by

SERVICE: Final = "stepgraph"
FLUSH_SECONDS: Final = 2.0
"""How long the last spans may take to be sent: a supervisor waits ten seconds for all parts to end."""


@asynccontextmanager
async def exporting() -> AsyncIterator[None]:
    """Make spans and send them, as the variables `OTEL_…` say; what is left is sent at the end."""
    of_service = Resource.create({"service.name": SERVICE}).merge(OTELResourceDetector().detect())
    provider = TracerProvider(resource=of_service, shutdown_on_exit=False)
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    try:
        with traced_by(OpenTelemetry(provider)):
            yield
    finally:
        # In a thread that nobody waits for: a collector that hangs must not keep the process from ending.
        sending = Thread(target=provider.shutdown, name="last spans", daemon=True)
        sending.start()
        await asyncio.to_thread(sending.join, FLUSH_SECONDS)


class OpenTelemetry:
    """A `server.telemetry.spans.Tracer`."""

    def __init__(self, provider: trace.TracerProvider) -> None:
        self._tracer = provider.get_tracer(SERVICE)
        # Of `OTEL_PROPAGATORS` the others are not read: baggage is whatever a client has sent.
        self._propagator = TraceContextTextMapPropagator()

    def span(self, name: str, kind: Kind, attributes: Attributes) -> AbstractContextManager[Span]:
        return self._block(self._tracer.start_span(name, kind=_kind(kind), attributes=attributes))

    def linked_span(self, name: str, attributes: Attributes, to: Any) -> AbstractContextManager[Span]:
        links = [] if to is None else [trace.Link(to)]
        begun = self._tracer.start_span(name, context.Context(), attributes=attributes, links=links)
        return self._block(begun)

    @contextmanager
    def continued(self, headers: Mapping[str, str]) -> Iterator[None]:
        token = context.attach(self._propagator.extract(headers, context.Context()))
        try:
            yield
        finally:
            context.detach(token)

    def current(self) -> Span:
        return _OneSpan(self._tracer, trace.get_current_span())

    def ids(self) -> Mapping[str, str]:
        place = trace.get_current_span().get_span_context()
        if not place.is_valid:
            return {}
        return {
            "trace_id": trace.format_trace_id(place.trace_id),
            "span_id": trace.format_span_id(place.span_id),
        }

    def _block(self, span: trace.Span) -> AbstractContextManager[Span]:
        return _Block(_OneSpan(self._tracer, span), trace.set_span_in_context(span))


class _OneSpan(Span):
    __slots__ = ("_span", "_tracer")

    def __init__(self, tracer: trace.Tracer, span: trace.Span) -> None:
        self._tracer = tracer
        self._span = span

    @property
    def is_recorded(self) -> bool:
        return bool(self._span.is_recording())

    @property
    def place(self) -> trace.SpanContext:
        return self._span.get_span_context()

    def set(self, attributes: Attributes) -> None:
        self._span.set_attributes(attributes)

    def failed(self, error_type: str) -> None:
        self._span.set_attribute("error.type", error_type)
        self._span.set_status(trace.StatusCode.ERROR)

    def end(self) -> None:
        if self._span.is_recording():  # to end it twice is a warning
            self._span.end()

    def child(self, name: str, kind: Kind, attributes: Attributes) -> Span:
        if not self.is_recorded:
            return NO_SPAN
        above = trace.set_span_in_context(self._span)
        return _OneSpan(self._tracer, self._tracer.start_span(name, above, _kind(kind), attributes))


class _Block(AbstractContextManager[Span]):
    """A span that is the current one while its block runs, and ends with it at the latest.

    Not OpenTelemetry's own, which tells the texts of exceptions: they may quote what a client has sent.
    """

    def __init__(self, span: Span, within: context.Context) -> None:
        self._span = span
        self._within = within

    def __enter__(self) -> Span:
        self._token = context.attach(self._within)
        return self._span

    def __exit__(self, raised: type[BaseException] | None, *_: object) -> None:
        if raised is not None:
            self._span.failed(raised.__qualname__)
        self._span.end()
        context.detach(self._token)


def _kind(kind: Kind) -> trace.SpanKind:
    return trace.SpanKind[kind.upper()]
