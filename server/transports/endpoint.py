"""`/graphql`: one address for GraphQL over HTTP, server-sent events and WebSocket, and the end of all three."""

from dataclasses import dataclass, field

from starlette.routing import BaseRoute, Route, WebSocketRoute

from server.operations.operations import ContextFor, Operations
from server.operations.subscriptions import Subscriptions
from server.transports.http import HTTPEndpoint, HTTPLimits, Page
from server.transports.sse import EventStreamLimits, EventStreams
from server.transports.websocket import WebSocketEndpoint
from server.transports.websocket_connection import WebSocketLimits
from server.trust.authentication import Authenticate
from server.trust.origins import Origins


@dataclass(frozen=True, slots=True)
class TransportLimits:
    """Limits of every transport."""

    http: HTTPLimits = field(default_factory=HTTPLimits)
    events: EventStreamLimits = field(default_factory=EventStreamLimits)
    websocket: WebSocketLimits = field(default_factory=WebSocketLimits)


class GraphQLEndpoint:
    """Serves one schema's operations."""

    def __init__(
        self,
        operations: Operations,
        subscriptions: Subscriptions,
        context_for: ContextFor,
        *,
        authenticate: Authenticate,
        limits: TransportLimits | None = None,
        page: Page | None = None,
        origins: Origins | None = None,
    ) -> None:
        limits = limits or TransportLimits()
        self._origins = origins or Origins()
        self._operations = operations
        self._subscriptions = subscriptions
        self.streams = EventStreams(limits.events)
        self.http = HTTPEndpoint(
            operations,
            subscriptions,
            self.streams,
            context_for,
            authenticate=authenticate,
            limits=limits.http,
            page=page,
            origins=self._origins,
        )
        self.websocket = WebSocketEndpoint(
            operations,
            subscriptions,
            context_for,
            authenticate=authenticate,
            limits=limits.websocket,
            origins=self._origins,
        )

    def routes(self, path: str = "/graphql") -> list[BaseRoute]:
        """An address answers both protocols."""
        return [Route(path, self._origins.allowing(self.http)), WebSocketRoute(path, self.websocket)]

    async def close(self, *, over: float = 0.0) -> None:
        """Drain: end event streams, close sockets with 1012 spread over so many seconds, then every run.

        Mutations that nobody waits for any more may end.
        """
        self.streams.close_all()
        await self.websocket.close_all(over=over)
        await self._subscriptions.close()
        await self._operations.close()
