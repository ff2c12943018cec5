"""The baseline of the fan-out: the same schema, database and feed behind Strawberry's own ASGI application.

Its `graphql-transport-ws` handler executes the subscription for every subscriber.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import orjson
from strawberry.asgi import GraphQL
from strawberry.http import GraphQLHTTPResponse

from schema.context import Context, never
from server.app import Parts, create_app
from server.settings import Settings


class OwnHandler(GraphQL[Context, None]):
    """Strawberry's application with our context; what the projection answers is encoded as it is."""

    def __init__(self, parts: Parts) -> None:
        super().__init__(parts.schema)
        self._parts = parts

    async def get_context(self, request: Any, response: Any) -> Context:
        request.state.viewer = await self._parts.authentication.authenticate(request)
        return self._parts.context_for(request, never)

    def encode_json(self, data: GraphQLHTTPResponse) -> str:
        # Text: the handler would send bytes as a binary frame.
        return orjson.dumps(data).decode()


@asynccontextmanager
async def application(url: str) -> AsyncIterator[OwnHandler]:
    """The application on a database, with an in-memory doorbell."""
    ours = create_app(Settings(database=url, broadcast="memory://"))
    async with ours.running():
        yield OwnHandler(ours.parts)
