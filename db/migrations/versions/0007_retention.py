"""What deletes trees: the cursor of those that are gone, and indexes that begin with what foreign keys refer to."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

COLUMNS = ("deleted_xid", "deleted_position", "deletions")
# Indexes that begin with what foreign keys refer to, where that is set: table, index, column.
REFERRED = (
    ("workflow_execution", "workflow_execution_below", "parent_id"),
    ("step_execution", "step_execution_tree", "root_id"),
    ("journal", "journal_step", "step_execution_id"),
)
TREE = ("workflow_execution_tree", "workflow_execution")


def upgrade() -> None:
    for name in COLUMNS:
        op.add_column(
            "journal_epoch", sa.Column(name, sa.BigInteger(), nullable=False, server_default=sa.text("0"))
        )
    for table, index, column in REFERRED:
        is_set = None if column == "root_id" else sa.text(f"{column} is not null")
        op.create_index(index, table, [column], sqlite_where=is_set, postgresql_where=is_set)
    op.drop_index(*TREE)
    op.create_index(*TREE, ["root_id", "tenant", "created_at", "id"])


def downgrade() -> None:
    op.drop_index(*TREE)
    op.create_index(*TREE, ["tenant", "root_id", "created_at", "id"])
    for table, index, _ in REFERRED:
        op.drop_index(index, table)
    for name in reversed(COLUMNS):
        op.drop_column("journal_epoch", name)
