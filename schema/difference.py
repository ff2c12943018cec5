"""What changed between two revisions of a tree: for each row that changed its last change in between."""

import strawberry

from db import tables
from db.runtime.changes import ChangeKind
from db.tables import table_of
from schema.change import Change
from schema.enums import STATUS_LABELS
from schema.execution import WorkflowExecution
from schema.projection.arguments import Arguments
from schema.projection.compiler import Query
from schema.projection.declare import one, rows_of, sql
from schema.projection.rows import Listing, Row, Rows
from schema.step import WorkflowStepExecution

_JOURNAL = table_of(tables.Journal)
_EXECUTIONS = table_of(tables.WorkflowExecution)
# The value of `Rows` that names the earlier revision; the later one is that at which the tree is shown.
SINCE = "since"


def _from_status(last: Row, query: Query) -> str:
    """Before the first change in between; nothing where the row, or the execution that it came with, was not there."""
    since = query.value(SINCE, "bigint")
    source, change = query.table(_JOURNAL)
    own = f"{change.execution_id} = {last.execution_id}"
    made = f"{own} and {change.kind} = '{ChangeKind.EXECUTION_CREATED}' and {change.revision} > {since}"
    statuses = [
        f"(select {change.from_status} from {source} where {own} and {_same_row(change, last, is_step=is_step)}"
        f" and {change.revision} > {since} order by {change.step_execution_id}, {change.revision} limit 1)"
        for is_step in (True, False)
    ]
    of_step, of_execution = statuses
    first = f"case when {last.step_execution_id} is null then {of_execution} else {of_step} end"
    return query.sql.choose(
        f"(case when not exists (select 1 from {source} where {made}) then {first} end)", STATUS_LABELS
    )


def _to_status(last: Row, query: Query) -> str:
    return query.sql.choose(last.to_status, STATUS_LABELS)


def _same_row(change: Row, last: Row, *, is_step: bool) -> str:
    """Two conditions and not one that knows null: no index would serve that."""
    if is_step:
        return f"{change.step_execution_id} = {last.step_execution_id}"
    return f"{change.step_execution_id} is null"


def _is_last(last: Row, query: Query) -> str:
    """Whether no later change is of the same row."""
    source, change = query.table(_JOURNAL)
    order = f"order by {change.step_execution_id} desc, {change.revision} desc limit 1"
    own = f"select {change.revision} from {source} where {change.execution_id} = {last.execution_id}"
    of_step, of_execution = (
        f"({own} and {_same_row(change, last, is_step=is_step)} {order})" for is_step in (True, False)
    )
    newest = f"case when {last.step_execution_id} is null then {of_execution} else {of_step} end"
    return f"{last.revision} = {newest}"


def _is_below(last: Row, query: Query) -> str:
    """Whether a change is of the execution or of one below it, in whose path it is then."""
    source, execution = query.table(_EXECUTIONS)
    without = f"replace({execution.path}, {query.value('id')} || '/', '')"
    path = (
        f"select 1 from {source} where {execution.id} = {last.execution_id} and {without} <> {execution.path}"
    )
    return f"exists ({path})"


def _differing(last: Row, query: Query) -> str:
    since = query.value(SINCE, "bigint")
    query.require_kept(since)
    return f"{last.revision} > {since} and {_is_last(last, query)} and {_is_below(last, query)}"


DIFFERENCES = Listing(_differing, ("revision",))


def _itself(last: Row, change: Row, _: Arguments) -> str:
    return f"{change.root_id} = {last.root_id} and {change.revision} = {last.revision}"


@rows_of(tables.Journal)
class ExecutionDiff:
    """One execution or attempt that differs, with its last change in between; all of it as of the later revision."""

    workflow_execution: WorkflowExecution = one(
        "The execution that differs, or whose step differs.", "execution_id"
    )
    step: WorkflowStepExecution | None = one(
        "The attempt that differs; null where it is the execution itself.", "step_execution_id"
    )
    from_status: str | None = sql(
        "Status at the earlier revision; null for what was not there yet.", _from_status
    )
    to_status: str | None = sql("Status at the later revision.", _to_status)
    last: Change = one("The last change of it in between.", _itself)


def differences(execution_id: strawberry.ID, since: int, until: int) -> Rows:
    """What stands for the list until it is projected."""
    return Rows("ExecutionDiff", {"id": execution_id, SINCE: since}, as_of=until, listing=DIFFERENCES)
