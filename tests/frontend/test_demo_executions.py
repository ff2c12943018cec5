"""The demo's executions: everything that there is to see is among them, and they are made once, whoever makes them."""

import asyncio
from collections.abc import Generator
from dataclasses import replace
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from db.commands.due import due_trees, handle_due
from db.connect import database_for
from db.migrate import migrate
from db.store import Store
from server.demo import KEYS, load_demo
from server.demo.executions import LAST, STORIES, Made, load_demo_executions
from tests.api import Api
from tests.contract.samples import ONE
from tests.databases import sqlite_url
from tests.docs.pages import table

CHILDREN = 3
VALUES = "query ($enum: String!) { __type(name: $enum) { enumValues { name } } }"
EXECUTIONS = """
  {
    workflowExecutions {
      nodes {
        name correlationId runtimeStatus treeRevision parentWorkflowExecutionId
        steps {
          stepId isOverdue disabledBy claim { worker leaseExpiresAt }
          attempts { status failure { code } retryAt }
          childProgress { total completed inProgress }
        }
      }
    }
  }
"""


class Ended(Exception):
    """The process was ended."""


class EndingDatabase:
    """A database whose process is ended after so many commands."""

    def __init__(self, database: Any, commands: int) -> None:
        self._database = database
        self._left = commands

    def __getattr__(self, name: str) -> Any:
        return getattr(self._database, name)

    async def transact(self, script: Generator[Any, Any, Any]) -> Any:
        self._count()
        return await self._database.transact(script)

    async def attempt(self, script: Generator[Any, Any, Any]) -> Any:
        self._count()
        return await self._database.attempt(script)

    def _count(self) -> None:
        self._left -= 1
        if self._left < 0:
            raise Ended


@pytest.fixture
async def url(served_database_url: str) -> str:
    """A migrated database of the test's own, each kind in turn."""
    await migrate(served_database_url)
    return served_database_url


@pytest.fixture
async def undisturbed(tmp_path: Path) -> list[Any]:
    """What one that makes them alone comes to."""
    alone = sqlite_url(tmp_path / "alone.db")
    await migrate(alone)
    async with database_for(alone) as database:
        await load_demo(Store(database))
        await load_demo_executions(Store(database))
        return without_moments(await executions_of(Store(database)))


async def executions_of(store: Store) -> list[dict[str, Any]]:
    """Every execution as a query shows it, children too, the newest first."""
    found = await Api(store, "default").data(EXECUTIONS)
    nodes: list[dict[str, Any]] = found["workflowExecutions"]["nodes"]
    return nodes


def without_moments(executions: list[dict[str, Any]]) -> list[Any]:
    """What is the same whenever executions are made."""
    return sorted(
        (
            each["name"],
            each["runtimeStatus"],
            each["treeRevision"] or 0,
            [[attempt["status"] for attempt in step["attempts"]] for step in each["steps"]],
            [step["claim"] and step["claim"]["worker"] for step in each["steps"]],
        )
        for each in executions
    )


async def values_of(store: Store, enum: str) -> set[str]:
    """The values of an enum of the API."""
    found = await Api(store, "default").data(VALUES, enum=enum)
    return {each["name"] for each in found["__type"]["enumValues"]}


async def test_everything_that_there_is_to_see_is_there(url: str) -> None:
    async with database_for(url) as database:
        store = Store(database)
        await load_demo(store)
        assert await load_demo_executions(store) is Made.NOW
        for tree in await due_trees(database):  # what the timer of a server does
            await handle_due(store, tree, wait=True)
        executions = await executions_of(store)
        execution_statuses = await values_of(store, "WorkflowRuntimeStatus")
        step_statuses = await values_of(store, "WorkflowRuntimeStepStatus")
    roots = [each for each in executions if each["parentWorkflowExecutionId"] is None]
    assert {each["runtimeStatus"] for each in roots} == execution_statuses
    assert len({each["correlationId"] for each in roots}) == len(roots) == len(STORIES)
    assert roots[0]["correlationId"] == LAST
    assert len(executions) == len(roots) + CHILDREN
    assert [[each["name"], f"`{each['runtimeStatus']}`"] for each in roots] == [
        row[:2] for row in table("docs/configuration.md", "The demo")
    ]
    steps = [step for each in executions for step in each["steps"]]
    assert {attempt["status"] for step in steps for attempt in step["attempts"]} == step_statuses
    assert {step["disabledBy"] for step in steps} == {None, "CANCEL", "COMMAND", "POLICY"}
    assert [step["stepId"] for step in steps if step["isOverdue"]] == ["verify"]
    assert sorted(
        (step["claim"]["worker"], step["claim"]["leaseExpiresAt"] is None) for step in steps if step["claim"]
    ) == [("Hannah Weiss", True), ("accounts-worker-1", False)]
    assert sorted(
        ([attempt["failure"]["code"] for attempt in step["attempts"]], bool(step["attempts"][-1]["retryAt"]))
        for step in steps
        if step["attempts"][-1]["failure"]
    ) == [
        (["AUTHORITY_BUSY"], True),
        (["DIRECTORY_UNREACHABLE", "DIRECTORY_UNREACHABLE", "USERNAME_TAKEN"], False),
    ]
    assert {"total": CHILDREN, "completed": 1, "inProgress": 2} in [step["childProgress"] for step in steps]


async def test_they_are_made_once(url: str) -> None:
    async with database_for(url) as database:
        await load_demo(Store(database))
        await load_demo_executions(Store(database))
        before = await executions_of(Store(database))
        assert await load_demo_executions(Store(database)) is Made.BEFORE
        assert await executions_of(Store(database)) == before


async def test_two_that_make_them_at_once_make_them_once(url: str, undisturbed: list[Any]) -> None:
    """Each with connections of its own, as two processes have."""
    async with database_for(url) as one, database_for(url) as other:
        await load_demo(Store(one))
        await asyncio.gather(*(load_demo_executions(Store(database)) for database in (one, other)))
        assert without_moments(await executions_of(Store(one))) == undisturbed


async def test_who_is_ended_meanwhile_goes_on_at_the_next_start(url: str, undisturbed: list[Any]) -> None:
    """Ended again and again, ever later."""
    async with database_for(url) as database:
        store = Store(database)
        await load_demo(store)
        for commands in count(2, 7):
            ending = replace(store, database=EndingDatabase(database, commands))
            try:
                made = await load_demo_executions(ending)
            except Ended:
                continue
            break
        assert made is Made.NOW
        assert commands > 2
        assert without_moments(await executions_of(store)) == undisturbed


async def test_what_somebody_has_driven_on_meanwhile_stays(url: str) -> None:
    """The next command of the story is refused, and the other stories go on."""
    complete = """
      mutation ($input: CompleteStepInput!) { completeStep(input: $input) { __typename } }
    """
    async with database_for(url) as database:
        store = Store(database)
        await load_demo(store)
        with pytest.raises(Ended):
            await load_demo_executions(replace(store, database=EndingDatabase(database, 1)))
        api = Api(store, "default")
        found = await api.data(
            "{ workflowStepExecutions(where: {status: {eq: IN_PROGRESS}}) { nodes { id } } }"
        )
        (step,) = found["workflowStepExecutions"]["nodes"]
        await api.data(complete, input={"id": step["id"], "outputData": {"verified": False}})
        assert await load_demo_executions(store) is Made.NOW
        assert len(await executions_of(store)) == len(STORIES) + CHILDREN


async def test_none_is_made_of_a_template_that_is_somebody_elses(url: str) -> None:
    async with database_for(url) as database:
        store = Store(database)
        await Api(store, "default").publish(ONE, key="verify")
        assert await load_demo(store) == [key for key in KEYS if key != "verify"]
        assert await load_demo_executions(store) is Made.NOT
        assert await executions_of(store) == []
