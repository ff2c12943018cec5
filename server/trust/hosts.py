"""Under which names the server may be reached (`security.md` A6), where a web page could make up one of its own.

The owner of a name may let it point to 127.0.0.1 once a page of it is open (DNS rebinding). Browsers then take the server
for that page's own, and only `Host` tells that it is not.
"""

import re
from collections.abc import Iterable
from typing import Final

from starlette.middleware import Middleware
from starlette.middleware.trustedhost import TrustedHostMiddleware

LOOPBACK: Final = ("localhost", "127.0.0.1", "[::1]")

_HOST: Final = re.compile(r"(?:\*\.)?[a-z0-9._-]+|\[[0-9a-f:.]+\]|\*")


def admitting(host: str, listed: Iterable[str]) -> Middleware:
    """The middleware that answers 400 to other names than loopback's, the one listened on and those listed.

    Over HTTP and WebSocket.
    """
    own = f"[{host}]" if ":" in host else host.lower()
    return Middleware(TrustedHostMiddleware, allowed_hosts=[*LOOPBACK, own, *listed], www_redirect=False)


def checked_host(text: str) -> str:
    """A name as `Host` has it. Raises `ValueError` for any other text: nobody would ask for it."""
    if not _HOST.fullmatch(text):
        raise ValueError(
            f"{text[:100]!r} is no host: write a name or an address, in lower case and without a port; *.example.com "
            "is every name below that one, * any name"
        )
    return text
