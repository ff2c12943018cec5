"""Indexes by which lists are ordered and filtered: names, starts, ends, due dates, and values inside contexts."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

EXECUTIONS, STEPS = "workflow_execution", "step_execution"


def _never_null(column: str, otherwise: str) -> sa.TextClause:
    """The column with what comes last, in an order that ascends or descends, in the place of null."""
    kind = "timestamptz " if op.get_bind().dialect.name == "postgresql" else ""
    return sa.text(f"coalesce({column}, {kind}'{otherwise}')")


def _last(column: str) -> sa.TextClause:
    return _never_null(column, "9999-12-31T23:59:59.999999Z")


def _first(column: str) -> sa.TextClause:
    return _never_null(column, "0001-01-01T00:00:00.000000Z")


def _index_current(name: str, *columns: str | sa.TextClause) -> None:
    current = sa.text("is_current")
    op.create_index(name, STEPS, [*columns], sqlite_where=current, postgresql_where=current)


def upgrade() -> None:
    op.create_index("workflow_execution_name", EXECUTIONS, ["tenant", "name", "id"])
    op.create_index("workflow_execution_start", EXECUTIONS, ["tenant", _first("started_at"), "id"])
    op.create_index("workflow_execution_completion", EXECUTIONS, ["tenant", _first("completed_at"), "id"])
    if op.get_bind().dialect.name == "postgresql":
        op.create_index(
            "workflow_execution_context",
            EXECUTIONS,
            ["context"],
            postgresql_using="gin",
            postgresql_ops={"context": "jsonb_path_ops"},
        )
    op.drop_index("step_execution_queue", STEPS)
    _index_current("step_execution_queue", "tenant", "status", _last("started_at"), "id")
    _index_current("step_execution_due", "tenant", "status", _last("due_at"), "id")
    _index_current("step_execution_start", "tenant", _last("started_at"), "id")


def downgrade() -> None:
    for name in ("step_execution_start", "step_execution_due", "step_execution_queue"):
        op.drop_index(name, STEPS)
    _index_current("step_execution_queue", "tenant", "status", "started_at", "id")
    if op.get_bind().dialect.name == "postgresql":
        op.drop_index("workflow_execution_context", EXECUTIONS)
    for name in ("workflow_execution_completion", "workflow_execution_start", "workflow_execution_name"):
        op.drop_index(name, EXECUTIONS)
