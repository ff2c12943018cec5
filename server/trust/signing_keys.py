"""Keys that tokens are signed with (`security.md` A1): a secret, or the key set (JWKS, RFC 7517) of an issuer."""

import asyncio
import logging
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import Any, Final, Protocol

import httpx
import orjson
from jwt import PyJWK
from jwt.exceptions import PyJWKError, PyJWTError

from schema.trust import Trust
from server.backoff import Backoff
from server.trust.authentication import Unauthenticated, Undecided

log = logging.getLogger(__name__)

SECRET_ALGORITHMS: Final = ("HS256",)
KEY_SET_ALGORITHMS: Final = (
    "RS256",
    "RS384",
    "RS512",
    "PS256",
    "PS384",
    "PS512",
    "ES256",
    "ES384",
    "ES512",
    "EdDSA",
)

# Which of a key set's algorithms a key can be for, by its `kty`, and by the `crv` of those that have one.
_ALGORITHMS_OF: Final[Mapping[tuple[str, str | None], Collection[str]]] = {
    ("RSA", None): tuple(each for each in KEY_SET_ALGORITHMS if each[:2] in ("RS", "PS")),
    ("EC", "P-256"): ("ES256",),
    ("EC", "P-384"): ("ES384",),
    ("EC", "P-521"): ("ES512",),
    ("OKP", "Ed25519"): ("EdDSA",),
}

UNKNOWN_SECONDS: Final = 10.0
"""A `kid` that is not in the set has it fetched again, at most so often."""

FETCH_SECONDS: Final = 5.0
LARGEST_SET: Final = 1 << 20  # bytes

UNKNOWN_KEY: Final = "The token's signature is not to be trusted."
NO_KEYS: Final = "Tokens cannot be checked at the moment. Try again."

Clock = Callable[[], float]
# The bytes of the set. Raises `httpx.HTTPError`, `ValueError`.
Fetch = Callable[[], Awaitable[bytes]]


@dataclass(frozen=True, slots=True)
class SigningKey:
    """What checks a signature, by algorithm, and the trust of everybody whom it let in."""

    by_algorithm: Mapping[str, PyJWK | str]
    trust: Trust = field(default_factory=Trust)


class SigningKeys(Protocol):
    """The keys of one issuer."""

    async def find(self, kid: Any) -> SigningKey:
        """The key that a token's header names. Raises `Unauthenticated`, `Undecided`."""

    def running(self) -> Any:
        """A context manager in which the keys are kept up to date."""


class Secret:
    """One key that the issuer and the server share; a `kid` says nothing."""

    def __init__(self, secret: str) -> None:
        self._key = SigningKey(dict.fromkeys(SECRET_ALGORITHMS, secret))

    async def find(self, kid: Any) -> SigningKey:
        return self._key

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        yield


class KeySet:
    """The public keys at a URL, by their `kid`: fetched every `refresh_seconds`, and for one that is not known.

    While nothing can be fetched the last keys stay good. A key that is no longer in the set, or not as it was, has been
    withdrawn: the trust in it ends.
    """

    def __init__(
        self,
        fetch: Fetch,
        refresh_seconds: float,
        *,
        clock: Clock | None = None,
        backoff: Backoff | None = None,
    ) -> None:
        self._fetch = fetch
        self._refresh_seconds = refresh_seconds
        self._clock = clock or (lambda: asyncio.get_running_loop().time())
        self._backoff = backoff or Backoff(1.0, min(refresh_seconds, 60.0))
        self._raw: dict[str, Any] = {}
        self._keys: dict[str, SigningKey] | None = None
        self._fetching: asyncio.Task[bool] | None = None
        self._asked_at: float | None = None

    async def find(self, kid: Any) -> SigningKey:
        if not isinstance(kid, str):
            raise Unauthenticated(UNKNOWN_KEY)
        found = self._known(kid)
        if found is None and self._may_ask():
            await self.refresh()
            found = self._known(kid)
        if found is not None:
            return found
        if self._keys is None:
            raise Undecided(NO_KEYS)
        raise Unauthenticated(UNKNOWN_KEY)

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Keep the keys up to date; a set that cannot be fetched keeps no server from starting."""
        is_fresh = await self.refresh()
        keeping = asyncio.create_task(self._keep(is_fresh=is_fresh))
        try:
            yield
        finally:
            keeping.cancel()
            with suppress(asyncio.CancelledError):
                await keeping

    async def refresh(self) -> bool:
        """Fetch the set, once for all who ask meanwhile; whether that worked."""
        if self._fetching is None:
            self._asked_at = self._clock()
            self._fetching = asyncio.create_task(self._load())
            self._fetching.add_done_callback(self._fetched)
        return await asyncio.shield(self._fetching)

    def _known(self, kid: str) -> SigningKey | None:
        return (self._keys or {}).get(kid)

    def _may_ask(self) -> bool:
        """Whoever makes up `kid`s must not have the issuer asked for each; who comes while it is asked may wait."""
        if self._fetching is not None or self._asked_at is None:
            return True
        return self._clock() - self._asked_at >= UNKNOWN_SECONDS

    def _fetched(self, _: object) -> None:
        self._fetching = None

    async def _keep(self, *, is_fresh: bool) -> None:
        while True:
            await asyncio.sleep(self._refresh_seconds if is_fresh else self._backoff.next_delay())
            is_fresh = await self.refresh()

    async def _load(self) -> bool:
        try:
            raw = keys_of(await self._fetch())
        except (httpx.HTTPError, OSError, ValueError) as error:
            log.warning("the key set of the tokens cannot be fetched: %s: %s", type(error).__name__, error)
            return False
        self._backoff.reset()
        self._take(raw)
        return True

    def _take(self, raw: dict[str, Any]) -> None:
        before, self._keys = self._keys or {}, {}
        for kid, jwk in raw.items():
            stays = kid in before and self._raw[kid] == jwk
            self._keys[kid] = before.pop(kid) if stays else SigningKey(_by_algorithm(jwk))
        self._raw = raw
        for withdrawn in before.values():
            withdrawn.trust.end()


def keys_of(document: bytes) -> dict[str, Any]:
    """The JWKs that may have signed a token, by `kid`. Raises `ValueError` for what is no key set."""
    parsed = orjson.loads(document)
    listed = parsed.get("keys") if isinstance(parsed, dict) else None
    if not isinstance(listed, list):
        raise ValueError("it has no list `keys`")
    return {each["kid"]: each for each in listed if _is_for_signatures(each)}


def fetch_from(url: str) -> Fetch:
    """Fetches the set at a URL; redirects are not followed."""

    tls = ssl.create_default_context()  # once: the machine's certificates take long to load

    async def fetch() -> bytes:
        document = b""
        async with (
            asyncio.timeout(FETCH_SECONDS),
            httpx.AsyncClient(timeout=FETCH_SECONDS, verify=tls) as client,
            client.stream("GET", url, headers={"accept": "application/json"}) as response,
        ):
            if response.status_code != httpx.codes.OK:
                raise ValueError(f"it is answered with {response.status_code}")
            async for chunk in response.aiter_bytes():
                document += chunk
                if len(document) > LARGEST_SET:
                    raise ValueError(f"it is larger than {LARGEST_SET} bytes")
        return document

    return fetch


def _is_for_signatures(jwk: Any) -> bool:
    return (
        isinstance(jwk, dict)
        and isinstance(jwk.get("kid"), str)
        and jwk.get("use", "sig") == "sig"
        and "verify" in (jwk.get("key_ops") or ["verify"])
    )


def _by_algorithm(jwk: Mapping[str, Any]) -> dict[str, PyJWK | str]:
    """Its key for each algorithm that it is for: the one that it names, or those of its type. A secret is for none."""
    kty, crv = jwk.get("kty"), jwk.get("crv")
    possible = _ALGORITHMS_OF.get((str(kty), str(crv) if kty in ("EC", "OKP") else None), ())
    by_algorithm: dict[str, PyJWK | str] = {}
    for algorithm in possible:
        if jwk.get("alg", algorithm) == algorithm:
            # A key that cannot be read is for nothing; the others are.
            with suppress(PyJWTError, PyJWKError, ValueError, TypeError):
                by_algorithm[algorithm] = PyJWK(dict(jwk), algorithm)
    return by_algorithm
