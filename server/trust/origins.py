"""Which web pages may use the server: those of its own origin, and those of one exact list (`security.md` A6).

Browsers say by `Origin` whose page asks. They let any page open a WebSocket to any server, and keep a page from reading
another origin's answers unless the server allows it (CORS). Programs that are no browsers send no `Origin`.
"""

import re
from collections.abc import Collection
from typing import Any, Final

from starlette.middleware.cors import CORSMiddleware
from starlette.requests import HTTPConnection
from starlette.types import ASGIApp

METHODS: Final = ("GET", "POST")
# Beside those that every page may send.
HEADERS: Final = ("Authorization", "Last-Event-ID", "traceparent", "tracestate")
REMEMBERED_SECONDS: Final = 600  # by browsers, what a preflight was answered

_ORIGIN: Final = re.compile(r"[a-z][a-z0-9+.-]*://(?:[a-z0-9._-]+|\[[0-9a-f:.]+\])(?::[1-9][0-9]{0,4})?")
_DEFAULT_PORT: Final = re.compile(r"http://.*:80|https://.*:443")


class Origins:
    """The server's own origin, which is that of its `Host`, and those listed."""

    def __init__(self, listed: Collection[str] = ()) -> None:
        self._listed = frozenset(listed)

    def admits(self, connection: HTTPConnection[Any]) -> bool:
        """Whether no foreign web page asks."""
        match connection.headers.getlist("origin"):
            case []:
                return True
            case [origin]:
                return origin in self._listed or origin in _own(connection)
        return False

    def allowing(self, app: ASGIApp) -> ASGIApp:
        """The application, with what browsers must hear before they let the pages of the list use it."""
        return CORSMiddleware(
            app,
            allow_origins=self._listed,
            allow_methods=METHODS,
            allow_headers=HEADERS,
            allow_credentials=True,
            max_age=REMEMBERED_SECONDS,
        )


def checked_origin(text: str) -> str:
    """An origin as browsers write it. Raises `ValueError` for any other text: it would never be equal to one."""
    if not _ORIGIN.fullmatch(text) or _DEFAULT_PORT.fullmatch(text):
        raise ValueError(
            f"{text[:100]!r} is no origin: write scheme://host, in lower case, with :port only where it is not the "
            "scheme's own, and nothing behind it"
        )
    return text


def _own(connection: HTTPConnection[Any]) -> tuple[str, ...]:
    """The origins of a page that came from the same address. Before the server TLS may have ended, so HTTPS always."""
    host = connection.headers.get("host", "").lower()
    if not host:
        return ()
    is_known_secure = connection.scope["scheme"] in {"https", "wss"}
    return (f"https://{host}",) if is_known_secure else (f"https://{host}", f"http://{host}")
