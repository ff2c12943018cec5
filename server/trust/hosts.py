"""Under which names the server may be reached (`security.md` A6), where a web page could make up one of its own.

The owner of a name may let it point to 127.0.0.1 once a page of it is open (DNS rebinding). Browsers then take the server
for that page's own, and only `Host` tells that it is not.
"""

import re
from collections.abc import Iterable
from typing import Final

from starlette.datastructures import Headers
from starlette.middleware import Middleware
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Receive, Scope, Send

LOOPBACK: Final = ("localhost", "127.0.0.1", "[::1]")

_HOST: Final = re.compile(r"(?:\*\.)?[a-z0-9._-]+|\[[0-9a-f:.]+\]|\*")
_GIVEN: Final = re.compile(r"([a-z0-9._-]+|\[[0-9a-f:.]+\])(?::\d*)?")
# To whoever asks, so it does not say which names there are.
_REFUSED: Final = (
    "Invalid host header: this server does not answer to that name. Who runs it lets it do so by "
    "--allowed-hosts (STEPGRAPH_ALLOWED_HOSTS)."
)


class AdmittedHosts:
    """An ASGI middleware that answers 400 to names that are not `admitted`, over HTTP and WebSocket."""

    def __init__(self, app: ASGIApp, admitted: Iterable[str]) -> None:
        self._app = app
        self._names = frozenset(admitted)
        self._endings = tuple(each[1:] for each in self._names if each.startswith("*."))
        self._admits_all = "*" in self._names

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if self._admits_all or self._admits(Headers(scope=scope).get("host", "")):
            await self._app(scope, receive, send)
        else:
            await PlainTextResponse(_REFUSED, 400)(scope, receive, send)

    def _admits(self, given: str) -> bool:
        found = _GIVEN.fullmatch(given.lower())
        return found is not None and (found[1] in self._names or found[1].endswith(self._endings))


def admitting(host: str, listed: Iterable[str]) -> Middleware:
    """The middleware that admits loopback's names, the one listened on and those listed."""
    own = f"[{host}]" if ":" in host else host.lower()
    return Middleware(AdmittedHosts, [*LOOPBACK, own, *listed])


def checked_host(text: str) -> str:
    """A name as `Host` has it. Raises `ValueError` for any other text: nobody would ask for it."""
    if not _HOST.fullmatch(text):
        raise ValueError(
            f"{text[:100]!r} is no host: write a name or an address, in lower case and without a port; *.example.com "
            "is every name below that one, * any name"
        )
    return text
