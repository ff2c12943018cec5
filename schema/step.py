"""One attempt at a step, as it is shown."""

from datetime import datetime
from typing import TYPE_CHECKING, Annotated

import strawberry

from db import tables
from db.tables import table_of
from schema.enums import DisabledBy, ExecutionStatus, StepStatus, StepType
from schema.execution import Failure, WorkflowExecution
from schema.node import Node
from schema.projection.arguments import Arguments
from schema.projection.compiler import Query
from schema.projection.declare import Argument, column, many, one, part, rows_of, sql, summary
from schema.projection.rows import Row
from schema.scalars import JSONObject
from schema.work import is_claimed, is_overdue

if TYPE_CHECKING:
    from schema.template import WorkflowStepDefinition

_LINKS = table_of(tables.StepChild)
_EXECUTIONS = table_of(tables.WorkflowExecution)

Definition = Annotated["WorkflowStepDefinition", strawberry.lazy("schema.template")]


def current(_parent: Row, step: Row, _arguments: Arguments) -> str:
    """A join that keeps every current attempt (of the tenant)."""
    return step.is_current


def _definition(step: Row, definition: Row, _: Arguments) -> str:
    return f"{definition.version_id} = {step.version_id} and {definition.step_id} = {step.step_id}"


def _retry_at(step: Row, _: Query) -> str:
    return f"case when {step.is_current} then {step.retry_at} end"


def _same_step(step: Row, attempt: Row, _: Arguments) -> str:
    return f"{attempt.execution_id} = {step.execution_id} and {attempt.step_id} = {step.step_id}"


def _children(step: Row, child: Row, arguments: Arguments) -> str:
    source, link = arguments.query.table(_LINKS)
    listed = f"select {link.child_id} from {source} where {link.step_execution_id} = {step.id}"
    # The parent is known anyway, but it has an index by which SQLite need not read all of the tenant's.
    return f"{child.parent_id} = {step.execution_id} and {child.id} in ({listed})"


@rows_of(None)
class ExecutionProgress:
    """How many executions stand where."""

    total: int = column("All of them.")
    not_started: int = column("Executions that have not begun.")
    in_progress: int = column("Executions that run.")
    completed: int = column("Executions that are done.")
    failed: int = column("Executions that could not go on.")
    cancelled: int = column("Executions that were cancelled.")


def _child_progress(step: Row, query: Query) -> str:
    links, link = query.table(_LINKS)
    children, child = query.table(_EXECUTIONS)
    counts = ", ".join(
        f"count(*) filter (where {child.runtime_status} = '{status}') as {status.name.lower()}"
        for status in ExecutionStatus
    )
    joined = f"{links} join {children} on {child.id} = {link.child_id}"
    return f"select count(*) as total, {counts} from {joined} where {link.step_execution_id} = {step.id}"


@rows_of(None)
class Claim:
    """Who is working on a step, and until when."""

    worker: str = column("Who works on it.", "claim_worker")
    claimed_at: datetime = column("When it was claimed.")
    lease_expires_at: datetime | None = column(
        "When the claim ends unless it is extended; null for an assignment, which holds until it is released."
    )


@rows_of(tables.StepExecution)
class WorkflowStepExecution(Node):
    """One attempt at a step (the seed's TRuntimeWorkflowStepExecution)."""

    id: strawberry.ID = column("A TypeID that begins with `step_`; commands on the step take it.")
    type: StepType = column("What the step does, or whom it waits for.")
    step_id: str = column("The step's id in the definition.")
    name: str = column("The name that people see.")
    status: StepStatus = column("Where this attempt is in its life.")
    attempt: int = column("1 for the first attempt.")
    created_at: datetime = column("When the attempt was made.")
    started_at: datetime | None = column("When flow arrived at it.")
    completed_at: datetime | None = column("When it was completed.")
    failed_at: datetime | None = column("When it failed.")
    disabled_at: datetime | None = column("When it was disabled.")
    passed_at: datetime | None = column("When flow went through it while it was Disabled.")
    disabled_by: DisabledBy | None = column("What disabled it.")
    entered_by: list[str] = column("Ids of the transitions by which this attempt was entered, in order.")
    due_at: datetime | None = column(
        "When it should be done: its start plus the definition's `dueIn`, or what was set by hand."
    )
    is_overdue: bool = sql("Whether it is in progress and was found past `dueAt`.", is_overdue)
    retry_at: datetime | None = sql(
        "When the next attempt is scheduled to start, while it waits for its backoff.", _retry_at
    )
    output_data: JSONObject | None = column("What it was completed with, at most 1 MiB.")
    failure: Failure | None = part("Why it failed.", "failure_code")
    revision: int = column("Revision of the tree at its last change.")
    claim: Claim | None = part(
        "Who is working on it; null where nobody is, or the lease has passed.", is_claimed
    )
    workflow_execution: WorkflowExecution = one("The execution it belongs to.", "execution_id")
    definition: Definition = one("The step of the definition.", _definition)
    attempts: list[Annotated["WorkflowStepExecution", strawberry.lazy("schema.step")]] = many(
        "All attempts at this step of this execution, oldest first.", _same_step, "attempt"
    )
    child_workflow_executions: list[WorkflowExecution] = many(
        "Children of this attempt by index; page through workflowExecution.childWorkflowExecutions for more than 500.",
        _children,
        "child_index",
        [Argument("first", int | None, "How many at most, up to 500.", 100)],
    )
    child_progress: ExecutionProgress = summary("How the children of this attempt stand.", _child_progress)
