"""Indexes by which the timer finds what is due next: due dates that will pass, and retries that are scheduled."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

STEPS = "step_execution"
INDEXES = {
    "step_execution_next_due": (
        "due_at",
        "is_current and status = 'InProgress' and overdue_at is null and due_at is not null",
    ),
    "step_execution_next_retry": ("retry_at", "is_current and retry_at is not null"),
}


def upgrade() -> None:
    for name, (column, condition) in INDEXES.items():
        where = sa.text(condition)
        op.create_index(name, STEPS, [column], sqlite_where=where, postgresql_where=where)


def downgrade() -> None:
    for name in reversed(INDEXES):
        op.drop_index(name, STEPS)
