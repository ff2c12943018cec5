"""Bearer tokens: JSON Web Tokens (RFC 7519), signed by an issuer whom the settings name (`security.md` A1)."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

import jwt
from starlette.requests import HTTPConnection

from db.runtime.json_values import is_storable
from db.tables import DEFAULT_TENANT
from schema.context import Viewer
from schema.scopes import EVERY_SCOPE
from server.trust.authentication import TokenExpired, Unauthenticated
from server.trust.signing_keys import UNKNOWN_KEY, SigningKeys

LONGEST_TOKEN: Final = 16 * 1024  # characters
LONGEST_NAME: Final = 200  # characters of a tenant, of a subject

LEEWAY: Final = 5.0
"""Seconds that the issuer's clock may be before this one: `nbf` and `iat` may be so far ahead. `exp` has none."""

ABSENT: Final = "There is no bearer token."
MALFORMED: Final = "The token is malformed."
ALGORITHM: Final = "The token's algorithm is not allowed."
NOT_FOR_HERE: Final = "The token was not issued for this server."
NOT_YET: Final = "The token is not valid yet."
CLAIMS: Final = "The token lacks a claim, or one is not as it has to be."

_REQUIRED: Final = ("exp", "iss", "aud", "sub")
_SCOPE_CLAIMS: Final = ("scope", "scopes", "scp")


@dataclass(frozen=True, slots=True)
class Expected:
    """What a token must say of itself."""

    issuer: str
    audience: str
    algorithms: Collection[str]


class TokenAuthentication:
    """An `Authenticate`: a socket shows its token in `connection_init`, a request in its header."""

    def __init__(self, keys: SigningKeys, expected: Expected) -> None:
        self._keys = keys
        self._expected = expected
        self._jwt = jwt.PyJWT({"require": list(_REQUIRED), "enforce_minimum_key_length": True})

    async def __call__(self, connection: HTTPConnection[Any]) -> Viewer:
        token = shown_by(connection)
        header = self._header(token)
        algorithm = header["alg"]
        key = await self._keys.find(header.get("kid"))
        if algorithm not in key.by_algorithm:
            raise Unauthenticated(ALGORITHM)
        claims = self._claims(token, key.by_algorithm[algorithm], algorithm)
        return Viewer(
            tenant=_name(claims.get("tenant", DEFAULT_TENANT)),
            actor=_name(claims["sub"]),
            scopes=scopes_of(claims),
            expires_at=_moment(claims["exp"]),
            trust=key.trust,
        )

    def _header(self, token: str) -> Mapping[str, Any]:
        """The header, of which nothing but an allowed algorithm is known yet."""
        try:
            header = jwt.get_unverified_header(token)
        # Beside its own errors PyJWT lets through what reading JSON raises: this was written by anybody.
        except (jwt.PyJWTError, ValueError, RecursionError):
            raise Unauthenticated(MALFORMED) from None
        if header.get("alg") not in self._expected.algorithms:
            raise Unauthenticated(ALGORITHM)
        return header

    def _claims(self, token: str, key: Any, algorithm: str) -> Mapping[str, Any]:
        expected = self._expected
        try:
            claims: Mapping[str, Any] = self._jwt.decode(
                token, key, [algorithm], audience=expected.audience, issuer=expected.issuer, leeway=LEEWAY
            )
        except jwt.ExpiredSignatureError:
            raise TokenExpired from None
        except jwt.ImmatureSignatureError:
            raise Unauthenticated(NOT_YET) from None
        except (jwt.InvalidAudienceError, jwt.InvalidIssuerError):
            raise Unauthenticated(NOT_FOR_HERE) from None
        except (jwt.InvalidSignatureError, jwt.InvalidKeyError):
            raise Unauthenticated(UNKNOWN_KEY) from None
        except jwt.DecodeError:
            raise Unauthenticated(MALFORMED) from None
        except (jwt.PyJWTError, ValueError, OverflowError, TypeError, RecursionError):
            raise Unauthenticated(CLAIMS) from None
        return claims


def shown_by(connection: HTTPConnection[Any]) -> str:
    """The token that a client shows, never in the address, which is logged. Raises `Unauthenticated`."""
    init: Mapping[str, Any] | None = getattr(connection.state, "connection_init", None)
    shown = connection.headers.getlist("authorization") if init is None else [init.get("authorization")]
    if len(shown) != 1 or not isinstance(shown[0], str):
        raise Unauthenticated(ABSENT)
    scheme, _, token = shown[0].strip().partition(" ")
    token = token.strip()
    if scheme.lower() != "bearer" or not token:
        raise Unauthenticated(ABSENT)
    if len(token) > LONGEST_TOKEN:
        raise Unauthenticated(MALFORMED)
    return token


def scopes_of(claims: Mapping[str, Any]) -> frozenset[str]:
    """The scopes that mean something here: `scope`, `scopes` or `scp`, as a list or separated by spaces."""
    held: set[str] = set()
    for name in _SCOPE_CLAIMS:
        given = claims.get(name)
        held.update(given.split() if isinstance(given, str) else _texts(given))
    return EVERY_SCOPE & held


def _texts(given: Any) -> list[str]:
    return [each for each in given if isinstance(each, str)] if isinstance(given, list) else []


def _name(given: Any) -> str:
    """A text that stands in rows. Raises `Unauthenticated`."""
    if not isinstance(given, str) or not 1 <= len(given) <= LONGEST_NAME or not is_storable(given):
        raise Unauthenticated(CLAIMS)
    return given


def _moment(seconds: Any) -> datetime:
    """Raises `Unauthenticated` for one that no calendar has."""
    try:
        return datetime.fromtimestamp(float(seconds), UTC)
    except (ValueError, OverflowError, OSError, TypeError):
        raise Unauthenticated(CLAIMS) from None
