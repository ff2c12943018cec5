"""Clients of a server process: one operation over each transport, and live streams."""

import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any

import httpx
from websockets.asyncio.client import ClientConnection, connect

from tests.servers import NO_TLS, ServerProcess

Answer = dict[str, Any]
Ask = Callable[..., Awaitable[Answer]]
Watch = Callable[..., AbstractAsyncContextManager[AsyncIterator[Answer]]]

EVENT_STREAM = {"Accept": "text/event-stream"}


class StreamBroken(Exception):
    """An event stream has ended without `complete`."""


def http_client(server: ServerProcess) -> httpx.AsyncClient:
    """A client of one server."""
    return httpx.AsyncClient(base_url=server.url, trust_env=False, timeout=60, verify=NO_TLS)


@asynccontextmanager
async def open_socket(server: ServerProcess) -> AsyncIterator[ClientConnection]:
    """A WebSocket whose connection is acknowledged."""
    async with connect(
        server.websocket_url, subprotocols=["graphql-transport-ws"], proxy=None, compression=None
    ) as socket:
        await socket.send('{"type":"connection_init"}')
        assert json.loads(await socket.recv()) == {"type": "connection_ack"}
        yield socket


@asynccontextmanager
async def open_events(
    server: ServerProcess, document: str, *, last_event_id: str | None = None, **variables: Any
) -> AsyncIterator[AsyncIterator[tuple[str, str]]]:
    """An event stream: pairs of the event's name and data, to the end of the response.

    An `id` is a pair of its own, before its event's.
    """
    headers = EVENT_STREAM | ({} if last_event_id is None else {"Last-Event-ID": last_event_id})
    body = {"query": document, "variables": variables}
    async with (
        http_client(server) as client,
        client.stream("POST", "/graphql", json=body, headers=headers) as response,
    ):
        assert response.headers["content-type"] == "text/event-stream; charset=utf-8", await response.aread()
        yield _events(response)


async def _events(response: httpx.Response) -> AsyncIterator[tuple[str, str]]:
    name = ""
    async for line in response.aiter_lines():
        field, _, value = line.partition(":")
        if field == "event":
            name = value.strip()
        elif field == "id":
            yield field, value.strip()
        elif field == "data":
            yield name, value.strip()


async def post(server: ServerProcess, document: str, **variables: Any) -> Answer:
    """An operation by POST."""
    body = {"query": document, "variables": variables}
    async with http_client(server) as client:
        response = await client.post("/graphql", json=body)
    assert response.status_code == 200, response.text
    answer: Answer = response.json()
    return answer


async def ask_over_websocket(server: ServerProcess, document: str, **variables: Any) -> Answer:
    """The only answer of an operation; an `error` message is the errors alone."""
    async with open_socket(server) as socket:
        await _subscribe(socket, document, variables)
        message = json.loads(await socket.recv())
        if message["type"] == "error":
            return {"errors": message["payload"]}
        assert json.loads(await socket.recv()) == {"id": "1", "type": "complete"}
        answer: Answer = message["payload"]
        return answer


async def ask_over_events(server: ServerProcess, document: str, **variables: Any) -> Answer:
    """The only answer of an operation, as an event."""
    async with open_events(server, document, **variables) as events:
        (first, data), *rest = [event async for event in events]
    assert (first, rest) == ("next", [("complete", "")])
    answer: Answer = json.loads(data)
    return answer


@asynccontextmanager
async def watch_over_websocket(
    server: ServerProcess, document: str, **variables: Any
) -> AsyncIterator[AsyncIterator[Answer]]:
    """The payloads of a subscription, to `complete`."""
    async with open_socket(server) as socket:
        await _subscribe(socket, document, variables)
        yield _payloads(socket)


@asynccontextmanager
async def watch_over_events(
    server: ServerProcess, document: str, **variables: Any
) -> AsyncIterator[AsyncIterator[Answer]]:
    """The payloads of a subscription, to `complete`; `StreamBroken` where the stream ends without."""
    async with open_events(server, document, **variables) as events:
        yield _streamed(events)


TRANSPORTS: dict[str, Ask] = {"http": post, "websocket": ask_over_websocket, "events": ask_over_events}
LIVE: dict[str, Watch] = {"websocket": watch_over_websocket, "events": watch_over_events}


async def _subscribe(socket: ClientConnection, document: str, variables: dict[str, Any]) -> None:
    payload = {"query": document, "variables": variables}
    await socket.send(json.dumps({"id": "1", "type": "subscribe", "payload": payload}))


async def _payloads(socket: ClientConnection) -> AsyncIterator[Answer]:
    while (message := json.loads(await socket.recv()))["type"] == "next":
        yield message["payload"]
    assert message == {"id": "1", "type": "complete"}


async def _streamed(events: AsyncIterator[tuple[str, str]]) -> AsyncIterator[Answer]:
    async for name, data in events:
        if name == "complete":
            return
        if name == "next":
            yield json.loads(data)
    raise StreamBroken
