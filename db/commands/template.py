"""Commands on templates: create, update."""

from collections.abc import Generator, Mapping
from dataclasses import dataclass
from typing import Any

from slugify import slugify
from sqlalchemy import bindparam, insert, select, update

from db.commands.bounds import require_text, require_within
from db.commands.guards import UNGUARDED, Guard
from db.commands.outcome import Actor, TemplateChanged
from db.commands.publishing import publish
from db.commands.rows import clock
from db.commands.transaction import template_commit
from db.commands.version import INSERT_VERSION, require_semver, version_row
from db.ids import IdKind, is_id, new_id
from db.requests import Fetch, Request, Write
from db.runtime.definition import minimal_definition
from db.runtime.errors import NotFound, ValidationFailed
from db.runtime.tree import JSONObject
from db.runtime.validation import Issue, Severity
from db.session import Conflict
from db.statements import Statement
from db.store import Store
from db.tables import WorkflowTemplate, table_of

FIRST_VERSION = "1.0.0"

_templates = table_of(WorkflowTemplate)
_NOW = Statement(select(clock))
_INSERT = Statement(
    insert(_templates).values(
        {
            column.name: bindparam(column.name)
            for column in _templates.columns
            if column.name != "active_version_id"
        }
    )
)
_ACTIVATE = Statement(
    update(_templates)
    .where(_templates.c.id == bindparam("key"))
    .values(active_version_id=bindparam("version_id"))
)
_LOCK = Statement(
    select(_templates.c.name, _templates.c.description, clock)
    .where(_templates.c.id == bindparam("id"), _templates.c.tenant == bindparam("tenant"))
    .with_for_update()
)
_UPDATE = Statement(
    update(_templates)
    .where(_templates.c.id == bindparam("key"))
    .values(
        name=bindparam("new_name"),
        description=bindparam("new_description"),
        updated_at=bindparam("now", type_=_templates.c.updated_at.type),
    )
)


@dataclass(frozen=True, slots=True)
class NewTemplate:
    """A template to create with its first version."""

    name: str
    key: str | None = None
    description: str | None = None
    version: str | None = None
    definition: JSONObject | None = None
    publish: bool = False
    activate: bool = False


async def create_workflow_template(
    store: Store, actor: Actor, new: NewTemplate, guard: Guard = UNGUARDED
) -> TemplateChanged:
    """Create a template and its first version; with `publish` both or neither (D3).

    Refuses with `ValidationFailed`: name, key (`KEY_INVALID`, `KEY_TAKEN`), version, definition, `ACTIVATE_NEEDS_PUBLISH`.
    """
    require_text("name", new.name, 1, 200)
    key = _key_of(new)
    number = FIRST_VERSION if new.version is None else new.version
    require_semver(number)
    definition = new.definition if new.definition is not None else minimal_definition(key, new.name)
    require_within("definition", definition, store.limits.definition_bytes, store.limits.json_depth)
    if new.activate and not new.publish:
        raise _wrong(
            "ACTIVATE_NEEDS_PUBLISH", "/activate", "Only a published version can be active: set publish too."
        )
    return await template_commit(
        store, actor, guard, lambda: _create(store, actor, new, key, number, definition)
    )


async def update_workflow_template(
    store: Store, actor: Actor, template_id: str, fields: Mapping[str, Any], guard: Guard = UNGUARDED
) -> TemplateChanged:
    """Change `name` or `description`; what `fields` does not hold stays."""
    if fields.get("name") is not None:
        require_text("name", fields["name"], 1, 200)
    return await template_commit(store, actor, guard, lambda: _update(actor, template_id, fields))


def _key_of(new: NewTemplate) -> str:
    key = slugify(new.name, max_length=100) if new.key is None else new.key
    if not key or slugify(key) != key or len(key) > 100:
        advice = "no key can be made from this name: give one" if new.key is None else "it is not a slug"
        message = f"{key[:120]!r}: {advice} (lower-case letters, digits and hyphens, at most 100)."
        raise _wrong("KEY_INVALID", "/key", message)
    return key


def _wrong(code: str, path: str, message: str) -> ValidationFailed:
    return ValidationFailed("The input", [Issue(code, Severity.ERROR, message, path)])


def _create(
    store: Store, actor: Actor, new: NewTemplate, key: str, number: str, definition: JSONObject
) -> Generator[Request, Any, TemplateChanged]:
    ((now,),) = yield Fetch(_NOW, {})
    template_id = new_id(IdKind.TEMPLATE)
    row = {
        "id": template_id,
        "tenant": actor.tenant,
        "key": key,
        "name": new.name,
        "description": new.description,
        "created_at": now,
        "updated_at": now,
    }
    try:
        yield Write(_INSERT, [row])
    except Conflict:
        raise _wrong("KEY_TAKEN", "/key", f"There is a template with the key {key!r} already.") from None
    version = version_row(actor, template_id, number, None, definition, now)
    yield Write(INSERT_VERSION, [version])
    if new.publish:
        yield from publish(store, actor, version["id"], key, definition)
    if new.activate:
        yield Write(_ACTIVATE, [{"key": template_id, "version_id": version["id"]}])
    return TemplateChanged(template_id, version["id"])


def _update(
    actor: Actor, template_id: str, fields: Mapping[str, Any]
) -> Generator[Request, Any, TemplateChanged]:
    if not is_id(IdKind.TEMPLATE, template_id):
        raise NotFound(template_id)
    found = yield Fetch(_LOCK, {"id": template_id, "tenant": actor.tenant})
    if not found:
        raise NotFound(template_id)
    name, description, now = found[0]
    row = {
        "key": template_id,
        "new_name": fields.get("name") or name,
        "new_description": fields.get("description", description),
        "now": now,
    }
    yield Write(_UPDATE, [row])
    return TemplateChanged(template_id, None)
