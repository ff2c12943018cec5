"""Every command against every status that a step or an execution can have (`runtime.md` S1, S3–S7, C5).

Each step of these executions is one line of a literal table: its status, and for each command whether it is carried out
or which statuses its refusal names.
"""

from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from db.commands.execution import cancel_workflow_execution, update_workflow_context
from db.commands.outcome import Actor
from db.commands.step import complete_step, disable_step, fail_step, retry_step
from db.runtime.statuses import StepStatus
from tests.api import Api
from tests.contract.graphs import (
    CHILD,
    EXCLUSIVE,
    FORM,
    JOIN,
    JSON,
    OFF,
    PARALLEL,
    TASK,
    expression,
    graph,
    single,
)
from tests.contract.mutations import WANTED, refuse, succeed
from tests.contract.tables import STEPS, everything, row_by_id
from tests.contract.trees import create, publish, read

OK = "carried out"
OPEN = ["IN_PROGRESS", "DISABLED"]
RUNNING = ["COMPLETED", "FAILED", "DISABLED"]
DOWN = ["NOT_STARTED"]
NONE: list[str] = []

BACKOFF = {"type": TASK, "retry": {"maxAttempts": 2, "backoff": "PT1H"}}
# The condition throws, so the split fails (X2).
MANY = graph(
    "many",
    {
        "all": PARALLEL,
        "done": TASK,
        "waiting": FORM,
        "off": {"type": FORM, **OFF},
        "later": TASK,
        "failed": TASK,
        "scheduled": BACKOFF,
        "passed": {"type": TASK, **OFF},
        "skipped": TASK,
        "retried": TASK,
        "broken": EXCLUSIVE,
        "running": single("child"),
        "unlucky": single("child"),
        "finished": single("child"),
        "stopped": single("child"),
        "next": single("child"),
        "join": JOIN,
    },
    "start all",
    *(f"all {each} join" for each in ("done", "failed", "scheduled", "passed", "skipped", "retried")),
    *(f"all {each} join" for each in ("running", "unlucky", "finished", "stopped")),
    "all waiting off later next join",
    "all broken join end",
    broken_join={"isDefault": True},
)
MANY["stepTransitions"].append(
    {
        "id": "broken_later",
        "fromStepId": "broken",
        "toStepId": "later",
        "condition": expression("__context__.healed ? false : $error('no')"),
    }
)

# Execution's status → step → its status, then completeStep, failStep, retryStep, disableStep, enableStep.
Line = tuple[str, Any, Any, Any, Any, Any]
TABLE: dict[str, dict[str, Line]] = {
    "NOT_STARTED": {
        "start": ("NOT_STARTED", NONE, NONE, NONE, NONE, OPEN),
        "all": ("NOT_STARTED", NONE, NONE, NONE, NONE, OPEN),
        "waiting": ("NOT_STARTED", OPEN, OPEN, NONE, OK, OPEN),
        "off": ("DISABLED", DOWN, DOWN, DOWN, DOWN, OK),
        "running": ("NOT_STARTED", NONE, NONE, NONE, OK, OPEN),
        "join": ("NOT_STARTED", NONE, NONE, NONE, NONE, OPEN),
        "end": ("NOT_STARTED", NONE, NONE, NONE, NONE, OPEN),
    },
    "IN_PROGRESS": {
        "start": ("COMPLETED", NONE, NONE, NONE, NONE, NONE),
        "all": ("COMPLETED", NONE, NONE, NONE, NONE, NONE),
        "done": ("COMPLETED", NONE, NONE, NONE, NONE, NONE),
        "waiting": ("IN_PROGRESS", OK, OK, RUNNING, OK, RUNNING),
        "off": ("DISABLED", DOWN, DOWN, DOWN, DOWN, OK),
        "later": ("NOT_STARTED", OPEN, OPEN, NONE, OK, OPEN),
        "failed": ("FAILED", NONE, NONE, OK, OK, NONE),
        "scheduled": ("FAILED", NONE, NONE, OK, OK, NONE),
        "passed": ("DISABLED", DOWN, DOWN, DOWN, DOWN, NONE),
        "skipped": ("DISABLED", DOWN, DOWN, DOWN, DOWN, NONE),
        "retried": ("IN_PROGRESS", OK, OK, RUNNING, OK, RUNNING),
        "broken": ("FAILED", NONE, NONE, OK, NONE, NONE),
        "running": ("IN_PROGRESS", NONE, NONE, RUNNING, OK, RUNNING),
        "unlucky": ("FAILED", NONE, NONE, OK, OK, NONE),
        "finished": ("COMPLETED", NONE, NONE, NONE, NONE, NONE),
        "stopped": ("DISABLED", NONE, NONE, DOWN, DOWN, NONE),
        "next": ("NOT_STARTED", NONE, NONE, NONE, OK, OPEN),
        "join": ("NOT_STARTED", NONE, NONE, NONE, NONE, OPEN),
        "end": ("NOT_STARTED", NONE, NONE, NONE, NONE, OPEN),
        "first attempt of retried": ("FAILED", NONE, NONE, NONE, NONE, NONE),
        "first attempt of skipped": ("FAILED", NONE, NONE, NONE, NONE, NONE),
    },
    "FAILED": {
        "start": ("COMPLETED", NONE, NONE, NONE, NONE, NONE),
        "waiting": ("FAILED", NONE, NONE, OK, OK, NONE),
        "off": ("DISABLED", DOWN, DOWN, DOWN, DOWN, OK),
        "later": ("NOT_STARTED", OPEN, OPEN, NONE, OK, OPEN),
        "scheduled": ("DISABLED", DOWN, DOWN, DOWN, DOWN, NONE),
        "passed": ("DISABLED", DOWN, DOWN, DOWN, DOWN, NONE),
        "broken": ("FAILED", NONE, NONE, OK, NONE, NONE),
        "retried": ("COMPLETED", NONE, NONE, NONE, NONE, NONE),
        "unlucky": ("FAILED", NONE, NONE, OK, OK, NONE),
        "stopped": ("DISABLED", NONE, NONE, DOWN, DOWN, NONE),
        "next": ("NOT_STARTED", NONE, NONE, NONE, OK, OPEN),
        "end": ("NOT_STARTED", NONE, NONE, NONE, NONE, OPEN),
        "first attempt of retried": ("FAILED", NONE, NONE, NONE, NONE, NONE),
    },
    "CANCELLED": {
        "start": ("COMPLETED", NONE, NONE, NONE, NONE, NONE),
        "waiting": ("DISABLED", DOWN, DOWN, DOWN, DOWN, NONE),
        "off": ("DISABLED", DOWN, DOWN, DOWN, DOWN, NONE),
        "later": ("NOT_STARTED", OPEN, OPEN, NONE, NONE, OPEN),
        "passed": ("DISABLED", DOWN, DOWN, DOWN, DOWN, NONE),
        "running": ("DISABLED", NONE, NONE, DOWN, DOWN, NONE),
        "next": ("NOT_STARTED", NONE, NONE, NONE, NONE, OPEN),
        "end": ("NOT_STARTED", NONE, NONE, NONE, NONE, OPEN),
        "first attempt of retried": ("FAILED", NONE, NONE, NONE, NONE, NONE),
    },
    "COMPLETED": {
        "start": ("COMPLETED", NONE, NONE, NONE, NONE, NONE),
        "all": ("COMPLETED", NONE, NONE, NONE, NONE, NONE),
        "waiting": ("COMPLETED", NONE, NONE, NONE, NONE, NONE),
        "off": ("DISABLED", DOWN, DOWN, DOWN, DOWN, NONE),
        "skipped": ("DISABLED", DOWN, DOWN, DOWN, DOWN, NONE),
        "running": ("COMPLETED", NONE, NONE, NONE, NONE, NONE),
        "join": ("COMPLETED", NONE, NONE, NONE, NONE, NONE),
        "end": ("COMPLETED", NONE, NONE, NONE, NONE, NONE),
        "first attempt of failed": ("FAILED", NONE, NONE, NONE, NONE, NONE),
    },
}
CARRIED_OUT = [
    (status, step, command)
    for status, lines in TABLE.items()
    for step, line in lines.items()
    for command, answer in zip(WANTED, line[1:], strict=True)
    if answer is OK
]
# command → the execution's statuses in which it is refused, and what the refusal names.
REFUSED_ON_EXECUTIONS = {
    "startWorkflowExecution": {
        "IN_PROGRESS": ("IN_PROGRESS", ["COMPLETED", "FAILED", "CANCELLED"]),
        "COMPLETED": ("IN_PROGRESS", NONE),
        "FAILED": ("IN_PROGRESS", NONE),
        "CANCELLED": ("IN_PROGRESS", NONE),
    },
    "cancelWorkflowExecution": {
        "NOT_STARTED": ("CANCELLED", ["IN_PROGRESS"]),
        "COMPLETED": ("CANCELLED", NONE),
        "FAILED": ("CANCELLED", ["IN_PROGRESS"]),
        "CANCELLED": ("CANCELLED", NONE),
    },
    "updateWorkflowContext": {"COMPLETED": ("COMPLETED", NONE), "CANCELLED": ("CANCELLED", NONE)},
}


class World:
    """One execution of `many`, and the tasks of the children of its sub-workflow steps."""

    def __init__(self, api: Api, tenant: str) -> None:
        self.api, self.tenant = api, tenant
        self.id = ""
        # Step id → id of its current attempt; the first attempts that were replaced are there too.
        self.steps: dict[str, str] = {}
        # Step id → id of the newest attempt at its child's task.
        self.tasks: dict[str, str] = {}

    async def look(self) -> None:
        """Read the ids of what is current now."""
        rows = await read(self.api.store, self.tenant, journal=False)
        self.steps = {step_id: step["id"] for step_id, step in rows.current[self.id].items()}
        for step in rows.attempts.values():
            if step["execution_id"] == self.id and step["attempt"] == 1 and not step["is_current"]:
                self.steps[f"first attempt of {step['step_id']}"] = step["id"]
        self.tasks = {
            step_id: rows.step(child["id"], "task")["id"]
            for step_id in rows.current[self.id]
            for child in rows.children(self.id, step_id)
        }

    async def give(self, command: Callable[..., Awaitable[Any]], *ids: str, given: Any = (None,)) -> None:
        for id_ in ids:
            await command(self.api.store, Actor(self.tenant), id_, *given)
        await self.look()

    async def fail(self, *ids: str) -> None:
        await self.give(fail_step, *ids, given=(None, "It broke."))

    async def come_to(self, status: str) -> None:
        """Bring the execution to a status, with steps in every status that they can have there."""
        await publish(self.api.store, self.tenant, CHILD, MANY)
        start = status != "NOT_STARTED"
        (self.id,) = await create(self.api.store, self.tenant, "many", start=start)
        await self.look()
        if start:
            await self._move()
        match status:
            case "CANCELLED":
                await self.give(cancel_workflow_execution, self.id)
            case "FAILED":
                await self._fail()
            case "COMPLETED":
                await self._complete()

    async def _move(self) -> None:
        steps, tasks = self.steps, self.tasks
        await self.fail(*(steps[each] for each in ("failed", "scheduled", "skipped", "retried")))
        await self.fail(tasks["unlucky"])
        await self.give(complete_step, steps["done"], tasks["finished"])
        await self.give(disable_step, steps["stopped"], steps["skipped"])
        await self.give(retry_step, steps["retried"])

    async def _fail(self) -> None:
        await self.fail(self.steps["waiting"])
        await self.give(disable_step, self.steps["scheduled"])
        await self.give(complete_step, self.steps["retried"], self.tasks["running"])

    async def _complete(self) -> None:
        await self.give(update_workflow_context, self.id, given=({"healed": True},))
        again = ("failed", "scheduled", "unlucky", "broken")
        await self.give(retry_step, *(self.steps[each] for each in again))
        waiting = ("failed", "scheduled", "retried", "waiting")
        await self.give(complete_step, *(self.steps[each] for each in waiting))
        await self.give(complete_step, self.steps["later"])
        await self.give(complete_step, *(self.tasks[each] for each in ("running", "unlucky", "next")))


@pytest.fixture
def world(api: Api, tenant: str) -> World:
    return World(api, tenant)


async def assert_refused(world: World, command: str, id_: str, wanted: dict[str, Any]) -> None:
    """S1: what a refusal names. That it changed nothing is looked at once for all of an execution."""
    refusal = await refuse(world.api, command, id=id_)
    assert refusal.pop("message")
    assert refusal == {"__typename": "InvalidTransition"} | wanted, command


@pytest.mark.parametrize("status", TABLE)
async def test_s7_what_a_step_does_not_admit_is_refused_and_changes_nothing(
    world: World, tenant: str, status: str
) -> None:
    await world.come_to(status)
    before = await everything(world.api.store.database, tenant)
    heard = len(world.api.announcer.committed)
    for step, (current, *answers) in TABLE[status].items():
        id_ = world.steps[step]
        assert (await row_by_id(world.api.store.database, STEPS, id_))["status"].name == current, step
        for (command, wanted), allowed in zip(WANTED.items(), answers, strict=True):
            if allowed is not OK:
                assert wanted not in allowed, "a refusal that says so would send its reader in circles"
                node = {"__typename": "WorkflowStepExecution", "id": id_}
                told = {"current": current, "wanted": wanted, "allowed": allowed, "node": node}
                await assert_refused(world, command, id_, told)
    assert await everything(world.api.store.database, tenant) == before
    assert len(world.api.announcer.committed) == heard


async def test_c5_in_a_cancelled_execution_a_failed_step_is_refused_for_the_executions_sake(
    world: World, tenant: str
) -> None:
    await world.come_to("CANCELLED")
    before = await everything(world.api.store.database, tenant)
    node = {"__typename": "WorkflowExecution", "id": world.id}
    told = {"current": "CANCELLED", "wanted": "IN_PROGRESS", "allowed": NONE, "node": node}
    for step in ("failed", "scheduled", "unlucky"):
        for command in ("retryStep", "disableStep"):
            await assert_refused(world, command, world.steps[step], told)
    await assert_refused(world, "retryStep", world.steps["broken"], told)
    assert await everything(world.api.store.database, tenant) == before


@pytest.mark.parametrize(("status", "step", "command"), CARRIED_OUT)
async def test_s7_what_a_step_admits_is_carried_out(
    world: World, status: str, step: str, command: str
) -> None:
    await world.come_to(status)
    named = world.steps[step]
    before = await row_by_id(world.api.store.database, STEPS, named)
    answer = await succeed(world.api, command, id=named)
    assert answer["step"]["id"] == named
    assert answer["changeCount"] == len(answer["changes"]) > 0
    await world.look()
    assert_carried_out(
        command,
        before,
        await row_by_id(world.api.store.database, STEPS, named),
        await row_by_id(world.api.store.database, STEPS, world.steps[step]),
    )


def assert_carried_out(command: str, before: JSON, named: JSON, current: JSON) -> None:
    """S3: a Failed attempt stays as it is, and the next one is what was wanted."""
    if before["status"] is not StepStatus.FAILED:
        assert named["id"] == current["id"]
        assert named["status"].name == WANTED[command]
        return
    assert {**named, "is_current": True} == before
    assert not named["is_current"]
    assert current["attempt"] == before["attempt"] + 1
    # What the first attempt failed for, the next fails for at once.
    wanted = "FAILED" if before["step_id"] == "broken" else WANTED[command]
    assert current["status"].name == wanted


@pytest.mark.parametrize("status", TABLE)
async def test_s7_what_an_execution_does_not_admit_is_refused_and_changes_nothing(
    world: World, tenant: str, status: str
) -> None:
    await world.come_to(status)
    before = await everything(world.api.store.database, tenant)
    node = {"__typename": "WorkflowExecution", "id": world.id}
    for command, refusals in REFUSED_ON_EXECUTIONS.items():
        if status in refusals:
            wanted, allowed = refusals[status]
            told = {"current": status, "wanted": wanted, "allowed": allowed, "node": node}
            await assert_refused(world, command, world.id, told)
    assert await everything(world.api.store.database, tenant) == before


@pytest.mark.parametrize(
    ("status", "command", "after"),
    [
        ("NOT_STARTED", "startWorkflowExecution", "IN_PROGRESS"),
        ("NOT_STARTED", "updateWorkflowContext", "NOT_STARTED"),
        ("IN_PROGRESS", "cancelWorkflowExecution", "CANCELLED"),
        ("IN_PROGRESS", "updateWorkflowContext", "IN_PROGRESS"),
        ("FAILED", "updateWorkflowContext", "FAILED"),
    ],
)
async def test_s7_what_an_execution_admits_is_carried_out(
    world: World, status: str, command: str, after: str
) -> None:
    await world.come_to(status)
    answer = await succeed(world.api, command, id=world.id)
    assert answer["workflowExecution"]["runtimeStatus"] == after
