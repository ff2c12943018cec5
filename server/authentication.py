"""Who asks, and until when (`live.md` W4, `security.md` A1). What a token says is read by an `Authenticate`.

What a viewer may do is `Operations.authorise`.
"""

import math
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import Any, Final

from starlette.requests import HTTPConnection

from server.operations import Viewer

EXPIRED: Final = "The token has expired."


class Unauthenticated(Exception):
    """There is no token, or none to be trusted. The message goes to the client."""


class TokenExpired(Unauthenticated):
    """The token was good: whoever gets a new one may come again."""

    def __init__(self, message: str = EXPIRED) -> None:
        super().__init__(message)


# Asked once for an HTTP request, and once for a socket, when `connection.state.connection_init` holds the payload of
# that message. Raises `Unauthenticated`.
Authenticate = Callable[[HTTPConnection[Any]], Awaitable[Viewer]]


async def authenticated(authenticate: Authenticate, connection: HTTPConnection[Any]) -> Viewer:
    """The viewer of a connection, from now on in its `state.viewer` too. Raises `Unauthenticated`."""
    viewer = await authenticate(connection)
    if seconds_left(viewer) <= 0:
        raise TokenExpired
    connection.state.viewer = viewer
    return viewer


def seconds_left(viewer: Viewer | None) -> float:
    """Until a viewer's token expires, by the clock on the wall as tokens go; endless where nothing expires."""
    if viewer is None or viewer.expires_at is None:
        return math.inf
    return (viewer.expires_at - datetime.now(UTC)).total_seconds()
