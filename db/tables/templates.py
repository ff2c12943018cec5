"""Tables of templates, their versions, and what a published version is made of."""

from datetime import datetime
from typing import Any

from sqlalchemy import CheckConstraint, Index, PrimaryKeyConstraint, UniqueConstraint
from sqlmodel import Field, SQLModel

from db.columns import one_of
from db.runtime.definition import StepType
from db.runtime.versions import VersionStatus
from db.tables.fields import document_column, label_column, number_column, text_column, time_column


class WorkflowTemplate(SQLModel, table=True):
    """A workflow that can be run, in one or more versions (`runtime.md` section 1)."""

    __tablename__ = "workflow_template"
    __table_args__ = (
        UniqueConstraint("tenant", "key", name="workflow_template_key"),
        Index("workflow_template_created", "tenant", "created_at", "id"),
    )
    id: str = text_column(key=True)
    tenant: str = text_column()
    key: str = text_column()
    name: str = text_column()
    description: str | None = text_column(null=True)
    # No foreign key: template and version would each need the other first, and D4 keeps an active version.
    active_version_id: str | None = text_column(null=True)
    created_at: datetime = time_column(null=False)
    updated_at: datetime = time_column(null=False)


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
    id: str = text_column(key=True)
    tenant: str = text_column()
    template_id: str = text_column(references="workflow_template.id")
    version: str = text_column()
    version_note: str | None = text_column(null=True)
    status: VersionStatus = label_column(VersionStatus)
    definition: dict[str, Any] = document_column(null=False)
    created_at: datetime = time_column(null=False)
    published_at: datetime | None = time_column()


class StepDefinition(SQLModel, table=True):
    """A step of a published version (D5)."""

    __tablename__ = "step_definition"
    __table_args__ = (
        PrimaryKeyConstraint("version_id", "step_id"),
        Index("step_definition_group", "version_id", "group_id", "group_position"),
        Index("step_definition_step", "step_id", "tenant"),
        CheckConstraint(one_of("type", StepType), name="step_definition_type"),
    )
    version_id: str = text_column(references="workflow_template_version.id")
    step_id: str = text_column()
    tenant: str = text_column()
    position: int = number_column()
    type: StepType = label_column(StepType)
    name: str = text_column()
    group_id: str | None = text_column(null=True)
    group_position: int | None = number_column(null=True)
    output_schema: dict[str, Any] | None = document_column()
    due_in: str | None = text_column(null=True)
    enabled_when: str | None = text_column(null=True)
    max_attempts: int = number_column(default=1)
    mode: str | None = text_column(null=True)
    child_version_id: str | None = text_column(null=True)
    child_template_key: str | None = text_column(null=True)
    ui: dict[str, Any] | None = document_column()


class StepTransition(SQLModel, table=True):
    """A transition of a published version (D5)."""

    __tablename__ = "step_transition"
    __table_args__ = (
        PrimaryKeyConstraint("version_id", "transition_id"),
        Index("step_transition_from", "version_id", "from_step_id", "position"),
        Index("step_transition_to", "version_id", "to_step_id", "position"),
    )
    version_id: str = text_column(references="workflow_template_version.id")
    transition_id: str = text_column()
    tenant: str = text_column()
    position: int = number_column()
    from_step_id: str = text_column()
    to_step_id: str = text_column()
    condition: str | None = text_column(null=True)
    is_default: bool = Field()
    label: str | None = text_column(null=True)
    ui: dict[str, Any] | None = document_column()


class StepGroup(SQLModel, table=True):
    """A named group of steps of a published version."""

    __tablename__ = "step_group"
    __table_args__ = (PrimaryKeyConstraint("version_id", "group_id"),)
    version_id: str = text_column(references="workflow_template_version.id")
    group_id: str = text_column()
    tenant: str = text_column()
    position: int = number_column()
    name: str = text_column()
