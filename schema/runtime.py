"""`WorkflowExecution.runtime`: the seed's TRuntimeWorkflowExecution as JSON, in the seed's own spelling."""

from db import tables
from db.tables import table_of
from schema.projection.compiler import Query
from schema.projection.rows import Row

_EXECUTIONS = table_of(tables.WorkflowExecution)
_STEPS = table_of(tables.StepExecution)
_LINKS = table_of(tables.StepChild)


def runtime_of_execution(execution: Row, query: Query) -> str:
    """An execution with its current attempts by step id."""
    sql = query.sql
    source, step = query.table(_STEPS)
    where = f"{step.execution_id} = {execution.id} and {step.is_current}"
    steps = sql.map(step.step_id, _step(step, query), source, step.alias, where, step.position)
    return sql.sparse(
        [
            ("id", sql.text(execution.id)),
            ("correlationId", sql.text(execution.correlation_id)),
            ("parentWorkflowExecutionId", sql.text(execution.parent_id)),
            (
                "rootWorkflowExecutionId",
                sql.text(f"case when {execution.parent_id} is not null then {execution.root_id} end"),
            ),
            ("workflowTemplateVersionId", sql.text(execution.version_id)),
            ("runtimeStatus", sql.text(execution.runtime_status)),
            *((_camel(name), sql.text(sql.time(execution[name]))) for name in _EXECUTION_TIMES),
            ("context", sql.json(execution.context)),
            ("steps", query.outlined(steps, execution, _EXECUTIONS)),
        ]
    )


_EXECUTION_TIMES = ("started_at", "completed_at", "failed_at", "last_activity_at")
_STEP_TIMES = ("started_at", "completed_at", "failed_at", "due_at")


def _step(step: Row, query: Query) -> str:
    sql = query.sql
    source, link = query.table(_LINKS)
    child = sql.object([("id", link.child_id)])
    where = f"{link.step_execution_id} = {step.id}"
    children = sql.array(child, source, link.alias, where, link.child_index, None)
    return sql.sparse(
        [
            ("id", sql.text(step.id)),
            ("type", sql.text(step.type)),
            ("stepId", sql.text(step.step_id)),
            ("status", sql.text(step.status)),
            ("attempt", sql.number(step.attempt)),
            *((_camel(name), sql.text(sql.time(step[name]))) for name in _STEP_TIMES),
            ("outputData", sql.json(step.output_data)),
            ("childWorkflowExecutions", f"case when {step.type} = 'sys.sub_workflow' then {children} end"),
        ]
    )


def _camel(name: str) -> str:
    head, *tail = name.split("_")
    return head + "".join(part.capitalize() for part in tail)
