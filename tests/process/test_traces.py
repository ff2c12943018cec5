"""`serve --traces`: what a collector is sent of each transport (`security.md` O1)."""

import json
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from db.sqlite import SQLiteDatabase
from server.app import create_app
from server.monitoring import tracing
from server.settings import Settings
from server.telemetry import spans
from tests.databases import sqlite_url
from tests.frontend_documents import document
from tests.process.clients import http_client, open_events, open_socket
from tests.process.collector import Collector, collecting, told
from tests.process.commands import invoke
from tests.process.workflows import WATCH, complete, create
from tests.servers import Ended, ServerProcess

SECRET = "swordfish"
TRACE, PARENT = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"
TRACEPARENT = f"00-{TRACE}-{PARENT}-01"
STATEMENTS = ("SELECT", "UPDATE", "INSERT", "DELETE")


@contextmanager
def traced(database: str, directory: Path, collector: Collector, *options: str) -> Iterator[ServerProcess]:
    """A server that tells the collector all when it has ended."""
    variables = {"OTEL_EXPORTER_OTLP_ENDPOINT": collector.url, "OTEL_RESOURCE_ATTRIBUTES": "deployment=test"}
    given = ("--traces", "--demo", "--log", "json", "--database", database, *options)
    with ServerProcess(*given, cwd=directory, variables=variables) as server:
        yield server
        assert server.stop() == 0


def is_of(span: Span, trace: str) -> bool:
    return span.trace_id.hex() == trace


async def test_a_request_is_a_trace_down_to_its_statements(served_database_url: str, tmp_path: Path) -> None:
    with collecting() as collector, traced(served_database_url, tmp_path, collector) as server:
        execution = await create(server)
        output = {"verified": True, "note": SECRET}
        async with http_client(server) as client:
            response = await client.post(
                "/graphql",
                json={
                    "query": document("CompleteStep"),
                    "variables": {"input": {"id": execution.steps["verify"], "outputData": output}},
                },
                headers={"traceparent": TRACEPARENT, "authorization": f"Bearer {SECRET}"},
            )
            await client.get("/readyz")
        assert response.status_code == 200
        server.stop()
    request, operation, command, *statements = sorted(
        (span for span in collector.spans if is_of(span, TRACE)), key=lambda each: each.start_time_unix_nano
    )
    assert (request.name, request.parent_span_id.hex()) == ("POST /graphql", PARENT)
    assert (operation.name, operation.parent_span_id) == ("mutation CompleteStep", request.span_id)
    assert (command.name, command.parent_span_id) == ("completeStep", operation.span_id)
    assert told(command) == {
        "stepgraph.command.kind": "completeStep",
        "stepgraph.command.outcome": "done",
        "stepgraph.command.root_ids": [execution.id],
    }
    written = [each for each in statements if each.parent_span_id == command.span_id]
    (projected,) = [each for each in statements if each.parent_span_id == operation.span_id]
    assert [*written, projected] == statements
    kind = "sqlite" if served_database_url.startswith("sqlite") else "postgresql"
    names = [each.name for each in written if each.name != "COMMIT"]
    assert names[-1] == "UPDATE workflow_execution; UPDATE step_execution; INSERT journal"
    assert len(names) == len(written) - (kind == "sqlite")
    assert projected.name == "SELECT"
    assert {told(each)["db.system.name"] for each in statements} == {kind}
    assert SECRET not in str(collector.spans)
    assert {each["service.name"] for each in collector.resources} == {"stepgraph"}
    assert {each["deployment"] for each in collector.resources} == {"test"}
    events = [json.loads(line) for line in server.output if line.startswith("{")]
    (logged,) = [each for each in events if each.get("operation") == "CompleteStep"]
    assert (logged["trace_id"], logged["span_id"]) == (TRACE, operation.span_id.hex())
    # Looks of the timer and of the feed are nobody's, and who asks whether it is ready is no news.
    assert not [
        each for each in collector.spans if not each.parent_span_id and each.name.startswith(STATEMENTS)
    ]
    assert not [each for each in collector.spans if "readyz" in each.name]


async def test_a_shared_subscription_is_a_span_for_every_payload(tmp_path: Path) -> None:
    database = sqlite_url(tmp_path / "x.db")
    with collecting() as collector, traced(database, tmp_path, collector) as server:
        execution = await create(server)
        payload = {"query": WATCH, "variables": {"id": execution.id}}
        async with open_socket(server) as one, open_socket(server) as two:
            for each in (one, two):
                await each.send(json.dumps({"id": "1", "type": "subscribe", "payload": payload}))
                await each.recv()
            await complete(server, execution.steps["verify"], {"verified": True})
            for each in (one, two):
                assert json.loads(await each.recv())["type"] == "next"
        async with open_events(server, document("FollowTree"), rootId=execution.id) as events:
            assert (await anext(events))[0] == "id"
        server.stop()
    began = collector.named("subscription WatchExecution")
    assert len(began) == 2
    made = collector.named("event workflowExecution")
    # The state at the beginning, for whoever came a little later perhaps once more, and after the change.
    assert 2 <= len(made) <= 3
    for each in made:
        assert not each.parent_span_id
        assert [link.span_id for link in each.links] == [began[0].span_id]
        assert [span.name for span in collector.below(each)] == ["SELECT"]
    followed = collector.one("subscription FollowTree")
    first, *_ = collector.named("event workflowExecutionTree")
    assert [link.span_id for link in first.links] == [followed.span_id]


async def test_a_collector_that_hangs_keeps_nobody_waiting(tmp_path: Path) -> None:
    """Neither an answer nor the end."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        collector = Collector(silent.getsockname()[1])
        with traced(sqlite_url(tmp_path / "x.db"), tmp_path, collector) as server:
            await create(server)


async def test_without_the_option_there_is_nothing_between(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever the environment has for other programs."""
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:4318")
    app = create_app(Settings())
    assert isinstance(app.parts.store.database, SQLiteDatabase)
    async with tracing.traces_of(app.parts.settings):
        assert not spans.is_on()


def test_what_is_missing_is_said_with_what_to_install(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(tracing, "PACKAGE", "a_package_that_nobody_has.exporter")
    path = tmp_path / "x.db"
    assert invoke("serve", "--traces", "--port", "0", "--database", sqlite_url(path)) == Ended(
        1,
        "",
        "--traces (STEPGRAPH_TRACES) needs packages that are not installed: "
        "run `python -m pip install --require-hashes -r requirements-otel.txt`.\n",
    )
    assert not path.exists()
