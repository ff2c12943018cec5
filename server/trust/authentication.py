"""Who asks, and until when (`live.md` W4, `security.md` A1). What a token says is read by an `Authenticate`.

What a viewer may do is `Operations.authorise`.
"""

import math
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import Any, Final

from starlette.requests import HTTPConnection

from server.operations.operations import Viewer

EXPIRED: Final = "The token has expired."
WITHDRAWN: Final = "The key that the token was signed with has been withdrawn."


class Unauthenticated(Exception):
    """There is no token, or none to be trusted. The message goes to the client."""


class TokenExpired(Unauthenticated):
    """The token was good: whoever gets a new one may come again."""

    def __init__(self, message: str = EXPIRED) -> None:
        super().__init__(message)


class Undecided(Exception):
    """Nobody can say at the moment whether the token is good. The message goes to the client, which may come again."""


# Asked once for an HTTP request, and once for a socket, when `connection.state.connection_init` holds the payload of
# that message. Raises `Unauthenticated`, `Undecided`.
Authenticate = Callable[[HTTPConnection[Any]], Awaitable[Viewer]]


async def authenticated(authenticate: Authenticate, connection: HTTPConnection[Any]) -> Viewer:
    """The viewer of a connection, from now on in its `state.viewer` too. Raises `Unauthenticated`, `Undecided`."""
    viewer = await authenticate(connection)
    if seconds_left(viewer) <= 0:
        raise TokenExpired(why_over(viewer))
    connection.state.viewer = viewer
    return viewer


def seconds_left(viewer: Viewer | None) -> float:
    """Until a viewer's token expires, by the clock on the wall as tokens go; endless where nothing expires.

    0 where its key was withdrawn, which comes unforeseen: `Viewer.trust` tells.
    """
    if viewer is None or viewer.expires_at is None:
        return math.inf
    if viewer.trust is not None and viewer.trust.is_over:
        return 0.0
    return (viewer.expires_at - datetime.now(UTC)).total_seconds()


def why_over(viewer: Viewer | None) -> str:
    """Why a viewer has no seconds left, for the client."""
    is_withdrawn = viewer is not None and viewer.trust is not None and viewer.trust.is_over
    return WITHDRAWN if is_withdrawn else EXPIRED
