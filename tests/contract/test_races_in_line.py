"""Commands on one tree that wait for it together share commits (`db/commands/together.py`), and none spoils another."""

import asyncio

import asyncpg
import pytest

from db.commands.guards import UNGUARDED
from db.commands.outcome import Actor, Committed
from db.commands.step import complete_step, fail_step, retry_step
from db.commands.together import run_on_tree
from db.commands.transaction import Named, TreeCommand
from db.connect import database_for
from db.runtime.effects import Decision
from db.runtime.flow import Flow
from db.runtime.statuses import ExecutionStatus
from db.store import Store
from tests.contract.arena import PARENT, Rivals, carried_out, winners
from tests.contract.graphs import CHILD, JOIN, JSON, PARALLEL, TASK, batch, graph
from tests.contract.lines import Line, in_line
from tests.contract.trees import (
    assert_whole,
    create,
    drive_to_the_end,
    outcome,
    publish,
    read,
)

WIDTH = 40
CROWD = graph(
    "crowd",
    {
        "both": PARALLEL,
        "children": batch("child", f"[1..{WIDTH}]"),
        "beside": TASK,
        "join": JOIN,
    },
    "start both children join end",
    "both beside join",
)


async def test_two_processes_command_the_children_of_one_tree_together(rivals: Rivals, tenant: str) -> None:
    """Every task is completed and failed through both; those that wait for the tree share commits (`together.py`)."""
    await publish(rivals[0], tenant, CHILD, CROWD)
    (root,) = await create(rivals[0], tenant, "crowd")
    rows = await read(rivals[0], tenant)
    tasks = [step["id"] for step in rows.attempts.values() if step["step_id"] in ("task", "beside")]
    actor = Actor(tenant)
    given = [
        outcome(each)
        for number, id_ in enumerate(tasks)
        for each in (
            complete_step(rivals[number % 2], actor, id_, None),
            fail_step(rivals[(number + 1) % 2], actor, id_, None, "It broke."),
        )
    ]
    winners(list(zip(*[iter(await asyncio.gather(*given))] * 2, strict=True)))
    assert_whole(await read(rivals[0], tenant))
    rows = await drive_to_the_end(rivals, tenant)
    assert rows.executions[root]["runtime_status"] is ExecutionStatus.COMPLETED


async def test_two_processes_retry_all_children_of_one_tree_together(rivals: Rivals, tenant: str) -> None:
    await publish(rivals[0], tenant, CHILD, CROWD)
    (root,) = await create(rivals[0], tenant, "crowd")
    actor = Actor(tenant)
    for command, given in ((fail_step, (None, "It broke.")), (retry_step, (None,))):
        rows = await read(rivals[0], tenant)
        tasks = [
            step["id"] for step in rows.attempts.values() if step["step_id"] == "task" and step["is_current"]
        ]
        commands = (command(rivals[n % 2], actor, id_, *given) for n, id_ in enumerate(tasks))
        assert carried_out(await asyncio.gather(*commands))
    rows = await read(rivals[0], tenant)
    assert_whole(rows)
    step: JSON = rows.step(root, "children")
    assert (step["attempt"], step["open_children"]) == (2, WIDTH)
    rows = await drive_to_the_end(rivals, tenant)
    assert rows.executions[root]["runtime_status"] is ExecutionStatus.COMPLETED


async def with_two_children(store: Store, tenant: str) -> tuple[str, list[str]]:
    """A tree, and the tasks that its children wait for."""
    await publish(store, tenant, CHILD, PARENT)
    (root,) = await create(store, tenant, "parent")
    rows = await read(store, tenant)
    return root, [step["id"] for step in rows.attempts.values() if step["step_id"] == "task"]


@pytest.mark.postgresql
async def test_c5_both_children_of_a_failed_step_are_retried_in_one_transaction(
    postgresql_url: str, raw_postgresql: asyncpg.Connection, tenant: str
) -> None:
    """The second retry goes by what the first has made of the parent's step, which is not in the database yet."""
    async with database_for(postgresql_url) as database:
        store, actor = Store(database), Actor(tenant)
        root, tasks = await with_two_children(store, tenant)
        for task in tasks:
            await fail_step(store, actor, task, None, "It broke.")
        commands = [(task, retry_step(store, actor, task, None)) for task in tasks]
        (outcomes,) = await in_line(raw_postgresql, tenant, Line(store, root, commands))
        assert carried_out(outcomes), outcomes
        rows = await read(store, tenant)
        step = rows.step(root, "children")
        assert (step["attempt"], step["open_children"]) == (2, 2)
        await drive_to_the_end((store,), tenant)


@pytest.mark.postgresql
async def test_what_breaks_one_command_of_a_line_does_not_spoil_the_others(
    postgresql_url: str, raw_postgresql: asyncpg.Connection, tenant: str
) -> None:
    async with database_for(postgresql_url) as database:
        store, actor = Store(database), Actor(tenant)
        root, tasks = await with_two_children(store, tenant)

        def explode(flow: Flow, _: str) -> Decision[None]:
            raise ZeroDivisionError
            yield from flow.loaded(root)

        broken = TreeCommand(actor, Named(execution_id=root), explode, UNGUARDED)
        commands = [
            (tasks[0], complete_step(store, actor, tasks[0], None)),
            (root, run_on_tree(store, broken)),
            (tasks[1], complete_step(store, actor, tasks[1], None)),
        ]
        (outcomes,) = await in_line(raw_postgresql, tenant, Line(store, root, commands))
        assert [type(each) for each in outcomes] == [Committed, ZeroDivisionError, Committed]
        assert_whole(await read(store, tenant))
