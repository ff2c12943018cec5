"""A WebSocket client that adds nothing: tests see the frames."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import orjson
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from tests.protocol.serving import Toy


class RawClient:
    """Sends what it is told and returns what comes."""

    def __init__(self, connection: ClientConnection) -> None:
        self.connection = connection

    async def send(self, message: object) -> None:
        """A message as JSON text; text and bytes go as they are."""
        is_raw = isinstance(message, str | bytes)
        await self.connection.send(message if is_raw else orjson.dumps(message).decode())  # type: ignore[arg-type]

    async def receive(self) -> Any:
        """The next message. Frames are text; anything else is a fault."""
        frame = await self.connection.recv()
        assert isinstance(frame, str)
        return orjson.loads(frame)

    async def init(self, payload: dict[str, Any] | None = None) -> None:
        await self.send({"type": "connection_init"} | ({"payload": payload} if payload else {}))
        assert await self.receive() == {"type": "connection_ack"}

    async def subscribe(self, operation_id: str, query: str, **payload: object) -> None:
        await self.send({"id": operation_id, "type": "subscribe", "payload": {"query": query, **payload}})

    async def complete(self, operation_id: str) -> None:
        await self.send({"id": operation_id, "type": "complete"})

    async def roundtrip(self) -> None:
        """Return when the server has handled everything sent before, and nothing else came meanwhile."""
        await self.send({"type": "ping"})
        assert await self.receive() == {"type": "pong"}

    async def closed(self) -> tuple[int, str]:
        """Wait for the server to close; code and reason."""
        try:
            while True:
                await self.connection.recv()
        except ConnectionClosed:
            assert self.connection.close_code is not None
            return self.connection.close_code, self.connection.close_reason or ""


@asynccontextmanager
async def raw_client(toy: Toy, **options: Any) -> AsyncIterator[RawClient]:
    """A connected client that asked for the subprotocol and sent nothing yet."""
    settings: dict[str, Any] = {
        "subprotocols": ["graphql-transport-ws"],
        "ping_interval": None,
        "proxy": None,
        "compression": None,
        **options,
    }
    async with connect(toy.url.replace("http", "ws", 1), **settings) as connection:
        yield RawClient(connection)


@asynccontextmanager
async def ready_client(toy: Toy, payload: dict[str, Any] | None = None) -> AsyncIterator[RawClient]:
    """A client whose connection is acknowledged."""
    async with raw_client(toy) as client:
        await client.init(payload)
        yield client
