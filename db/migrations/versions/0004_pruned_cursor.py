"""The cursor up to which the journal was pruned, which a position below it learns from (J5)."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

COLUMNS = ("pruned_xid", "pruned_position")


def upgrade() -> None:
    for name in COLUMNS:
        op.add_column(
            "journal_epoch", sa.Column(name, sa.BigInteger(), nullable=False, server_default=sa.text("0"))
        )


def downgrade() -> None:
    for name in reversed(COLUMNS):
        op.drop_column("journal_epoch", name)
