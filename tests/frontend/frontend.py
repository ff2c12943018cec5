"""A frontend: it knows the documents of `frontend_queries/` by name and nothing else of the API."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

import orjson

from tests.api import SCHEMA, Api
from tests.frontend_documents import document, sample_variables


class StillFeed:
    """A feed over which nothing changes any more: a subscription to it gives the state as it is."""

    @asynccontextmanager
    async def watch(self, *, root_id: str, execution_id: str | None = None) -> AsyncIterator["StillFeed"]:
        yield self

    async def changed(self) -> None:
        await asyncio.Event().wait()


class Frontend:
    """Sends operations by name; where no variables are given, with the sample ones."""

    def __init__(self, api: Api) -> None:
        self._api = api
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
        context = replace(self._api.context, feed=StillFeed())
        stream = await SCHEMA.subscribe(document(name), variable_values=variables, context_value=context)
        try:
            event = await anext(aiter(stream))
        finally:
            await stream.aclose()
        assert event.errors is None, event.errors
        return next(iter(orjson.loads(orjson.dumps(event.data)).values()))


def by_step(execution: Any) -> dict[str, Any]:
    """The steps of an execution by their ids in the definition."""
    return {step["stepId"]: step for step in execution["steps"]}


def statuses(execution: Any) -> dict[str, str]:
    """How the steps of an execution stand."""
    return {step["stepId"]: step["status"] for step in execution["steps"]}
