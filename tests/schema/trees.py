"""What executions and their attempts answer (`reference.py`): steps, children, attempts, `runtime`."""

import re
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from tests.schema.lists import listed, referring
from tests.schema.pages import AS_COMMITTED, page
from tests.schema.rows import Row
from tests.schema.wheres import claim_of, is_overdue, matches

if TYPE_CHECKING:
    from tests.schema.reference import Reference

Arguments = Mapping[str, Any]
Resolver = Callable[["Reference", Row, Arguments], Any]


def referred(type_name: str, column: str, key: str = "id") -> Resolver:
    """The one object whose `key` the row holds."""
    return lambda reference, row, _: reference.one(type_name, **{key: row[column]})


def definition_of(column: str) -> Resolver:
    """The step of a version that the row names."""
    return lambda reference, row, _: reference.one(
        "WorkflowStepDefinition", version_id=row["version_id"], step_id=row[column]
    )


def _steps(reference: "Reference", execution: Row, arguments: Arguments) -> list[Row]:
    steps = reference.all("WorkflowStepExecution", "position", execution_id=execution["id"], is_current=True)
    return [step for step in steps if matches(reference, step, arguments.get("where"))]


def _step(reference: "Reference", execution: Row, arguments: Arguments) -> Row | None:
    return reference.one(
        "WorkflowStepExecution", execution_id=execution["id"], is_current=True, step_id=arguments["stepId"]
    )


def _progress(reference: "Reference", execution: Row, _: Arguments) -> Row:
    statuses = [str(step["status"]) for step in _steps(reference, execution, {})]
    return _counted(statuses, "NotStarted", "InProgress", "Completed", "Disabled", "Failed")


def _child_progress(reference: "Reference", step: Row, _: Arguments) -> Row:
    statuses = [str(child["runtime_status"]) for child in _children(reference, step)]
    return _counted(statuses, "NotStarted", "InProgress", "Completed", "Failed", "Cancelled")


def _counted(statuses: list[str], *counted: str) -> Row:
    return {"total": len(statuses)} | {
        f"{status[0].lower()}{status[1:]}": statuses.count(status) for status in counted
    }


def _failure(_: "Reference", row: Row, __: Arguments) -> Row | None:
    if row["failure_code"] is None:
        return None
    return {"code": row["failure_code"], "message": row["failure_message"]}


def _tree_revision(reference: "Reference", execution: Row, _: Arguments) -> int:
    root = reference.one("WorkflowExecution", id=execution["root_id"])
    assert root is not None
    return int(root["tree_revision"])


def _root_id(_: "Reference", execution: Row, __: Arguments) -> str | None:
    return None if execution["parent_id"] is None else execution["root_id"]


def _descendants(reference: "Reference", execution: Row) -> list[Row]:
    found: list[Row] = []
    waiting = [execution["id"]]
    while waiting:
        children = reference.all("WorkflowExecution", parent_id=waiting.pop())
        found += children
        waiting += [child["id"] for child in children]
    return found


def _changes(reference: "Reference", execution: Row, arguments: Arguments) -> Row:
    found = reference.all("Change", execution_id=execution["id"])
    return page(found, AS_COMMITTED, arguments, reference.cursor_of)


def _retry_at(_: "Reference", step: Row, __: Arguments) -> str | None:
    return step["retry_at"] if step["is_current"] else None


def _attempts(reference: "Reference", step: Row, _: Arguments) -> list[Row]:
    same = {"execution_id": step["execution_id"], "step_id": step["step_id"]}
    return reference.all("WorkflowStepExecution", "attempt", **same)


def _links(reference: "Reference", step: Row) -> list[Row]:
    return reference.all("StepChild", "child_index", step_execution_id=step["id"])


def _children(reference: "Reference", step: Row) -> list[Row]:
    found = [reference.one("WorkflowExecution", id=link["child_id"]) for link in _links(reference, step)]
    return [child for child in found if child is not None]


def _some_children(reference: "Reference", step: Row, arguments: Arguments) -> list[Row]:
    first = arguments.get("first")
    return _children(reference, step)[: 100 if first is None else first]


def _runtime(reference: "Reference", execution: Row, _: Arguments) -> Row:
    """The seed's TRuntimeWorkflowExecution: statuses and types as they are stored, what is not set is absent."""
    times = ("started_at", "completed_at", "failed_at", "last_activity_at")
    steps = _steps(reference, execution, {})
    return _set(
        {
            "id": execution["id"],
            "correlationId": execution["correlation_id"],
            "parentWorkflowExecutionId": execution["parent_id"],
            "rootWorkflowExecutionId": _root_id(reference, execution, _),
            "workflowTemplateVersionId": execution["version_id"],
            "runtimeStatus": str(execution["runtime_status"]),
            **{_camel(name): execution[name] for name in times},
            "context": execution["context"],
            "steps": {step["step_id"]: _runtime_step(reference, step) for step in steps},
        }
    )


def _runtime_step(reference: "Reference", step: Row) -> Row:
    times = ("started_at", "completed_at", "failed_at", "due_at")
    is_parent = str(step["type"]) == "sys.sub_workflow"
    children = [{"id": link["child_id"]} for link in _links(reference, step)]
    return _set(
        {
            "id": step["id"],
            "type": str(step["type"]),
            "stepId": step["step_id"],
            "status": str(step["status"]),
            "attempt": step["attempt"],
            **{_camel(name): step[name] for name in times},
            "outputData": step["output_data"],
            "childWorkflowExecutions": children if is_parent else None,
        }
    )


def _set(values: Row) -> Row:
    return {name: value for name, value in values.items() if value is not None}


def _camel(name: str) -> str:
    return re.sub("_(.)", lambda found: found[1].upper(), name)


TREES: Mapping[str, Resolver] = {
    "WorkflowExecution.rootWorkflowExecutionId": _root_id,
    "WorkflowExecution.treeRevision": _tree_revision,
    "WorkflowExecution.progress": _progress,
    "WorkflowExecution.failure": _failure,
    "WorkflowExecution.runtime": _runtime,
    "WorkflowExecution.workflowTemplateVersion": referred("WorkflowTemplateVersion", "version_id"),
    "WorkflowExecution.parentWorkflowExecution": referred("WorkflowExecution", "parent_id"),
    "WorkflowExecution.rootWorkflowExecution": referred("WorkflowExecution", "root_id"),
    "WorkflowExecution.parentStep": referred("WorkflowStepExecution", "parent_step_id"),
    "WorkflowExecution.steps": _steps,
    "WorkflowExecution.step": _step,
    "WorkflowExecution.childWorkflowExecutions": listed(
        "childWorkflowExecutions", referring("WorkflowExecution", "parent_id")
    ),
    "WorkflowExecution.descendantWorkflowExecutions": listed("descendantWorkflowExecutions", _descendants),
    "WorkflowExecution.changes": _changes,
    "WorkflowStepExecution.isOverdue": lambda _, step, __: is_overdue(step),
    "WorkflowStepExecution.claim": lambda _, step, __: claim_of(step),
    "WorkflowStepExecution.retryAt": _retry_at,
    "WorkflowStepExecution.failure": _failure,
    "WorkflowStepExecution.workflowExecution": referred("WorkflowExecution", "execution_id"),
    "WorkflowStepExecution.definition": definition_of("step_id"),
    "WorkflowStepExecution.attempts": _attempts,
    "WorkflowStepExecution.childWorkflowExecutions": _some_children,
    "WorkflowStepExecution.childProgress": _child_progress,
}
