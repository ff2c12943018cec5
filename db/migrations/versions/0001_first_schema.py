"""The first schema: templates, executions, journal, and the columns that every row needs."""

from datetime import UTC, datetime
from uuid import uuid4

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

# By code point on both databases.
TEXT = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
TIME = sa.DateTime(timezone=True).with_variant(sa.Text(), "sqlite")
# SQLite would take a column that is declared JSON for a number's.
DOCUMENT = sa.Text().with_variant(sa.JSON(), "postgresql")
SEARCHED = sa.Text().with_variant(postgresql.JSONB(), "postgresql")

TABLES = (
    "idempotency",
    "journal_epoch",
    "journal",
    "step_child",
    "step_execution",
    "workflow_execution",
    "step_transition",
    "step_group",
    "step_definition",
    "workflow_template_version",
    "workflow_template",
)


def _writer() -> str:
    """The id of the writing transaction, by which readers tell what has committed (PostgreSQL alone needs it)."""
    return "(pg_current_xact_id()::text::bigint)" if op.get_bind().dialect.name == "postgresql" else "0"


def upgrade() -> None:
    op.create_table(
        "idempotency",
        sa.Column("tenant", TEXT, nullable=False),
        sa.Column("key", TEXT, nullable=False),
        sa.Column("mutation", TEXT, nullable=False),
        sa.Column("input_hash", TEXT, nullable=False),
        sa.Column("outcome", DOCUMENT, nullable=False),
        sa.Column("created_at", TIME, nullable=False),
        sa.PrimaryKeyConstraint("tenant", "key"),
    )
    op.create_index("idempotency_created", "idempotency", ["created_at"], unique=False)
    op.create_table(
        "journal_epoch",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("epoch", TEXT, nullable=False),
        sa.Column("created_at", TIME, nullable=False),
        sa.CheckConstraint("id = 1", name="journal_epoch_single"),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_table(
        "workflow_template",
        sa.Column("id", TEXT, nullable=False),
        sa.Column("tenant", TEXT, nullable=False),
        sa.Column("key", TEXT, nullable=False),
        sa.Column("name", TEXT, nullable=False),
        sa.Column("description", TEXT, nullable=True),
        sa.Column("active_version_id", TEXT, nullable=True),
        sa.Column("created_at", TIME, nullable=False),
        sa.Column("updated_at", TIME, nullable=False),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("tenant", "key", name="workflow_template_key"),
    )
    op.create_index(
        "workflow_template_created", "workflow_template", ["tenant", "created_at", "id"], unique=False
    )
    op.create_table(
        "workflow_template_version",
        sa.Column("id", TEXT, nullable=False),
        sa.Column("tenant", TEXT, nullable=False),
        sa.Column("template_id", TEXT, nullable=False),
        sa.Column("version", TEXT, nullable=False),
        sa.Column("version_note", TEXT, nullable=True),
        sa.Column("status", TEXT, nullable=False),
        sa.Column("definition", DOCUMENT, nullable=False),
        sa.Column("created_at", TIME, nullable=False),
        sa.Column("published_at", TIME, nullable=True),
        sa.CheckConstraint(
            "(status = 'DRAFT') = (published_at is null)", name="workflow_template_version_published"
        ),
        sa.CheckConstraint(
            "status in ('DRAFT', 'PUBLISHED', 'DEPRECATED')", name="workflow_template_version_status"
        ),
        sa.ForeignKeyConstraint(
            ["template_id"],
            ["workflow_template.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("template_id", "version", name="workflow_template_version_version"),
    )
    op.create_index(
        "workflow_template_version_created",
        "workflow_template_version",
        ["tenant", "template_id", "created_at", "id"],
        unique=False,
    )
    op.create_table(
        "step_definition",
        sa.Column("version_id", TEXT, nullable=False),
        sa.Column("step_id", TEXT, nullable=False),
        sa.Column("tenant", TEXT, nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("type", TEXT, nullable=False),
        sa.Column("name", TEXT, nullable=False),
        sa.Column("group_id", TEXT, nullable=True),
        sa.Column("group_position", sa.Integer(), nullable=True),
        sa.Column("output_schema", DOCUMENT, nullable=True),
        sa.Column("due_in", TEXT, nullable=True),
        sa.Column("enabled_when", TEXT, nullable=True),
        sa.Column("max_attempts", sa.Integer(), server_default=sa.text("1"), nullable=False),
        sa.Column("mode", TEXT, nullable=True),
        sa.Column("child_version_id", TEXT, nullable=True),
        sa.Column("child_template_key", TEXT, nullable=True),
        sa.Column("ui", DOCUMENT, nullable=True),
        sa.CheckConstraint(
            "type in ('start', 'end', 'human.confirm', 'human.form', 'human.url_redirect', 'human.doc_upload', 'sys.task', 'sys.sub_workflow', 'gateway.parallel_split', 'gateway.parallel_join', 'gateway.exclusive_split', 'gateway.inclusive_split')",
            name="step_definition_type",
        ),
        sa.ForeignKeyConstraint(
            ["version_id"],
            ["workflow_template_version.id"],
        ),
        sa.PrimaryKeyConstraint("version_id", "step_id"),
    )
    op.create_index(
        "step_definition_group",
        "step_definition",
        ["version_id", "group_id", "group_position"],
        unique=False,
    )
    op.create_table(
        "step_group",
        sa.Column("version_id", TEXT, nullable=False),
        sa.Column("group_id", TEXT, nullable=False),
        sa.Column("tenant", TEXT, nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("name", TEXT, nullable=False),
        sa.ForeignKeyConstraint(
            ["version_id"],
            ["workflow_template_version.id"],
        ),
        sa.PrimaryKeyConstraint("version_id", "group_id"),
    )
    op.create_table(
        "step_transition",
        sa.Column("version_id", TEXT, nullable=False),
        sa.Column("transition_id", TEXT, nullable=False),
        sa.Column("tenant", TEXT, nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("from_step_id", TEXT, nullable=False),
        sa.Column("to_step_id", TEXT, nullable=False),
        sa.Column("condition", TEXT, nullable=True),
        sa.Column("is_default", sa.Boolean(), nullable=False),
        sa.Column("label", TEXT, nullable=True),
        sa.Column("ui", DOCUMENT, nullable=True),
        sa.ForeignKeyConstraint(
            ["version_id"],
            ["workflow_template_version.id"],
        ),
        sa.PrimaryKeyConstraint("version_id", "transition_id"),
    )
    op.create_index(
        "step_transition_from", "step_transition", ["version_id", "from_step_id", "position"], unique=False
    )
    op.create_index(
        "step_transition_to", "step_transition", ["version_id", "to_step_id", "position"], unique=False
    )
    op.create_table(
        "workflow_execution",
        sa.Column("id", TEXT, nullable=False),
        sa.Column("tenant", TEXT, nullable=False),
        sa.Column("root_id", TEXT, nullable=False),
        sa.Column("parent_id", TEXT, nullable=True),
        sa.Column("parent_step_id", TEXT, nullable=True),
        sa.Column("path", TEXT, nullable=False),
        sa.Column("depth", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("child_index", sa.Integer(), nullable=True),
        sa.Column("item", SEARCHED, nullable=True),
        sa.Column("version_id", TEXT, nullable=False),
        sa.Column("name", TEXT, nullable=False),
        sa.Column("correlation_id", TEXT, nullable=False),
        sa.Column("runtime_status", TEXT, nullable=False),
        sa.Column("context", SEARCHED, nullable=False),
        sa.Column("created_at", TIME, nullable=False),
        sa.Column("started_at", TIME, nullable=True),
        sa.Column("completed_at", TIME, nullable=True),
        sa.Column("failed_at", TIME, nullable=True),
        sa.Column("cancelled_at", TIME, nullable=True),
        sa.Column("last_activity_at", TIME, nullable=True),
        sa.Column("failure_code", TEXT, nullable=True),
        sa.Column("failure_message", TEXT, nullable=True),
        sa.Column("reason", TEXT, nullable=True),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("tree_revision", sa.Integer(), nullable=True),
        sa.Column("tree_changed_at", TIME, nullable=True),
        sa.Column("tree_size", sa.Integer(), nullable=True),
        sa.CheckConstraint(
            "(runtime_status = 'Cancelled') = (cancelled_at is not null)", name="workflow_execution_cancelled"
        ),
        sa.CheckConstraint(
            "(runtime_status = 'Completed') = (completed_at is not null)", name="workflow_execution_completed"
        ),
        sa.CheckConstraint(
            "(runtime_status = 'Failed') = (failed_at is not null)", name="workflow_execution_failed"
        ),
        sa.CheckConstraint(
            "(runtime_status = 'NotStarted') = (started_at is null)", name="workflow_execution_started"
        ),
        sa.CheckConstraint(
            "runtime_status in ('NotStarted', 'InProgress', 'Completed', 'Failed', 'Cancelled')",
            name="workflow_execution_runtime_status",
        ),
        sa.CheckConstraint("(parent_id is null) = (id = root_id)", name="workflow_execution_root"),
        sa.CheckConstraint(
            "(parent_id is null) = (tree_changed_at is not null)", name="workflow_execution_tree_changed"
        ),
        sa.CheckConstraint(
            "(parent_id is null) = (tree_revision is not null)", name="workflow_execution_tree"
        ),
        sa.CheckConstraint(
            "(parent_id is null) = (tree_size is not null)", name="workflow_execution_tree_size"
        ),
        sa.CheckConstraint(
            "(parent_id is null) = (child_index is null)", name="workflow_execution_child_index"
        ),
        sa.CheckConstraint(
            "(failure_code is null) = (failure_message is null)", name="workflow_execution_failure"
        ),
        sa.ForeignKeyConstraint(
            ["parent_id"],
            ["workflow_execution.id"],
        ),
        sa.ForeignKeyConstraint(
            ["root_id"],
            ["workflow_execution.id"],
        ),
        sa.ForeignKeyConstraint(
            ["version_id"],
            ["workflow_template_version.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index(
        "workflow_execution_correlation", "workflow_execution", ["tenant", "correlation_id"], unique=False
    )
    op.create_index(
        "workflow_execution_created", "workflow_execution", ["tenant", "created_at", "id"], unique=False
    )
    op.create_index(
        "workflow_execution_parent",
        "workflow_execution",
        ["tenant", "parent_id", "child_index", "id"],
        unique=False,
    )
    op.create_index(
        "workflow_execution_path", "workflow_execution", ["tenant", "root_id", "path"], unique=False
    )
    op.create_index(
        "workflow_execution_status",
        "workflow_execution",
        ["tenant", "runtime_status", "created_at", "id"],
        unique=False,
    )
    op.create_index(
        "workflow_execution_tree",
        "workflow_execution",
        ["tenant", "root_id", "created_at", "id"],
        unique=False,
    )
    op.create_index(
        "workflow_execution_version",
        "workflow_execution",
        ["tenant", "version_id", "created_at", "id"],
        unique=False,
    )
    op.create_table(
        "step_execution",
        sa.Column("id", TEXT, nullable=False),
        sa.Column("tenant", TEXT, nullable=False),
        sa.Column("root_id", TEXT, nullable=False),
        sa.Column("execution_id", TEXT, nullable=False),
        sa.Column("version_id", TEXT, nullable=False),
        sa.Column("step_id", TEXT, nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("type", TEXT, nullable=False),
        sa.Column("name", TEXT, nullable=False),
        sa.Column("attempt", sa.Integer(), nullable=False),
        sa.Column("is_current", sa.Boolean(), nullable=False),
        sa.Column("status", TEXT, nullable=False),
        sa.Column("created_at", TIME, nullable=False),
        sa.Column("started_at", TIME, nullable=True),
        sa.Column("completed_at", TIME, nullable=True),
        sa.Column("failed_at", TIME, nullable=True),
        sa.Column("disabled_at", TIME, nullable=True),
        sa.Column("passed_at", TIME, nullable=True),
        sa.Column("disabled_by", TEXT, nullable=True),
        sa.Column("entered_by", DOCUMENT, nullable=False),
        sa.Column("due_at", TIME, nullable=True),
        sa.Column("overdue_at", TIME, nullable=True),
        sa.Column("retry_at", TIME, nullable=True),
        sa.Column("output_data", SEARCHED, nullable=True),
        sa.Column("failure_code", TEXT, nullable=True),
        sa.Column("failure_message", TEXT, nullable=True),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("entry_attempt", sa.Integer(), server_default=sa.text("1"), nullable=False),
        sa.Column("is_overridden", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("open_children", sa.Integer(), nullable=True),
        sa.Column("claim_worker", TEXT, nullable=True),
        sa.Column("claim_token", TEXT, nullable=True),
        sa.Column("claimed_at", TIME, nullable=True),
        sa.Column("lease_expires_at", TIME, nullable=True),
        sa.CheckConstraint(
            "(status = 'Completed') = (completed_at is not null)", name="step_execution_completed"
        ),
        sa.CheckConstraint(
            "(status = 'Disabled') = (disabled_at is not null)", name="step_execution_disabled"
        ),
        sa.CheckConstraint(
            "(status = 'Disabled') = (disabled_by is not null)", name="step_execution_disabled_by"
        ),
        sa.CheckConstraint("(status = 'Failed') = (failed_at is not null)", name="step_execution_failed"),
        sa.CheckConstraint(
            "status in ('NotStarted', 'Disabled') or started_at is not null", name="step_execution_started"
        ),
        sa.CheckConstraint(
            "status in ('NotStarted', 'InProgress', 'Completed', 'Disabled', 'Failed')",
            name="step_execution_status",
        ),
        sa.CheckConstraint(
            "type in ('start', 'end', 'human.confirm', 'human.form', 'human.url_redirect', 'human.doc_upload', 'sys.task', 'sys.sub_workflow', 'gateway.parallel_split', 'gateway.parallel_join', 'gateway.exclusive_split', 'gateway.inclusive_split')",
            name="step_execution_type",
        ),
        sa.ForeignKeyConstraint(
            ["execution_id"],
            ["workflow_execution.id"],
        ),
        sa.ForeignKeyConstraint(
            ["root_id"],
            ["workflow_execution.id"],
        ),
        sa.ForeignKeyConstraint(
            ["version_id"],
            ["workflow_template_version.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
        sa.CheckConstraint(
            "(failure_code is null) = (failure_message is null)", name="step_execution_failure"
        ),
        sa.UniqueConstraint("execution_id", "step_id", "attempt", name="step_execution_attempt"),
    )
    op.create_index(
        "step_execution_current",
        "step_execution",
        ["execution_id", "step_id"],
        unique=True,
        sqlite_where=sa.text("is_current"),
        postgresql_where=sa.text("is_current"),
    )
    op.create_index(
        "step_execution_order",
        "step_execution",
        ["tenant", "execution_id", "position", "attempt"],
        unique=False,
    )
    op.create_index(
        "step_execution_queue",
        "step_execution",
        ["tenant", "status", "started_at", "id"],
        unique=False,
        sqlite_where=sa.text("is_current"),
        postgresql_where=sa.text("is_current"),
    )
    op.create_table(
        "journal",
        sa.Column(
            "position",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            autoincrement=True,
            nullable=False,
        ),
        sa.Column("xid", sa.BigInteger(), nullable=False, server_default=sa.text(_writer())),
        sa.Column("tenant", TEXT, nullable=False),
        sa.Column("root_id", TEXT, nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("execution_id", TEXT, nullable=False),
        sa.Column("step_execution_id", TEXT, nullable=True),
        sa.Column("kind", TEXT, nullable=False),
        sa.Column("at", TIME, nullable=False),
        sa.Column("actor", TEXT, nullable=True),
        sa.Column("from_status", TEXT, nullable=True),
        sa.Column("to_status", TEXT, nullable=True),
        sa.Column("attempt", sa.Integer(), nullable=True),
        sa.Column("reason", TEXT, nullable=True),
        sa.Column("data", DOCUMENT, nullable=True),
        sa.Column("detail", DOCUMENT, nullable=True),
        sa.CheckConstraint(
            "kind in ('EXECUTION_CREATED', 'EXECUTION_STARTED', 'EXECUTION_COMPLETED', 'EXECUTION_FAILED', 'EXECUTION_CANCELLED', 'EXECUTION_REOPENED', 'CONTEXT_UPDATED', 'STEP_CREATED', 'STEP_ARRIVED', 'STEP_STARTED', 'STEP_COMPLETED', 'STEP_FAILED', 'STEP_DISABLED', 'STEP_ENABLED', 'STEP_RETRY_SCHEDULED', 'STEP_OVERDUE', 'STEP_DUE_DATE_SET', 'STEP_CLAIMED', 'STEP_RELEASED', 'STEP_CLAIM_EXPIRED')",
            name="journal_kind",
        ),
        sa.ForeignKeyConstraint(
            ["execution_id"],
            ["workflow_execution.id"],
        ),
        sa.ForeignKeyConstraint(
            ["root_id"],
            ["workflow_execution.id"],
        ),
        sa.ForeignKeyConstraint(
            ["step_execution_id"],
            ["step_execution.id"],
        ),
        sa.PrimaryKeyConstraint("position"),
        sa.UniqueConstraint("root_id", "revision", name="journal_revision"),
        sqlite_autoincrement=True,
    )
    op.create_index("journal_cursor", "journal", ["tenant", "xid", "position"], unique=False)
    op.create_index("journal_execution", "journal", ["tenant", "execution_id", "revision"], unique=False)
    op.create_table(
        "step_child",
        sa.Column("step_execution_id", TEXT, nullable=False),
        sa.Column("child_index", sa.Integer(), nullable=False),
        sa.Column("tenant", TEXT, nullable=False),
        sa.Column("item", SEARCHED, nullable=True),
        sa.Column("child_id", TEXT, nullable=False),
        sa.ForeignKeyConstraint(
            ["child_id"],
            ["workflow_execution.id"],
        ),
        sa.ForeignKeyConstraint(
            ["step_execution_id"],
            ["step_execution.id"],
        ),
        sa.PrimaryKeyConstraint("step_execution_id", "child_index"),
    )
    op.create_index("step_child_child", "step_child", ["child_id"], unique=False)

    now = datetime.now(UTC)
    epoch = sa.table(
        "journal_epoch",
        sa.column("id", sa.Integer),
        sa.column("epoch", TEXT),
        sa.column("created_at", sa.Text),
    )
    if op.get_bind().dialect.name == "postgresql":
        created = sa.literal(now, sa.DateTime(timezone=True))
    else:
        created = sa.literal(now.strftime("%Y-%m-%dT%H:%M:%S.%fZ"))
    op.execute(epoch.insert().values(id=1, epoch=uuid4().hex, created_at=created))


def downgrade() -> None:
    for table in TABLES:
        op.drop_table(table)
