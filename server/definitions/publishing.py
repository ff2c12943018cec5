"""Publishing a definition in a file: as the first version of a template, or as its next one."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from semver import Version

from server.definitions.source import DefinitionSource
from server.watching.asking import NotAnswered, Server
from server.watching.connection import Connection

TEMPLATE: Final = """
  query ($key: String!, $after: String) {
    workflowTemplate(key: $key) {
      id
      versions(first: 500, after: $after) {
        nodes { id version status }
        pageInfo { hasNextPage endCursor }
      }
    }
  }
"""
_RESULT: Final = """
  __typename
  ... on TemplateSuccess { version { id version } }
  ... on Error { message }
  ... on ValidationFailed { issues { message } }
"""
CREATE_TEMPLATE: Final = f"""
  mutation ($input: CreateWorkflowTemplateInput!) {{ done: createWorkflowTemplate(input: $input) {{ {_RESULT} }} }}
"""
CREATE_VERSION: Final = f"""
  mutation ($input: CreateWorkflowTemplateVersionInput!) {{
    done: createWorkflowTemplateVersion(input: $input) {{ {_RESULT} }}
  }}
"""
UPDATE_VERSION: Final = f"""
  mutation ($input: UpdateWorkflowTemplateVersionInput!) {{
    done: updateWorkflowTemplateVersion(input: $input) {{ {_RESULT} }}
  }}
"""
PUBLISH: Final = f"""
  mutation ($input: WorkflowTemplateVersionInput!) {{
    done: publishWorkflowTemplateVersion(input: $input) {{ {_RESULT} }}
  }}
"""
ACTIVATE: Final = f"""
  mutation ($input: WorkflowTemplateVersionInput!) {{
    done: activateWorkflowTemplateVersion(input: $input) {{ {_RESULT} }}
  }}
"""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What to publish a definition as; without a key that of the template is the definition's `id`, without a version it
    is `1.0.0`, or the minor version after the highest.
    """

    key: str | None = None
    version: str | None = None
    activate: bool = True


async def published(source: DefinitionSource, server: Server, wanted: Wanted) -> str:
    """One sentence that tells what was done. Raises `NotAnswered`, `NoToken`.

    Done again it ends what a broken connection left half-way: a draft of the same version is brought up to date.
    """
    async with server.connection() as connection:
        return await _published(source, connection, wanted)


async def _published(source: DefinitionSource, connection: Connection, wanted: Wanted) -> str:
    key = wanted.key or source.value["id"]
    template = await _template(connection, key)
    if template is None:
        version = await _created(source, connection, key, wanted)
        return _told(key, version, wanted, "Created the template")
    versions = template["versions"]
    number = wanted.version or _next([each["version"] for each in versions if each["status"] != "DRAFT"])
    there = next((each for each in versions if each["version"] == number), None)
    if there is not None and there["status"] != "DRAFT":
        raise NotAnswered(f"The template {key!r} has a published version {number} already.")
    version_id = await _draft(source, connection, template["id"], number, there)
    await _done(connection, PUBLISH, {"id": version_id})
    if wanted.activate:
        await _done(connection, ACTIVATE, {"id": version_id})
    return _told(key, number, wanted, "Published the template")


async def _template(connection: Connection, key: str) -> dict[str, Any] | None:
    """The template's id and all of its versions."""
    versions: list[Any] = []
    after: str | None = None
    while True:
        template = (await connection.ask(TEMPLATE, {"key": key, "after": after}))["workflowTemplate"]
        if template is None:
            return None
        page = template["versions"]
        versions += page["nodes"]
        if not page["pageInfo"]["hasNextPage"]:
            return {"id": template["id"], "versions": versions}
        after = page["pageInfo"]["endCursor"]


async def _created(source: DefinitionSource, connection: Connection, key: str, wanted: Wanted) -> str:
    fields = {
        "key": key,
        "name": source.value["name"],
        "version": wanted.version,
        "definition": source.value,
        "publish": True,
        "activate": wanted.activate,
    }
    version: str = (await _done(connection, CREATE_TEMPLATE, fields))["version"]
    return version


async def _draft(
    source: DefinitionSource,
    connection: Connection,
    template_id: str,
    number: str,
    there: Mapping[str, Any] | None,
) -> str:
    """The id of a draft with the definition."""
    if there is None:
        fields = {"workflowTemplateId": template_id, "version": number, "definition": source.value}
        version = await _done(connection, CREATE_VERSION, fields)
    else:
        version = await _done(connection, UPDATE_VERSION, {"id": there["id"], "definition": source.value})
    id_: str = version["id"]
    return id_


async def _done(connection: Connection, document: str, fields: Mapping[str, Any]) -> dict[str, Any]:
    """The version that a command answers with."""
    result = (await connection.ask(document, {"input": fields}))["done"]
    if result["__typename"] != "TemplateSuccess":
        raise NotAnswered(" ".join(each["message"] for each in result.get("issues", [result])))
    version: dict[str, Any] = result["version"]
    return version


def _next(published: list[str]) -> str:
    if not published:
        return "1.0.0"
    return str(max(map(Version.parse, published)).bump_minor())


def _told(key: str, version: str, wanted: Wanted, what: str) -> str:
    active = "it runs from now on" if wanted.activate else "it is not active"
    return f"{what} {key!r} in version {version}; {active}."
