"""The rows of a tree as they were at a revision, told from its journal: once more without SQL (`reference.py`)."""

import re
from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any

from tests.schema.rows import Digits, Row

Objects = dict[str, list[Row]]
_EXECUTION_TIMES = ("started_at", "completed_at", "failed_at", "cancelled_at")
_STEP_TIMES = (
    "started_at", "completed_at", "failed_at", "disabled_at", "passed_at", "due_at", "retry_at",
)  # fmt: skip
_NOTHING = {"status": "NotStarted", "disabled_by": None, "entered_by": [], "output_data": None}


def objects_at(objects: Mapping[str, list[Row]], root_id: str, revision: int, *, is_jsonb: bool) -> Objects:
    """What a tenant had of a tree, and everything else as it is now."""
    changes = [
        each for each in objects["Change"] if each["root_id"] == root_id and each["revision"] <= revision
    ]
    changes.sort(key=lambda change: change["revision"])
    born = {each["execution_id"]: each for each in changes if each["kind"] == "EXECUTION_CREATED"}
    executions = [each for each in objects["WorkflowExecution"] if each["id"] in born]
    steps = [each for each in objects["WorkflowStepExecution"] if each["execution_id"] in born]
    latest = {each["step_execution_id"]: each for each in changes}
    steps = [each for each in steps if each["attempt"] == 1 or each["id"] in latest]
    newest = {(each["execution_id"], each["step_id"]): each["attempt"] for each in _by_attempt(steps)}
    there = {each["id"] for each in steps}
    links = [each for each in objects["StepChild"] if each["child_id"] in born]
    attempts = {each["id"]: each["attempt"] for each in steps}
    listed = sorted((each for each in links if each["step_execution_id"] in there), key=_attempt_in(attempts))
    parents = {each["child_id"]: each["step_execution_id"] for each in listed}
    return {
        **objects,
        "Change": changes,
        "StepChild": links,
        "WorkflowExecution": [
            _execution(each, changes, revision, parents, is_jsonb=is_jsonb) for each in executions
        ],
        "WorkflowStepExecution": [
            _step(each, latest.get(each["id"]), born[each["execution_id"]])
            | {"is_current": newest[each["execution_id"], each["step_id"]] == each["attempt"]}
            for each in steps
        ],
    }


def _by_attempt(steps: list[Row]) -> list[Row]:
    return sorted(steps, key=lambda step: step["attempt"])


def _attempt_in(attempts: Mapping[str, int]) -> Callable[[Row], int]:
    return lambda link: attempts[link["step_execution_id"]]


def _execution(
    row: Row, changes: list[Row], revision: int, parents: Mapping[str, str], *, is_jsonb: bool
) -> Row:
    mine = [each for each in changes if each["execution_id"] == row["id"]]
    own = [each for each in mine if each["step_execution_id"] is None]
    of_steps = [each for each in mine if each["step_execution_id"] is not None]
    context = [each["data"]["context"] for each in own if "context" in each["data"]][-1]
    return {
        **row,
        **_image(own[-1]["data"], _EXECUTION_TIMES),
        "runtime_status": own[-1]["to_status"],
        "reason": own[-1]["data"]["reason"],
        "context": as_jsonb(context) if is_jsonb else context,
        "revision": mine[-1]["revision"],
        "last_activity_at": of_steps[-1]["at"] if of_steps else None,
        "tree_revision": None if row["tree_revision"] is None else revision,
        "parent_step_id": parents.get(row["id"]),
    }


def _step(row: Row, latest: Row | None, born: Row) -> Row:
    if latest is None:
        nothing = dict.fromkeys((*_STEP_TIMES, "failure_code", "failure_message"))
        return {**row, **nothing, **_NOTHING, "revision": born["revision"]}
    data = latest["data"]
    return {
        **row,
        **_image(data, _STEP_TIMES),
        "status": latest["to_status"],
        "disabled_by": data["disabledBy"],
        "entered_by": data["enteredBy"],
        "output_data": row["output_data"] if latest["to_status"] == "Completed" else None,
        "revision": latest["revision"],
    }


def _image(data: Row, times: tuple[str, ...]) -> Row:
    failure = data["failure"] or {"code": None, "message": None}
    named = {name: re.sub("_(.)", lambda found: found[1].upper(), name) for name in times}
    return {
        **{column: data[name] for column, name in named.items()},
        "failure_code": failure["code"],
        "failure_message": failure["message"],
    }


def as_jsonb(value: Any) -> Any:
    """JSON as PostgreSQL's `jsonb` writes it again: short keys first, numbers without exponents."""
    match value:
        case dict():
            keys = sorted(value, key=lambda key: (len(key.encode()), key.encode()))
            return {key: as_jsonb(value[key]) for key in keys}
        case list():
            return [as_jsonb(item) for item in value]
        case Digits():
            text = format(abs(Decimal(value)) if Decimal(value) == 0 else Decimal(value), "f")
            return Digits(text) if "." in text else int(text)
    return value
