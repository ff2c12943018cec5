"""What a command can act on now, as SQL over a row: the same rules by which the runtime refuses (`runtime.md` S7, C5)."""

from collections.abc import Iterable
from enum import StrEnum
from typing import TYPE_CHECKING

from db import tables
from db.runtime.statuses import ExecutionStatus, StepStatus, may_become
from db.tables import table_of
from schema.projection.rows import Row

if TYPE_CHECKING:
    from schema.projection.compiler import Query

_EXECUTIONS = table_of(tables.WorkflowExecution)
_STEPS = table_of(tables.StepExecution)

_CANCELLABLE = [status for status in ExecutionStatus if may_become(status, ExecutionStatus.CANCELLED)]
# One that is in progress goes on, one that has failed is reopened.
_OPEN = (ExecutionStatus.IN_PROGRESS, ExecutionStatus.FAILED)
_LIVE = (StepStatus.IN_PROGRESS, StepStatus.FAILED)


def can_be_cancelled(execution: Row, _: "Query") -> str:
    """`cancelWorkflowExecution` would be carried out."""
    return _is_among(execution.runtime_status, _CANCELLABLE)


def can_be_retried(step: Row, query: "Query") -> str:
    """`retryStep` would be carried out: it is a Failed current attempt, and nothing above keeps it from going on."""
    source, execution = query.table(_EXECUTIONS)
    is_open = _is_among(execution.runtime_status, _OPEN)
    above = f"{execution.id} = {step.execution_id} and {is_open} and {_is_waited_for(execution, query)}"
    return f"{step.is_current} and {step.status} = '{StepStatus.FAILED}' and exists (select 1 from {source} where {above})"


def _is_waited_for(execution: Row, query: "Query") -> str:
    """From each execution above, up to the root, a live attempt waits for the one below it; always true of a root."""
    line = query.alias("q")
    of_line, starter = query.table(_STEPS)
    above, parent = query.table(_EXECUTIONS)
    next_up = (
        f"select {parent.parent_step_id} from {above} where {parent.id} ="
        f" (select {starter.execution_id} from {of_line} where {starter.id} = {line}.step_id)"
    )
    steps, step = query.table(_STEPS)
    parents, waiting = query.table(_EXECUTIONS)
    status = f"(select {waiting.runtime_status} from {parents} where {waiting.id} = {step.execution_id})"
    is_live = f"{step.is_current} and {_is_among(step.status, _LIVE)} and {_is_among(status, _OPEN)}"
    # By id, in sub-selects of one value: as joins, PostgreSQL would read whole tables once for every row.
    return (
        f"not exists (with recursive {line}(step_id) as ("
        f"select {execution.parent_step_id} where {execution.parent_id} is not null"
        f" union all select ({next_up}) from {line} where {line}.step_id is not null)"
        f" select 1 from {line} where {line}.step_id is not null"
        f" and (select {step.id} from {steps} where {step.id} = {line}.step_id and {is_live}) is null)"
    )


def _is_among(column: str, statuses: Iterable[StrEnum]) -> str:
    labels = ", ".join(f"'{status}'" for status in statuses)
    return f"{column} in ({labels})"
