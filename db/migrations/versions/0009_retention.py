"""What deletes trees: the cursor of those that are gone, and indexes that begin with what foreign keys refer to."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0004"
branch_labels = None
depends_on = None

COLUMNS = ("deleted_xid", "deleted_position", "deletions")
# Table, index, the columns whose order changes, the columns after them.
REORDERED = (
    ("workflow_execution", "workflow_execution_tree", ("tenant", "root_id"), ("created_at", "id")),
    ("workflow_execution", "workflow_execution_parent", ("tenant", "parent_id"), ("child_index", "id")),
    ("journal", "journal_execution", ("tenant", "execution_id"), ("revision",)),
    ("journal", "journal_image", ("execution_id", "step_execution_id"), ("revision",)),
)


def upgrade() -> None:
    for name in COLUMNS:
        op.add_column(
            "journal_epoch", sa.Column(name, sa.BigInteger(), nullable=False, server_default=sa.text("0"))
        )
    for table, index, first, rest in REORDERED:
        op.drop_index(index, table)
        op.create_index(index, table, [*reversed(first), *rest])
    op.create_index("step_execution_tree", "step_execution", ["root_id"])


def downgrade() -> None:
    op.drop_index("step_execution_tree", "step_execution")
    for table, index, first, rest in reversed(REORDERED):
        op.drop_index(index, table)
        op.create_index(index, table, [*first, *rest])
    for name in reversed(COLUMNS):
        op.drop_column("journal_epoch", name)
