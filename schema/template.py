"""Templates, their versions, and the graph that a published version draws."""

from datetime import datetime
from typing import TYPE_CHECKING, Annotated

import strawberry

from db import tables
from db.tables import table_of
from schema.connections import NEWEST_FIRST, Connection
from schema.enums import StepType, SubWorkflowStepMode, VersionStatus
from schema.filters import WorkflowExecutionWhere
from schema.node import Node
from schema.orders import WorkflowExecutionOrder
from schema.projection.arguments import Arguments
from schema.projection.declare import Join, column, connection, many, on, one, rows_of
from schema.projection.rows import Row
from schema.scalars import Duration, JSONObject

if TYPE_CHECKING:
    from schema.execution import WorkflowExecution

_VERSIONS = table_of(tables.WorkflowTemplateVersion)

Version = Annotated["WorkflowTemplateVersion", strawberry.lazy("schema.template")]
Definition = Annotated["WorkflowStepDefinition", strawberry.lazy("schema.template")]
Transition = Annotated["WorkflowStepTransition", strawberry.lazy("schema.template")]
Execution = Annotated["WorkflowExecution", strawberry.lazy("schema.execution")]
Group = Annotated["WorkflowStepGroup", strawberry.lazy("schema.template")]


def _of_version(parent: Row, child: Row, _: Arguments) -> str:
    return f"{child.version_id} = {parent.id}"


def _transitions_by(column: str) -> Join:
    return lambda step, transition, _: (
        f"{transition.version_id} = {step.version_id} and {transition[column]} = {step.step_id}"
    )


def _step_by(column: str) -> Join:
    return lambda transition, step, _: (
        f"{step.version_id} = {transition.version_id} and {step.step_id} = {transition[column]}"
    )


@rows_of(tables.WorkflowTemplate)
class WorkflowTemplate(Node):
    """A workflow that can be run, in one or more versions."""

    id: strawberry.ID = column("A TypeID that begins with `tmpl_`.")
    key: str = column("Unique slug; executions can be started by it.")
    name: str = column("The name that people see.")
    description: str | None = column("What it is for.")
    created_at: datetime = column("When it was created.")
    updated_at: datetime = column("When it, or which version is active, last changed.")
    active_version: Version | None = one(
        "The version that is run when it is started by key.", "active_version_id"
    )
    versions: Connection[Version] = connection(
        "Its versions, newest first.", on("id", "template_id"), NEWEST_FIRST
    )


@rows_of(tables.WorkflowTemplateVersion)
class WorkflowTemplateVersion(Node):
    """A version of a template. Once published its definition never changes."""

    id: strawberry.ID = column("A TypeID that begins with `tver_`.")
    version: str = column("Semantic version, unique in its template.")
    version_note: str | None = column("What is new in it.")
    status: VersionStatus = column("Where it is in its life.")
    created_at: datetime = column("When it was created.")
    published_at: datetime | None = column("When it was published; null for a DRAFT.")
    definition: JSONObject = column("The definition as it was written.")
    workflow_template: WorkflowTemplate = one("The template it belongs to.", "template_id")
    steps: list[Definition] = many(
        "Its steps in definition order; none while DRAFT.", _of_version, "position"
    )
    transitions: list[Transition] = many(
        "Its transitions in definition order; none while DRAFT.", _of_version, "position"
    )
    workflow_executions: Connection[Execution] = connection(
        "The executions that run it, newest first.",
        on("id", "version_id"),
        NEWEST_FIRST,
        where=WorkflowExecutionWhere,
        order_by=WorkflowExecutionOrder,
    )
    step_groups: list[Group] = many("Its groups of steps; none while DRAFT.", _of_version, "position")


def _in_group(group: Row, step: Row, _: Arguments) -> str:
    return f"{step.version_id} = {group.version_id} and {step.group_id} = {group.group_id}"


@rows_of(tables.StepGroup)
class WorkflowStepGroup:
    """A named group of steps, for display."""

    group_id: str = column("Its id in the definition.")
    name: str = column("The name that people see.")
    steps: list[Definition] = many("Its steps in the group's order.", _in_group, "group_position")


def _child_template(step: Row, template: Row, arguments: Arguments) -> str:
    source, version = arguments.query.table(_VERSIONS)
    pinned = f"select {version.template_id} from {source} where {version.id} = {step.child_version_id}"
    return f"({template.key} = {step.child_template_key} or {template.id} = ({pinned}))"


@rows_of(tables.StepDefinition)
class WorkflowStepDefinition:
    """A step of a published version."""

    step_id: str = column("Its id in the definition.")
    type: StepType = column("What it does, or whom it waits for.")
    name: str = column("The name that people see.")
    order: int = column("Place in the definition, from 0.", "position")
    group_id: str | None = column("The group it is shown in.")
    output_schema: JSONObject | None = column("JSON Schema (2020-12) that its output must fulfil.")
    due_in: Duration | None = column("How long after its start it is due.")
    enabled_when: str | None = column("JSONata expression that decides whether the step takes part.")
    max_attempts: int = column("How often the step is attempted before it has failed for good.")
    mode: SubWorkflowStepMode | None = column("Of a sub-workflow step: one child, or one per item.")
    child_workflow_template: WorkflowTemplate | None = one(
        "Of a sub-workflow step: the template of its children.", _child_template
    )
    ui: JSONObject | None = column("Free-form hints for display.")
    outgoing: list[Transition] = many(
        "Transitions that leave it, in definition order.", _transitions_by("from_step_id"), "position"
    )
    incoming: list[Transition] = many(
        "Transitions that enter it, in definition order.", _transitions_by("to_step_id"), "position"
    )


@rows_of(tables.StepTransition)
class WorkflowStepTransition:
    """A transition of a published version: when its step ends, the next one may begin."""

    transition_id: str = column("Its id in the definition.")
    label: str | None = column("What people see on the arrow.")
    condition: str | None = column("JSONata expression that decides whether it is taken.")
    is_default: bool = column("Whether it is taken when no other is.")
    from_: Definition = one("The step it leaves.", _step_by("from_step_id"), graphql_name="from")
    to: Definition = one("The step it enters.", _step_by("to_step_id"))
