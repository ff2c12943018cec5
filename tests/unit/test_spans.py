"""Spans of requests, operations and commands (`security.md` O1): their names, what they tell, and what they do not."""

import asyncio
import json
import logging
from collections.abc import Iterator
from typing import Any

import pytest
from opentelemetry.trace import SpanKind, StatusCode
from starlette.types import Message, Receive, Scope, Send

from server.monitoring.measuring import (
    ABANDONED,
    MeasuredOperations,
    MeasuredSubscriptions,
    Tally,
    measure_commands,
)
from server.monitoring.watched_requests import WatchedRequests
from server.operations.documents import sha256_of
from server.operations.requests import GraphQLRequest
from server.telemetry import spans
from server.telemetry.log import JSONFormatter
from server.telemetry.trail import begin_request, trail
from tests.protocol.toy import ToyContext, World, toy_schema
from tests.recorded_spans import Recorded, attributes, recorded

NAME = "Known"
TRACE, PARENT = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"
TRACEPARENT = f"00-{TRACE}-{PARENT}-01"


@pytest.fixture
def kept() -> Iterator[Recorded]:
    with recorded() as spans_of_test:
        yield spans_of_test


@pytest.fixture
def operations() -> MeasuredOperations:
    schema = toy_schema()
    measure_commands(schema)
    return MeasuredOperations(schema, tally=Tally({NAME}))


async def run(
    operations: MeasuredOperations, query: str, world: World | None = None, **variables: Any
) -> None:
    operation = operations.prepare(GraphQLRequest(query, variables=variables))
    await operations.execute(operation, ToyContext(world or World()))


# ---- Operations and commands


async def test_an_operation_is_a_span_with_its_type_name_and_document(
    operations: MeasuredOperations, kept: Recorded
) -> None:
    text = f"query {NAME} {{ hello }}"
    await run(operations, text)
    (span,) = kept.all
    assert (span.name, span.kind, span.status.status_code) == (
        f"query {NAME}",
        SpanKind.SERVER,
        StatusCode.UNSET,
    )
    assert attributes(span) == {
        "graphql.operation.type": "query",
        "graphql.operation.name": NAME,
        "stepgraph.document.id": f"sha256:{sha256_of(text)}",
        "stepgraph.operation.outcome": "ok",
    }


async def test_a_name_that_a_client_chose_is_in_no_span_name(
    operations: MeasuredOperations, kept: Recorded
) -> None:
    await run(operations, f"query {'Chosen' * 40} {{ hello }}")
    await run(operations, "{ hello }")
    assert kept.names == ["query", "query"]
    assert len(attributes(kept.all[0])["graphql.operation.name"]) == 100
    assert "graphql.operation.name" not in attributes(kept.all[1])


@pytest.mark.parametrize(
    ("selection", "outcome", "is_error"),
    [("refused", "errors", False), ("broken", "internal_error", True)],
)
async def test_a_span_has_failed_where_the_server_has(
    operations: MeasuredOperations, kept: Recorded, selection: str, outcome: str, is_error: bool
) -> None:
    await run(operations, f"{{ {selection} }}")
    (span,) = kept.all
    assert attributes(span)["stepgraph.operation.outcome"] == outcome
    assert (span.status.status_code is StatusCode.ERROR) is is_error
    assert attributes(span).get("error.type") == (outcome if is_error else None)


async def test_an_operation_that_nobody_waits_for_ends_its_span(
    operations: MeasuredOperations, kept: Recorded
) -> None:
    world = World()
    running = asyncio.create_task(run(operations, "{ slow }", world))
    await world.until(sources=1)
    running.cancel()
    await asyncio.wait([running])
    assert attributes(kept.one("query"))["stepgraph.operation.outcome"] == ABANDONED


async def test_a_command_is_a_span_below_its_operation(
    operations: MeasuredOperations, kept: Recorded
) -> None:
    await run(operations, "mutation { change(value: 7) }")
    command, operation = kept.all
    assert kept.below(operation) == [command]
    assert (command.name, command.kind) == ("change", SpanKind.INTERNAL)
    assert attributes(command) == {
        "stepgraph.command.kind": "change",
        "stepgraph.command.outcome": "done",
        "stepgraph.command.root_ids": (),
    }


async def test_what_a_subscription_makes_is_a_trace_of_its_own_that_names_its_beginning(
    operations: MeasuredOperations, kept: Recorded
) -> None:
    subscriptions = MeasuredSubscriptions(operations, tally=Tally({NAME}))
    world = World()
    operation = operations.prepare(GraphQLRequest("subscription { counter { value } }"))
    first, second = (subscriptions.open(operation, ToyContext(world)) for _ in range(2))
    await anext(first)
    await anext(second)
    await first.aclose()
    await second.aclose()
    await subscriptions.close()
    began, joined = [each for each in kept.all if each.name == "subscription"]
    made = [each for each in kept.all if each.name == "event counter"]
    assert made
    for each in made:
        assert each.parent is None
        assert each.context.trace_id not in {began.context.trace_id, joined.context.trace_id}
        (link,) = each.links
        assert link.context.span_id == began.context.span_id


async def test_nothing_that_a_client_has_sent_is_told(operations: MeasuredOperations, kept: Recorded) -> None:
    """Variables, literals, aliases; and the text of an exception, which may quote them."""
    await run(operations, "query ($text: String!) { swordfish: echo(text: $text) }", text="98765431")
    await run(operations, "mutation { swordfish: change(value: 98765432) }")
    await run(operations, "{ swordfish: broken }")
    assert len(kept.all) >= 3
    for secret in ("swordfish", "98765431", "98765432", "Traceback", "exception.message"):
        assert secret not in kept.told()


async def test_without_a_tracer_there_is_no_span(operations: MeasuredOperations) -> None:
    with recorded() as before:
        pass
    assert not spans.is_on()
    await run(operations, "{ hello }")
    assert before.all == ()
    assert spans.current().place is None
    assert spans.trace_ids() == {}


# ---- Requests


async def ask(
    path: str, status: int = 200, method: str = "POST", headers: dict[str, str] | None = None
) -> None:
    """A request that the application behind answers so."""

    async def application(_scope: Scope, _receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": status, "headers": []})
        await send({"type": "http.response.body", "body": b""})

    await WatchedRequests(application)(scope_of("http", path, method, headers), _nothing, _nowhere)


def scope_of(kind: str, path: str, method: str = "GET", headers: dict[str, str] | None = None) -> Scope:
    raw = [(name.encode(), value.encode()) for name, value in (headers or {}).items()]
    return {"type": kind, "path": path, "method": method, "scheme": "http", "headers": raw}


async def _nothing() -> Message:
    raise AssertionError("nobody reads")


async def _nowhere(_message: Message) -> None:
    pass


async def test_a_request_is_a_span_in_the_trace_that_it_brings(kept: Recorded) -> None:
    await ask("/graphql", headers={"traceparent": TRACEPARENT})
    (span,) = kept.all
    assert (span.name, span.kind) == ("POST /graphql", SpanKind.SERVER)
    assert span.parent is not None
    assert (format(span.parent.trace_id, "032x"), format(span.parent.span_id, "016x")) == (TRACE, PARENT)
    assert attributes(span) == {
        "http.request.method": "POST",
        "http.route": "/graphql",
        "http.response.status_code": 200,
        "url.scheme": "http",
    }


@pytest.mark.parametrize("given", ["", "nonsense", f"00-{'0' * 32}-{PARENT}-01", f"ff-{TRACE}-{PARENT}-01"])
async def test_a_traceparent_that_is_none_begins_a_trace(kept: Recorded, given: str) -> None:
    await ask("/graphql", headers={"traceparent": given, "baggage": "secret=swordfish"})
    (span,) = kept.all
    assert span.parent is None
    assert "swordfish" not in kept.told()


async def test_who_is_not_to_be_sampled_is_not(kept: Recorded) -> None:
    await ask("/graphql", headers={"traceparent": f"00-{TRACE}-{PARENT}-00"})
    assert kept.all == ()


async def test_a_request_fails_by_its_status_and_names_no_address_of_a_client(kept: Recorded) -> None:
    await ask("/hostile/1", 404, "PROPFIND")
    await ask("/graphql", 503)
    hostile, failed = kept.all
    assert (hostile.name, attributes(hostile)["http.request.method"]) == ("HTTP", "_OTHER")
    assert hostile.status.status_code is StatusCode.UNSET
    assert "hostile" not in kept.told()
    assert failed.status.status_code is StatusCode.ERROR
    assert attributes(failed)["error.type"] == "503"


async def test_probes_are_no_spans(kept: Recorded) -> None:
    for path in ("/healthz", "/readyz", "/metrics"):
        await ask(path, method="GET")
    assert kept.all == ()


async def test_operations_of_a_socket_belong_to_the_trace_of_its_handshake(
    operations: MeasuredOperations, kept: Recorded
) -> None:
    async def application(_scope: Scope, _receive: Receive, _send: Send) -> None:
        await asyncio.create_task(run(operations, "{ hello }"))

    scope = scope_of("websocket", "/graphql", headers={"traceparent": TRACEPARENT})
    await WatchedRequests(application)(scope, _nothing, _nowhere)
    (span,) = kept.all
    assert span.name == "query"
    assert format(span.context.trace_id, "032x") == TRACE


# ---- Logs


async def test_an_event_of_the_log_names_the_trace_and_the_span(kept: Recorded) -> None:
    record = logging.LogRecord("server.test", logging.INFO, __file__, 1, "operation", (), None)
    begin_request("r-1")
    with spans.span("one"):
        event = json.loads(JSONFormatter().format(record))
    after = json.loads(JSONFormatter().format(record))
    span = kept.one("one")
    assert event["trace_id"] == format(span.context.trace_id, "032x")
    assert event["span_id"] == format(span.context.span_id, "016x")
    assert event["request_id"] == trail().request_id == "r-1"
    assert not {"trace_id", "span_id"} & set(after)
