"""`setStepDueDate` through the API, with all that it is refused for (`runtime.md` T1, S7, I3, I6)."""

from typing import Any

import pytest

from tests.api import Api
from tests.contract.commands import ids_of, run_of
from tests.contract.mutations import document, refuse, succeed
from tests.contract.samples import TWO

DATE = "2100-01-01T00:00:00.000000Z"
NOBODY = "step_00000000000000000000000000"


async def running(api: Api) -> tuple[Any, dict[str, str]]:
    """An execution that waits at its first step, and the ids of its steps."""
    await api.publish(TWO, key="two")
    execution = await run_of(api, "two")
    return execution, ids_of(execution)


async def dated(api: Api, step_execution_id: str) -> dict[str, Any]:
    """What a step shows of its due date."""
    query = "query ($id: ID!) { node(id: $id) { ... on WorkflowStepExecution { dueAt isOverdue } } }"
    shown: dict[str, Any] = (await api.data(query, id=step_execution_id))["node"]
    return shown


async def test_t1_a_due_date_is_set_moved_and_taken_away(api: Api) -> None:
    _, steps = await running(api)
    for due_at in (DATE, "2099-01-01T00:00:00.000000Z", None):
        answer = await succeed(api, "setStepDueDate", id=steps["a"], dueAt=due_at)
        (change,) = answer["changes"]
        assert (change["kind"], change["data"]["dueAt"]) == ("STEP_DUE_DATE_SET", due_at)
        assert (change["fromStatus"], change["toStatus"]) == ("IN_PROGRESS", "IN_PROGRESS")
        assert await dated(api, steps["a"]) == {"dueAt": due_at, "isOverdue": False}


@pytest.mark.parametrize("date", ["0001-01-01T00:00:00.000000Z", "9999-12-31T23:59:59.999999Z"])
async def test_t1_the_first_moment_and_the_last_are_kept(api: Api, date: str) -> None:
    _, steps = await running(api)
    await succeed(api, "setStepDueDate", id=steps["a"], dueAt=date)
    assert await dated(api, steps["a"]) == {"dueAt": date, "isOverdue": False}


async def test_t1_a_moment_is_the_same_however_it_is_written(api: Api) -> None:
    _, steps = await running(api)
    first = await succeed(api, "setStepDueDate", id=steps["b"], dueAt="2100-01-01T02:00:00+02:00")
    assert await dated(api, steps["b"]) == {"dueAt": DATE, "isOverdue": False}
    again = await succeed(api, "setStepDueDate", id=steps["b"], dueAt=DATE)
    assert (again["changeCount"], again["changes"], again["revision"]) == (0, [], first["revision"])


async def test_s7_what_has_ended_and_what_moves_by_itself_is_refused(api: Api) -> None:
    execution, steps = await running(api)
    await succeed(api, "completeStep", id=steps["a"])
    for step_id, current, why in (
        ("a", "COMPLETED", "it is COMPLETED, not NOT_STARTED or IN_PROGRESS"),
        ("end", "NOT_STARTED", "it is of type end; only human.* and sys.task have one that can be set"),
    ):
        answer = await refuse(api, "setStepDueDate", id=steps[step_id], dueAt=DATE)
        assert answer == {
            "__typename": "InvalidTransition",
            "message": f"The due date of step {step_id!r} cannot be set: {why}.",
            "current": current,
            "wanted": "IN_PROGRESS",
            "allowed": [],
            "node": {"__typename": "WorkflowStepExecution", "id": steps[step_id]},
        }
    await succeed(api, "cancelWorkflowExecution", id=execution["id"])
    answer = await refuse(api, "setStepDueDate", id=steps["b"], dueAt=DATE)
    assert answer["current"] == "DISABLED"


async def test_i6_an_id_that_is_nobody_s_is_not_found(api: Api) -> None:
    execution, steps = await running(api)
    for id_ in ("", "step", execution["id"], NOBODY):
        answer = await refuse(api, "setStepDueDate", id=id_, dueAt=DATE)
        assert (answer["__typename"], answer["id"]) == ("NotFound", id_)
    answer = await refuse(api.as_tenant("somebody-else"), "setStepDueDate", id=steps["a"], dueAt=DATE)
    assert answer["__typename"] == "NotFound"


async def test_i3_only_at_the_revision_that_was_seen(api: Api) -> None:
    _, steps = await running(api)
    answer = await refuse(api, "setStepDueDate", id=steps["a"], dueAt=DATE, ifRevision=1)
    assert (answer["__typename"], answer["expectedRevision"]) == ("RevisionConflict", 1)
    current = answer["currentRevision"]
    await succeed(api, "setStepDueDate", id=steps["a"], dueAt=DATE, ifRevision=current)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({}, "Give dueAt: a moment, or null to take the due date away."),
        ({"dueAt": "tomorrow"}, "A DateTime is expected"),
        ({"dueAt": "2100-02-30T00:00:00Z"}, "There is no such moment"),
        ({"dueAt": 5}, "A DateTime is expected"),
    ],
)
async def test_i6_what_is_no_moment_is_an_error_that_says_so(
    api: Api, given: dict[str, Any], message: str
) -> None:
    answer = await api.run(document("setStepDueDate"), {"input": {"id": NOBODY, **given}})
    (error,) = answer["errors"]
    assert message in error["message"]
