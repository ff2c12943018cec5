"""Small reads by id."""

from dataclasses import dataclass

from sqlalchemy import bindparam, select

from db.ids import IdKind, is_id
from db.runtime.statuses import ExecutionStatus
from db.session import Database
from db.statements import Statement
from db.tables import WorkflowExecution, table_of

_executions = table_of(WorkflowExecution)
_PLACE = Statement(
    select(_executions.c.root_id, _executions.c.runtime_status).where(
        _executions.c.id == bindparam("id"), _executions.c.tenant == bindparam("tenant")
    )
)
_REVISION = Statement(select(_executions.c.tree_revision).where(_executions.c.id == bindparam("root_id")))


@dataclass(frozen=True, slots=True)
class Place:
    """In which tree an execution is, and where in its life."""

    root_id: str
    status: ExecutionStatus


async def find_execution(database: Database, tenant: str, execution_id: str) -> Place | None:
    """The place of one of the tenant's executions; None for any other id (I6)."""
    if not is_id(IdKind.EXECUTION, execution_id):
        return None
    rows = await database.rows(_PLACE, {"id": execution_id, "tenant": tenant})
    return Place(*rows[0]) if rows else None


async def tree_revision(database: Database, root_id: str) -> int:
    """The revision of a tree whose root is known; 0 where it was deleted."""
    rows = await database.rows(_REVISION, {"root_id": root_id})
    return int(rows[0][0]) if rows else 0
