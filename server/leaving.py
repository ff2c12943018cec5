"""Hearing that a client has gone who waits for an answer."""

from typing import Any

from starlette.requests import HTTPConnection, Request


async def client_leaves(connection: HTTPConnection[Any]) -> None:
    """Return once the client has hung up; for HTTP only after its request was read."""
    if isinstance(connection, Request):
        while (await connection.receive())["type"] != "http.disconnect":
            pass
        return
    await connection.state.gone.wait()
