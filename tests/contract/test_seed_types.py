"""`WorkflowExecution.runtime` is exactly the seed's TRuntimeWorkflowExecution: its TypeScript types say so themselves."""

import re
from collections.abc import Iterator
from copy import deepcopy
from enum import StrEnum
from pathlib import Path
from typing import Any

import pytest

from db.runtime.definition import StepType
from db.runtime.statuses import ExecutionStatus, StepStatus
from tests.api import Api, definition
from tests.node import installed
from tests.seed.compiling import DIRECTORY, errors_of

ENUMS: dict[str, type[StrEnum]] = {
    "WorkflowRuntimeStatus": ExecutionStatus,
    "WorkflowRuntimeStepStatus": StepStatus,
    "WorkflowStepType": StepType,
}
COMPANY = {
    "company": {"name": "Acme", "type": "private_limited", "website": None},
    "directors": [{"id": "director-1", "hasDsc": True}, {"id": "director-2", "name": "Ben"}],
}
NULLS = {"comment": None, "checks": [None, {"by": None}]}


@pytest.fixture(scope="session")
def compiler() -> None:
    """The TypeScript compiler, installed."""
    installed(DIRECTORY)


@pytest.mark.parametrize("name", ENUMS)
def test_an_enum_of_the_seed_has_the_names_and_values_of_ours(name: str) -> None:
    text = (DIRECTORY / "runtime-types.ts").read_text()
    body = text.partition(f"export enum {name} {{")[2].partition("}")[0]
    assert re.findall(r"(\w+) = '([\w.]+)'", body) == [(each.name, each.value) for each in ENUMS[name]]


@pytest.mark.node
@pytest.mark.usefixtures("compiler")
async def test_real_executions_are_of_the_seeds_type(api: Api, tmp_path: Path) -> None:
    """`runtime.md` I6: what is not set is absent; S2: of an execution that has not begun, so is `startedAt`."""
    executions = await real_executions(api)
    not_started = executions.pop("not_started")
    typed = {name: ("Execution", execution) for name, execution in executions.items()}
    assert errors_of(typed | {"not_started": ("NotStartedExecution", not_started)}, tmp_path) == {}
    steps = [step for each in (*executions.values(), not_started) for step in each["steps"].values()]
    assert {each["runtimeStatus"] for each in executions.values()} == set(ExecutionStatus) - {"NotStarted"}
    assert {step["status"] for step in steps} == set(StepStatus)
    assert {step["type"] for step in steps} == set(StepType)


async def test_nulls_of_users_stay_and_what_is_not_set_is_absent(api: Api) -> None:
    """`runtime.md` I6."""
    executions = await real_executions(api)
    assert executions["running"]["context"] == COMPANY
    verify = executions["completed"]["steps"]["verify"]
    assert verify["outputData"] == {"verified": True, **NULLS}
    for execution in executions.values():
        rows = [execution, *execution["steps"].values()]
        assert [row for row in rows if None in row.values()] == []
    waiting = executions["not_started"]["steps"]["verify"]
    assert waiting.keys() == {"id", "type", "stepId", "status", "attempt"}


async def test_links_lead_up_and_down(api: Api) -> None:
    """`runtime.md` C1: a root names no root and no parent; an attempt lists its own children, before it has any too."""
    executions = await real_executions(api)
    parent, child = executions["with_children"], executions["child"]
    assert parent["steps"]["dsc-step"]["childWorkflowExecutions"] == [{"id": child["id"]}]
    assert executions["running"]["steps"]["dsc-step"]["childWorkflowExecutions"] == []
    assert child["parentWorkflowExecutionId"] == child["rootWorkflowExecutionId"] == parent["id"]
    assert parent.keys().isdisjoint({"parentWorkflowExecutionId", "rootWorkflowExecutionId"})
    assert "childWorkflowExecutions" not in parent["steps"]["intake"]


@pytest.mark.node
@pytest.mark.usefixtures("compiler")
async def test_the_compiler_refuses_what_is_not_of_the_seeds_type(api: Api, tmp_path: Path) -> None:
    """What the tests above would not have let through."""
    executions = await real_executions(api)
    wrong = dict(_spoilt(executions["with_children"]))
    wrong["start_is_missing"] = ("TS2741", executions["not_started"])
    typed = {name: ("Execution", execution) for name, (_, execution) in wrong.items()}
    assert errors_of(typed, tmp_path) == {name: [code] for name, (code, _) in wrong.items()}


def _spoilt(execution: Any) -> Iterator[tuple[str, tuple[str, Any]]]:
    """Copies of an execution with one thing wrong in each, and the error that it is to be.

    TS2322 and, with a guess at what was meant, TS2820: another type; TS2353: a key too many.
    """
    changes: list[tuple[str, str, list[str], Any]] = [
        ("status_of_the_api", "TS2820", ["runtimeStatus"], "IN_PROGRESS"),
        ("status_of_a_step", "TS2322", ["runtimeStatus"], "Disabled"),
        ("status_of_an_execution", "TS2322", ["steps", "intake", "status"], "Cancelled"),
        ("type_of_the_api", "TS2820", ["steps", "intake", "type"], "HUMAN_FORM"),
        ("null_for_absent", "TS2322", ["completedAt"], None),
        ("null_in_a_step", "TS2322", ["steps", "intake", "dueAt"], None),
        ("number_as_text", "TS2322", ["steps", "intake", "attempt"], "1"),
        ("children_as_ids", "TS2322", ["steps", "dsc-step", "childWorkflowExecutions"], ["exec_1"]),
        ("steps_as_list", "TS2322", ["steps"], ["start"]),
        ("key_of_ours", "TS2353", ["cancelledAt"], "2026-11-22T06:33:14.554268Z"),
        ("key_of_ours_in_a_step", "TS2353", ["steps", "intake", "retryAt"], "2026-11-22T06:33:14.554268Z"),
    ]
    for name, code, path, value in changes:
        spoilt = deepcopy(execution)
        place = spoilt
        for key in path[:-1]:
            place = place[key]
        place[path[-1]] = value
        yield name, (code, spoilt)


async def real_executions(api: Api) -> dict[str, Any]:
    """The `runtime` of executions in every status, by what is to be seen in them."""
    for name in ("verify", "dsc", "incorporation"):
        await api.publish(definition(name), key=name)
    await api.publish(_inclusive(), key="inclusive")
    found = {
        "not_started": await _started(api, "verify", start=False),
        "completed": await _started(api, "verify"),
        "failed": await _started(api, "verify"),
        "cancelled": await _started(api, "inclusive"),
        "running": await _started(api, "incorporation", context=COMPANY),
        "with_children": await _started(api, "incorporation", context=COMPANY),
    }
    await _command(
        api, "completeStep", _id(found["completed"], "verify"), outputData={"verified": True, **NULLS}
    )
    await _command(api, "failStep", _id(found["failed"], "verify"), message="Nobody there")
    await _command(api, "cancelWorkflowExecution", found["cancelled"]["id"])
    await _command(api, "completeStep", _id(found["with_children"], "intake"), outputData={"complete": True})
    found = {name: await _runtime(api, each["id"]) for name, each in found.items()}
    (child,) = found["with_children"]["steps"]["dsc-step"]["childWorkflowExecutions"]
    return {**found, "child": await _runtime(api, child["id"])}


def _inclusive() -> dict[str, Any]:
    """What the other definitions have no step of: an inclusive split, and a redirect."""
    types = {
        "start": "start",
        "choose": "gateway.inclusive_split",
        "redirect": "human.url_redirect",
        "confirm": "human.confirm",
        "both": "gateway.parallel_join",
        "end": "end",
    }
    arrows = (
        "start choose",
        "choose redirect",
        "choose confirm",
        "redirect both",
        "confirm both",
        "both end",
    )
    transitions: list[dict[str, Any]] = [
        {"id": f"t{number}", "fromStepId": arrow.split()[0], "toStepId": arrow.split()[1]}
        for number, arrow in enumerate(arrows)
    ]
    transitions[1]["condition"] = {"src": "true"}
    transitions[2]["isDefault"] = True
    steps = [{"id": id_, "type": type_, "name": id_} for id_, type_ in types.items()]
    return {"id": "inclusive", "name": "Inclusive", "steps": steps, "stepTransitions": transitions}


async def _started(api: Api, key: str, **options: Any) -> Any:
    return await _runtime(api, (await api.start(key, **options))["id"])


async def _runtime(api: Api, execution_id: str) -> Any:
    document = "query ($id: ID!) { workflowExecution(id: $id) { runtime } }"
    return (await api.data(document, id=execution_id))["workflowExecution"]["runtime"]


async def _command(api: Api, name: str, id_: str, **given: Any) -> None:
    input_type = f"{name[0].upper()}{name[1:]}Input"
    document = f"mutation ($input: {input_type}!) {{ result: {name}(input: $input) {{ __typename }} }}"
    result = (await api.data(document, input={"id": id_, **given}))["result"]
    assert result["__typename"] == "TransitionSuccess", result


def _id(execution: Any, step_id: str) -> str:
    found: str = execution["steps"][step_id]["id"]
    return found
