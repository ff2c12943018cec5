"""Who asks, as the settings say: everybody, or whoever shows a token (`security.md` A1)."""

from collections.abc import Mapping
from contextlib import AbstractAsyncContextManager, nullcontext
from dataclasses import dataclass
from ipaddress import ip_address
from socket import socket
from typing import Any, Final
from urllib.parse import urlsplit

from starlette.requests import HTTPConnection

from db.tables import DEFAULT_TENANT
from schema.context import Viewer
from schema.scopes import EVERY_SCOPE
from server.settings import Auth, Settings
from server.trust.authentication import Authenticate
from server.trust.signing_keys import (
    KEY_SET_ALGORITHMS,
    SECRET_ALGORITHMS,
    KeySet,
    Secret,
    SigningKeys,
    fetch_from,
)
from server.trust.tokens import Expected, TokenAuthentication

ANYONE: Final = Viewer(DEFAULT_TENANT, scopes=EVERY_SCOPE)
SHORTEST_SECRET: Final = 32  # bytes, RFC 7518 3.2
DEFAULT_KEY_SET_ALGORITHMS: Final = ("RS256", "ES256")


@dataclass(frozen=True, slots=True)
class Authentication:
    """`keys` are None where nobody is asked for a token."""

    authenticate: Authenticate
    keys: SigningKeys | None = None

    def running(self) -> AbstractAsyncContextManager[Any]:
        """The block in which tokens can be checked."""
        return nullcontext() if self.keys is None else self.keys.running()


async def anyone(_connection: HTTPConnection[Any]) -> Viewer:
    """An `Authenticate`: nobody is asked for a token, and everybody acts as the default tenant."""
    return ANYONE


def authentication_of(settings: Settings) -> Authentication:
    """How it is known who asks. Raises `ValueError` for settings that do not belong together."""
    if settings.auth is Auth.NONE:
        return Authentication(anyone)
    missing = _missing(settings)
    if missing is not None:
        raise ValueError(f"--auth jwt needs {missing}.")
    keys = _keys(settings)
    expected = Expected(settings.jwt_issuer, settings.jwt_audience, _algorithms(settings))
    return Authentication(TokenAuthentication(keys, expected), keys)


def require_loopback(settings: Settings, listener: socket) -> None:
    """Raises `ValueError` for a bound address that others reach who could do everything."""
    if settings.auth is not Auth.NONE or settings.insecure_allow_public:
        return
    if not ip_address(listener.getsockname()[0]).is_loopback:
        raise ValueError(
            f"Refusing to listen on {settings.host}, where everybody could do everything: set --auth jwt "
            "(STEPGRAPH_AUTH), or --insecure-allow-public if that is meant."
        )


def trusts_loopback(settings: Settings) -> bool:
    """Whether everybody who reaches this machine's loopback may do everything, and nobody else may."""
    if settings.auth is not Auth.NONE:
        return False
    try:
        return ip_address(settings.host).is_loopback
    except ValueError:  # a name: `require_loopback` looks at what it stands for
        return not settings.insecure_allow_public


def _missing(settings: Settings) -> str | None:
    needed: Mapping[str, str] = {
        "--jwt-issuer (STEPGRAPH_JWT_ISSUER)": settings.jwt_issuer,
        "--jwt-audience (STEPGRAPH_JWT_AUDIENCE)": settings.jwt_audience,
    }
    for name, value in needed.items():
        if not value:
            return name
    if bool(settings.jwt_secret) is bool(settings.jwt_jwks_url):
        return "exactly one of STEPGRAPH_JWT_SECRET and --jwt-jwks-url (STEPGRAPH_JWT_JWKS_URL)"
    return None


def _keys(settings: Settings) -> SigningKeys:
    if settings.jwt_secret:
        if len(settings.jwt_secret.encode()) < SHORTEST_SECRET:
            raise ValueError(f"STEPGRAPH_JWT_SECRET is shorter than {SHORTEST_SECRET} bytes.")
        return Secret(settings.jwt_secret)
    url = urlsplit(settings.jwt_jwks_url)
    if url.scheme not in ("http", "https") or not url.hostname:
        raise ValueError(
            "--jwt-jwks-url (STEPGRAPH_JWT_JWKS_URL) begins with http:// or https:// and a host."
        )
    return KeySet(fetch_from(settings.jwt_jwks_url), settings.jwt_refresh)


def _algorithms(settings: Settings) -> tuple[str, ...]:
    """A secret and a key set have none in common: what is public can be taken for no secret."""
    possible = SECRET_ALGORITHMS if settings.jwt_secret else KEY_SET_ALGORITHMS
    otherwise = SECRET_ALGORITHMS if settings.jwt_secret else DEFAULT_KEY_SET_ALGORITHMS
    named = tuple(each for part in settings.jwt_algorithms.split(",") if (each := part.strip()))
    for each in named:
        if each not in possible:
            raise ValueError(
                f"--jwt-algorithms (STEPGRAPH_JWT_ALGORITHMS): {each!r} is none of {', '.join(possible)}."
            )
    return named or otherwise
