"""Statements as spans, on both databases: whose they are, what they are called, and that they do what they did."""

from collections.abc import AsyncIterator, Generator
from typing import Any

import pytest
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.trace import SpanKind, StatusCode

from db.commands.execution import cancel_workflow_execution
from db.commands.outcome import Actor
from db.commands.rows import FIND_ROOT
from db.connect import database_for
from db.requests import Begin, Fetch, Request
from db.runtime.errors import InvalidTransition
from db.session import Database, StorageFull
from db.store import Store
from server.telemetry import spans
from server.telemetry.traced_database import TracedDatabase
from tests.contract.graphs import TASK, graph
from tests.contract.trees import create, publish
from tests.recorded_spans import Recorded, attributes, recorded

ONE = graph("one", {"only": TASK}, "start only end")


@pytest.fixture
async def traced(database_url: str) -> AsyncIterator[Store]:
    """What commands run on, whose statements are told."""
    async with database_for(database_url) as opened:
        yield Store(TracedDatabase(opened))


async def test_statements_of_a_command_are_below_it(traced: Store, tenant: str) -> None:
    await publish(traced, tenant, ONE)
    (root,) = await create(traced, tenant, "one")
    with recorded() as kept, spans.span("command"):
        await cancel_workflow_execution(traced, Actor(tenant), root, "enough")
    statements = assert_statements(kept, traced.database)
    # On PostgreSQL what nobody came before is written in one statement, without a transaction.
    last = ["COMMIT"] if traced.database.kind == "sqlite" else []
    *read, written = statements[: len(statements) - len(last)]
    assert written == "UPDATE workflow_execution; UPDATE step_execution; INSERT journal"
    assert statements[len(read) + 1 :] == last
    assert all(each.startswith("SELECT ") for each in read)
    assert "enough" not in kept.told()
    assert root not in kept.told()


async def test_the_commit_of_a_transaction_is_a_span_and_so_is_its_failure(traced: Store) -> None:
    with recorded() as kept, spans.span("command"):
        await traced.database.transact(reading())
        await traced.database.attempt(beginning())
    assert assert_statements(kept, traced.database) == ["SELECT workflow_execution", "COMMIT"] * 2
    with recorded() as kept, spans.span("command"), pytest.raises(LookupError):
        await traced.database.transact(refusing())
    assert "COMMIT" not in kept.names


async def test_a_commit_that_fails_says_with_what(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    transact = database.transact

    async def fill_at_the_end(script: Generator[Request, Any, Any]) -> None:
        await transact(script)
        raise StorageFull("swordfish")

    monkeypatch.setattr(database, "transact", fill_at_the_end)
    with recorded() as kept, spans.span("command"), pytest.raises(StorageFull):
        await TracedDatabase(database).transact(reading())
    assert attributes(kept.one("COMMIT"))["error.type"] == "StorageFull"
    assert "swordfish" not in kept.told()


async def test_a_command_that_is_refused_is_no_failure_of_a_statement(traced: Store, tenant: str) -> None:
    await publish(traced, tenant, ONE)
    (root,) = await create(traced, tenant, "one")
    await cancel_workflow_execution(traced, Actor(tenant), root, None)
    with recorded() as kept, spans.span("command"), pytest.raises(InvalidTransition):
        await cancel_workflow_execution(traced, Actor(tenant), root, None)
    assert_statements(kept, traced.database)
    assert {span.status.status_code for span in kept.all} == {StatusCode.UNSET}


async def test_reads_are_statements_too(traced: Store) -> None:
    database = traced.database
    with recorded() as kept, spans.span("query"):
        assert await database.read("select 'swordfish'", []) == "swordfish"
        assert await database.rows(FIND_ROOT, {"id": "exec_nothing"}) == []
        assert await database.consult(reading()) == []
    found = "SELECT workflow_execution"
    assert assert_statements(kept, database) == ["SELECT", found, found]
    assert "swordfish" not in kept.told()


async def test_what_is_run_for_nobody_is_no_span(traced: Store) -> None:
    with recorded() as kept:
        await traced.database.rows(FIND_ROOT, {"id": "exec_nothing"})
        with spans.span("ended") as ended:
            ended.end()
            await traced.database.transact(reading())
    assert kept.names == ["ended"]


async def test_a_statement_that_fails_says_with_what_and_not_why(traced: Store) -> None:
    with recorded() as kept, spans.span("query"), pytest.raises(Exception, match="swordfish"):
        await traced.database.read("select * from swordfish", [])
    failed = kept.one("SELECT")
    assert failed.status.status_code is StatusCode.ERROR
    assert attributes(failed)["error.type"].endswith(("Error", "Unavailable"))
    assert "swordfish" not in kept.told()


def reading() -> Generator[Request, Any, list[Any]]:
    """A script that reads."""
    found: list[Any] = yield Fetch(FIND_ROOT, {"id": "exec_nothing"})
    return found


def beginning() -> Generator[Request, Any, list[Any]]:
    """A script that asks for a transaction."""
    yield Begin()
    return (yield from reading())


def refusing() -> Generator[Request, Any, None]:
    """A script that raises after it has read."""
    yield from reading()
    raise LookupError


def assert_statements(kept: Recorded, database: Database) -> list[str]:
    """All that was recorded are statements below the one span; returns their names."""
    *_, above = kept.all
    statements: list[ReadableSpan] = kept.below(above)
    assert len(statements) == len(kept.all) - 1 > 0
    for each in statements:
        assert each.kind is SpanKind.CLIENT
        assert attributes(each) == {
            "db.system.name": database.kind,
            "db.operation.name": each.name.split()[0],
            "db.query.summary": each.name,
        }
    return [each.name for each in statements]
