"""What `where` takes: which rows of a list are shown. Members of one object hold all at once."""

from typing import TYPE_CHECKING, Optional

from db import tables
from db.tables import table_of
from schema.operators import (
    DateTimeFilter,
    IDFilter,
    IntFilter,
    JSONPathFilter,
    StringFilter,
    WorkflowRuntimeStatusFilter,
    WorkflowRuntimeStepStatusFilter,
    WorkflowStepTypeFilter,
)
from schema.projection.filters import (
    Compare,
    all_of,
    any_of,
    compared,
    compared_within,
    none_of,
    related,
    searched,
    tested,
    where_of,
)
from schema.projection.rows import Row
from schema.work import is_claimed, is_overdue

if TYPE_CHECKING:
    from schema.projection.compiler import Query

_VERSIONS = table_of(tables.WorkflowTemplateVersion)
_TEMPLATES = table_of(tables.WorkflowTemplate)


def _template_key(execution: Row, query: "Query", compare: Compare) -> str:
    versions, version = query.table(_VERSIONS)
    templates, template = query.table(_TEMPLATES)
    joined = f"{versions} join {templates} on {template.id} = {version.template_id}"
    return (
        f"{execution.version_id} in (select {version.id} from {joined} where {compare(template.key, None)})"
    )


def _root_id(execution: Row, _: "Query", compare: Compare) -> str:
    return compare(execution.root_id, f"{execution.parent_id} is null")


def _is_root(execution: Row, _: "Query") -> str:
    return f"{execution.parent_id} is null"


def _current_step(execution: Row, step: Row) -> str:
    return f"{step.execution_id} = {execution.id} and {step.is_current}"


def _its_execution(step: Row, execution: Row) -> str:
    return f"{execution.id} = {step.execution_id}"


def _has_active_version(template: Row, _: "Query") -> str:
    return f"{template.active_version_id} is not null"


def _claimed_by(step: Row, query: "Query", compare: Compare) -> str:
    return f"{is_claimed(step, query)} and {compare(step.claim_worker, None)}"


@where_of(tables.WorkflowExecution)
class WorkflowExecutionWhere:
    """Which executions; all that is given must hold. It nests at most 3 levels deep and has at most 100 conditions."""

    and_: list["WorkflowExecutionWhere"] | None = all_of()
    or_: list["WorkflowExecutionWhere"] | None = any_of()
    not_: Optional["WorkflowExecutionWhere"] = none_of()
    id: IDFilter | None = compared("The execution's id.")
    name: StringFilter | None = compared("The name that people see.")
    correlation_id: StringFilter | None = compared("Its id across systems.")
    runtime_status: WorkflowRuntimeStatusFilter | None = compared("Where it is in its life.")
    workflow_template_key: StringFilter | None = compared_within(
        "The key of the template whose version it runs.", _template_key
    )
    workflow_template_version_id: IDFilter | None = compared("The version that it runs.", "version_id")
    parent_workflow_execution_id: IDFilter | None = compared(
        "The execution whose step started it; null on a root.", "parent_id"
    )
    root_workflow_execution_id: IDFilter | None = compared_within(
        "The top of its tree; null on a root, which therefore equals nothing.", _root_id
    )
    is_root: bool | None = tested("Whether it is the top of its tree.", _is_root)
    created_at: DateTimeFilter | None = compared("When it was created.")
    started_at: DateTimeFilter | None = compared("When it was started.")
    completed_at: DateTimeFilter | None = compared("When its last step was done.")
    failed_at: DateTimeFilter | None = compared("When it could not go on.")
    cancelled_at: DateTimeFilter | None = compared("When it was cancelled.")
    last_activity_at: DateTimeFilter | None = compared("When a step of it last changed.")
    context: list[JSONPathFilter] | None = searched("Values inside its context; all of these must match.")
    step: Optional["WorkflowStepExecutionWhere"] = related(
        "Some step of it matches, by its current attempt. Counts as a level; at most 2 relations follow each other.",
        tables.StepExecution,
        _current_step,
        lambda: WorkflowStepExecutionWhere,
    )


@where_of(tables.StepExecution)
class WorkflowStepExecutionWhere:
    """Which steps; all that is given must hold. It nests at most 3 levels deep and has at most 100 conditions."""

    and_: list["WorkflowStepExecutionWhere"] | None = all_of()
    or_: list["WorkflowStepExecutionWhere"] | None = any_of()
    not_: Optional["WorkflowStepExecutionWhere"] = none_of()
    id: IDFilter | None = compared("The attempt's id.")
    step_id: StringFilter | None = compared("The step's id in the definition.")
    type: WorkflowStepTypeFilter | None = compared("What the step does, or whom it waits for.")
    status: WorkflowRuntimeStepStatusFilter | None = compared("Where the attempt is in its life.")
    attempt: IntFilter | None = compared("1 for the first attempt.")
    started_at: DateTimeFilter | None = compared("When flow arrived at it.")
    completed_at: DateTimeFilter | None = compared("When it was completed.")
    failed_at: DateTimeFilter | None = compared("When it failed.")
    due_at: DateTimeFilter | None = compared("When it should be done.")
    is_overdue: bool | None = tested(
        "Whether it is in progress and overdue, as `isOverdue` shows.", is_overdue
    )
    is_claimed: bool | None = tested("Whether somebody is working on it, as `claim` shows.", is_claimed)
    claimed_by: StringFilter | None = compared_within("Who is working on it.", _claimed_by)
    output_data: list[JSONPathFilter] | None = searched("Values inside its output; all of these must match.")
    workflow_execution: WorkflowExecutionWhere | None = related(
        "The execution it belongs to matches. Counts as a level; at most 2 relations follow each other.",
        tables.WorkflowExecution,
        _its_execution,
        lambda: WorkflowExecutionWhere,
    )


@where_of(tables.WorkflowTemplate)
class WorkflowTemplateWhere:
    """Which templates; all that is given must hold."""

    key: StringFilter | None = compared("Its unique slug.")
    name: StringFilter | None = compared("The name that people see.")
    has_active_version: bool | None = tested("Whether it can be started by its key.", _has_active_version)
