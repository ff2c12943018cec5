"""A command without a lock writes all, or nothing where its tree was changed or locked since it was read (PostgreSQL)."""

from collections.abc import AsyncIterator, Generator
from typing import Any

import asyncpg
import pytest

from db.commands.guards import UNGUARDED
from db.commands.optimistic import Contended, without_lock
from db.commands.outcome import Actor, Committed
from db.commands.step import complete_step
from db.commands.transaction import Named, TreeCommand
from db.connect import database_for
from db.requests import Fetch, Request, WriteRows
from db.runtime import decisions
from db.runtime.decisions import Place
from db.runtime.errors import NotFound
from db.store import Store
from tests.contract.graphs import JOIN, PARALLEL, TASK, graph
from tests.contract.trees import Rows, assert_whole, create, publish, read

pytestmark = pytest.mark.postgresql
TWO = graph(
    "two", {"both": PARALLEL, "a": TASK, "b": TASK, "join": JOIN}, "start both a join end", "both b join"
)


@pytest.fixture
async def store(postgresql_url: str) -> AsyncIterator[Store]:
    async with database_for(postgresql_url) as database:
        yield Store(database)


async def two_tasks(store: Store, tenant: str) -> tuple[str, str, str]:
    """An execution that waits for two tasks: its id, and theirs."""
    await publish(store, tenant, TWO)
    (root,) = await create(store, tenant, "two")
    rows = await read(store, tenant)
    return root, rows.step(root, "a")["id"], rows.step(root, "b")["id"]


def completion(tenant: str, root: str, step: str) -> TreeCommand:
    return TreeCommand(
        Actor(tenant),
        Named(step_execution_id=step),
        lambda flow, _: decisions.complete(flow, Place(root, step), output={}),
        UNGUARDED,
    )


async def until_it_writes(
    store: Store, script: Generator[Request, Any, Committed]
) -> Generator[Request, Any, Committed]:
    """Let a script read and decide; what is left of it writes."""
    request = next(script)
    while isinstance(request, Fetch):
        request = script.send(await store.database.rows(request.statement, request.values))
    assert isinstance(request, WriteRows)
    return rest(script, request)


def rest(script: Generator[Request, Any, Committed], request: Request) -> Generator[Request, Any, Committed]:
    answer = yield request
    try:
        script.send(answer)
    except StopIteration as end:
        outcome: Committed = end.value
        return outcome
    raise AssertionError("a script without a lock writes once")


async def whole(store: Store, tenant: str) -> Rows:
    rows = await read(store, tenant)
    assert_whole(rows)
    return rows


async def test_what_was_decided_is_written_while_the_tree_stands_still(store: Store, tenant: str) -> None:
    root, a, _ = await two_tasks(store, tenant)
    writing = await until_it_writes(store, without_lock(store, completion(tenant, root, a)))
    outcome = await store.database.attempt(writing)
    rows = await whole(store, tenant)
    assert rows.executions[root]["tree_revision"] == outcome.revision
    assert rows.step(root, "a")["status"] == "Completed"


async def test_nothing_is_written_to_a_tree_that_has_moved_on(store: Store, tenant: str) -> None:
    root, a, b = await two_tasks(store, tenant)
    writing = await until_it_writes(store, without_lock(store, completion(tenant, root, a)))
    await complete_step(store, Actor(tenant), b, None)
    before = await whole(store, tenant)
    with pytest.raises(Contended):
        await store.database.attempt(writing)
    assert await whole(store, tenant) == before


async def test_nothing_is_written_to_a_tree_that_somebody_has_locked(
    store: Store, raw_postgresql: asyncpg.Connection, tenant: str
) -> None:
    root, a, _ = await two_tasks(store, tenant)
    before = await whole(store, tenant)
    writing = await until_it_writes(store, without_lock(store, completion(tenant, root, a)))
    async with raw_postgresql.transaction():
        await raw_postgresql.execute("select from workflow_execution where id = $1 for update", root)
        with pytest.raises(Contended):
            await store.database.attempt(writing)
    assert await whole(store, tenant) == before


async def test_a_refusal_is_asked_again_under_the_lock(store: Store, tenant: str) -> None:
    """It may rest on reads of different moments."""
    root, a, _ = await two_tasks(store, tenant)
    await complete_step(store, Actor(tenant), a, None)
    with pytest.raises(Contended):
        await store.database.attempt(without_lock(store, completion(tenant, root, a)))


async def test_what_is_somebody_elses_is_not_found(store: Store, tenant: str) -> None:
    root, a, _ = await two_tasks(store, tenant)
    with pytest.raises(NotFound):
        await store.database.attempt(without_lock(store, completion(f"not-{tenant}", root, a)))
