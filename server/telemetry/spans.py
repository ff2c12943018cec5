"""Spans of what this process does, so that a trace shows where time goes (`security.md` O1).

Names and attributes are those of OpenTelemetry's semantic conventions, and `stepgraph.…` where they have none. Nothing that
a client has sent is in a span but names and ids. `open_telemetry.py` makes and sends them, and is imported only
where settings say so.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from typing import Any, Final, Literal, Protocol

Attributes = Mapping[str, str | int | Sequence[str]]
Kind = Literal["internal", "server", "client"]


class Span:
    """Something that takes time. This one is nobody's: nothing is kept of it."""

    __slots__ = ()

    @property
    def is_recorded(self) -> bool:
        """Whether anything is kept of it, and it has not ended."""
        return False

    @property
    def place(self) -> Any:
        """What links name."""
        return None

    def set(self, attributes: Attributes) -> None:
        """Say more of it."""

    def failed(self, error_type: str) -> None:
        """It came to no good end: one of a few words, or the name of a class, and never an error's text."""

    def end(self) -> None:
        """It ends now, before its block does."""

    def child(self, name: str, kind: Kind, attributes: Attributes) -> "Span":
        """A span below this one that whoever asked for it ends, in any thread."""
        return self


class Tracer(Protocol):
    """What the functions of this module ask."""

    def span(self, name: str, kind: Kind, attributes: Attributes) -> AbstractContextManager[Span]: ...
    def linked_span(self, name: str, attributes: Attributes, to: Any) -> AbstractContextManager[Span]: ...
    def continued(self, headers: Mapping[str, str]) -> AbstractContextManager[None]: ...
    def current(self) -> Span: ...
    def ids(self) -> Mapping[str, str]: ...


class _NoBlock(AbstractContextManager[Span]):
    def __enter__(self) -> Span:
        return NO_SPAN

    def __exit__(self, *_: object) -> None:
        return


NO_SPAN: Final = Span()
_NO_BLOCK: Final = _NoBlock()
_tracer: Tracer | None = None


@contextmanager
def traced_by(tracer: Tracer) -> Iterator[None]:
    """Make spans in this process, for as long as the block runs."""
    global _tracer  # noqa: PLW0603  # one for the process, as its metrics are
    _tracer = tracer
    try:
        yield
    finally:
        _tracer = None


def is_on() -> bool:
    """Whether spans are made."""
    return _tracer is not None


def span(
    name: str, *, kind: Kind = "internal", attributes: Attributes | None = None
) -> AbstractContextManager[Span]:
    """A span below the current one, itself the current one in its block."""
    return _NO_BLOCK if _tracer is None else _tracer.span(name, kind, attributes or {})


def linked_span(name: str, attributes: Attributes, *, to: Any) -> AbstractContextManager[Span]:
    """A span that begins a trace of its own, and names the `place` of a span that led to it."""
    return _NO_BLOCK if _tracer is None else _tracer.linked_span(name, attributes, to)


def current() -> Span:
    """The span of the work at hand."""
    return NO_SPAN if _tracer is None else _tracer.current()


def continued(headers: Mapping[str, str]) -> AbstractContextManager[object]:
    """Belong to the trace that a request's headers `traceparent` and `tracestate` name, or to none."""
    return _NO_BLOCK if _tracer is None else _tracer.continued(headers)


def trace_ids() -> Mapping[str, str]:
    """`trace_id` and `span_id` of the work at hand, as logs name them; empty where there is none."""
    return {} if _tracer is None else _tracer.ids()
