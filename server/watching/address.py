"""Where a server is, as people write it."""

import ipaddress
import re
from dataclasses import dataclass
from typing import Final
from urllib.parse import SplitResult, urlsplit

_SCHEMES: Final = {"http": "ws", "https": "wss", "ws": "ws", "wss": "wss"}
PATH: Final = "/graphql"
_USER_AND_PASSWORD: Final = re.compile(r"//\S*@")


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
            raise _bad(str(error), text) from None
        if parts.scheme not in _SCHEMES or not host:
            raise _bad("A URL begins with http:// or https:// and a host", text)
        if parts.query or parts.fragment:
            raise _bad("Nothing may follow the path", text)
        path = parts.path.rstrip("/").removesuffix(PATH)
        named = f"[{host}]" if ":" in host else host
        shown = f"{named}:{port}" if port is not None else named
        scheme = _SCHEMES[parts.scheme]
        websocket = SplitResult(scheme, parts.netloc, path + PATH, "", "").geturl()
        return cls(websocket, f"{'https' if scheme == 'wss' else 'http'}://{shown}{path}", _is_here(host))


def _bad(why: str, text: str) -> BadAddress:
    return BadAddress(f"{why}, got {_USER_AND_PASSWORD.sub('//', text)!r}")


def _is_here(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
