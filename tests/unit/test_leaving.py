"""Hearing that a client has hung up."""

import asyncio
from typing import Any

from starlette.requests import Request

from server.transports.leaving import client_leaves


async def test_a_client_of_http_has_left_when_its_connection_ends() -> None:
    messages: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
    request: Request[Any] = Request({"type": "http", "headers": []}, messages.get)
    leaving = asyncio.create_task(client_leaves(request))
    await messages.put({"type": "http.request", "body": b"", "more_body": False})
    while not messages.empty():  # noqa: ASYNC110  # a queue tells nobody that it is empty
        await asyncio.sleep(0)
    assert not leaving.done()
    await messages.put({"type": "http.disconnect"})
    await leaving
