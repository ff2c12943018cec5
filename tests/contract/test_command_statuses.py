"""Every command of this part against every status that this part can produce (`runtime.md` S1, S7, D1).

Each case is one line of a literal table: what is given to what, and the statuses that the answer names.
"""

from typing import Any

import pytest

from tests.api import Api
from tests.contract.commands import give, ids_of, refuse, run_of, succeed
from tests.contract.samples import TWO
from tests.contract.tables import everything

OPEN = ["IN_PROGRESS", "DISABLED"]
RUNNING = ["COMPLETED", "FAILED", "DISABLED"]
OK = None

# command, status of the execution → None where it is carried out, else (wanted, allowed).
EXECUTION_CASES = [
    ("startWorkflowExecution", "NOT_STARTED", OK),
    ("startWorkflowExecution", "IN_PROGRESS", ("IN_PROGRESS", ["COMPLETED", "FAILED", "CANCELLED"])),
    ("startWorkflowExecution", "COMPLETED", ("IN_PROGRESS", [])),
    ("startWorkflowExecution", "FAILED", ("IN_PROGRESS", [])),
    ("startWorkflowExecution", "CANCELLED", ("IN_PROGRESS", [])),
    ("cancelWorkflowExecution", "NOT_STARTED", ("CANCELLED", ["IN_PROGRESS"])),
    ("cancelWorkflowExecution", "IN_PROGRESS", OK),
    ("cancelWorkflowExecution", "COMPLETED", ("CANCELLED", [])),
    ("cancelWorkflowExecution", "FAILED", ("CANCELLED", ["IN_PROGRESS"])),
    ("cancelWorkflowExecution", "CANCELLED", ("CANCELLED", [])),
]

# status of the execution, step of start → a → b → end, its status → what completeStep and failStep may do.
STEP_CASES = [
    ("NOT_STARTED", "start", "NOT_STARTED", []),
    ("NOT_STARTED", "a", "NOT_STARTED", OPEN),
    ("NOT_STARTED", "b", "NOT_STARTED", OPEN),
    ("NOT_STARTED", "end", "NOT_STARTED", []),
    ("IN_PROGRESS", "start", "COMPLETED", []),
    ("IN_PROGRESS", "a", "IN_PROGRESS", OK),
    ("IN_PROGRESS", "b", "NOT_STARTED", OPEN),
    ("IN_PROGRESS", "end", "NOT_STARTED", []),
    ("HALF_DONE", "a", "COMPLETED", []),
    ("HALF_DONE", "b", "IN_PROGRESS", OK),
    ("COMPLETED", "a", "COMPLETED", []),
    ("COMPLETED", "b", "COMPLETED", []),
    ("COMPLETED", "end", "COMPLETED", []),
    ("FAILED", "a", "FAILED", []),
    ("FAILED", "b", "NOT_STARTED", OPEN),
    ("CANCELLED", "a", "DISABLED", ["NOT_STARTED"]),
    ("CANCELLED", "b", "NOT_STARTED", OPEN),
]
STEP_COMMANDS = [("completeStep", "COMPLETED"), ("failStep", "FAILED")]

# command, status of the version (ACTIVE: PUBLISHED and active) → None or (wanted, allowed).
VERSION_CASES = [
    ("publishWorkflowTemplateVersion", "DRAFT", OK),
    ("publishWorkflowTemplateVersion", "PUBLISHED", ("PUBLISHED", ["DEPRECATED"])),
    ("publishWorkflowTemplateVersion", "ACTIVE", ("PUBLISHED", ["DEPRECATED"])),
    ("publishWorkflowTemplateVersion", "DEPRECATED", ("PUBLISHED", [])),
    ("activateWorkflowTemplateVersion", "DRAFT", ("ACTIVE", ["PUBLISHED"])),
    ("activateWorkflowTemplateVersion", "PUBLISHED", OK),
    ("activateWorkflowTemplateVersion", "ACTIVE", OK),
    ("activateWorkflowTemplateVersion", "DEPRECATED", ("ACTIVE", [])),
    ("deprecateWorkflowTemplateVersion", "DRAFT", ("DEPRECATED", ["PUBLISHED"])),
    ("deprecateWorkflowTemplateVersion", "PUBLISHED", OK),
    ("deprecateWorkflowTemplateVersion", "ACTIVE", OK),
    ("deprecateWorkflowTemplateVersion", "DEPRECATED", ("DEPRECATED", [])),
    ("deleteWorkflowTemplateVersion", "DRAFT", OK),
    ("deleteWorkflowTemplateVersion", "PUBLISHED", OK),
    ("deleteWorkflowTemplateVersion", "ACTIVE", ("DELETED", ["DEPRECATED"])),
    ("deleteWorkflowTemplateVersion", "DEPRECATED", OK),
    ("updateWorkflowTemplateVersion", "DRAFT", OK),
    ("updateWorkflowTemplateVersion", "PUBLISHED", ("DRAFT", ["DEPRECATED"])),
    ("updateWorkflowTemplateVersion", "ACTIVE", ("DRAFT", ["DEPRECATED"])),
    ("updateWorkflowTemplateVersion", "DEPRECATED", ("DRAFT", [])),
    ("createWorkflowExecution", "DRAFT", ("PUBLISHED", ["PUBLISHED"])),
    ("createWorkflowExecution", "PUBLISHED", OK),
    ("createWorkflowExecution", "ACTIVE", OK),
    ("createWorkflowExecution", "DEPRECATED", ("PUBLISHED", [])),
]


async def execution_that_is(api: Api, status: str) -> Any:
    """An execution of start → a → b → end, and its steps."""
    await api.publish(TWO, key="two")
    execution = await run_of(api, "two", start=status != "NOT_STARTED")
    steps = ids_of(execution)
    match status:
        case "HALF_DONE":
            await succeed(api, "completeStep", id=steps["a"])
        case "COMPLETED":
            await succeed(api, "completeStep", id=steps["a"])
            await succeed(api, "completeStep", id=steps["b"])
        case "FAILED":
            await succeed(api, "failStep", id=steps["a"], message="It broke.")
        case "CANCELLED":
            await succeed(api, "cancelWorkflowExecution", id=execution["id"])
    return execution


async def version_that_is(api: Api, status: str) -> str:
    """A template's only version."""
    answer = await succeed(
        api,
        "createWorkflowTemplate",
        name="Two",
        definition=TWO,
        publish=status != "DRAFT",
        activate=status == "ACTIVE",
    )
    id_: str = answer["version"]["id"]
    if status == "DEPRECATED":
        await succeed(api, "deprecateWorkflowTemplateVersion", id=id_)
    return id_


async def assert_refused(
    api: Api, tenant: str, command: str, given: dict[str, Any], answer: dict[str, Any]
) -> None:
    """S1: a refusal names the statuses and changes no row, no revision."""
    before = await everything(api.store.database, tenant)
    heard = list(api.announcer.committed)
    refusal = await refuse(api, command, **given)
    assert refusal.pop("message")
    assert refusal == {"__typename": "InvalidTransition"} | answer
    assert await everything(api.store.database, tenant) == before
    assert api.announcer.committed == heard


@pytest.mark.parametrize(("command", "current", "refusal"), EXECUTION_CASES)
async def test_s7_commands_on_executions_by_their_status(
    api: Api, tenant: str, command: str, current: str, refusal: Any
) -> None:
    execution = await execution_that_is(api, current)
    given = {"id": execution["id"]}
    if refusal is None:
        await succeed(api, command, **given)
        return
    wanted, allowed = refusal
    node = {"__typename": "WorkflowExecution", "id": execution["id"]}
    answer = {"current": current, "wanted": wanted, "allowed": allowed, "node": node}
    await assert_refused(api, tenant, command, given, answer)


@pytest.mark.parametrize(("command", "wanted"), STEP_COMMANDS)
@pytest.mark.parametrize(("of_execution", "step_id", "current", "allowed"), STEP_CASES)
async def test_s7_commands_on_steps_by_their_status(
    api: Api,
    tenant: str,
    of_execution: str,
    step_id: str,
    current: str,
    allowed: list[str] | None,
    command: str,
    wanted: str,
) -> None:
    step = ids_of(await execution_that_is(api, of_execution))[step_id]
    given = {"id": step} | ({"message": "It broke."} if command == "failStep" else {})
    if allowed is None:
        answer = await succeed(api, command, **given)
        assert answer["step"] == {"id": step, "status": wanted}
        return
    node = {"__typename": "WorkflowStepExecution", "id": step}
    answer = {"current": current, "wanted": wanted, "allowed": allowed, "node": node}
    await assert_refused(api, tenant, command, given, answer)


@pytest.mark.parametrize(("command", "status", "refusal"), VERSION_CASES)
async def test_d1_commands_on_versions_by_their_status(
    api: Api, tenant: str, command: str, status: str, refusal: Any
) -> None:
    version = await version_that_is(api, status)
    given: dict[str, Any] = {"id": version}
    if command == "createWorkflowExecution":
        given = {"workflowTemplateVersionId": version}
    if command == "updateWorkflowTemplateVersion":
        given["definition"] = TWO | {"name": "Changed"}
    if refusal is None:
        await succeed(api, command, **given)
        return
    wanted, allowed = refusal
    current = "PUBLISHED" if status == "ACTIVE" else status
    node = {"__typename": "WorkflowTemplateVersion", "id": version}
    answer = {"current": current, "wanted": wanted, "allowed": allowed, "node": node}
    await assert_refused(api, tenant, command, given, answer)


async def test_s1_of_two_completions_of_one_step_the_second_is_told(api: Api) -> None:
    steps = ids_of(await execution_that_is(api, "IN_PROGRESS"))
    first = await succeed(api, "completeStep", id=steps["a"])
    second = await give(api, "completeStep", id=steps["a"])
    assert (second["__typename"], second["current"]) == ("InvalidTransition", "COMPLETED")
    assert first["workflowExecution"]["treeRevision"] == first["revision"]
