"""Publishing a version: validation (D3), its rows of steps, transitions and groups (D5), its status (D1)."""

from collections.abc import Generator
from typing import Any

from sqlalchemy import bindparam, insert, update

from db import tables
from db.commands.catalogue import load_catalogue
from db.commands.outcome import Actor
from db.commands.rows import clock
from db.requests import Request, Write
from db.runtime.definition import StepDefinition, Transition, WorkflowDefinition
from db.runtime.errors import ValidationFailed
from db.runtime.tree import JSONObject
from db.runtime.validation import Issue, Severity, oversize_issues, validate_definition
from db.runtime.versions import VersionStatus
from db.statements import Statement
from db.store import Store
from db.tables import table_of

_versions = table_of(tables.WorkflowTemplateVersion)
_PUBLISH = Statement(
    update(_versions)
    .where(_versions.c.id == bindparam("key"))
    .values(status=VersionStatus.PUBLISHED, published_at=clock)
)


def _insert(model: Any) -> Statement:
    table = table_of(model)
    return Statement(insert(table).values({column.name: bindparam(column.name) for column in table.columns}))


_INSERT_STEP = _insert(tables.StepDefinition)
_INSERT_TRANSITION = _insert(tables.StepTransition)
_INSERT_GROUP = _insert(tables.StepGroup)


async def find_issues(store: Store, actor: Actor, definition: JSONObject) -> list[Issue]:
    """What publishing this definition would find; nothing is written."""
    return await store.database.consult(definition_issues(store, actor, None, definition))


def definition_issues(
    store: Store, actor: Actor, key: str | None, definition: JSONObject
) -> Generator[Request, Any, list[Issue]]:
    """Every issue that a definition has for the template with this key."""
    if too_many := oversize_issues(definition, store.limits):
        return too_many
    catalogue = yield from load_catalogue(actor, key, definition)
    return validate_definition(definition, catalogue, store.limits)


def publish(
    store: Store, actor: Actor, version_id: str, key: str, raw: JSONObject
) -> Generator[Request, Any, None]:
    """Validate and freeze a version whose row this transaction holds; `ValidationFailed` with every issue."""
    issues = yield from definition_issues(store, actor, key, raw)
    if any(issue.severity is Severity.ERROR for issue in issues):
        raise ValidationFailed("The definition", issues)
    definition = WorkflowDefinition.parse(raw)
    common = {"version_id": version_id, "tenant": actor.tenant}
    for statement, rows in (
        (_INSERT_GROUP, [common | _group(each) for each in enumerate(definition.groups)]),
        (_INSERT_STEP, [common | _step(definition, each) for each in enumerate(definition.steps)]),
        (_INSERT_TRANSITION, [common | _transition(each) for each in enumerate(definition.transitions)]),
    ):
        if rows:
            yield Write(statement, rows)
    yield Write(_PUBLISH, [{"key": version_id}])


def _group(numbered: tuple[int, Any]) -> dict[str, Any]:
    position, group = numbered
    return {"position": position, "group_id": group.id, "name": group.name}


def _step(definition: WorkflowDefinition, numbered: tuple[int, StepDefinition]) -> dict[str, Any]:
    position, step = numbered
    group = definition.group_of(step.id)
    child = step.sub_workflow
    policy = step.activation_policy
    enabled_when = policy.enabled_when if policy else None
    return {
        "position": position,
        "step_id": step.id,
        "type": step.type,
        "name": step.name,
        "group_id": group.id if group else None,
        "group_position": group.step_ids.index(step.id) if group else None,
        # The API shows both as objects; a definition may hold any JSON as `ui`, and `true` as a schema.
        "output_schema": step.output_schema if isinstance(step.output_schema, dict) else None,
        "due_in": step.due_in,
        "enabled_when": enabled_when.src if enabled_when else None,
        "max_attempts": step.retry.max_attempts if step.retry else 1,
        "mode": child.mode if child else None,
        "child_version_id": child.template_version_id if child else None,
        "child_template_key": child.template_key if child else None,
        "ui": step.ui if isinstance(step.ui, dict) else None,
    }


def _transition(numbered: tuple[int, Transition]) -> dict[str, Any]:
    position, transition = numbered
    return {
        "position": position,
        "transition_id": transition.id,
        "from_step_id": transition.from_step_id,
        "to_step_id": transition.to_step_id,
        "condition": transition.condition.src if transition.condition else None,
        "is_default": transition.is_default,
        "label": transition.label,
        "ui": transition.ui,
    }
