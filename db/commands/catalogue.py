"""What validation must know of other templates: the children that a definition names, and theirs in turn."""

from collections.abc import Generator
from typing import Any

from sqlalchemy import bindparam, select

from db.commands.outcome import Actor
from db.requests import Fetch, Request
from db.runtime.tree import JSONObject
from db.runtime.validation import Catalogue, KnownVersion, child_references
from db.runtime.versions import VersionStatus
from db.statements import Statement
from db.tables import WorkflowTemplate, WorkflowTemplateVersion, table_of

_templates = table_of(WorkflowTemplate)
_versions = table_of(WorkflowTemplateVersion)

_VERSION = Statement(
    select(_versions.c.status, _versions.c.definition, _templates.c.key)
    .join_from(_versions, _templates, _templates.c.id == _versions.c.template_id)
    .where(_versions.c.id == bindparam("id"), _versions.c.tenant == bindparam("tenant"))
)
_ACTIVE = Statement(
    select(_templates.c.active_version_id).where(
        _templates.c.key == bindparam("key"), _templates.c.tenant == bindparam("tenant")
    )
)


def load_catalogue(
    actor: Actor, template_key: str | None, definition: JSONObject
) -> Generator[Request, Any, Catalogue]:
    """Everything that a definition reaches through children; two statements at most for each."""
    versions: dict[str, KnownVersion] = {}
    active: dict[str, str | None] = {}
    pending = [child_references(definition)]
    while pending:
        wanted = pending.pop()
        version_ids = set(wanted.version_ids)
        for key in sorted(wanted.template_keys - active.keys()):
            found = yield Fetch(_ACTIVE, {"key": key, "tenant": actor.tenant})
            if found:
                active[key] = found[0][0]
                version_ids.update(filter(None, found[0]))
        for version_id in sorted(version_ids - versions.keys()):
            found = yield Fetch(_VERSION, {"id": version_id, "tenant": actor.tenant})
            if found:
                status, child, key = found[0]
                children = child_references(child)
                versions[version_id] = KnownVersion(status is VersionStatus.PUBLISHED, key, children)
                pending.append(children)
    return Catalogue(versions=versions, active_versions=active, template_key=template_key)
