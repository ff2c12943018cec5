"""The tables. What cannot be is refused here: a status without its time, two current attempts, a revision twice.

A row is storage, not a domain value (`db/runtime/tree.py`) and not an API type (`schema/`). Every row carries its tenant.
"""

from datetime import datetime
from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    ForeignKey,
    Index,
    Integer,
    PrimaryKeyConstraint,
    Table,
    UniqueConstraint,
    text,
)
from sqlmodel import Field, SQLModel

from db.columns import Label, Names, Timestamp, document_type, json_type, one_of, text_type
from db.runtime.changes import ChangeKind
from db.runtime.definition import StepType
from db.runtime.statuses import ExecutionStatus, StepStatus
from db.runtime.values import DisabledBy
from db.runtime.versions import VersionStatus

DEFAULT_TENANT = "default"


def _text(*, null: bool = False, key: bool = False, references: str | None = None) -> Any:
    keys = (ForeignKey(references),) if references else ()
    return Field(sa_column=Column(text_type(), *keys, nullable=null, primary_key=key))


def _label(labels: Any, *, null: bool = False) -> Any:
    return Field(sa_column=Column(Label(labels), nullable=null))


def _time(*, null: bool = True) -> Any:
    return Field(sa_column=Column(Timestamp(), nullable=null))


def _json(*, null: bool = True) -> Any:
    return Field(sa_column=Column(json_type(), nullable=null))


def _document(*, null: bool = True) -> Any:
    return Field(sa_column=Column(document_type(), nullable=null))


def _number(*, null: bool = False, default: int | None = None) -> Any:
    default_text = None if default is None else text(str(default))
    return Field(sa_column=Column(Integer(), nullable=null, server_default=default_text))


def table_of(model: type[SQLModel]) -> Table:
    """The Core table behind a model."""
    table: Table = model.__table__  # type: ignore[attr-defined]  # SQLModel makes it
    return table


class WorkflowTemplate(SQLModel, table=True):
    """A workflow that can be run, in one or more versions (`runtime.md` section 1)."""

    __tablename__ = "workflow_template"
    __table_args__ = (
        UniqueConstraint("tenant", "key", name="workflow_template_key"),
        Index("workflow_template_created", "tenant", "created_at", "id"),
    )
    id: str = _text(key=True)
    tenant: str = _text()
    key: str = _text()
    name: str = _text()
    description: str | None = _text(null=True)
    # No foreign key: template and version would each need the other first, and D4 keeps an active version.
    active_version_id: str | None = _text(null=True)
    created_at: datetime = _time(null=False)
    updated_at: datetime = _time(null=False)


class WorkflowTemplateVersion(SQLModel, table=True):
    """One version of a template; its definition is frozen once published (D1, D3)."""

    __tablename__ = "workflow_template_version"
    __table_args__ = (
        UniqueConstraint("template_id", "version", name="workflow_template_version_version"),
        Index("workflow_template_version_created", "tenant", "template_id", "created_at", "id"),
        CheckConstraint(one_of("status", VersionStatus), name="workflow_template_version_status"),
        CheckConstraint(
            "(status = 'DRAFT') = (published_at is null)", name="workflow_template_version_published"
        ),
    )
    id: str = _text(key=True)
    tenant: str = _text()
    template_id: str = _text(references="workflow_template.id")
    version: str = _text()
    version_note: str | None = _text(null=True)
    status: VersionStatus = _label(VersionStatus)
    definition: dict[str, Any] = _document(null=False)
    created_at: datetime = _time(null=False)
    published_at: datetime | None = _time()


class StepDefinition(SQLModel, table=True):
    """A step of a published version (D5)."""

    __tablename__ = "step_definition"
    __table_args__ = (
        PrimaryKeyConstraint("version_id", "step_id"),
        CheckConstraint(one_of("type", StepType), name="step_definition_type"),
    )
    version_id: str = _text(references="workflow_template_version.id")
    step_id: str = _text()
    tenant: str = _text()
    position: int = _number()
    type: StepType = _label(StepType)
    name: str = _text()
    group_id: str | None = _text(null=True)
    group_position: int | None = _number(null=True)
    output_schema: dict[str, Any] | None = _document()
    due_in: str | None = _text(null=True)
    enabled_when: str | None = _text(null=True)
    max_attempts: int = _number(default=1)
    mode: str | None = _text(null=True)
    child_version_id: str | None = _text(null=True)
    child_template_key: str | None = _text(null=True)
    ui: dict[str, Any] | None = _document()


class StepTransition(SQLModel, table=True):
    """A transition of a published version (D5)."""

    __tablename__ = "step_transition"
    __table_args__ = (
        PrimaryKeyConstraint("version_id", "transition_id"),
        Index("step_transition_from", "version_id", "from_step_id", "position"),
        Index("step_transition_to", "version_id", "to_step_id", "position"),
    )
    version_id: str = _text(references="workflow_template_version.id")
    transition_id: str = _text()
    tenant: str = _text()
    position: int = _number()
    from_step_id: str = _text()
    to_step_id: str = _text()
    condition: str | None = _text(null=True)
    is_default: bool = Field()
    label: str | None = _text(null=True)
    ui: dict[str, Any] | None = _document()


class StepGroup(SQLModel, table=True):
    """A named group of steps of a published version."""

    __tablename__ = "step_group"
    __table_args__ = (PrimaryKeyConstraint("version_id", "group_id"),)
    version_id: str = _text(references="workflow_template_version.id")
    group_id: str = _text()
    tenant: str = _text()
    position: int = _number()
    name: str = _text()


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
        Index("workflow_execution_created", "tenant", "created_at", "id"),
        Index("workflow_execution_status", "tenant", "runtime_status", "created_at", "id"),
        Index("workflow_execution_version", "tenant", "version_id", "created_at", "id"),
        Index("workflow_execution_path", "tenant", "root_id", "path"),
        Index("workflow_execution_parent", "tenant", "parent_id", "child_index", "id"),
        Index("workflow_execution_correlation", "tenant", "correlation_id"),
    )
    id: str = _text(key=True)
    tenant: str = _text()
    root_id: str = _text(references="workflow_execution.id")
    parent_id: str | None = _text(null=True, references="workflow_execution.id")
    parent_step_id: str | None = _text(null=True)
    # The ids from the root down to here, each followed by '/': descendants are a range of it.
    path: str = _text()
    depth: int = _number(default=0)
    child_index: int | None = _number(null=True)
    item: Any = _json()
    version_id: str = _text(references="workflow_template_version.id")
    name: str = _text()
    correlation_id: str = _text()
    runtime_status: ExecutionStatus = _label(ExecutionStatus)
    context: dict[str, Any] = _json(null=False)
    created_at: datetime = _time(null=False)
    started_at: datetime | None = _time()
    completed_at: datetime | None = _time()
    failed_at: datetime | None = _time()
    cancelled_at: datetime | None = _time()
    last_activity_at: datetime | None = _time()
    failure_code: str | None = _text(null=True)
    failure_message: str | None = _text(null=True)
    reason: str | None = _text(null=True)
    revision: int = _number()
    tree_revision: int | None = _number(null=True)
    tree_changed_at: datetime | None = _time()
    # Of a root alone: how many executions its tree has (C4).
    tree_size: int | None = _number(null=True)


class StepExecution(SQLModel, table=True):
    """One attempt at a step (S3)."""

    __tablename__ = "step_execution"
    __table_args__ = (
        UniqueConstraint("execution_id", "step_id", "attempt", name="step_execution_attempt"),
        CheckConstraint(one_of("status", StepStatus), name="step_execution_status"),
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
        Index("step_execution_order", "tenant", "execution_id", "position", "attempt"),
        Index(
            "step_execution_queue",
            "tenant",
            "status",
            "started_at",
            "id",
            sqlite_where=text("is_current"),
            postgresql_where=text("is_current"),
        ),
    )
    id: str = _text(key=True)
    tenant: str = _text()
    root_id: str = _text(references="workflow_execution.id")
    execution_id: str = _text(references="workflow_execution.id")
    version_id: str = _text(references="workflow_template_version.id")
    step_id: str = _text()
    position: int = _number()
    type: StepType = _label(StepType)
    name: str = _text()
    attempt: int = _number()
    is_current: bool = Field()
    status: StepStatus = _label(StepStatus)
    created_at: datetime = _time(null=False)
    started_at: datetime | None = _time()
    completed_at: datetime | None = _time()
    failed_at: datetime | None = _time()
    disabled_at: datetime | None = _time()
    passed_at: datetime | None = _time()
    disabled_by: DisabledBy | None = _label(DisabledBy, null=True)
    entered_by: tuple[str, ...] = Field(sa_column=Column(Names(), nullable=False))
    due_at: datetime | None = _time()
    overdue_at: datetime | None = _time()
    retry_at: datetime | None = _time()
    output_data: dict[str, Any] | None = _json()
    failure_code: str | None = _text(null=True)
    failure_message: str | None = _text(null=True)
    revision: int = _number()
    # The first attempt since a transition or `retryStep` last entered the step (S4).
    entry_attempt: int = _number(default=1)
    # Whether a command outranks the policy for this attempt (S5).
    is_overridden: bool = Field(sa_column=Column(Boolean(), nullable=False, server_default=text("false")))
    # Of a sub-workflow step in progress: how many of its children have not ended.
    open_children: int | None = _number(null=True)
    claim_worker: str | None = _text(null=True)
    claim_token: str | None = _text(null=True)
    claimed_at: datetime | None = _time()
    lease_expires_at: datetime | None = _time()


class StepChild(SQLModel, table=True):
    """An attempt at a sub-workflow step and one of its children (C1)."""

    __tablename__ = "step_child"
    __table_args__ = (
        PrimaryKeyConstraint("step_execution_id", "child_index"),
        Index("step_child_child", "child_id"),
    )
    step_execution_id: str = _text(references="step_execution.id")
    child_index: int = _number()
    tenant: str = _text()
    item: Any = _json()
    child_id: str = _text(references="workflow_execution.id")


class Journal(SQLModel, table=True):
    """One committed change; per tree the revisions are 1, 2, 3 … (`live.md` J1, J2)."""

    __tablename__ = "journal"
    __table_args__ = (
        UniqueConstraint("root_id", "revision", name="journal_revision"),
        CheckConstraint(one_of("kind", ChangeKind), name="journal_kind"),
        Index("journal_cursor", "tenant", "xid", "position"),
        Index("journal_execution", "tenant", "execution_id", "revision"),
        # Without AUTOINCREMENT SQLite gives the id of a pruned row to a new one (J4).
        {"sqlite_autoincrement": True},
    )
    position: int | None = Field(
        default=None,
        sa_column=Column(
            BigInteger().with_variant(Integer(), "sqlite"), primary_key=True, autoincrement=True
        ),
    )
    # The writer's transaction id on PostgreSQL, where a sequence is not commit order (J4); 0 on SQLite.
    xid: int | None = Field(
        default=None, sa_column=Column(BigInteger(), nullable=False, server_default=text("0"))
    )
    tenant: str = _text()
    root_id: str = _text(references="workflow_execution.id")
    revision: int = _number()
    execution_id: str = _text(references="workflow_execution.id")
    step_execution_id: str | None = _text(null=True, references="step_execution.id")
    kind: ChangeKind = _label(ChangeKind)
    at: datetime = _time(null=False)
    actor: str | None = _text(null=True)
    from_status: str | None = _text(null=True)
    to_status: str | None = _text(null=True)
    attempt: int | None = _number(null=True)
    reason: str | None = _text(null=True)
    data: dict[str, Any] | None = _document()
    # Of a policy: the expression and what it read, for `explainStep`.
    detail: dict[str, Any] | None = _document()


class Idempotency(SQLModel, table=True):
    """A command that was done once and is not done again under the same key (I4)."""

    __tablename__ = "idempotency"
    __table_args__ = (
        PrimaryKeyConstraint("tenant", "key"),
        Index("idempotency_created", "created_at"),
    )
    tenant: str = _text()
    key: str = _text()
    mutation: str = _text()
    input_hash: str = _text()
    outcome: dict[str, Any] = _document(null=False)
    created_at: datetime = _time(null=False)


class JournalEpoch(SQLModel, table=True):
    """The one row that names this history; a restore begins another (J5)."""

    __tablename__ = "journal_epoch"
    __table_args__ = (CheckConstraint("id = 1", name="journal_epoch_single"),)
    id: int = Field(sa_column=Column(Integer(), primary_key=True, autoincrement=False))
    epoch: str = _text()
    created_at: datetime = _time(null=False)
