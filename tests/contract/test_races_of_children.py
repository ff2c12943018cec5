"""Two commands meet in one tree, on a parent and its children (`runtime.md` C2, C3, C5)."""

from collections.abc import Awaitable, Callable

import pytest

from db.commands.execution import cancel_workflow_execution
from db.commands.outcome import Committed
from db.commands.step import complete_step, fail_step, retry_step
from db.runtime.statuses import ExecutionStatus, StepStatus
from tests.contract.arena import FEW, PAIRS, Rivals, arena, carried_out, on_roots, on_tasks, told, winners
from tests.contract.trees import (
    drive_to_the_end,
)


async def test_c2_the_two_last_children_of_a_batch_end_at_once(rivals: Rivals, tenant: str) -> None:
    here = await arena(rivals, tenant, "parent")
    pairs = await here.race(
        on_tasks(here, complete_step, None, index=0), on_tasks(here, complete_step, None, index=1)
    )
    assert all(carried_out(pair) for pair in pairs)
    for root in here.roots:
        step = here.rows.step(root, "children")
        assert here.rows.executions[root]["runtime_status"] is ExecutionStatus.COMPLETED
        assert [child["index"] for child in step["output_data"]["children"]] == [0, 1]
    rows = await drive_to_the_end(rivals, tenant)
    for root in here.roots:
        step = rows.step(root, "children")
        completed = rows.kinds(root, "STEP_COMPLETED")
        assert len([row for row in completed if row["step_execution_id"] == step["id"]]) == 1


async def test_c2_of_the_two_last_children_one_completes_and_one_fails(rivals: Rivals, tenant: str) -> None:
    here = await arena(rivals, tenant, "parent", FEW)
    pairs = await here.race(
        on_tasks(here, complete_step, None, index=0), on_tasks(here, fail_step, None, "It broke.", index=1)
    )
    assert all(carried_out(pair) for pair in pairs)
    for root in here.roots:
        assert here.rows.step(root, "children")["failure_code"] == "CHILD_FAILED"
        assert here.rows.executions[root]["runtime_status"] is ExecutionStatus.FAILED
    await drive_to_the_end(rivals, tenant)


async def test_c3_of_completing_the_only_child_and_cancelling_its_parent_one_wins(
    rivals: Rivals, tenant: str
) -> None:
    here = await arena(rivals, tenant, "sole", FEW)
    pairs = await here.race(on_tasks(here, complete_step, None), on_roots(cancel_workflow_execution, None))
    for root, pair, winner in zip(here.roots, pairs, winners(pairs), strict=True):
        expected = [("COMPLETED", "CANCELLED", ()), ("DISABLED", "COMPLETED", ("NOT_STARTED",))][winner]
        assert told(pair[1 - winner]) == expected
        ended = [ExecutionStatus.COMPLETED, ExecutionStatus.CANCELLED][winner]
        tree = [row for row in here.rows.executions.values() if row["root_id"] == root]
        assert {row["runtime_status"] for row in tree} == {ended}
    await drive_to_the_end(rivals, tenant)


async def test_c3_a_child_completes_while_its_parent_is_cancelled(rivals: Rivals, tenant: str) -> None:
    here = await arena(rivals, tenant, "parent")
    pairs = await here.race(on_tasks(here, complete_step, None), on_roots(cancel_workflow_execution, None))
    for root, (completed, cancelled) in zip(here.roots, pairs, strict=True):
        assert isinstance(cancelled, Committed), cancelled
        if not isinstance(completed, Committed):
            assert told(completed) == ("DISABLED", "COMPLETED", ("NOT_STARTED",))
        first, second = here.rows.children(root, "children")
        is_done = isinstance(completed, Committed)
        ended = ExecutionStatus.COMPLETED if is_done else ExecutionStatus.CANCELLED
        assert first["runtime_status"] is ended
        assert second["runtime_status"] is ExecutionStatus.CANCELLED
        assert here.rows.executions[root]["runtime_status"] is ExecutionStatus.CANCELLED
    await drive_to_the_end(rivals, tenant)


@pytest.mark.parametrize("end", [complete_step, fail_step], ids=["completes", "fails"])
async def test_c5_a_child_is_retried_while_its_sibling_ends(
    rivals: Rivals, tenant: str, end: Callable[..., Awaitable[Committed]]
) -> None:
    """The parent's step either still waits, or has failed and is made anew: both lead to the same."""
    here = await arena(rivals, tenant, "parent", PAIRS if end is complete_step else FEW)
    await here.each(fail_step, here.tasks(0), None, "It broke.")
    given = (None,) if end is complete_step else (None, "It broke.")
    pairs = await here.race(on_tasks(here, retry_step, None), on_tasks(here, end, *given, index=1))
    assert all(carried_out(pair) for pair in pairs)
    for root in here.roots:
        step = here.rows.step(root, "children")
        assert (step["status"], step["open_children"]) == (StepStatus.IN_PROGRESS, 1)
        assert here.rows.executions[root]["runtime_status"] is ExecutionStatus.IN_PROGRESS
    rows = await drive_to_the_end(rivals, tenant)
    assert {rows.executions[root]["runtime_status"] for root in here.roots} == {ExecutionStatus.COMPLETED}


async def test_c5_both_children_of_a_failed_step_are_retried_at_once(rivals: Rivals, tenant: str) -> None:
    here = await arena(rivals, tenant, "parent", FEW)
    await here.each(fail_step, here.tasks(0, 1), None, "It broke.")
    pairs = await here.race(on_tasks(here, retry_step, None), on_tasks(here, retry_step, None, index=1))
    assert all(carried_out(pair) for pair in pairs)
    for root in here.roots:
        step = here.rows.step(root, "children")
        assert (step["attempt"], step["open_children"]) == (2, 2)
    rows = await drive_to_the_end(rivals, tenant)
    assert {rows.executions[root]["runtime_status"] for root in here.roots} == {ExecutionStatus.COMPLETED}
