"""Tables of executions, attempts at their steps, and the ties between attempts and children."""

from datetime import datetime
from typing import Any

from sqlalchemy import Boolean, CheckConstraint, Column, Index, PrimaryKeyConstraint, UniqueConstraint, text
from sqlmodel import Field, SQLModel

from db.columns import FIRST_MOMENT, LAST_MOMENT, Names, NeverNull, one_of
from db.runtime.definition import StepType
from db.runtime.statuses import ExecutionStatus, StepStatus
from db.runtime.values import DisabledBy
from db.tables.fields import json_column, label_column, number_column, text_column, time_column

# Attempts to which something happens when its time has come. Whoever asks for the next of them says it in the same words:
# otherwise neither database sees that the index answers.
WILL_BE_OVERDUE = "is_current and status = 'InProgress' and overdue_at is null and due_at is not null"
WILL_BE_RETRIED = "is_current and retry_at is not null"
WILL_EXPIRE = "is_current and status = 'InProgress' and claim_worker is not null"
_MAY_BE_CLAIMED = "is_current and status = 'InProgress' and claim_worker is null"


def _where(condition: str, name: str, *columns: Any) -> Index:
    """An index of some attempts only."""
    return Index(name, *columns, sqlite_where=text(condition), postgresql_where=text(condition))


def _current(name: str, *columns: Any) -> Index:
    """An index of the current attempts."""
    return _where("is_current", name, *columns)


class WorkflowExecution(SQLModel, table=True):
    """A running workflow instance. The row of a root also carries the revision of its whole tree (`live.md` J1)."""

    __tablename__ = "workflow_execution"
    __table_args__ = (
        CheckConstraint(one_of("runtime_status", ExecutionStatus), name="workflow_execution_runtime_status"),
        CheckConstraint(
            "(runtime_status = 'NotStarted') = (started_at is null)", name="workflow_execution_started"
        ),
        CheckConstraint(
            "(runtime_status = 'Completed') = (completed_at is not null)", name="workflow_execution_completed"
        ),
        CheckConstraint(
            "(runtime_status = 'Failed') = (failed_at is not null)", name="workflow_execution_failed"
        ),
        CheckConstraint(
            "(runtime_status = 'Cancelled') = (cancelled_at is not null)", name="workflow_execution_cancelled"
        ),
        CheckConstraint("(parent_id is null) = (id = root_id)", name="workflow_execution_root"),
        CheckConstraint("(parent_id is null) = (tree_revision is not null)", name="workflow_execution_tree"),
        CheckConstraint(
            "(parent_id is null) = (tree_changed_at is not null)", name="workflow_execution_tree_changed"
        ),
        CheckConstraint("(parent_id is null) = (tree_size is not null)", name="workflow_execution_tree_size"),
        CheckConstraint("(parent_id is null) = (child_index is null)", name="workflow_execution_child_index"),
        CheckConstraint(
            "(failure_code is null) = (failure_message is null)", name="workflow_execution_failure"
        ),
        Index("workflow_execution_created", "tenant", "created_at", "id"),
        Index("workflow_execution_status", "tenant", "runtime_status", "created_at", "id"),
        Index("workflow_execution_version", "tenant", "version_id", "created_at", "id"),
        Index("workflow_execution_path", "tenant", "root_id", "path"),
        # This and `workflow_execution_below` begin with what foreign keys refer to: without that each deleted row has the
        # whole table read.
        Index("workflow_execution_tree", "root_id", "tenant", "created_at", "id"),
        Index("workflow_execution_parent", "tenant", "parent_id", "child_index", "id"),
        Index(
            "workflow_execution_below",
            "parent_id",
            sqlite_where=text("parent_id is not null"),
            postgresql_where=text("parent_id is not null"),
        ),
        Index("workflow_execution_correlation", "tenant", "correlation_id"),
        Index("workflow_execution_name", "tenant", "name", "id"),
        # Newest first alone; not of `last_activity_at`, which changes with every step: without an index on it PostgreSQL
        # writes no index at all for that.
        Index("workflow_execution_start", "tenant", NeverNull("started_at", FIRST_MOMENT), "id"),
        Index("workflow_execution_completion", "tenant", NeverNull("completed_at", FIRST_MOMENT), "id"),
        Index(
            "workflow_execution_context",
            "context",
            postgresql_using="gin",
            postgresql_ops={"context": "jsonb_path_ops"},
        ).ddl_if(dialect="postgresql"),
    )
    id: str = text_column(key=True)
    tenant: str = text_column()
    root_id: str = text_column(references="workflow_execution.id")
    parent_id: str | None = text_column(null=True, references="workflow_execution.id")
    parent_step_id: str | None = text_column(null=True)
    # The ids from the root down to here, each followed by '/': descendants are a range of it.
    path: str = text_column()
    depth: int = number_column(default=0)
    child_index: int | None = number_column(null=True)
    item: Any = json_column()
    version_id: str = text_column(references="workflow_template_version.id")
    name: str = text_column()
    correlation_id: str = text_column()
    runtime_status: ExecutionStatus = label_column(ExecutionStatus)
    context: dict[str, Any] = json_column(null=False)
    created_at: datetime = time_column(null=False)
    started_at: datetime | None = time_column()
    completed_at: datetime | None = time_column()
    failed_at: datetime | None = time_column()
    cancelled_at: datetime | None = time_column()
    last_activity_at: datetime | None = time_column()
    failure_code: str | None = text_column(null=True)
    failure_message: str | None = text_column(null=True)
    reason: str | None = text_column(null=True)
    revision: int = number_column()
    tree_revision: int | None = number_column(null=True)
    tree_changed_at: datetime | None = time_column()
    # Of a root alone: how many executions its tree has (C4).
    tree_size: int | None = number_column(null=True)


class StepExecution(SQLModel, table=True):
    """One attempt at a step (S3)."""

    __tablename__ = "step_execution"
    __table_args__ = (
        UniqueConstraint("execution_id", "step_id", "attempt", name="step_execution_attempt"),
        CheckConstraint(one_of("status", StepStatus), name="step_execution_status"),
        CheckConstraint("(failure_code is null) = (failure_message is null)", name="step_execution_failure"),
        CheckConstraint(one_of("type", StepType), name="step_execution_type"),
        CheckConstraint(
            "(status = 'Completed') = (completed_at is not null)", name="step_execution_completed"
        ),
        CheckConstraint("(status = 'Failed') = (failed_at is not null)", name="step_execution_failed"),
        CheckConstraint("(status = 'Disabled') = (disabled_at is not null)", name="step_execution_disabled"),
        CheckConstraint(
            "(status = 'Disabled') = (disabled_by is not null)", name="step_execution_disabled_by"
        ),
        CheckConstraint(
            "status in ('NotStarted', 'Disabled') or started_at is not null", name="step_execution_started"
        ),
        Index(
            "step_execution_current",
            "execution_id",
            "step_id",
            unique=True,
            sqlite_where=text("is_current"),
            postgresql_where=text("is_current"),
        ),
        Index("step_execution_tree", "root_id"),
        Index("step_execution_order", "tenant", "execution_id", "position", "attempt"),
        _current("step_execution_queue", "tenant", "status", NeverNull("started_at", LAST_MOMENT), "id"),
        _current("step_execution_due", "tenant", "status", NeverNull("due_at", LAST_MOMENT), "id"),
        _current("step_execution_start", "tenant", NeverNull("started_at", LAST_MOMENT), "id"),
        # Work that can be claimed, the oldest first (T3): of a type, and of a step of a version.
        _where(_MAY_BE_CLAIMED, "step_execution_work", "tenant", "type", "started_at", "id"),
        _where(_MAY_BE_CLAIMED, "step_execution_work_at", "version_id", "step_id", "started_at", "id"),
        _where(WILL_EXPIRE, "step_execution_lease", "lease_expires_at", "id"),
        _where(WILL_BE_OVERDUE, "step_execution_next_due", "due_at"),
        _where(WILL_BE_RETRIED, "step_execution_next_retry", "retry_at"),
    )
    id: str = text_column(key=True)
    tenant: str = text_column()
    root_id: str = text_column(references="workflow_execution.id")
    execution_id: str = text_column(references="workflow_execution.id")
    version_id: str = text_column(references="workflow_template_version.id")
    step_id: str = text_column()
    position: int = number_column()
    type: StepType = label_column(StepType)
    name: str = text_column()
    attempt: int = number_column()
    is_current: bool = Field()
    status: StepStatus = label_column(StepStatus)
    created_at: datetime = time_column(null=False)
    started_at: datetime | None = time_column()
    completed_at: datetime | None = time_column()
    failed_at: datetime | None = time_column()
    disabled_at: datetime | None = time_column()
    passed_at: datetime | None = time_column()
    disabled_by: DisabledBy | None = label_column(DisabledBy, null=True)
    entered_by: tuple[str, ...] = Field(sa_column=Column(Names(), nullable=False))
    due_at: datetime | None = time_column()
    overdue_at: datetime | None = time_column()
    retry_at: datetime | None = time_column()
    output_data: dict[str, Any] | None = json_column()
    failure_code: str | None = text_column(null=True)
    failure_message: str | None = text_column(null=True)
    revision: int = number_column()
    # The first attempt since a transition or `retryStep` last entered the step (S4).
    entry_attempt: int = number_column(default=1)
    # Whether a command outranks the policy for this attempt (S5).
    is_overridden: bool = Field(sa_column=Column(Boolean(), nullable=False, server_default=text("false")))
    # Of a sub-workflow step in progress: how many of its children have not ended.
    open_children: int | None = number_column(null=True)
    claim_worker: str | None = text_column(null=True)
    claim_token: str | None = text_column(null=True)
    claimed_at: datetime | None = time_column()
    lease_expires_at: datetime | None = time_column()


class StepChild(SQLModel, table=True):
    """An attempt at a sub-workflow step and one of its children (C1)."""

    __tablename__ = "step_child"
    __table_args__ = (
        PrimaryKeyConstraint("step_execution_id", "child_index"),
        Index("step_child_child", "child_id"),
    )
    step_execution_id: str = text_column(references="step_execution.id")
    child_index: int = number_column()
    tenant: str = text_column()
    item: Any = json_column()
    child_id: str = text_column(references="workflow_execution.id")
