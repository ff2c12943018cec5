"""Two commands meet on one execution: one wins, or the second goes by what the first has done (`runtime.md` I3, S4, S5)."""

from db.commands.execution import cancel_workflow_execution, update_workflow_context
from db.commands.outcome import Committed
from db.commands.step import complete_step, disable_step, fail_step, retry_step
from db.runtime.statuses import ExecutionStatus, StepStatus
from tests.contract.arena import Rivals, arena, on_roots, on_tasks, told, winners
from tests.contract.trees import (
    drive_to_the_end,
)


async def test_of_two_completions_one_wins(rivals: Rivals, tenant: str) -> None:
    here = await arena(rivals, tenant, "one")
    complete = on_tasks(here, complete_step, None)
    pairs = await here.race(complete, complete)
    for pair, winner in zip(pairs, winners(pairs), strict=True):
        assert told(pair[1 - winner]) == ("COMPLETED", "COMPLETED", ())
    await drive_to_the_end(rivals, tenant)


async def test_of_completing_and_cancelling_one_wins(rivals: Rivals, tenant: str) -> None:
    here = await arena(rivals, tenant, "one")
    pairs = await here.race(on_tasks(here, complete_step, None), on_roots(cancel_workflow_execution, None))
    for root, pair, winner in zip(here.roots, pairs, winners(pairs), strict=True):
        expected = [("COMPLETED", "CANCELLED", ()), ("DISABLED", "COMPLETED", ("NOT_STARTED",))][winner]
        assert told(pair[1 - winner]) == expected
        ended = [ExecutionStatus.COMPLETED, ExecutionStatus.CANCELLED][winner]
        assert here.rows.executions[root]["runtime_status"] is ended
    await drive_to_the_end(rivals, tenant)


async def test_of_failing_and_retrying_the_retry_waits_for_the_failure_or_is_refused(
    rivals: Rivals, tenant: str
) -> None:
    here = await arena(rivals, tenant, "one")
    pairs = await here.race(on_tasks(here, fail_step, None, "It broke."), on_tasks(here, retry_step, None))
    for root, (failed, retried) in zip(here.roots, pairs, strict=True):
        assert isinstance(failed, Committed), failed
        step = here.rows.step(root, "task")
        if isinstance(retried, Committed):
            assert (step["attempt"], step["status"]) == (2, StepStatus.IN_PROGRESS)
        else:
            assert told(retried) == ("IN_PROGRESS", "IN_PROGRESS", ("COMPLETED", "FAILED", "DISABLED"))
            assert (step["attempt"], step["status"]) == (1, StepStatus.FAILED)
    await drive_to_the_end(rivals, tenant)


async def test_of_two_retries_one_wins(rivals: Rivals, tenant: str) -> None:
    here = await arena(rivals, tenant, "one")
    await here.each(fail_step, here.tasks(0), None, "It broke.")
    retry = on_tasks(here, retry_step, None)
    pairs = await here.race(retry, retry)
    for root, pair, winner in zip(here.roots, pairs, winners(pairs), strict=True):
        assert told(pair[1 - winner]) == ("FAILED", "IN_PROGRESS", ())
        assert here.rows.step(root, "task")["attempt"] == 2
    await drive_to_the_end(rivals, tenant)


async def test_of_disabling_and_completing_one_wins(rivals: Rivals, tenant: str) -> None:
    here = await arena(rivals, tenant, "one")
    pairs = await here.race(on_tasks(here, disable_step, None), on_tasks(here, complete_step, None))
    for pair, winner in zip(pairs, winners(pairs), strict=True):
        expected = [("DISABLED", "COMPLETED", ("NOT_STARTED",)), ("COMPLETED", "DISABLED", ())][winner]
        assert told(pair[1 - winner]) == expected
    await drive_to_the_end(rivals, tenant)


async def test_s5_a_context_that_disables_a_step_races_with_its_completion(
    rivals: Rivals, tenant: str
) -> None:
    here = await arena(rivals, tenant, "policy")
    update = on_roots(update_workflow_context, {"skip": True})
    pairs = await here.race(update, on_tasks(here, complete_step, None))
    for root, (updated, completed) in zip(here.roots, pairs, strict=True):
        assert isinstance(updated, Committed), updated
        ended = StepStatus.COMPLETED
        if not isinstance(completed, Committed):
            assert told(completed) == ("DISABLED", "COMPLETED", ("NOT_STARTED",))
            ended = StepStatus.DISABLED
        assert here.rows.step(root, "task")["status"] is ended
        # Flow has gone on exactly once, whichever way.
        assert here.rows.step(root, "after")["status"] is StepStatus.IN_PROGRESS
        assert here.rows.step(root, "after")["attempt"] == 1
    await drive_to_the_end(rivals, tenant)
