"""Small reads by id or key."""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import bindparam, select

from db.ids import IdKind, is_id
from db.runtime.statuses import ExecutionStatus
from db.runtime.versions import VersionStatus
from db.session import Database
from db.statements import Statement
from db.tables import StepExecution, WorkflowExecution, WorkflowTemplate, WorkflowTemplateVersion, table_of

_executions = table_of(WorkflowExecution)
_steps = table_of(StepExecution)
_PLACE = Statement(
    select(_executions.c.root_id, _executions.c.runtime_status).where(
        _executions.c.id == bindparam("id"), _executions.c.tenant == bindparam("tenant")
    )
)
_templates = table_of(WorkflowTemplate)
_versions = table_of(WorkflowTemplateVersion)
_TEMPLATE = Statement(
    select(_templates.c.id, _templates.c.active_version_id).where(
        _templates.c.key == bindparam("key"), _templates.c.tenant == bindparam("tenant")
    )
)
_VERSION = select(_versions.c.version, _versions.c.status, _versions.c.definition)
_BY_ID = Statement(_VERSION.where(_versions.c.id == bindparam("id")))
_BY_NUMBER = Statement(
    _VERSION.where(
        _versions.c.template_id == bindparam("template_id"), _versions.c.version == bindparam("version")
    )
)
_CORRELATED = Statement(
    select(_executions.c.id).where(
        _executions.c.tenant == bindparam("tenant"),
        _executions.c.correlation_id == bindparam("correlation_id"),
    )
)
_current_step = (
    _steps.c.tenant == bindparam("tenant"),
    _steps.c.execution_id == bindparam("execution_id"),
    _steps.c.step_id == bindparam("step_id"),
    _steps.c.is_current,
)
_STEP = Statement(select(_steps.c.id).where(*_current_step))
_CHILD = Statement(
    select(_executions.c.id)
    .join_from(_steps, _executions, _executions.c.parent_step_id == _steps.c.id)
    .where(
        *_current_step,
        _executions.c.tenant == bindparam("tenant"),
        _executions.c.parent_id == bindparam("execution_id"),
        _executions.c.child_index == bindparam("index"),
    )
)
_REVISION = Statement(select(_executions.c.tree_revision).where(_executions.c.id == bindparam("root_id")))


@dataclass(frozen=True, slots=True)
class Place:
    """In which tree an execution is, and where in its life."""

    root_id: str
    status: ExecutionStatus


@dataclass(frozen=True, slots=True)
class Version:
    """A version of a template."""

    version: str
    status: VersionStatus
    definition: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Template:
    """A template, and which of its versions is active, if one is."""

    id: str
    active_version_id: str | None


async def find_template(database: Database, tenant: str, key: str) -> Template | None:
    """One of the tenant's templates; None for any other key."""
    rows = await database.rows(_TEMPLATE, {"key": key, "tenant": tenant})
    return Template(*rows[0]) if rows else None


async def find_version(database: Database, template: Template, version: str | None) -> Version | None:
    """A version by its number, without one the active version; None where there is none."""
    if version is not None:
        rows = await database.rows(_BY_NUMBER, {"template_id": template.id, "version": version})
    elif template.active_version_id is not None:
        rows = await database.rows(_BY_ID, {"id": template.active_version_id})
    else:
        rows = []
    return Version(*rows[0]) if rows else None


async def find_execution(database: Database, tenant: str, execution_id: str) -> Place | None:
    """The place of one of the tenant's executions; None for any other id (I6)."""
    if not is_id(IdKind.EXECUTION, execution_id):
        return None
    rows = await database.rows(_PLACE, {"id": execution_id, "tenant": tenant})
    return Place(*rows[0]) if rows else None


async def is_correlated(database: Database, tenant: str, correlation_id: str) -> bool:
    """Whether one of the tenant's executions has this `correlationId`."""
    return bool(await database.rows(_CORRELATED, {"tenant": tenant, "correlation_id": correlation_id}))


async def find_step(database: Database, tenant: str, execution_id: str, step_id: str) -> str | None:
    """The id of the current attempt at a step of one of the tenant's executions."""
    rows = await database.rows(_STEP, {"tenant": tenant, "execution_id": execution_id, "step_id": step_id})
    return rows[0][0] if rows else None


async def find_child(
    database: Database, tenant: str, execution_id: str, step_id: str, index: int
) -> str | None:
    """The id of the child that the current attempt at a sub-workflow step has at an index, from 0."""
    place = {"tenant": tenant, "execution_id": execution_id, "step_id": step_id, "index": index}
    rows = await database.rows(_CHILD, place)
    return rows[0][0] if rows else None


async def tree_revision(database: Database, root_id: str) -> int:
    """The revision of a tree whose root is known; 0 where it was deleted."""
    rows = await database.rows(_REVISION, {"root_id": root_id})
    return int(rows[0][0]) if rows else 0
