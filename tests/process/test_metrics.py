"""`/metrics` of a server that did what is counted (`security.md` O1)."""

import json
from collections.abc import Iterator
from contextlib import AsyncExitStack
from datetime import UTC, datetime
from pathlib import Path

import pytest

from db.connect import database_for
from server.monitoring.measuring import OTHER, trusted_names
from server.telemetry.metrics import REGISTRY
from tests.contract.tables import STEPS, set_columns
from tests.frontend_documents import document, operation_names
from tests.process.clients import http_client, open_events, open_socket, post
from tests.process.numbers import numbers
from tests.process.workflows import WATCH, complete, create, send
from tests.servers import ServerProcess

SUBSCRIBERS = 3
PAST = datetime(2020, 1, 1, tzinfo=UTC)


@pytest.fixture
def server(served_database_url: str, tmp_path: Path) -> Iterator[ServerProcess]:
    """A server on each database in turn."""
    with ServerProcess("--demo", "--database", served_database_url, cwd=tmp_path) as running:
        yield running


async def test_operations_and_commands_are_counted_by_name_kind_and_outcome(server: ServerProcess) -> None:
    execution = await create(server)
    await complete(server, execution.steps["verify"], {"verified": True})
    given = {"id": execution.steps["verify"], "outputData": {"verified": True}}
    await send(server, "CompleteStep", "InvalidTransition", input=given)
    await post(server, "query ExecutionDetail { nothing }")
    found = await numbers(server)
    operations = "stepgraph_operations_total"
    assert found(operations, type="mutation", name="StartExecution", outcome="ok") == 1
    assert found(operations, type="mutation", name="CompleteStep", outcome="ok") == 2
    assert found(operations, type="unknown", name=OTHER, outcome="refused") == 1
    assert found("stepgraph_operation_seconds_count", type="mutation", name="CompleteStep") == 2
    commands = "stepgraph_commands_total"
    assert found(commands, kind="createWorkflowExecution", outcome="done") == 1
    assert found(commands, kind="completeStep", outcome="done") == 1
    assert found(commands, kind="completeStep", outcome="InvalidTransition") == 1
    assert found("stepgraph_command_seconds_count", kind="completeStep") == 2
    assert found("stepgraph_http_requests_total", path="/graphql", method="POST", status="200") == 4
    assert found("stepgraph_doorbell_rings_total", outcome="published") == 2
    assert found("stepgraph_unexpected_errors_total") == 0


async def test_names_that_clients_choose_are_one_number(server: ServerProcess) -> None:
    async with http_client(server) as client:
        for number in range(20):
            name = f"Hostile{number}"
            body = {"query": f"query {name} {{ __typename }}", "operationName": name}
            assert (await client.post("/graphql", json=body)).status_code == 200
            await client.post("/graphql", json={"query": "{", "operationName": name})
            await client.delete(f"/hostile/{number}")
    found = await numbers(server)
    assert found.labels("stepgraph_operations_total", "name") == {OTHER}
    assert found("stepgraph_operations_total", type="query", name=OTHER, outcome="ok") == 20
    assert found("stepgraph_operations_total", type="unknown", name=OTHER, outcome="refused") == 20
    assert found.labels("stepgraph_http_requests_total", "path") == {"/graphql", OTHER}
    assert found.labels("stepgraph_http_requests_total", "method") == {"POST", OTHER}


async def test_subscribers_payloads_and_deliveries_are_counted(server: ServerProcess) -> None:
    execution = await create(server)
    field = {"field": "workflowExecution"}
    before = await numbers(server)
    async with AsyncExitStack() as stack:
        sockets = [await stack.enter_async_context(open_socket(server)) for _ in range(SUBSCRIBERS)]
        payload = {"query": WATCH, "variables": {"id": execution.id}}
        for socket in sockets:
            await socket.send(json.dumps({"id": "1", "type": "subscribe", "payload": payload}))
            await socket.recv()
        during = await numbers(server)
        await complete(server, execution.steps["verify"], {"verified": True})
        for socket in sockets:
            assert json.loads(await socket.recv())["type"] == "next"
    assert during("stepgraph_websockets") == SUBSCRIBERS
    assert during("stepgraph_subscribers", **field) == SUBSCRIBERS
    assert during("stepgraph_shared_subscriptions", **field) == 1
    assert during("stepgraph_feed_trees") == 1
    after = await numbers(server)
    given = after("stepgraph_deliveries_total", **field) - during("stepgraph_deliveries_total", **field)
    assert given == SUBSCRIBERS
    made = after("stepgraph_payloads_total", **field) - during("stepgraph_payloads_total", **field)
    assert made == 1
    assert after("stepgraph_feed_lag_seconds_count") - before("stepgraph_feed_lag_seconds_count") == 1
    assert after("stepgraph_feed_lag_seconds_sum") < 60


async def test_streams_of_changes_are_counted_too(server: ServerProcess) -> None:
    execution = await create(server)
    field = {"field": "workflowExecutionTree"}
    async with open_events(server, document("FollowTree"), rootId=execution.id) as events:
        assert (await anext(events))[0] == "id"
        during = await numbers(server)
    assert during("stepgraph_event_streams") == 1
    assert during("stepgraph_subscribers", **field) == 1
    assert during("stepgraph_payloads_total", **field) >= 1
    assert during("stepgraph_deliveries_total", **field) >= 1
    ended = await numbers(server)
    assert ended("stepgraph_operations_total", type="subscription", name="FollowTree", outcome="ok") == 1


async def test_the_timer_tells_how_late_it_was(server: ServerProcess, served_database_url: str) -> None:
    execution = await create(server)
    step = execution.steps["verify"]
    before = await numbers(server)
    assert before("stepgraph_timer_last_look_timestamp_seconds") > 1e9
    async with open_events(server, WATCH, id=execution.id) as events:
        await anext(events)
        async with database_for(served_database_url) as database:
            await set_columns(database, STEPS, step, due_at=PAST)
        await anext(events)  # it is overdue
    after = await numbers(server)
    assert after("stepgraph_timer_trees_total", outcome="done") == 1
    assert after("stepgraph_timer_lag_seconds_count") >= 1
    assert after("stepgraph_timer_lag_seconds_sum") >= 3600


async def test_the_pools_and_the_doorbell_are_told(server: ServerProcess, served_database_url: str) -> None:
    limits = (
        {"readers": 10, "writers": 10}
        if served_database_url.startswith("postgresql")
        else {"readers": 4, "writers": 1}
    )
    # The timer may be at work; nobody else is.
    while (found := await numbers(server)).total("stepgraph_database_waiting"):
        pass
    for pool, limit in limits.items():
        assert found("stepgraph_database_connections_limit", pool=pool) == limit
        assert 1 <= found("stepgraph_database_connections", pool=pool) <= limit
        assert found("stepgraph_database_connections_used", pool=pool) <= limit
    assert found("stepgraph_doorbell_up") == 1


async def test_everything_that_the_code_counts_is_told_by_its_name(server: ServerProcess) -> None:
    async with http_client(server) as client:
        text = (await client.get("/metrics")).text
    told = {line.split()[2] for line in text.splitlines() if line.startswith("# TYPE")}
    expected = {f"{each.name}_total" if each.type == "counter" else each.name for each in REGISTRY.collect()}
    assert told == expected


async def test_it_can_be_turned_off(tmp_path: Path) -> None:
    with ServerProcess("--no-metrics", cwd=tmp_path) as server:
        async with http_client(server) as client:
            assert (await client.get("/metrics")).status_code == 404
        assert not any("/metrics" in line for line in server.output)


def test_the_names_that_are_told_are_those_of_the_operations_of_frontends() -> None:
    assert sorted(trusted_names()) == operation_names()
