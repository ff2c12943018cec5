"""A command that is stopped in the middle leaves nothing, and the connection is fit for the next one (`runtime.md` F3)."""

import asyncio
import contextlib
import sqlite3
from collections.abc import AsyncIterator, Awaitable, Callable, Generator
from typing import Any

import asyncpg
import pytest
from sqlalchemy import bindparam, insert, select
from sqlalchemy.engine import make_url

from db import tables
from db.commands import version
from db.commands.execution import (
    NewExecution,
    cancel_workflow_execution,
    create_workflow_execution,
    start_workflow_execution,
)
from db.commands.outcome import Actor
from db.commands.step import complete_step, fail_step
from db.commands.template import NewTemplate, create_workflow_template
from db.connect import database_for
from db.lanes import Lanes
from db.postgresql import PostgreSQLDatabase
from db.requests import Fetch, Write
from db.runtime.errors import InvalidTransition
from db.session import Conflict, Database
from db.statements import Row, Statement
from db.store import Store
from db.tables import table_of
from tests.api import Api
from tests.contract.commands import ids_of, run_of
from tests.contract.locks import blocked
from tests.contract.samples import ONE, TWO
from tests.contract.tables import EXECUTIONS, STEPS, everything, journal_of, row_by_id, written

TEMPLATES = table_of(tables.WorkflowTemplate)
VERSIONS = table_of(tables.WorkflowTemplateVersion)
_INSERT = Statement(insert(TEMPLATES).values({c.name: bindparam(c.name) for c in TEMPLATES.columns}))
_ONE = Statement(select(TEMPLATES.c.id).where(TEMPLATES.c.tenant == bindparam("tenant")))

Script = Generator[Fetch | Write, list[Row], Any]


class Cut(Exception):
    """The script was stopped here."""


def cut(script: Script, after: int) -> Script:
    """The script, stopped before its request number `after`."""
    request = next(script)
    for _ in range(after):
        answer = yield request
        try:
            request = script.send(answer)
        except StopIteration as end:
            return end.value
    script.close()
    raise Cut


class CutDatabase:
    """A database whose transactions are stopped after so many requests."""

    def __init__(self, database: Database, after: int) -> None:
        self._database = database
        self._after = after
        self.kind = database.kind

    async def transact(self, script: Script) -> Any:
        return await self._database.transact(cut(script, self._after))

    async def attempt(self, script: Script) -> Any:
        return await self._database.attempt(cut(script, self._after))


class BusyLanes(Lanes):
    """Lines of trees at which others are always at work, so that every command takes the lock."""

    def is_busy(self, root_id: str) -> bool:
        return True


@pytest.fixture
async def single(database_url: str) -> AsyncIterator[Database]:
    """One connection for writing, so that the next command must use the same one again."""
    url = make_url(database_url)
    one = PostgreSQLDatabase(url, writers=1) if "postgresql" in database_url else database_for(database_url)
    async with one as opened:
        yield opened


async def running(database: Database, tenant: str, **given: Any) -> tuple[str, str]:
    """An execution of start → a → b → end and its step `a`."""
    api = Api(Store(database), tenant)
    await api.publish(TWO, key="two")
    execution = await run_of(api, "two", **given)
    return execution["id"], ids_of(execution)["a"]


async def command_of(name: str, database: Database, tenant: str) -> Callable[[Store], Awaitable[Any]]:
    """A command that can be given, with all that it needs already there."""
    actor = Actor(tenant)
    if name == "create template":
        new = NewTemplate(name="New", definition=TWO, publish=True, activate=True)
        return lambda store: create_workflow_template(store, actor, new)
    if name in ("publish", "delete"):
        draft = (await create_workflow_template(Store(database), actor, NewTemplate(name="Draft"))).version_id
        command = version.publish_version if name == "publish" else version.delete_version
        return lambda store: command(store, actor, str(draft))
    execution_id, step_id = await running(database, tenant, start=name != "start")
    return {
        "create": lambda store: create_workflow_execution(
            store, actor, NewExecution(workflow_template_key="two")
        ),
        "start": lambda store: start_workflow_execution(store, actor, execution_id),
        "complete": lambda store: complete_step(store, actor, step_id, {"x": 1}),
        "fail": lambda store: fail_step(store, actor, step_id, None, "It broke."),
        "cancel": lambda store: cancel_workflow_execution(store, actor, execution_id, None),
    }[name]


@pytest.mark.parametrize(
    "name",
    ["create template", "publish", "delete", "create", "start", "complete", "fail", "cancel"],
)
@pytest.mark.parametrize("lanes", [Lanes, BusyLanes], ids=["without lock", "locked"])
async def test_f3_a_command_that_is_stopped_anywhere_leaves_nothing(
    single: Database, tenant: str, name: str, lanes: type[Lanes]
) -> None:
    give = await command_of(name, single, tenant)
    before = await everything(single, tenant)
    stopped = 0
    while True:
        # A store of its own each time: what a stopped command remembered must not help the next one.
        store = Store(CutDatabase(single, stopped), lanes=lanes())  # type: ignore[arg-type]  # a stand-in
        try:
            await give(store)
        except Cut:
            assert await everything(single, tenant) == before
            stopped += 1
        else:
            break
    assert stopped >= 2
    assert await everything(single, tenant) != before


async def test_a_write_that_the_database_refuses_undoes_what_was_written_before(
    single: Database, tenant: str
) -> None:
    execution_id, _ = await running(single, tenant)
    before = await everything(single, tenant)
    template = before["workflow_template"][0] | {"id": "tmpl_new", "key": "new"}
    broken = before["workflow_template_version"][0] | {
        "id": "tver_new",
        "version": "9.0.0",
        "published_at": None,
    }
    insert_version = Statement(insert(VERSIONS).values({name: bindparam(name) for name in broken}))
    with pytest.raises(Conflict, match="workflow_template_version_published"):
        await single.transact(written(Write(_INSERT, [template]), Write(insert_version, [broken])))
    assert await everything(single, tenant) == before
    await cancel_workflow_execution(Store(single), Actor(tenant), execution_id, None)


async def test_an_error_of_the_script_undoes_what_it_wrote(single: Database, tenant: str) -> None:
    await running(single, tenant)
    before = await everything(single, tenant)

    def script() -> Script:
        yield Write(_INSERT, [before["workflow_template"][0] | {"id": "tmpl_new", "key": "new"}])
        assert len((yield Fetch(_ONE, {"tenant": tenant}))) == 2
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await single.transact(script())
    assert await everything(single, tenant) == before
    assert await single.transact(_answer(tenant)) == [(before["workflow_template"][0]["id"],)]


async def test_of_many_rows_of_one_write_all_are_written_or_none(single: Database, tenant: str) -> None:
    await running(single, tenant)
    before = await everything(single, tenant)
    base = before["workflow_template"][0]
    rows = [base | {"id": f"tmpl_{number}", "key": f"k{number % 3}"} for number in range(4)]
    with pytest.raises(Conflict):
        await single.transact(written(Write(_INSERT, rows)))
    assert await everything(single, tenant) == before


def _answer(tenant: str) -> Script:
    return (yield Fetch(_ONE, {"tenant": tenant}))


@pytest.mark.postgresql
@pytest.mark.parametrize("times", [1, 2])
async def test_a_task_cancelled_while_its_tree_is_locked_leaves_all_or_nothing_on_postgresql(
    postgresql_url: str, raw_postgresql: asyncpg.Connection, tenant: str, times: int
) -> None:
    async with PostgreSQLDatabase(make_url(postgresql_url), writers=1) as database:
        execution_id, step_id = await running(database, tenant)
        store = Store(database)
        async with raw_postgresql.transaction():
            await raw_postgresql.execute(
                "select from workflow_execution where id = $1 for update", execution_id
            )
            task = asyncio.create_task(complete_step(store, Actor(tenant), step_id, {}))
            await blocked(raw_postgresql)
            for _ in range(times):
                task.cancel()
                await asyncio.sleep(0)
            with pytest.raises(asyncio.CancelledError):
                await task
        # It stands in line for its tree on its own account, so it may be done; nobody is told.
        with contextlib.suppress(InvalidTransition):
            await complete_step(store, Actor(tenant), step_id, {})
        journal = await journal_of(database, execution_id)
        execution = await row_by_id(database, EXECUTIONS, execution_id)
        assert [row["revision"] for row in journal] == list(range(1, execution["tree_revision"] + 1))
        kinds = [row["kind"] for row in journal if row["step_execution_id"] == step_id]
        assert kinds.count("STEP_COMPLETED") == 1


async def test_a_task_cancelled_in_its_transaction_leaves_all_or_nothing_on_sqlite(
    sqlite_url: str, tenant: str
) -> None:
    async with database_for(sqlite_url) as database:
        execution_id, step_id = await running(database, tenant)
        holder = sqlite3.connect(str(make_url(sqlite_url).database), isolation_level=None)
        holder.execute("begin immediate")
        task = asyncio.create_task(complete_step(Store(database), Actor(tenant), step_id, {}))
        queued = asyncio.create_task(
            create_workflow_execution(
                Store(database), Actor(tenant), NewExecution(workflow_template_key="two")
            )
        )
        await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        holder.execute("rollback")
        holder.close()
        await queued
        execution = await row_by_id(database, EXECUTIONS, execution_id)
        step = await row_by_id(database, STEPS, step_id)
        journal = await journal_of(database, execution_id)
        assert [row["revision"] for row in journal] == list(range(1, execution["tree_revision"] + 1))
        completed = "STEP_COMPLETED" in {
            row["kind"] for row in journal if row["step_execution_id"] == step_id
        }
        assert (step["status"] == "Completed") is completed


async def test_j1_a_refused_command_writes_nothing_and_tells_nobody(api: Api, tenant: str) -> None:
    await api.publish(ONE, key="one")
    execution = await run_of(api, "one")
    await api.run(
        "mutation ($id: ID!) { cancelWorkflowExecution(input: {id: $id}) { __typename } }",
        {"id": execution["id"]},
    )
    before = await everything(api.store.database, tenant), list(api.announcer.committed)
    await api.run(
        "mutation ($id: ID!) { cancelWorkflowExecution(input: {id: $id}) { __typename } }",
        {"id": execution["id"]},
    )
    assert (await everything(api.store.database, tenant), api.announcer.committed) == before
