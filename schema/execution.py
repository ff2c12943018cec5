"""A running workflow instance, as it is shown."""

from datetime import datetime
from typing import TYPE_CHECKING, Annotated

import strawberry

from db import tables
from db.tables import table_of
from schema.connections import BY_INDEX, NEWEST_FIRST, OF_A_TREE, Connection
from schema.enums import ExecutionStatus
from schema.filters import WorkflowExecutionWhere, WorkflowStepExecutionWhere
from schema.node import Node
from schema.orders import WorkflowExecutionOrder
from schema.projection.arguments import Arguments
from schema.projection.compiler import Query
from schema.projection.declare import Argument, column, connection, many, on, one, part, rows_of, sql, summary
from schema.projection.rows import Row
from schema.runtime import runtime_of_execution
from schema.scalars import JSON, JSONObject

if TYPE_CHECKING:
    from schema.change import Change
    from schema.step import WorkflowStepExecution
    from schema.template import WorkflowTemplateVersion

_HERE = strawberry.lazy("schema.execution")
Step = Annotated["WorkflowStepExecution", strawberry.lazy("schema.step")]
Version = Annotated["WorkflowTemplateVersion", strawberry.lazy("schema.template")]

_EXECUTIONS = table_of(tables.WorkflowExecution)
_STEPS = table_of(tables.StepExecution)


@rows_of(None)
class Failure:
    """Why something failed."""

    code: str = column("For programs, such as `STEP_FAILED`.", "failure_code")
    message: str = column("What went wrong, for people.", "failure_message")


@rows_of(None)
class StepProgress:
    """How many steps of an execution stand where, by their current attempts."""

    total: int = column("All steps of the definition.")
    not_started: int = column("Steps that flow has not reached.")
    in_progress: int = column("Steps that wait for a person or a worker.")
    completed: int = column("Steps that are done.")
    disabled: int = column("Steps that flow goes through, or that a cancellation stopped.")
    failed: int = column("Steps that failed.")


def _current_steps(execution: Row, step: Row, _: Arguments) -> str:
    return f"{step.execution_id} = {execution.id} and {step.is_current}"


def _current_step(execution: Row, step: Row, arguments: Arguments) -> str:
    return f"{_current_steps(execution, step, arguments)} and {step.step_id} = {arguments.value('stepId')}"


def _progress(execution: Row, query: Query) -> str:
    source, step = query.table(_STEPS)
    counts = {
        "not_started": "NotStarted",
        "in_progress": "InProgress",
        "completed": "Completed",
        "disabled": "Disabled",
        "failed": "Failed",
    }
    columns = [
        f"count(*) filter (where {step.status} = '{status}') as {name}" for name, status in counts.items()
    ]
    where = f"{step.execution_id} = {execution.id} and {step.is_current}"
    return f"select count(*) as total, {', '.join(columns)} from {source} where {where}"


def _tree_revision(execution: Row, query: Query) -> str:
    source, root = query.table(_EXECUTIONS)
    above = f"(select {root.tree_revision} from {source} where {root.id} = {execution.root_id})"
    return f"coalesce({execution.tree_revision}, {above})"


def _root_id(execution: Row, _: Query) -> str:
    return f"case when {execution.parent_id} is not null then {execution.root_id} end"


def _below(execution: Row, other: Row, _: Arguments) -> str:
    # '0' follows '/', which ends every part of a path.
    end = f"substr({execution.path}, 1, length({execution.path}) - 1) || '0'"
    inside = f"{other.path} > {execution.path} and {other.path} < {end}"
    return f"{other.root_id} = {execution.root_id} and {inside}"


@rows_of(tables.WorkflowExecution)
class WorkflowExecution(Node):
    """A running workflow instance (the seed's TRuntimeWorkflowExecution)."""

    id: strawberry.ID = column("A TypeID that begins with `exec_`.")
    name: str = column("The name that people see; the template's where none was given.")
    correlation_id: str = column("For tracing across systems; its own id where none was given.")
    parent_workflow_execution_id: strawberry.ID | None = column(
        "The execution whose step started it; null on a root.", "parent_id"
    )
    root_workflow_execution_id: strawberry.ID | None = sql("The top of its tree; null on a root.", _root_id)
    workflow_template_version_id: strawberry.ID = column("The version that it runs.", "version_id")
    runtime_status: ExecutionStatus = column("Where it is in its life.")
    created_at: datetime = column("When it was created.")
    started_at: datetime | None = column("When it was started.")
    completed_at: datetime | None = column("When its last step was done.")
    failed_at: datetime | None = column("When it could not go on.")
    cancelled_at: datetime | None = column("When it was cancelled.")
    last_activity_at: datetime | None = column("When a step of it last changed.")
    context: JSONObject = column("Its data, at most 1 MiB; expressions read it as `__context__`.")
    revision: int = column(
        "Revision of the tree at the last change of this execution or of one of its steps."
    )
    tree_revision: int = sql("Revision of the whole tree; where the query has `asOf`, that.", _tree_revision)
    progress: StepProgress = summary("How its steps stand (current attempts).", _progress)
    failure: Failure | None = part("Why it failed.", "failure_code")
    reason: str | None = column("Why it was cancelled, where a reason was given.")
    child_index: int | None = column("Its place among the children of the parent's step, from 0.")
    item: JSON | None = column("The item of the batch it was started for.")
    runtime: JSONObject = sql(
        "Exactly the seed's TRuntimeWorkflowExecution: its keys, its enum values ('InProgress'), "
        "steps as a map by step id; what is not set is absent.",
        runtime_of_execution,
    )
    workflow_template_version: Version = one("The version that it runs.", "version_id")
    parent_workflow_execution: Annotated["WorkflowExecution", _HERE] | None = one(
        "The execution whose step started it.", "parent_id"
    )
    root_workflow_execution: Annotated["WorkflowExecution", _HERE] = one(
        "The top of its tree; itself on a root.", "root_id"
    )
    parent_step: Step | None = one("The parent's attempt that started it.", "parent_step_id")
    steps: list[Step] = many(
        "Current attempt of every step, in definition order.",
        _current_steps,
        "position",
        where=WorkflowStepExecutionWhere,
    )
    step: Step | None = one(
        "Current attempt of one step; null where the definition has no such step.",
        _current_step,
        [Argument("step_id", str, "The step's id in the definition.")],
    )
    child_workflow_executions: Connection[Annotated["WorkflowExecution", _HERE]] = connection(
        "The executions that its steps started, by index.",
        on("id", "parent_id"),
        BY_INDEX,
        where=WorkflowExecutionWhere,
        order_by=WorkflowExecutionOrder,
    )
    descendant_workflow_executions: Connection[Annotated["WorkflowExecution", _HERE]] = connection(
        "Every execution below it, at any depth, newest first.",
        _below,
        NEWEST_FIRST,
        where=WorkflowExecutionWhere,
        order_by=WorkflowExecutionOrder,
    )
    changes: Connection[Annotated["Change", strawberry.lazy("schema.change")]] = connection(
        "What happened to it and its steps, not to its children, by revision.",
        on("id", "execution_id"),
        OF_A_TREE,
    )
