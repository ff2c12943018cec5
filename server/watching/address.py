"""Where a server is, as people write it."""

import ipaddress
from dataclasses import dataclass
from typing import Final
from urllib.parse import SplitResult, urlsplit

_SCHEMES: Final = {"http": "ws", "https": "wss", "ws": "ws", "wss": "wss"}
PATH: Final = "/graphql"


class BadAddress(ValueError):
    """A text that names no server."""


@dataclass(frozen=True, slots=True)
class Address:
    """`websocket_url` is connected to; `shown` is for people, without user and password.

    `is_here`: it is this machine's own, which no proxy leads to.
    """

    websocket_url: str
    shown: str
    is_here: bool

    @classmethod
    def of(cls, text: str) -> "Address":
        """Of a URL with or without `/graphql`. Raises `BadAddress`."""
        try:
            parts = urlsplit(text.strip())
            host, port = parts.hostname, parts.port
        except ValueError as error:
            raise BadAddress(f"{error}, got {text!r}") from None
        if parts.scheme not in _SCHEMES or not host:
            raise BadAddress(f"begins with http:// or https:// and a host, got {text!r}")
        if parts.query or parts.fragment:
            raise BadAddress(f"ends with the path, got {text!r}")
        path = parts.path.rstrip("/").removesuffix(PATH)
        named = f"[{host}]" if ":" in host else host
        shown = f"{named}:{port}" if port is not None else named
        scheme = _SCHEMES[parts.scheme]
        websocket = SplitResult(scheme, parts.netloc, path + PATH, "", "").geturl()
        return cls(websocket, f"{'https' if scheme == 'wss' else 'http'}://{shown}{path}", _is_here(host))


def _is_here(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
