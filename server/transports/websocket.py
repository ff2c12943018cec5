"""GraphQL over WebSocket: who may open a socket, and the end of all of them (`live.md` W1, W3, H5).

One socket and its operations are `websocket_connection.py`; pings are `uvicorn_websocket.py`.
"""

import asyncio
from typing import Any

from starlette.types import Receive, Scope, Send
from starlette.websockets import WebSocket

from server.operations.operations import ContextFor, Operations
from server.operations.subscriptions import Subscriptions
from server.transports.protocol import SUBPROTOCOL, CloseCode
from server.transports.websocket_connection import Connection, Surroundings, WebSocketLimits
from server.trust.authentication import Authenticate
from server.trust.origins import Origins


class WebSocketEndpoint:
    """The ASGI application of a `WebSocketRoute`."""

    def __init__(
        self,
        operations: Operations,
        subscriptions: Subscriptions,
        context_for: ContextFor,
        *,
        authenticate: Authenticate,
        limits: WebSocketLimits | None = None,
        origins: Origins | None = None,
    ) -> None:
        self._surroundings = Surroundings(
            operations, subscriptions, context_for, authenticate, limits or WebSocketLimits()
        )
        self._origins = origins or Origins()
        self._connections: set[Connection] = set()
        self._closing: CloseCode | None = None

    def __len__(self) -> int:
        """How many sockets are open."""
        return len(self._connections)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        websocket: WebSocket[Any] = WebSocket(scope, receive, send)
        await websocket.receive()
        if not self._origins.admits(websocket):
            await websocket.close()
            return
        is_spoken = SUBPROTOCOL in scope["subprotocols"]
        await websocket.accept(SUBPROTOCOL if is_spoken else None)
        connection = Connection(self._surroundings, websocket, send)
        self._connections.add(connection)
        try:
            if not is_spoken:
                await connection.close(CloseCode.SUBPROTOCOL_NOT_ACCEPTABLE, "Subprotocol not acceptable")
            elif self._closing is not None:
                await connection.close(self._closing, "")
            await connection.run()
        finally:
            self._connections.discard(connection)

    async def close_all(self, code: CloseCode = CloseCode.SERVICE_RESTART, *, over: float = 0.0) -> None:
        """Close every socket, spread over so many seconds; who comes later is closed at once.

        Returns when the queries and mutations that were still running have ended as well.
        """
        self._closing = code
        step = over / max(len(self._connections), 1)
        closing = [_close_later(each, n * step, code) for n, each in enumerate(self._connections)]
        await asyncio.gather(*closing)
        while self._surroundings.unfinished:
            await asyncio.wait(self._surroundings.unfinished)


async def _close_later(connection: Connection, delay: float, code: CloseCode) -> None:
    await asyncio.sleep(delay)
    await connection.close(code, "")
