"""Tables of what has happened: the journal, its epoch, and commands that are done once."""

from datetime import datetime
from typing import Any

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    Index,
    Integer,
    PrimaryKeyConstraint,
    UniqueConstraint,
    text,
)
from sqlmodel import Field, SQLModel

from db.columns import one_of
from db.runtime.changes import ChangeKind
from db.tables.fields import document_column, label_column, number_column, text_column, time_column


class Journal(SQLModel, table=True):
    """One committed change; per tree the revisions are 1, 2, 3 … (`live.md` J1, J2)."""

    __tablename__ = "journal"
    __table_args__ = (
        UniqueConstraint("root_id", "revision", name="journal_revision"),
        CheckConstraint(one_of("kind", ChangeKind), name="journal_kind"),
        Index("journal_cursor", "tenant", "xid", "position"),
        Index("journal_execution", "tenant", "execution_id", "revision"),
        # By it `asOf` finds the latest image of an attempt or, where there is no attempt, of an execution.
        Index("journal_image", "execution_id", "step_execution_id", "revision"),
        # For the foreign key: without it each attempt that is deleted has the whole journal read.
        Index(
            "journal_step",
            "step_execution_id",
            sqlite_where=text("step_execution_id is not null"),
            postgresql_where=text("step_execution_id is not null"),
        ),
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
    tenant: str = text_column()
    root_id: str = text_column(references="workflow_execution.id")
    revision: int = number_column()
    execution_id: str = text_column(references="workflow_execution.id")
    step_execution_id: str | None = text_column(null=True, references="step_execution.id")
    kind: ChangeKind = label_column(ChangeKind)
    at: datetime = time_column(null=False)
    actor: str | None = text_column(null=True)
    from_status: str | None = text_column(null=True)
    to_status: str | None = text_column(null=True)
    attempt: int | None = number_column(null=True)
    reason: str | None = text_column(null=True)
    data: dict[str, Any] | None = document_column()
    # Of a policy: the expression and what it read, for `explainStep`.
    detail: dict[str, Any] | None = document_column()


class Idempotency(SQLModel, table=True):
    """A command that was done once and is not done again under the same key (I4)."""

    __tablename__ = "idempotency"
    __table_args__ = (
        PrimaryKeyConstraint("tenant", "key"),
        Index("idempotency_created", "created_at"),
    )
    tenant: str = text_column()
    key: str = text_column()
    mutation: str = text_column()
    input_hash: str = text_column()
    outcome: dict[str, Any] = document_column(null=False)
    created_at: datetime = time_column(null=False)


class JournalEpoch(SQLModel, table=True):
    """The one row that names this history; a restore begins another (J5)."""

    __tablename__ = "journal_epoch"
    __table_args__ = (CheckConstraint("id = 1", name="journal_epoch_single"),)
    id: int = Field(sa_column=Column(Integer(), primary_key=True, autoincrement=False))
    epoch: str = text_column()
    created_at: datetime = time_column(null=False)
    # Up to this cursor history is no longer told; what is still there of it is what `asOf` needs (`db/retention`).
    pruned_xid: int = Field(sa_column=Column(BigInteger(), nullable=False, server_default=text("0")))
    pruned_position: int = Field(sa_column=Column(BigInteger(), nullable=False, server_default=text("0")))
    # The highest cursor of a tree that was deleted, and how many were: nothing is left to tell of them.
    deleted_xid: int = Field(sa_column=Column(BigInteger(), nullable=False, server_default=text("0")))
    deleted_position: int = Field(sa_column=Column(BigInteger(), nullable=False, server_default=text("0")))
    deletions: int = Field(sa_column=Column(BigInteger(), nullable=False, server_default=text("0")))
