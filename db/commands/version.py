"""Commands on template versions: create, update, publish, activate, deprecate, delete (`runtime.md` D1–D5)."""

from collections.abc import Generator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from semver import Version
from sqlalchemy import bindparam, delete, exists, insert, select, update

from db.commands.bounds import require_within
from db.commands.guards import UNGUARDED, Guard
from db.commands.outcome import Actor, TemplateChanged
from db.commands.publishing import publish
from db.commands.rows import clock
from db.commands.transaction import template_commit
from db.ids import IdKind, is_id, new_id
from db.requests import Fetch, Request, Write
from db.runtime.errors import InvalidTransition, NotFound, ValidationFailed
from db.runtime.tree import JSONObject
from db.runtime.validation import Issue, Severity
from db.runtime.versions import VERSION_TRANSITIONS, VersionStatus
from db.session import Conflict
from db.statements import Statement
from db.store import Store
from db.tables import (
    StepDefinition,
    StepGroup,
    StepTransition,
    WorkflowExecution,
    WorkflowTemplate,
    WorkflowTemplateVersion,
    table_of,
)

_templates = table_of(WorkflowTemplate)
_versions = table_of(WorkflowTemplateVersion)
_executions = table_of(WorkflowExecution)
_steps = table_of(StepDefinition)

INSERT_VERSION = Statement(
    insert(_versions).values({column.name: bindparam(column.name) for column in _versions.columns})
)
_TEMPLATE = Statement(
    select(_templates.c.id, clock).where(
        _templates.c.id == bindparam("id"), _templates.c.tenant == bindparam("tenant")
    )
)
_LOCK = Statement(
    select(
        _versions.c.id,
        _versions.c.template_id,
        _versions.c.version,
        _versions.c.version_note,
        _versions.c.status,
        _versions.c.definition,
        _templates.c.key,
        _templates.c.active_version_id,
        clock,
    )
    .join_from(_versions, _templates, _templates.c.id == _versions.c.template_id)
    .where(_versions.c.id == bindparam("id"), _versions.c.tenant == bindparam("tenant"))
    .with_for_update()
)
_UPDATE = Statement(
    update(_versions)
    .where(_versions.c.id == bindparam("key"))
    .values(
        version_note=bindparam("new_note"),
        definition=bindparam("new_definition", type_=_versions.c.definition.type),
    )
)
_DEPRECATE = Statement(
    update(_versions).where(_versions.c.id == bindparam("key")).values(status=VersionStatus.DEPRECATED)
)
_SET_ACTIVE = Statement(
    update(_templates)
    .where(_templates.c.id == bindparam("key"))
    .values(
        active_version_id=bindparam("version_id"),
        updated_at=bindparam("now", type_=_templates.c.updated_at.type),
    )
)
_IN_USE = Statement(
    select(
        # The tenant is what the index begins with.
        exists().where(
            _executions.c.tenant == bindparam("tenant"), _executions.c.version_id == bindparam("id")
        ),
        exists().where(_steps.c.tenant == bindparam("tenant"), _steps.c.child_version_id == bindparam("id")),
    )
)
_DELETES = tuple(
    Statement(delete(table).where(column == bindparam("key")))
    for table, column in (
        *(
            (table_of(model), table_of(model).c.version_id)
            for model in (StepGroup, StepTransition, StepDefinition)
        ),
        (_versions, _versions.c.id),
    )
)


@dataclass(frozen=True, slots=True)
class NewVersion:
    """A DRAFT to add to a template."""

    workflow_template_id: str
    version: str
    definition: JSONObject
    version_note: str | None = None


@dataclass(frozen=True, slots=True)
class Locked:
    """A version whose row this transaction holds, with its template's key and active version."""

    id: str
    template_id: str
    version: str
    version_note: str | None
    status: VersionStatus
    definition: JSONObject
    template_key: str
    active_version_id: str | None
    now: datetime


async def create_version(
    store: Store, actor: Actor, new: NewVersion, guard: Guard = UNGUARDED
) -> TemplateChanged:
    """Add a DRAFT; refuses with `NotFound`, `ValidationFailed` (`VERSION_NOT_SEMVER`, `VERSION_TAKEN`)."""
    require_semver(new.version)
    require_within("definition", new.definition, store.limits.definition_bytes, store.limits.json_depth)
    return await template_commit(store, actor, guard, lambda: _create(actor, new))


async def update_version(
    store: Store, actor: Actor, version_id: str, fields: Mapping[str, Any], guard: Guard = UNGUARDED
) -> TemplateChanged:
    """Change `version_note` or, while DRAFT, `definition`; what `fields` does not hold stays."""
    if fields.get("definition") is not None:
        require_within(
            "definition", fields["definition"], store.limits.definition_bytes, store.limits.json_depth
        )
    return await template_commit(store, actor, guard, lambda: _update(actor, version_id, fields))


async def publish_version(
    store: Store, actor: Actor, version_id: str, guard: Guard = UNGUARDED
) -> TemplateChanged:
    """Validate and freeze a DRAFT (D3); refuses with every issue."""
    return await template_commit(store, actor, guard, lambda: _publish(store, actor, version_id))


async def activate_version(
    store: Store, actor: Actor, version_id: str, guard: Guard = UNGUARDED
) -> TemplateChanged:
    """Make a PUBLISHED version its template's active one (D2)."""
    return await template_commit(store, actor, guard, lambda: _activate(actor, version_id))


async def deprecate_version(
    store: Store, actor: Actor, version_id: str, guard: Guard = UNGUARDED
) -> TemplateChanged:
    """Let a PUBLISHED version run on but not be started; the active one leaves its template without (D2)."""
    return await template_commit(store, actor, guard, lambda: _deprecate(actor, version_id))


async def delete_version(
    store: Store, actor: Actor, version_id: str, guard: Guard = UNGUARDED
) -> TemplateChanged:
    """Delete a version that nothing uses (D4)."""
    return await template_commit(store, actor, guard, lambda: _delete(actor, version_id))


def require_semver(text: str) -> None:
    """Refuse what is not a semantic version (semver.org 2.0.0)."""
    if len(text) > 100 or not Version.is_valid(text):
        message = f"{text[:100]!r} is not a semantic version such as 1.2.0."
        raise ValidationFailed(
            "The input", [Issue("VERSION_NOT_SEMVER", Severity.ERROR, message, "/version")]
        )


def version_row(
    actor: Actor, template_id: str, version: str, note: str | None, definition: JSONObject, now: datetime
) -> dict[str, Any]:
    """A new DRAFT's row."""
    return {
        "id": new_id(IdKind.TEMPLATE_VERSION),
        "tenant": actor.tenant,
        "template_id": template_id,
        "version": version,
        "version_note": note,
        "status": VersionStatus.DRAFT,
        "definition": definition,
        "created_at": now,
        "published_at": None,
    }


def _create(actor: Actor, new: NewVersion) -> Generator[Request, Any, TemplateChanged]:
    template_id = new.workflow_template_id
    if not is_id(IdKind.TEMPLATE, template_id):
        raise NotFound(template_id)
    found = yield Fetch(_TEMPLATE, {"id": template_id, "tenant": actor.tenant})
    if not found:
        raise NotFound(template_id)
    row = version_row(actor, template_id, new.version, new.version_note, new.definition, found[0][1])
    try:
        yield Write(INSERT_VERSION, [row])
    except Conflict:
        message = f"The template has a version {new.version} already."
        raise ValidationFailed(
            "The input", [Issue("VERSION_TAKEN", Severity.ERROR, message, "/version")]
        ) from None
    return TemplateChanged(template_id, row["id"])


def _lock(actor: Actor, version_id: str) -> Generator[Request, Any, Locked]:
    if not is_id(IdKind.TEMPLATE_VERSION, version_id):
        raise NotFound(version_id)
    found = yield Fetch(_LOCK, {"id": version_id, "tenant": actor.tenant})
    if not found:
        raise NotFound(version_id)
    return Locked(*found[0])


def _update(
    actor: Actor, version_id: str, fields: Mapping[str, Any]
) -> Generator[Request, Any, TemplateChanged]:
    version = yield from _lock(actor, version_id)
    definition = fields.get("definition")
    if definition is not None and version.status is not VersionStatus.DRAFT:
        raise InvalidTransition(
            node_id=version.id,
            current=version.status.name,
            wanted=VersionStatus.DRAFT.name,
            allowed=tuple(status.name for status in VERSION_TRANSITIONS[version.status]),
            explanation=f"Version {version.version} is {version.status.name}: its definition never changes. "
            "Create a new version.",
        )
    row = {
        "key": version.id,
        "new_note": fields.get("version_note", version.version_note),
        "new_definition": version.definition if definition is None else definition,
    }
    yield Write(_UPDATE, [row])
    return TemplateChanged(version.template_id, version.id)


def _publish(store: Store, actor: Actor, version_id: str) -> Generator[Request, Any, TemplateChanged]:
    version = yield from _lock(actor, version_id)
    _require_arrow(version, VersionStatus.PUBLISHED)
    yield from publish(store, actor, version.id, version.template_key, version.definition)
    return TemplateChanged(version.template_id, version.id)


def _activate(actor: Actor, version_id: str) -> Generator[Request, Any, TemplateChanged]:
    version = yield from _lock(actor, version_id)
    if version.status is not VersionStatus.PUBLISHED:
        raise InvalidTransition(
            node_id=version.id,
            current=version.status.name,
            wanted="ACTIVE",
            allowed=tuple(status.name for status in VERSION_TRANSITIONS[version.status]),
            explanation=f"Version {version.version} is {version.status.name}; only a PUBLISHED one can be active.",
        )
    yield Write(_SET_ACTIVE, [_active(version, version.id)])
    return TemplateChanged(version.template_id, version.id)


def _deprecate(actor: Actor, version_id: str) -> Generator[Request, Any, TemplateChanged]:
    version = yield from _lock(actor, version_id)
    _require_arrow(version, VersionStatus.DEPRECATED)
    yield Write(_DEPRECATE, [{"key": version.id}])
    if version.active_version_id == version.id:
        yield Write(_SET_ACTIVE, [_active(version, None)])
    return TemplateChanged(version.template_id, version.id)


def _delete(actor: Actor, version_id: str) -> Generator[Request, Any, TemplateChanged]:
    version = yield from _lock(actor, version_id)
    ((has_executions, is_child),) = yield Fetch(_IN_USE, {"id": version.id, "tenant": actor.tenant})
    uses = {
        "it is the active version": version.active_version_id == version.id,
        "it has executions": has_executions,
        "a published version runs it as a child": is_child,
    }
    reasons = [reason for reason, holds in uses.items() if holds]
    if reasons:
        raise _in_use(version, " and ".join(reasons))
    try:
        for statement in _DELETES:
            yield Write(statement, [{"key": version.id}])
    except Conflict:
        # Somebody started one between the question and the answer.
        raise _in_use(version, "it has executions") from None
    return TemplateChanged(version.template_id, None)


def _active(version: Locked, active_version_id: str | None) -> dict[str, Any]:
    return {"key": version.template_id, "version_id": active_version_id, "now": version.now}


def _require_arrow(version: Locked, wanted: VersionStatus) -> None:
    allowed = VERSION_TRANSITIONS[version.status]
    if wanted not in allowed:
        raise InvalidTransition(
            node_id=version.id,
            current=version.status.name,
            wanted=wanted.name,
            allowed=tuple(status.name for status in allowed),
            explanation=f"Version {version.version} is {version.status.name} and cannot become {wanted.name}.",
        )


def _in_use(version: Locked, reasons: str) -> InvalidTransition:
    return InvalidTransition(
        node_id=version.id,
        current=version.status.name,
        wanted="DELETED",
        allowed=tuple(status.name for status in VERSION_TRANSITIONS[version.status]),
        explanation=f"Version {version.version} cannot be deleted: {reasons}.",
    )
