"""The index by which the latest image of a row up to a revision is found (`asOf`)."""

from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_index(
        "journal_image", "journal", ["execution_id", "step_execution_id", "revision"], unique=False
    )


def downgrade() -> None:
    op.drop_index("journal_image", table_name="journal")
