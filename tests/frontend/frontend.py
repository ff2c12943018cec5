"""A frontend: it knows the documents of `frontend_queries/` by name and nothing else of the API."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import aclosing, asynccontextmanager
from dataclasses import replace
from typing import Any

import orjson

from db.journal import Cursor, JournalPage, JournalReader, TreePage
from schema.subscription import PLACED, PLACES
from server.live.live_pages import LivePages
from server.operations.operations import Operations
from server.operations.requests import GraphQLRequest
from server.operations.subscriptions import Placed, Subscriptions
from tests.api import SCHEMA, Api
from tests.frontend_documents import document, sample_variables
from tests.schema.settling import settled


class StillFeed:
    """A feed over which nothing changes any more: a subscription to it gives what there is."""

    def __init__(self, journal: JournalReader) -> None:
        self._journal = journal

    async def tree_page(self, root_id: str, after: int, _epoch: str) -> TreePage:
        return await self._journal.tree_page(root_id, after)

    async def journal_page(self, tenant: str, after: Cursor, _epoch: str) -> JournalPage:
        return await self._journal.page(tenant, after)

    @asynccontextmanager
    async def watch(self, *, root_id: str, execution_id: str | None = None) -> AsyncIterator["StillFeed"]:
        yield self

    @asynccontextmanager
    async def watch_all(self, tenant: str) -> AsyncIterator["StillFeed"]:
        yield self

    @asynccontextmanager
    async def follow(self, tenant: str) -> AsyncIterator["StillFeed"]:
        yield self

    async def changed(self) -> None:
        await asyncio.Event().wait()


class Frontend:
    """Sends operations by name; where no variables are given, with the sample ones."""

    def __init__(self, api: Api) -> None:
        self._api = api
        self._operations = Operations(SCHEMA)
        self._subscriptions = Subscriptions(self._operations, placed=Placed(PLACED, PLACES))
        self.sent: set[str] = set()

    async def send(self, name: str, **variables: Any) -> Any:
        """The only root field of the answer to a query or a mutation."""
        self.sent.add(name)
        data = await self._api.data(document(name), **(variables or sample_variables(name)))
        return next(iter(data.values()))

    async def do(self, name: str, **given: Any) -> Any:
        """The execution after a mutation with this input, which must succeed."""
        result = await self.send(name, **({"input": given} if given else {}))
        assert result["__typename"] == "TransitionSuccess", (name, result)
        return result["workflowExecution"]

    async def refused(self, name: str, **given: Any) -> Any:
        """The error of a mutation with this input, which must be refused."""
        result = await self.send(name, input=given)
        assert not result["__typename"].endswith("Success"), (name, result)
        return result

    async def watch(self, name: str, **variables: Any) -> Any:
        """The only root field of a subscription's first event."""
        self.sent.add(name)
        # Nothing would wake it once another writer of the cluster lets its changes be seen.
        await settled(self._api.store.database)
        feed = StillFeed(JournalReader(self._api.context.store.database))
        context = replace(self._api.context, feed=feed, lists=LivePages(feed))
        operation = self._operations.prepare(GraphQLRequest(document(name), variables=variables))
        async with aclosing(self._subscriptions.open(operation, context)) as payloads:
            answer = orjson.loads((await anext(payloads)).text)
        assert "errors" not in answer, answer
        return next(iter(answer["data"].values()))


def by_step(execution: Any) -> dict[str, Any]:
    """The steps of an execution by their ids in the definition."""
    return {step["stepId"]: step for step in execution["steps"]}


def statuses(execution: Any) -> dict[str, str]:
    """How the steps of an execution stand."""
    return {step["stepId"]: step["status"] for step in execution["steps"]}
