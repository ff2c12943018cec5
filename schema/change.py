"""One entry of the journal, as it is shown."""

from datetime import datetime

import strawberry

from db import tables
from schema.enums import STATUS_LABELS, ChangeKind
from schema.execution import WorkflowExecution
from schema.projection.compiler import Query
from schema.projection.declare import column, one, rows_of, sql
from schema.projection.journal import cursor_of
from schema.projection.rows import Row
from schema.scalars import JSONObject
from schema.step import WorkflowStepExecution


def _from_status(change: Row, query: Query) -> str:
    return query.sql.choose(change.from_status, STATUS_LABELS)


def _to_status(change: Row, query: Query) -> str:
    return query.sql.choose(change.to_status, STATUS_LABELS)


@rows_of(tables.Journal)
class Change:
    """One committed change. Within a tree revisions are dense: 1, 2, 3 … so a gap is visible to the client."""

    cursor: str = sql("Position in the journal of all trees; opaque.", cursor_of)
    revision: int = column("Revision of the tree that this change made.")
    kind: ChangeKind = column("What happened to the row.")
    at: datetime = column("When, by the database's clock.")
    actor: str | None = column("Who caused it; null for the server itself and where nobody is authenticated.")
    from_status: str | None = sql("Status before it.", _from_status)
    to_status: str | None = sql("Status after it.", _to_status)
    attempt: int | None = column("Which attempt at the step.")
    reason: str | None = column("The reason that was given with the command.")
    data: JSONObject | None = column(
        "The changed row as of this revision, in the API's names; outputs are only on the step itself."
    )
    root_workflow_execution_id: strawberry.ID = column("The root of the tree.", "root_id")
    workflow_execution_id: strawberry.ID = column(
        "The execution that changed, or whose step changed.", "execution_id"
    )
    step_execution_id: strawberry.ID | None = column("The attempt that changed.")
    workflow_execution: WorkflowExecution = one(
        "The execution as it is now, not as it was then; under `asOf` as of that revision.", "execution_id"
    )
    step: WorkflowStepExecution | None = one(
        "The attempt as it is now, not as it was then; under `asOf` as of that revision.", "step_execution_id"
    )
