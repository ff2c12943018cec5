"""Hearing that a client has gone who waits for an answer."""

from typing import Any

from starlette.requests import Request


async def client_leaves(request: Request[Any]) -> None:
    """Return once the client of a request has hung up; only after the request was read."""
    while (await request.receive())["type"] != "http.disconnect":
        pass
