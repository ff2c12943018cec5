"""The API in process: documents in, plain JSON out, every statement counted."""

import json
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import orjson

from db.commands.outcome import Committed
from db.store import Store
from schema.context import Context, Viewer
from schema.schema import build_schema, plans_for
from schema.scopes import EVERY_SCOPE
from server.live.live_pages import LivePages
from server.live.waiting_claims import WaitingClaims

SCHEMA = build_schema()
DEFINITIONS = Path(__file__).parent / "data" / "definitions"


def definition(name: str) -> dict[str, Any]:
    """One of the definitions of `tests/data`."""
    loaded: dict[str, Any] = json.loads((DEFINITIONS / f"{name}.json").read_text())
    return loaded


class SilentFeed:
    """A feed that never wakes anybody."""

    @asynccontextmanager
    async def watch(self, *, root_id: str, execution_id: str | None = None) -> AsyncIterator[Any]:
        raise AssertionError("nothing is watched here")
        yield

    @asynccontextmanager
    async def follow(self, tenant: str) -> AsyncIterator[Any]:
        raise AssertionError("nothing is followed here")
        yield


@dataclass
class Heard:
    """An announcer that remembers."""

    committed: list[Committed] = field(default_factory=list)

    async def announce(self, committed: Committed) -> None:
        self.committed.append(committed)


class CountingDatabase:
    """A database that remembers the projections' statements."""

    def __init__(self, database: Any) -> None:
        self._database = database
        self.statements: list[str] = []

    def __getattr__(self, name: str) -> Any:
        return getattr(self._database, name)

    async def read(self, text: str, arguments: Sequence[Any]) -> str | None:
        self.statements.append(text)
        result: str | None = await self._database.read(text, arguments)
        return result


class Api:
    """One tenant's way into the API."""

    def __init__(self, store: Store, tenant: str, actor: str | None = "tester") -> None:
        self.database = CountingDatabase(store.database)
        self.store = replace(store, database=self.database)  # type: ignore[arg-type]  # a stand-in
        self.announcer = Heard()
        self.context = Context(
            viewer=Viewer(tenant, actor, EVERY_SCOPE),
            store=self.store,
            plans=plans_for(SCHEMA, store.database.kind),
            feed=SilentFeed(),
            lists=LivePages(SilentFeed()),
            announcer=self.announcer,
            work=WaitingClaims(SilentFeed()),
        )

    def as_tenant(self, tenant: str) -> "Api":
        """The same API for somebody else."""
        return Api(replace(self.store, database=self.database._database), tenant)

    async def run(self, document: str, variables: Mapping[str, Any] | None = None, **options: Any) -> Any:
        """The whole result: `{"data": …}` and, where there are any, `"errors"`."""
        result = await SCHEMA.execute(
            document,
            variable_values=dict(variables or {}),
            context_value=self.context,
            operation_name=options.get("operation_name"),
        )
        answer: dict[str, Any] = {"data": result.data}
        if result.errors:
            answer["errors"] = [error.formatted for error in result.errors]
        return orjson.loads(orjson.dumps(answer))

    async def data(self, document: str, **variables: Any) -> Any:
        """The data of an operation that must not have errors."""
        answer = await self.run(document, variables)
        assert "errors" not in answer, answer["errors"]
        return answer["data"]

    async def publish(self, raw: dict[str, Any], key: str | None = None, **options: Any) -> dict[str, Any]:
        """Publish and activate a template with this definition; returns the template with its active version."""
        document = """
          mutation ($input: CreateWorkflowTemplateInput!) {
            createWorkflowTemplate(input: $input) {
              __typename
              ... on TemplateSuccess { workflowTemplate { id key name activeVersion { id } } }
              ... on ValidationFailed { issues { code message path } }
            }
          }
        """
        given = {
            "name": raw["name"],
            "key": key,
            "definition": raw,
            "publish": True,
            "activate": True,
        } | options
        result = (await self.data(document, input=given))["createWorkflowTemplate"]
        assert result["__typename"] == "TemplateSuccess", result
        template: dict[str, Any] = result["workflowTemplate"]
        return template

    async def start(self, key: str, **options: Any) -> dict[str, Any]:
        """Start an execution of a template's active version."""
        document = """
          mutation ($input: CreateWorkflowExecutionInput!) {
            createWorkflowExecution(input: $input) {
              __typename
              ... on TransitionSuccess {
                revision changeCount
                workflowExecution { id runtimeStatus revision steps { id stepId status } }
              }
            }
          }
        """
        given = {"workflowTemplateKey": key} | options
        result = (await self.data(document, input=given))["createWorkflowExecution"]
        assert result["__typename"] == "TransitionSuccess", result
        execution: dict[str, Any] = result["workflowExecution"]
        return execution
