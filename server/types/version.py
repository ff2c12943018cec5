"""The version that types are printed of: from a database, or from a server."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from db.commands.outcome import Actor
from db.connect import database_for
from db.lookups import find_template, find_version
from db.migrate import require_migrated
from db.runtime.versions import VersionStatus
from server.types.refusal import NoTypes
from server.watching.asking import Server
from server.watching.connection import Connection

TEMPLATE: Final = """
  query ($key: String!, $after: String) {
    workflowTemplate(key: $key) {
      activeVersion { id version }
      versions(first: 500, after: $after) { nodes { id version } pageInfo { hasNextPage endCursor } }
    }
  }
"""
VERSION: Final = "query ($id: ID!) { workflowTemplateVersion(id: $id) { version status definition } }"


@dataclass(frozen=True, slots=True)
class FoundVersion:
    """A published version of the template with this key."""

    key: str
    version: str
    definition: Mapping[str, Any]


async def from_database(url: str, key: str, version: str | None) -> FoundVersion:
    """The version with this number, without one the active one. Raises `NoTypes`, `Unavailable`."""
    await require_migrated(url)
    async with database_for(url) as database:
        template = await find_template(database, Actor().tenant, key)
        if template is None:
            raise _no_template(key)
        found = await find_version(database, template, version)
    if found is None:
        raise _no_version(key, version)
    return _published(key, found.version, found.status, found.definition)


async def from_server(server: Server, key: str, version: str | None) -> FoundVersion:
    """The same of a server. Raises `NoTypes`, `NotAnswered`, `NoToken`."""
    async with server.connection() as connection:
        version_id = await _version_id(connection, key, version)
        answer = await connection.ask(VERSION, {"id": version_id})
    found = answer["workflowTemplateVersion"]
    if found is None:  # deleted since
        raise _no_version(key, version)
    return _published(key, found["version"], VersionStatus(found["status"]), found["definition"])


async def _version_id(connection: Connection, key: str, version: str | None) -> str:
    after: str | None = None
    while True:
        template = (await connection.ask(TEMPLATE, {"key": key, "after": after}))["workflowTemplate"]
        if template is None:
            raise _no_template(key)
        versions = template["versions"]
        active = [template["activeVersion"]] if template["activeVersion"] else []
        for each in active if version is None else versions["nodes"]:
            if version in {None, each["version"]}:
                found: str = each["id"]
                return found
        if version is None or not versions["pageInfo"]["hasNextPage"]:
            raise _no_version(key, version)
        after = versions["pageInfo"]["endCursor"]


def _published(key: str, version: str, status: VersionStatus, definition: Mapping[str, Any]) -> FoundVersion:
    if status is VersionStatus.DRAFT:
        raise NoTypes(
            f"Version {version} of the template {key!r} is a draft, which may still change: publish it first."
        )
    return FoundVersion(key, version, definition)


def _no_template(key: str) -> NoTypes:
    return NoTypes(f"There is no template with the key {key!r}.")


def _no_version(key: str, version: str | None) -> NoTypes:
    if version is None:
        return NoTypes(f"The template {key!r} has no active version: name one with --version.")
    return NoTypes(f"The template {key!r} has no version {version!r}.")
