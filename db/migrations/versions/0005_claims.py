"""Indexes of the work that nobody has: by type, by step of a version; and of the leases that will pass."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

STEPS = "step_execution"
IN_PROGRESS = "is_current and status = 'InProgress'"
INDEXES = {
    "step_execution_work": (["tenant", "type", "started_at", "id"], "claim_worker is null"),
    "step_execution_work_at": (["version_id", "step_id", "started_at", "id"], "claim_worker is null"),
    "step_execution_lease": (["lease_expires_at", "id"], "claim_worker is not null"),
}


def upgrade() -> None:
    for name, (columns, claimed) in INDEXES.items():
        only = sa.text(f"{IN_PROGRESS} and {claimed}")
        op.create_index(name, STEPS, columns, sqlite_where=only, postgresql_where=only)
    op.create_index("step_definition_step", "step_definition", ["step_id", "tenant"])


def downgrade() -> None:
    op.drop_index("step_definition_step", "step_definition")
    for name in reversed(INDEXES):
        op.drop_index(name, STEPS)
