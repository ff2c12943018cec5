"""One attempt at a step, as it is shown."""

from datetime import datetime
from typing import TYPE_CHECKING, Annotated

import strawberry

from db import tables
from schema.enums import DisabledBy, StepStatus, StepType
from schema.execution import Failure, WorkflowExecution
from schema.node import Node
from schema.projection.arguments import Arguments
from schema.projection.declare import column, one, part, rows_of
from schema.projection.rows import Row
from schema.scalars import JSONObject

if TYPE_CHECKING:
    from schema.template import WorkflowStepDefinition

Definition = Annotated["WorkflowStepDefinition", strawberry.lazy("schema.template")]


def _definition(step: Row, definition: Row, _: Arguments) -> str:
    return f"{definition.version_id} = {step.version_id} and {definition.step_id} = {step.step_id}"


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
    disabled_by: DisabledBy | None = column("What disabled it.")
    entered_by: list[str] = column("Ids of the transitions by which this attempt was entered, in order.")
    due_at: datetime | None = column("When it should be done: its start plus the definition's `dueIn`.")
    output_data: JSONObject | None = column("What it was completed with, at most 1 MiB.")
    failure: Failure | None = part("Why it failed.", "failure_code")
    revision: int = column("Revision of the tree at its last change.")
    workflow_execution: WorkflowExecution = one("The execution it belongs to.", "execution_id")
    definition: Definition = one("The step of the definition.", _definition)
