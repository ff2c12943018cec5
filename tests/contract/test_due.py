"""What comes due is found by the database's clock and happens once, whoever comes first (`runtime.md` T1, T2, S4)."""

import asyncio
from datetime import UTC, datetime, timedelta

import asyncpg
import pytest

from db.commands.due import MOST_TOGETHER, DueTree, due_trees, handle_due, seconds_until_due
from db.commands.outcome import Actor, Committed
from db.commands.step import fail_step, set_step_due_date
from db.store import Store
from tests.contract.graphs import CHILD, JSON, TASK, batch, graph
from tests.contract.locks import blocked
from tests.contract.tables import STEPS, set_columns
from tests.contract.trees import Rows, assert_whole, create, outcome, publish, read
from tests.databases import connected

Rivals = tuple[Store, Store]

PAST = datetime(2020, 1, 1, tzinfo=UTC)
FUTURE = datetime(2100, 1, 1, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
RETRIED = graph(
    "retried", {"task": {"type": TASK, "retry": {"maxAttempts": 2, "backoff": "PT1H"}}}, "start task end"
)
PARENT = graph("parent", {"children": batch("child")}, "start children end")
FREE_TREES = 30


async def task_of(store: Store, tenant: str, root: str) -> str:
    """The id of the current attempt at a tree's task."""
    id_: str = (await read(store, tenant, journal=False)).step(root, "task")["id"]
    return id_


async def due_roots(store: Store, tenant: str, *moments: datetime) -> list[str]:
    """Trees of one task, which are due at these moments."""
    await publish(store, tenant, CHILD)
    roots = await create(store, tenant, "child", len(moments))
    for root, moment in zip(roots, moments, strict=True):
        await set_step_due_date(store, Actor(tenant), await task_of(store, tenant, root), moment)
    return roots


async def scheduled_roots(store: Store, tenant: str, count: int) -> list[str]:
    """Trees whose task has failed, and whose time to try again has come."""
    await publish(store, tenant, RETRIED)
    roots = await create(store, tenant, "retried", count)
    for root in roots:
        task = await task_of(store, tenant, root)
        await fail_step(store, Actor(tenant), task, None, "It broke.")
        await set_columns(store.database, STEPS, task, retry_at=PAST)
    return roots


async def claimed_root(store: Store, tenant: str, lease_expires_at: datetime | None) -> str:
    """A tree whose task somebody has claimed."""
    await publish(store, tenant, CHILD)
    (root,) = await create(store, tenant, "child")
    await set_columns(
        store.database,
        STEPS,
        await task_of(store, tenant, root),
        claim_worker="ann",
        claim_token="token",
        claimed_at=PAST,
        lease_expires_at=lease_expires_at,
    )
    return root


async def handle_all(store: Store) -> list[Committed | None]:
    """Whatever is due, as one server does it."""
    return [await handle_due(store, tree) for tree in await due_trees(store.database)]


def is_change(committed: Committed | None) -> bool:
    return committed is not None and committed.revision > committed.since


async def whole(store: Store, tenant: str) -> Rows:
    """The rows, of which holds what must."""
    rows = await read(store, tenant)
    assert_whole(rows)
    return rows


async def test_t2_nothing_is_due_where_nothing_waits(lone_rivals: Rivals, tenant: str) -> None:
    store, _ = lone_rivals
    await publish(store, tenant, CHILD)
    await create(store, tenant, "child")
    assert await seconds_until_due(store.database) is None
    assert await due_trees(store.database) == []


async def test_t2_the_next_moment_is_the_earliest_of_all_kinds(lone_rivals: Rivals, tenant: str) -> None:
    store, _ = lone_rivals
    await due_roots(store, tenant, FUTURE)
    far = await seconds_until_due(store.database)
    (scheduled,) = await scheduled_roots(store, tenant, 1)
    task = await task_of(store, tenant, scheduled)
    await set_columns(store.database, STEPS, task, retry_at=FUTURE - MINUTE)
    nearer = await seconds_until_due(store.database)
    await claimed_root(store, f"{tenant}-other", FUTURE - 2 * MINUTE)
    nearest = await seconds_until_due(store.database)
    assert far is not None
    assert nearer is not None
    assert nearest is not None
    assert far - 59 > nearer > nearest + 59 > 10**9
    assert await due_trees(store.database) == []


async def test_t2_an_assignment_has_no_end(lone_rivals: Rivals, tenant: str) -> None:
    store, _ = lone_rivals
    await claimed_root(store, tenant, None)
    assert await seconds_until_due(store.database) is None


async def test_t2_what_is_due_is_found_the_longest_due_first(lone_rivals: Rivals, tenant: str) -> None:
    store, _ = lone_rivals
    roots = await due_roots(store, tenant, PAST + MINUTE, PAST, FUTURE, PAST + 2 * MINUTE)
    found = await due_trees(store.database)
    assert found == [DueTree(roots[n], tenant, (roots[n],)) for n in (1, 0, 3)]
    seconds = await seconds_until_due(store.database)
    assert seconds is not None
    assert seconds < 0


async def test_t2_trees_that_are_held_are_left_out(lone_rivals: Rivals, tenant: str) -> None:
    store, _ = lone_rivals
    first, second, _third = await due_roots(store, tenant, PAST, PAST + MINUTE, FUTURE)
    assert [tree.root_id for tree in await due_trees(store.database, [first])] == [second]
    seconds = await seconds_until_due(store.database, [first, second])
    assert seconds is not None
    assert seconds > 10**9


@pytest.mark.parametrize("kind", ["STEP_OVERDUE", "STEP_CREATED"])
async def test_t2_of_two_servers_that_find_the_same_each_item_happens_once(
    lone_rivals: Rivals, tenant: str, kind: str
) -> None:
    first, second = lone_rivals
    if kind == "STEP_OVERDUE":
        roots = await due_roots(first, tenant, *[PAST] * FREE_TREES)
    else:
        roots = await scheduled_roots(first, tenant, FREE_TREES)
    found = await due_trees(first.database)
    assert await due_trees(second.database) == found
    came = await asyncio.gather(*(handle_due(store, tree) for tree in found for store in lone_rivals))
    changed = [committed.root_id for committed in came if is_change(committed) and committed is not None]
    assert sorted(changed) == sorted(roots)
    rows = await whole(first, tenant)
    for root in roots:
        (change,) = rows.kinds(root, kind)
        assert change["actor"] is None
    assert await due_trees(first.database) == []


async def test_t2_a_command_that_comes_first_leaves_nothing_to_do(lone_rivals: Rivals, tenant: str) -> None:
    """What was found is asked again under the lock."""
    store, other = lone_rivals
    (root,) = await due_roots(store, tenant, PAST)
    (found,) = await due_trees(store.database)
    await set_step_due_date(other, Actor(tenant), await task_of(store, tenant, root), FUTURE)
    assert not is_change(await handle_due(store, found))
    assert (await whole(store, tenant)).kinds(root, "STEP_OVERDUE") == []


async def test_t3_a_lease_that_was_extended_meanwhile_does_not_end(lone_rivals: Rivals, tenant: str) -> None:
    """A heartbeat moves it without a revision (T3)."""
    store, _ = lone_rivals
    root = await claimed_root(store, tenant, PAST)
    (found,) = await due_trees(store.database)
    await set_columns(store.database, STEPS, await task_of(store, tenant, root), lease_expires_at=FUTURE)
    assert not is_change(await handle_due(store, found))
    assert (await read(store, tenant)).step(root, "task")["claim_worker"] == "ann"


async def test_t2_a_lease_that_has_passed_is_told(lone_rivals: Rivals, tenant: str) -> None:
    store, _ = lone_rivals
    root = await claimed_root(store, tenant, PAST)
    (committed,) = await handle_all(store)
    assert is_change(committed)
    rows = await whole(store, tenant)
    (change,) = rows.kinds(root, "STEP_CLAIM_EXPIRED")
    assert change["data"]["claim"] is None
    assert rows.step(root, "task")["claim_token"] is None
    assert await seconds_until_due(store.database) is None


async def test_s4_a_retry_goes_on_in_the_executions_above(lone_rivals: Rivals, tenant: str) -> None:
    """The next attempt starts in a child of a child's; whoever completes it ends the tree."""
    store, _ = lone_rivals
    retried: JSON = {**RETRIED, "id": "child", "name": "Child"}
    await publish(store, tenant, retried, PARENT)
    (root,) = await create(store, tenant, "parent", context={"items": [1]})
    (child,) = (await read(store, tenant)).children(root, "children")
    failed = await task_of(store, tenant, child["id"])
    await fail_step(store, Actor(tenant), failed, None, "It broke.")
    await set_columns(store.database, STEPS, failed, retry_at=PAST)
    (found,) = await due_trees(store.database)
    assert found == DueTree(root, tenant, (child["id"],))
    await handle_due(store, found)
    rows = await whole(store, tenant)
    task = rows.step(child["id"], "task")
    assert (task["status"].name, task["attempt"]) == ("IN_PROGRESS", 2)
    kinds = [row["kind"].name for row in rows.journal[root][-2:]]
    assert kinds == ["STEP_CREATED", "STEP_STARTED"]
    assert isinstance(await outcome(fail_step(store, Actor(tenant), task["id"], None, "Again.")), Committed)
    assert (await whole(store, tenant)).executions[root]["runtime_status"].name == "FAILED"


async def test_t2_many_of_one_tree_take_turns(lone_rivals: Rivals, tenant: str) -> None:
    """A transaction that does them all would keep commands waiting."""
    store, _ = lone_rivals
    more = MOST_TOGETHER + 6
    dated = graph("child", {"task": {"type": TASK, "dueIn": "PT1H"}}, "start task end")
    await publish(store, tenant, dated, PARENT)
    (root,) = await create(store, tenant, "parent", context={"items": list(range(more))})
    rows = await read(store, tenant, journal=False)
    for child in rows.children(root, "children"):
        task = rows.step(child["id"], "task")["id"]
        await set_columns(store.database, STEPS, task, due_at=PAST)
    turns = []
    while found := await due_trees(store.database):
        (tree,) = found
        turns.append(len(tree.execution_ids))
        assert is_change(await handle_due(store, tree))
    assert turns == [MOST_TOGETHER, 6]
    assert len((await read(store, tenant)).kinds(root, "STEP_OVERDUE")) == more


@pytest.mark.postgresql
@pytest.mark.parametrize("empty_url", ["postgresql"], indirect=True)
async def test_t2_a_tree_at_which_somebody_works_is_skipped_and_done_later(
    lone_rivals: Rivals, empty_url: str, tenant: str
) -> None:
    store, _ = lone_rivals
    locked, free = await due_roots(store, tenant, PAST, PAST + MINUTE)
    command: asyncpg.Connection = await connected(empty_url)
    transaction = command.transaction()
    await transaction.start()
    await command.execute("select from workflow_execution where id = $1 for update", locked)
    skipped, done = await handle_all(store)
    assert skipped is None
    assert done is not None
    assert done.root_id == free
    (found,) = await due_trees(store.database)
    waiting = asyncio.create_task(handle_due(store, found, wait=True))
    await blocked(command)
    await transaction.rollback()
    assert is_change(await waiting)
    await command.close()
    assert len((await whole(store, tenant)).kinds(locked, "STEP_OVERDUE")) == 1
