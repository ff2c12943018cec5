"""Looking back on one tree, told as a story; what is refused; and waiting for a revision (`live.md` J3, J6)."""

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import Table

from db.commands import rows
from schema import reaching
from schema.projection import past
from schema.schema import plans_for
from tests.api import SCHEMA, Api
from tests.contract.commands import ids_of, run_of
from tests.contract.mutations import succeed
from tests.contract.samples import ONE, TWO
from tests.schema.answers import answer
from tests.schema.tree_samples import CHECK, children_step, sequence

SHOWN = """
  query ($id: ID!, $asOf: Int, $minRevision: Int) {
    workflowExecution(id: $id, asOf: $asOf, minRevision: $minRevision) {
      runtimeStatus treeRevision context startedAt failure { code } changes { totalCount }
      progress { completed inProgress failed }
      step(stepId: "a") { attempt status outputData failure { message } attempts { attempt status } }
    }
  }
"""


async def look(api: Api, execution_id: str, as_of: int | None = None) -> Any:
    """An execution at a revision, by one statement."""
    return (await answer(api, SHOWN, 1, id=execution_id, asOf=as_of))["workflowExecution"]


async def test_j6_a_retried_step_and_a_changed_context_are_shown_as_they_were(api: Api) -> None:
    await api.publish(ONE, key="one")
    execution = await run_of(api, "one", context={"tries": 0}, start=False)
    created = await look(api, execution["id"])
    begun = (await succeed(api, "startWorkflowExecution", id=execution["id"]))["revision"]
    step = ids_of(execution)["a"]
    failed = (await succeed(api, "failStep", id=step, message="It rained."))["revision"]
    await succeed(api, "updateWorkflowContext", id=execution["id"], patch={"tries": 1})
    retried = await succeed(api, "retryStep", id=step)
    again = ids_of(retried["workflowExecution"])["a"]
    done = (await succeed(api, "completeStep", id=again, outputData={"wet": True}))["revision"]

    assert await look(api, execution["id"], 1) == created
    assert created["startedAt"] is None
    at_start = await look(api, execution["id"], begun)
    assert (at_start["runtimeStatus"], at_start["context"]) == ("IN_PROGRESS", {"tries": 0})
    assert at_start["step"]["attempts"] == [{"attempt": 1, "status": "IN_PROGRESS"}]
    at_failure = await look(api, execution["id"], failed)
    assert (at_failure["runtimeStatus"], at_failure["failure"]) == ("FAILED", {"code": "STEP_FAILED"})
    assert at_failure["step"]["failure"] == {"message": "It rained."}
    at_retry = await look(api, execution["id"], retried["revision"])
    assert (at_retry["runtimeStatus"], at_retry["failure"]) == ("IN_PROGRESS", None)
    assert at_retry["context"] == {"tries": 1}
    assert at_retry["step"]["attempts"] == [
        {"attempt": 1, "status": "FAILED"},
        {"attempt": 2, "status": "IN_PROGRESS"},
    ]
    assert at_retry["step"]["outputData"] is None
    assert at_retry["treeRevision"] == at_retry["changes"]["totalCount"] == retried["revision"]
    assert await look(api, execution["id"], done) == await look(api, execution["id"])


TREE = """
  query ($id: ID!, $asOf: Int) { workflowExecution(id: $id, asOf: $asOf) {
    treeRevision
    descendantWorkflowExecutions { nodes { id runtimeStatus } }
    step(stepId: "run") { childProgress { total inProgress completed } childWorkflowExecutions { id } }
    workflowTemplateVersion { workflowExecutions { nodes { runtimeStatus } } }
    runtime
  } }
"""


async def test_j6_children_are_there_from_the_revision_that_created_them(api: Api) -> None:
    """Also by their own id; and of the version's executions only those of the tree are shown."""
    await api.publish(ONE, key="child")
    await api.publish(sequence("root", CHECK | {"id": "go"}, children_step("BATCH")), key="root")
    root = await run_of(api, "root", context={"items": [1, 2]})
    await run_of(api, "root", context={"items": []})
    before = root["treeRevision"]
    started = await succeed(api, "completeStep", id=ids_of(root)["go"])
    births = {
        change["workflowExecutionId"]: change["revision"]
        for change in started["changes"]
        if change["kind"] == "EXECUTION_CREATED"
    }
    assert len(births) == 2
    for revision in range(before, started["revision"] + 1):
        shown = (await answer(api, TREE, 1, id=root["id"], asOf=revision))["workflowExecution"]
        born = {id_ for id_, birth in births.items() if birth <= revision}
        assert shown["treeRevision"] == revision
        assert {each["id"] for each in shown["descendantWorkflowExecutions"]["nodes"]} == born
        assert {each["id"] for each in shown["step"]["childWorkflowExecutions"]} == born
        assert shown["step"]["childProgress"]["total"] == len(born)
        run = shown["runtime"]["steps"]["run"]
        assert {each["id"] for each in run["childWorkflowExecutions"]} == born
        assert shown["workflowTemplateVersion"]["workflowExecutions"]["nodes"] == [
            {"runtimeStatus": "IN_PROGRESS"}
        ]
        for id_, birth in births.items():
            found = (await answer(api, TREE, 1, id=id_, asOf=revision))["workflowExecution"]
            assert (found and found["treeRevision"]) == (revision if birth <= revision else None)


async def test_j6_a_page_of_the_past_stands_still(api: Api) -> None:
    """Cursors of a list at a revision lead on at the same revision while the tree moves (H8)."""
    await api.publish(ONE, key="child")
    await api.publish(sequence("root", children_step("BATCH")), key="root")
    root = await run_of(api, "root", context={"items": [1, 2, 3]})
    document = """
      query ($id: ID!, $asOf: Int, $after: String) { workflowExecution(id: $id, asOf: $asOf) {
        childWorkflowExecutions(first: 2, after: $after) {
          nodes { id childIndex runtimeStatus steps { id stepId } } pageInfo { endCursor hasNextPage }
        }
      } }
    """
    given = {"id": root["id"], "asOf": root["treeRevision"]}
    first = (await api.data(document, **given))["workflowExecution"]["childWorkflowExecutions"]
    for child in first["nodes"]:
        await succeed(api, "completeStep", id=ids_of(child)["a"])
    cursor = first["pageInfo"]["endCursor"]
    second = (await api.data(document, **given, after=cursor))["workflowExecution"]["childWorkflowExecutions"]
    assert [each["childIndex"] for each in (*first["nodes"], *second["nodes"])] == [0, 1, 2]
    again = (await api.data(document, **given))["workflowExecution"]["childWorkflowExecutions"]
    assert again == first
    assert second["pageInfo"]["hasNextPage"] is False


@pytest.mark.parametrize("as_of", [0, -1, 6, 2**31 - 1, -(2**31)])
async def test_j6_a_revision_that_the_tree_has_not_had_is_refused(api: Api, as_of: int) -> None:
    await api.publish(ONE, key="one")
    execution = await run_of(api, "one")
    assert execution["treeRevision"] == 5
    (error,) = (await api.run(SHOWN, {"id": execution["id"], "asOf": as_of}))["errors"]
    assert error["extensions"] == {"code": "BAD_USER_INPUT"}
    assert error["message"] == f"The tree has had the revisions 1 to 5; {as_of} is none of them."


@pytest.mark.parametrize("as_of", [-1, 1, 99])
async def test_i6_what_is_not_the_tenants_is_null_at_any_revision(api: Api, as_of: int) -> None:
    other = api.as_tenant(f"{api.context.tenant}-other")
    await other.publish(ONE, key="one")
    execution = await run_of(other, "one")
    for id_ in (execution["id"], ids_of(execution)["a"], "exec_01h455vb4pex5vsknk084sn02q", "x", ""):
        assert await api.data(SHOWN, id=id_, asOf=as_of, minRevision=99) == {"workflowExecution": None}


@pytest.mark.parametrize(
    ("table", "not_shown"),
    [
        (past.EXECUTIONS, {"tree_changed_at", "tree_size"}),
        (past.STEPS, {"is_overridden", "open_children", "claim_token"}),
    ],
    ids=("executions", "steps"),
)
def test_every_column_that_commands_change_is_told_by_the_journal(table: Table, not_shown: set[str]) -> None:
    """A column that is written from now on must be looked up in its images, or is never shown."""
    changes = [each for each in vars(rows).values() if isinstance(each, rows.Update) and each.table is table]
    changed = {name for each in changes for name in each.names}
    spelling = plans_for(SCHEMA, "sqlite").spelling
    view = past.Past(spelling, "$tenant", "$id", "$revision").visible(table.name)
    told = set(re.findall(r" as (\w+)", view or "")) - {"rid"}
    assert changed - told == not_shown


# Waiting


class Bell:
    """A feed that one rings by hand."""

    def __init__(self) -> None:
        self.rung = asyncio.Event()
        self.watched = asyncio.Event()

    @asynccontextmanager
    async def watch(self, *, root_id: str, execution_id: str | None = None) -> AsyncIterator["Bell"]:
        self.watched.set()
        yield self

    async def changed(self) -> None:
        await self.rung.wait()
        self.rung.clear()


@pytest.fixture
def bell(api: Api) -> Bell:
    """The feed of `api`."""
    feed = Bell()
    api.context = replace(api.context, feed=feed)
    return feed


async def waiting(api: Api, execution: Any, revision: int) -> asyncio.Task[Any]:
    """A query that waits for a revision."""
    return asyncio.create_task(api.run(SHOWN, {"id": execution["id"], "minRevision": revision}))


async def watched(bell: Bell, read: asyncio.Task[Any]) -> None:
    """Return once the query listens."""
    listens = asyncio.ensure_future(bell.watched.wait())
    await asyncio.wait((listens, read), return_when=asyncio.FIRST_COMPLETED)
    listens.cancel()
    assert not read.done(), "it did not wait"


async def test_j6_a_revision_that_is_there_is_not_waited_for(api: Api) -> None:
    await api.publish(TWO, key="two")
    execution = await run_of(api, "two")
    for revision in (-1, 0, execution["treeRevision"]):
        data = await answer(api, SHOWN, 1, id=execution["id"], minRevision=revision)
        assert data["workflowExecution"]["treeRevision"] == execution["treeRevision"]


async def test_j6_a_read_waits_until_the_feed_tells_of_the_revision(
    api: Api, bell: Bell, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reaching, "INTERVAL", reaching.LONGEST)
    await api.publish(TWO, key="two")
    execution = await run_of(api, "two")
    read = await waiting(api, execution, execution["treeRevision"] + 1)
    await watched(bell, read)
    bell.rung.set()
    done = await succeed(Api(api.store, api.context.tenant), "completeStep", id=ids_of(execution)["a"])
    bell.rung.set()
    shown = (await read)["data"]["workflowExecution"]
    assert shown["treeRevision"] == done["revision"] > execution["treeRevision"]


async def test_j6_a_feed_that_says_nothing_costs_an_interval(
    api: Api, bell: Bell, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reaching, "INTERVAL", 0.01)
    await api.publish(TWO, key="two")
    execution = await run_of(api, "two")
    read = await waiting(api, execution, execution["treeRevision"] + 1)
    await watched(bell, read)
    await succeed(Api(api.store, api.context.tenant), "completeStep", id=ids_of(execution)["a"])
    assert "errors" not in await read


async def test_j6_a_revision_that_does_not_come_is_told_so(
    api: Api, bell: Bell, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reaching, "LONGEST", 0.05)
    await api.publish(TWO, key="two")
    execution = await run_of(api, "two")
    (error,) = (await (await waiting(api, execution, 99)))["errors"]
    assert error["extensions"] == {"code": "REVISION_NOT_REACHED"}
    assert error["message"] == "The tree is at revision 5; it did not reach 99 within 0.05 seconds."


async def test_a4_who_waits_for_a_revision_is_let_go_once_the_process_is_to_end(
    api: Api, bell: Bell, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reaching, "INTERVAL", reaching.LONGEST)
    await api.publish(TWO, key="two")
    execution = await run_of(api, "two")
    read = await waiting(api, execution, 99)
    await watched(bell, read)
    api.context.closing.set()
    (error,) = (await read)["errors"]
    assert error["extensions"] == {"code": "REVISION_NOT_REACHED"}
    assert error["message"] == "The tree is at revision 5; it did not reach 99 before this server ended."


async def test_a4_a_revision_that_is_there_is_read_while_the_process_ends(api: Api) -> None:
    await api.publish(TWO, key="two")
    execution = await run_of(api, "two")
    api.context.closing.set()
    data = await answer(api, SHOWN, 1, id=execution["id"], minRevision=execution["treeRevision"])
    assert data["workflowExecution"]["treeRevision"] == execution["treeRevision"]
