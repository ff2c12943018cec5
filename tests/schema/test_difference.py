"""`workflowExecutionDiff`: what changed between two revisions of a tree."""

from itertools import combinations
from typing import Any

import pytest

from db.store import Store
from tests.api import Api
from tests.contract.commands import ids_of, run_of
from tests.contract.mutations import succeed
from tests.contract.samples import ONE, TWO
from tests.schema.answers import answer, refused
from tests.schema.histories import History, Shown, executions, lived, walked

DIFF = """
  query ($id: ID!, $from: Int!, $to: Int!) { workflowExecutionDiff(id: $id, from: $from, to: $to) {
    fromStatus toStatus
    last { revision kind }
    workflowExecution { id runtimeStatus treeRevision }
    step { id stepId attempt status outputData }
  } }
"""
Told = dict[tuple[str, str | None], tuple[str | None, str | None, int]]


async def diff(api: Api, execution_id: str, since: int, until: int) -> Any:
    """The differences, by one statement."""
    given = {"id": execution_id, "from": since, "to": until}
    return (await answer(api, DIFF, 1, **given))["workflowExecutionDiff"]


def told(found: list[Any]) -> Told:
    """By execution and attempt: both statuses and the revision of the last change."""
    return {
        (each["workflowExecution"]["id"], each["step"] and each["step"]["id"]): (
            each["fromStatus"],
            each["toStatus"],
            each["last"]["revision"],
        )
        for each in found
    }


async def test_what_a_command_changed_is_told_row_by_row(api: Api) -> None:
    await api.publish(TWO, key="two")
    execution = await run_of(api, "two")
    steps = ids_of(execution)
    done = await succeed(api, "completeStep", id=steps["a"], outputData={"x": 1})
    await succeed(api, "failStep", id=steps["b"], message="no")
    found = await diff(api, execution["id"], execution["treeRevision"], done["revision"])
    assert [(each["step"]["stepId"], each["fromStatus"], each["toStatus"]) for each in found] == [
        ("a", "IN_PROGRESS", "COMPLETED"),
        ("b", "NOT_STARTED", "IN_PROGRESS"),
    ]
    assert found[0]["step"]["outputData"] == {"x": 1}
    assert found[1]["step"]["status"] == "IN_PROGRESS", "as of the later revision, not as it is now"
    assert found[1]["workflowExecution"]["treeRevision"] == done["revision"]


async def test_everything_since_the_beginning_was_not_there_before(api: Api) -> None:
    await api.publish(ONE, key="one")
    execution = await run_of(api, "one", start=False)
    await succeed(api, "startWorkflowExecution", id=execution["id"])
    await succeed(api, "failStep", id=ids_of(execution)["a"], message="no")
    retried = await succeed(api, "retryStep", id=ids_of(execution)["a"])
    found = await diff(api, execution["id"], 0, retried["revision"])
    assert {each["fromStatus"] for each in found} == {None}
    assert [(each["step"] and each["step"]["stepId"], each["toStatus"]) for each in found] == [
        ("start", "COMPLETED"),
        ("a", "FAILED"),
        (None, "IN_PROGRESS"),
        ("a", "IN_PROGRESS"),
    ]
    since_failure = await diff(api, execution["id"], retried["revision"] - 2, retried["revision"])
    assert [(each["fromStatus"], each["toStatus"]) for each in since_failure] == [(None, "IN_PROGRESS")]
    assert await diff(api, execution["id"], 3, 3) == []


def expected(history: History, since: int, until: int, execution_id: str) -> Told | None:
    """From what was shown at both revisions, and the changes in between."""
    below = _below(history.shown[until], execution_id)
    if not below:
        return None
    before = _statuses(history.shown[since]) if since else {}
    after = _statuses(history.shown[until])
    last = {
        (change["workflowExecutionId"], change["stepExecutionId"]): change["revision"]
        for execution in executions(history.shown[until])
        for change in execution["changes"]["nodes"]
        if since < change["revision"] and execution["id"] in below
    }
    return {row: (before.get(row), after[row], revision) for row, revision in last.items()}


def _below(shown: Shown, execution_id: str) -> set[str]:
    found: set[str] = set()
    for execution in executions(shown):  # newest first, but a parent is told of by id
        if execution["id"] == execution_id:
            found.add(execution_id)
    parents = {each["id"]: each["parentWorkflowExecutionId"] for each in executions(shown)}
    grown = True
    while grown and found:
        more = {id_ for id_, parent in parents.items() if parent in found} - found
        found |= more
        grown = bool(more)
    return found


def _statuses(shown: Shown) -> dict[tuple[str, str | None], str]:
    found: dict[tuple[str, str | None], str] = {}
    for execution in executions(shown):
        found[execution["id"], None] = execution["runtimeStatus"]
        for step in execution["steps"]:
            found |= {(execution["id"], each["id"]): each["status"] for each in step["attempts"]}
    return found


@pytest.mark.parametrize("make", ["walk", "life"])
async def test_every_two_revisions_differ_by_what_was_shown_at_them(
    store: Store, api: Api, tenant: str, make: str
) -> None:
    history = await (walked(store, tenant, 8, 20) if make == "walk" else lived(api, 21, 20))
    some = sorted(history.shown)[::3]
    # The oldest: they were there at most of the revisions.
    children = [each["id"] for each in executions(history.last)[1:][-3:]]
    for since, until in combinations((0, *some), 2):
        for id_ in (history.root_id, *children):
            found = await diff(history.api, id_, since, until)
            wanted = expected(history, since, until, id_)
            assert (found if found is None else told(found)) == wanted, f"{id_} from {since} to {until}"
            order = [each["last"]["revision"] for each in found or ()]
            assert order == sorted(order)


@pytest.mark.parametrize(("since", "until"), [(-1, 3), (4, 3), (1, 0), (6, 5)])
async def test_revisions_out_of_order_are_refused(api: Api, since: int, until: int) -> None:
    given = {"id": "exec_01h455vb4pex5vsknk084sn02q", "from": since, "to": until}
    told = await refused(api, DIFF, **given)
    assert told == f"from is {since}; it must be from 0 to {until}, which is `to`."


@pytest.mark.parametrize("until", [0, 6, 2**31 - 1])
async def test_a_revision_that_the_tree_has_not_had_is_refused(api: Api, until: int) -> None:
    await api.publish(ONE, key="one")
    execution = await run_of(api, "one")
    (error,) = (await api.run(DIFF, {"id": execution["id"], "from": 0, "to": until}))["errors"]
    assert error["extensions"] == {"code": "BAD_USER_INPUT"}
    assert error["message"] == f"The tree has had the revisions 1 to 5; {until} is none of them."


async def test_what_is_not_the_tenants_has_no_differences(api: Api) -> None:
    other = api.as_tenant(f"{api.context.tenant}-other")
    await other.publish(ONE, key="one")
    execution = await run_of(other, "one")
    for id_ in (execution["id"], ids_of(execution)["a"], "exec_01h455vb4pex5vsknk084sn02q", ""):
        assert await api.data(DIFF, **{"id": id_, "from": 0, "to": 3}) == {"workflowExecutionDiff": None}
