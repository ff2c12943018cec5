"""A real server in the test's own event loop: uvicorn on a socket of 127.0.0.1, as `serve` runs it."""

import socket
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import uvicorn
from starlette.applications import Starlette
from starlette.requests import HTTPConnection, Request
from starlette.responses import HTMLResponse, Response

from server.operations.documents import Documents
from server.operations.limits import OperationLimits
from server.operations.operations import Authorise, Left, Operations
from server.operations.subscriptions import Subscriptions
from server.transports.endpoint import GraphQLEndpoint, TransportLimits
from server.transports.uvicorn_http import UvicornHTTP
from server.transports.uvicorn_websocket import UvicornWebSocket
from server.trust.authentication import Authenticate
from server.trust.origins import Origins
from tests.protocol.toy import ToyContext, ToyViewer, World, toy_schema


class Toy:
    """A served toy schema and what tests look at of it."""

    def __init__(
        self, world: World, endpoint: GraphQLEndpoint, subscriptions: Subscriptions, port: int
    ) -> None:
        self.world = world
        self.endpoint = endpoint
        self.subscriptions = subscriptions
        self.port = port

    @property
    def origin(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def url(self) -> str:
        return f"{self.origin}/graphql"


Serve = Callable[..., Any]


@asynccontextmanager
async def served_toy(
    limits: TransportLimits | None = None,
    *,
    operation_limits: OperationLimits | None = None,
    origins: tuple[str, ...] = (),
    documents: Documents | None = None,
    authenticate: Authenticate | None = None,
    authorise: Authorise | None = None,
    ping_interval: float | None = None,
    ping_timeout: float = 10.0,
) -> AsyncIterator[Toy]:
    world = World()
    operations = Operations(toy_schema(), limits=operation_limits, documents=documents, authorise=authorise)
    subscriptions = Subscriptions(operations)

    def context_for(connection: HTTPConnection[Any], _: Left) -> ToyContext:
        return ToyContext(world, connection.state.viewer)

    endpoint = GraphQLEndpoint(
        operations,
        subscriptions,
        context_for,
        authenticate=authenticate or _trust,
        limits=limits,
        page=_page,
        origins=Origins(origins),
    )
    listener = socket.create_server(("127.0.0.1", 0), backlog=1024)
    config = uvicorn.Config(
        Starlette(routes=endpoint.routes()),
        http=UvicornHTTP,
        ws=UvicornWebSocket,
        ws_per_message_deflate=False,
        ws_max_size=64 * 1024,
        ws_ping_interval=ping_interval,
        ws_ping_timeout=ping_timeout,
        log_level="warning",
        log_config=None,
        timeout_graceful_shutdown=5,
    )
    config.load()
    server = uvicorn.Server(config)
    server.lifespan = config.lifespan_class(config)
    await server.startup(sockets=[listener])
    try:
        yield Toy(world, endpoint, subscriptions, listener.getsockname()[1])
    finally:
        await endpoint.close()
        await server.shutdown(sockets=[listener])


async def _trust(connection: HTTPConnection[Any]) -> ToyViewer:
    """Whoever is said to ask: by a header, on a socket by the payload of `connection_init`."""
    init = getattr(connection.state, "connection_init", {})
    return ToyViewer(tenant=init.get("tenant") or connection.headers.get("x-tenant", "default"))


async def _page(_request: Request) -> Response:
    return HTMLResponse("<!doctype html><title>GraphiQL</title>")
