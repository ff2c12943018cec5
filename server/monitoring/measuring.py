"""Counts, durations, spans and log events of operations and commands, whatever transport they came by.

What is measured is once per operation or command: what a thousand subscribers are given is counted once per payload, in
`server/operations/subscriptions.py` and `server/operations/streams.py`.
"""

import asyncio
import inspect
import logging
from collections.abc import Callable, Collection, Mapping
from contextlib import AbstractContextManager
from dataclasses import replace
from functools import partial
from time import perf_counter
from typing import Any, Final, get_args

import strawberry
from graphql import ExecutionResult, GraphQLError, execute_subscription_event
from graphql.execution import Executor

from schema.refusals import Refused
from server.operations.document_directory import FRONTEND_QUERIES
from server.operations.documents import PREFIX, sha256_of
from server.operations.operations import Operation, OperationContext, OperationRefused, Operations
from server.operations.requests import GraphQLRequest
from server.operations.responses import ErrorCode, ExecutionOutcome
from server.operations.streams import Stream
from server.operations.subscription_source import Source
from server.operations.subscriptions import Subscription, Subscriptions
from server.telemetry import metrics, spans
from server.telemetry.spans import Attributes, Span
from server.telemetry.trail import begin_command, begin_trail, trail

log = logging.getLogger(__name__)

OTHER: Final = "other"
"""The name of every operation that has no trusted document: clients choose names, and each is kept for good."""

ABANDONED: Final = "abandoned"
"""Nobody waited for the answer any more."""

_SHOWN_NAME: Final = 100  # characters of a client's name in a log event

# Outcomes that are the server's fault, as a span's status is to say.
_FAILED: Final = ("internal_error", "unavailable", "timeout")

# From an error's code to the outcome, the worst first; any other error is `errors`.
_OUTCOMES: Final = {
    ErrorCode.INTERNAL_SERVER_ERROR: "internal_error",
    ErrorCode.UNAVAILABLE: "unavailable",
    ErrorCode.STORAGE_FULL: "storage_full",
    ErrorCode.TIMEOUT: "timeout",
    ErrorCode.FORBIDDEN: "forbidden",
}


def trusted_names() -> frozenset[str]:
    """The names of the operations of `frontend_queries/`, whose files have their names."""
    return frozenset(path.stem for path in FRONTEND_QUERIES.glob("*.graphql"))


class Tally:
    """Keeps count of operations."""

    def __init__(self, names: Collection[str]) -> None:
        self._names = frozenset(names)

    def refused(self, request: GraphQLRequest) -> None:
        """What was asked is no operation that can be run."""
        metrics.OPERATIONS.labels("unknown", self._known(request.operation_name), "refused").inc()
        log.info("operation", extra=_event("unknown", request.operation_name, "refused"))

    def ended(self, operation: Operation, outcome: str, seconds: float) -> None:
        """A query or mutation."""
        kind, name = operation.type.value, self._known(operation.name)
        metrics.OPERATIONS.labels(kind, name, outcome).inc()
        metrics.OPERATION_SECONDS.labels(kind, name).observe(seconds)
        log.info("operation", extra=_event(kind, operation.name, outcome, seconds=round(seconds, 6)))

    def subscribed(self, operation: Operation, outcome: str) -> None:
        """A subscription has begun, or not."""
        metrics.OPERATIONS.labels(operation.type.value, self._known(operation.name), outcome).inc()
        log.info("operation", extra=_event(operation.type.value, operation.name, outcome))

    def span(self, operation: Operation) -> AbstractContextManager[Span]:
        """The span of an operation. Its name has the client's only where that is one of a few."""
        kind, known = operation.type.value, self._known(operation.name)
        name = kind if known == OTHER else f"{kind} {known}"
        return spans.span(name, kind="server", attributes=_attributes(operation))

    def _known(self, name: str | None) -> str:
        return name if name in self._names and name is not None else OTHER


class MeasuredOperations(Operations):
    """Operations that are counted, timed and logged."""

    def __init__(self, schema: strawberry.Schema, *, tally: Tally, **given: Any) -> None:
        super().__init__(schema, **given)
        self._tally = tally

    def prepare(self, request: GraphQLRequest) -> Operation:
        try:
            return super().prepare(request)
        except OperationRefused:
            self._tally.refused(request)
            raise

    async def execute(self, operation: Operation, context: OperationContext) -> ExecutionOutcome:
        begin_trail(context.viewer.tenant, operation.variables)
        outcome, began = ABANDONED, perf_counter()
        with self._tally.span(operation) as span:
            try:
                answer = await super().execute(operation, context)
                outcome = outcome_name(answer)
            finally:
                self._tally.ended(operation, outcome, perf_counter() - began)
                span.set({"stepgraph.operation.outcome": outcome})
            if outcome in _FAILED:
                span.failed(outcome)
        return answer

    async def source(self, operation: Operation, context: OperationContext) -> Source:
        """Each payload that is made is a span in a trace of its own: a subscription goes on for hours."""
        source = await super().source(operation, context)
        if not spans.is_on():
            return source
        return replace(source, execute=partial(_traced_event, operation, trail().place))


class MeasuredSubscriptions(Subscriptions):
    """Subscriptions that are counted and logged when they begin."""

    def __init__(self, operations: Operations, *, tally: Tally, **given: Any) -> None:
        super().__init__(operations, **given)
        self._tally = tally

    def open(self, operation: Operation, context: OperationContext) -> Subscription | Stream:
        with self._tally.span(operation) as span:
            begin_trail(context.viewer.tenant, operation.variables, span.place)
            try:
                opened = super().open(operation, context)
            except OperationRefused:
                self._tally.subscribed(operation, "refused")
                span.set({"stepgraph.operation.outcome": "refused"})
                raise
            self._tally.subscribed(operation, "ok")
            span.set({"stepgraph.operation.outcome": "ok"})
        return opened


def outcome_name(answer: ExecutionOutcome) -> str:
    """What an operation came to, as one of a few words."""
    if not answer.errors:
        return "ok"
    codes = {each.get("extensions", {}).get("code") for each in answer.errors}
    worst = next((name for code, name in _OUTCOMES.items() if code in codes), "errors")
    return worst if answer.was_executed or worst != "errors" else "refused"


def measure_commands(schema: strawberry.Schema) -> None:
    """Count and time every root field of Mutation: each is a command."""
    mutation = schema._schema.mutation_type  # graphql-core's own has no public name there
    for kind, field in mutation.fields.items() if mutation else ():
        field.resolve = _measured(kind, field.resolve)


def subscription_fields(schema: strawberry.Schema) -> tuple[str, ...]:
    """What can be subscribed to."""
    subscription = schema._schema.subscription_type
    return tuple(subscription.fields) if subscription else ()


def _measured(kind: str, resolve: Any) -> Callable[..., Any]:
    async def resolve_measured(source: Any, info: Any, **arguments: Any) -> Any:
        outcome, began, own = "failed", perf_counter(), begin_command()
        with spans.span(kind, attributes={"stepgraph.command.kind": kind}) as span:
            try:
                result = resolve(source, info, **arguments)
                result = await result if inspect.isawaitable(result) else result
                outcome = type(result).__name__ if isinstance(result, _REFUSED) else "done"
            except asyncio.CancelledError:
                outcome = ABANDONED
                raise
            except GraphQLError:  # what the client sent cannot be
                outcome = "invalid"
                raise
            finally:
                metrics.COMMANDS.labels(kind, outcome).inc()
                metrics.COMMAND_SECONDS.labels(kind).observe(perf_counter() - began)
                span.set({"stepgraph.command.outcome": outcome, "stepgraph.command.root_ids": own.root_ids})
        return result

    return resolve_measured


async def _traced_event(operation: Operation, place: Any, executor: Executor[Any]) -> ExecutionResult:
    field = operation.root_field.name.value
    with spans.linked_span(f"event {field}", _attributes(operation), to=place) as span:
        result = execute_subscription_event(executor)
        answer = await result if inspect.isawaitable(result) else result
        if answer.errors:
            span.failed("errors")
        return answer


def _attributes(operation: Operation) -> Attributes:
    """The document by its hash: its text has whatever a client has written into it."""
    if not spans.is_on():
        return {}
    told = {
        "graphql.operation.type": operation.type.value,
        "stepgraph.document.id": f"{PREFIX}{sha256_of(operation.text)}",
    }
    return told | {"graphql.operation.name": operation.name[:_SHOWN_NAME]} if operation.name else told


_REFUSED: Final = get_args(Refused)


def _event(kind: str, name: str | None, outcome: str, **more: float) -> Mapping[str, object]:
    return {
        "operation_type": kind,
        "operation": name and name[:_SHOWN_NAME],
        "outcome": outcome,
        **more,
    }
