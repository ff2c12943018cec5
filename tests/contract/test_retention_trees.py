"""`prune --executions`: trees that have ended and have long not changed go, whole; everything else stays as it is."""

import asyncio
from collections.abc import AsyncIterator
from datetime import datetime
from typing import Any

import asyncpg
import pytest

from db.commands.outcome import Actor
from db.commands.step import retry_step
from db.connect import database_for
from db.journal import JournalReader
from db.migrate import migrate
from db.retention import trees as retention
from db.retention.history import trim_history
from db.retention.trees import delete_trees
from db.runtime.errors import Refusal
from db.session import Database
from db.store import Store
from tests.api import Api
from tests.contract.commands import give, refuse, succeed
from tests.contract.graphs import CHILD, TASK, batch, graph
from tests.contract.old import moment_after, rows_of_tree
from tests.contract.one_tree import Tree, grown
from tests.contract.tables import EXECUTIONS, TABLES, everything, row_by_id, rows_of
from tests.contract.test_retention_history import CHANGES, code_of
from tests.contract.trees import Rows, create, publish
from tests.databases import connected
from tests.live.trees import tree_of
from tests.schema.settling import settled

PARENT = graph("parent", {"children": batch("child", "__context__.items")}, "start children end")
LEAVING = graph(
    "leaving",
    {"children": {**batch("child", "__context__.items"), "onParentClose": "ABANDON"}},
    "start children end",
)
TEMPLATES = TABLES[0]
NOTHING = {"workflow_execution": 0, "step_execution": 0, "step_child": 0, "journal": 0}


@pytest.fixture
async def database(served_database_url: str) -> AsyncIterator[Database]:
    """One of the test's own: pruning is for all tenants."""
    await migrate(served_database_url)
    async with database_for(served_database_url) as opened:
        yield opened


async def now_of(database: Database, root_id: str) -> datetime:
    """A moment that lies after all that has happened in a tree."""
    revision = (await row_by_id(database, EXECUTIONS, root_id))["tree_revision"]
    return await moment_after(database, root_id, revision)


async def prune(database: Database, before: datetime) -> int:
    return await delete_trees(database, before, lambda _: None)


async def running(database: Database, tenant: str, items: list[int]) -> Tree:
    """A tree of a root and a child for each item."""
    store = Store(database)
    if not await rows_of(database, TEMPLATES, tenant):
        await publish(store, tenant, CHILD, PARENT)
    (root,) = await create(store, tenant, "parent", context={"items": items})
    tree = Tree(store, tenant, root, Rows())
    await tree.look()
    return tree


async def ended(database: Database, tenant: str, items: list[int]) -> Tree:
    """The same, cancelled."""
    tree = await running(database, tenant, items)
    await tree.cancel()
    return tree


async def test_an_ended_tree_goes_whole_and_nothing_else(database: Database, tenant: str) -> None:
    """Of all tenants, whatever the others do."""
    young_tenant, other = f"{tenant}-young", f"{tenant}-other"
    mine = await ended(database, tenant, items=[1, 2, 3])
    theirs = await ended(database, other, items=[1])
    going = await running(database, tenant, items=[1, 2])
    before = await now_of(database, going.root)
    await ended(database, young_tenant, items=[1])
    there = await everything(database, young_tenant)
    kept = await everything(database, tenant)
    assert (await rows_of_tree(database, mine.root))["workflow_execution"] == 4
    assert await prune(database, before) == 2
    for tree in (mine, theirs):
        assert await rows_of_tree(database, tree.root) == NOTHING
    assert await everything(database, young_tenant) == there
    after = await everything(database, tenant)
    gone = {id_ for id_, row in mine.rows.executions.items() if row["root_id"] == mine.root}
    for table, rows in after.items():
        others = [row for row in kept[table] if not gone & {row.get("root_id"), row.get("child_id")}]
        assert rows == others, table
    assert await prune(database, before) == 0


async def test_pieces_of_one_row_leave_nothing_either(
    database: Database, tenant: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(retention, "PAGE", 1)
    tree = await ended(database, tenant, items=list(range(retention.TOGETHER + 7)))
    assert await prune(database, await now_of(database, tree.root)) == 1
    assert await rows_of_tree(database, tree.root) == NOTHING


async def test_a_tree_stays_while_a_child_that_was_left_behind_runs(database: Database, tenant: str) -> None:
    tree = await grown(Store(database), tenant, CHILD, LEAVING, context={"items": [1]})
    await tree.cancel()
    assert await prune(database, await now_of(database, tree.root)) == 0
    await tree.complete("task", 0)
    before = await now_of(database, tree.root)
    assert await prune(database, before) == 1


async def test_a_failed_tree_that_was_reopened_stays(database: Database, tenant: str) -> None:
    api = Api(Store(database), tenant)
    tree = await tree_of(api)
    failed = await tree.fail()
    before = await moment_after(database, tree.id, failed)
    await tree.retry()
    assert await prune(database, before) == 0
    assert await prune(database, await now_of(database, tree.id)) == 0
    await tree.complete()
    assert await prune(database, await now_of(database, tree.id)) == 1


@pytest.mark.postgresql
async def test_a_tree_that_somebody_is_at_work_on_is_not_waited_for(
    migrated_postgresql_url: str, tenant: str
) -> None:
    async with database_for(migrated_postgresql_url) as database:
        locked, free = await ended(database, tenant, items=[1]), await ended(database, tenant, items=[1])
        before = await now_of(database, free.root)
        connection: asyncpg.Connection = await connected(migrated_postgresql_url)
        async with connection.transaction():
            await connection.execute("select 1 from workflow_execution where id = $1 for update", locked.root)
            assert await prune(database, before) == 1
        await connection.close()
        assert await prune(database, before) == 1


async def test_retries_race_with_it(database: Database, served_database_url: str, tenant: str) -> None:
    """Each tree is either reopened and whole, or gone and not found."""
    async with database_for(served_database_url) as other:
        api = Api(Store(other), tenant)
        trees = [await tree_of(api) for _ in range(12)]
        for tree in trees:
            last = await tree.fail()
        before = await moment_after(database, trees[-1].id, last)

        async def retry(step: str) -> Any:
            return await retried_step(Store(other), tenant, step)

        number, *retried = await asyncio.gather(
            prune(database, before), *(retry(tree.step) for tree in trees)
        )
        assert number == retried.count("NotFound")
        for tree, outcome in zip(trees, retried, strict=True):
            rows = await rows_of_tree(database, tree.id)
            if outcome == "NotFound":
                assert rows == NOTHING
            else:
                assert outcome == "Committed"
                root = await row_by_id(database, EXECUTIONS, tree.id)
                assert rows["journal"] == root["tree_revision"]


async def retried_step(store: Store, tenant: str, step: str) -> str:
    try:
        return type(await retry_step(store, Actor(tenant), step, None)).__name__
    except Refusal as refusal:
        return type(refusal).__name__


async def test_two_at_once_delete_each_tree_once(
    database: Database, served_database_url: str, tenant: str
) -> None:
    roots = [(await ended(database, tenant, items=[1])).root for _ in range(10)]
    before = await now_of(database, roots[-1])
    async with database_for(served_database_url) as other:
        one, two, _ = await asyncio.gather(
            prune(database, before), prune(other, before), trim_history(other, before, lambda _: None)
        )
    assert one + two == len(roots)
    assert [await rows_of_tree(database, root) for root in roots] == [NOTHING] * len(roots)


async def test_a_trial_deletes_nothing(database: Database, tenant: str) -> None:
    tree = await ended(database, tenant, items=[1])
    there = await everything(database, tenant)
    before = await now_of(database, tree.root)
    told: list[int] = []
    assert await delete_trees(database, before, told.append, is_trial=True) == 1
    assert told == [1]
    assert await everything(database, tenant) == there


async def test_a_repeated_key_of_a_tree_that_is_gone_is_not_found(database: Database, tenant: str) -> None:
    """I4: what was done once is not done again, though what it made is no more."""
    await publish(Store(database), tenant, graph("one", {"task": TASK}, "start task end"))
    api = Api(Store(database), tenant)
    new = {"workflowTemplateKey": "one", "idempotencyKey": "once"}
    made = (await succeed(api, "createWorkflowExecution", **new))["workflowExecution"]
    cancel = {"id": made["id"], "idempotencyKey": "twice"}
    await succeed(api, "cancelWorkflowExecution", **cancel)
    assert await prune(database, await now_of(database, made["id"])) == 1
    for mutation, given in (("createWorkflowExecution", new), ("cancelWorkflowExecution", cancel)):
        assert (await refuse(api, mutation, **given))["__typename"] == "NotFound"
    assert (await give(api, "createWorkflowExecution", **new | {"idempotencyKey": "anew"}))[
        "__typename"
    ] == "TransitionSuccess"


async def test_the_past_of_other_trees_stays_and_older_cursors_are_refused(
    database: Database, tenant: str
) -> None:
    api = Api(Store(database), tenant)
    kept = await tree_of(api)
    gone = await tree_of(api)
    await gone.complete()
    await settled(database)
    before = (await api.data(CHANGES))["changes"]["nodes"]
    assert await prune(database, await now_of(database, gone.id)) == 1
    last = max(n for n, each in enumerate(before) if each["rootWorkflowExecutionId"] == gone.id)
    mine = [each for each in before if each["rootWorkflowExecutionId"] == kept.id]
    assert (await api.data(CHANGES))["changes"]["nodes"] == mine
    for change in before[:last]:
        assert (await code_of(api, CHANGES, after=change["cursor"]))[0] == "CURSOR_EXPIRED"
    assert (await api.data(CHANGES, after=before[last]["cursor"]))["changes"]["nodes"] == []
    assert (await api.data(CHANGES, root=kept.id, after=mine[0]["cursor"]))["changes"]["nodes"] == mine[1:]
    as_of = "query ($id: ID!, $n: Int!) { workflowExecution(id: $id, asOf: $n) { treeRevision } }"
    for revision in range(1, 6):
        shown = await api.data(as_of, id=kept.id, n=revision)
        assert shown["workflowExecution"] == {"treeRevision": revision}
    assert (await api.data(as_of, id=gone.id, n=1))["workflowExecution"] is None
    assert (await JournalReader(database).settled(tenant)).position > 0
