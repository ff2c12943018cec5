"""An issuer of tokens: keys, the set of their public halves, and tokens good and bad."""

import asyncio
import json
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import httpx
import jwt
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from jwt.algorithms import ECAlgorithm, RSAAlgorithm

ISSUER: Final = "https://issuer.test"
AUDIENCE: Final = "stepgraph"
SECRET: Final = "a secret that is long enough for HS256"

_RSA: Final = {kid: rsa.generate_private_key(65537, 2048) for kid in ("one", "two", "stranger")}
_EC: Final = ec.generate_private_key(ec.SECP256R1())


def jwk(kid: str, **more: Any) -> dict[str, Any]:
    """The public half of a key, as a set has it."""
    public: Any = (
        ECAlgorithm.to_jwk(_EC.public_key(), as_dict=True)
        if kid == "curve"
        else RSAAlgorithm.to_jwk(_RSA[kid].public_key(), as_dict=True)
    )
    return {**public, "kid": kid, "use": "sig", **more}


def public_pem(kid: str) -> bytes:
    """The public half as a file has it."""
    encoding, form = serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    return _RSA[kid].public_key().public_bytes(encoding, form)


def claims(**changed: Any) -> dict[str, Any]:
    """What a good token says for a day, so that one made at collection lasts for the tests; what is None is left out."""
    now = datetime.now(UTC)
    good = {
        "iss": ISSUER,
        "aud": AUDIENCE,
        "sub": "ann",
        "exp": now + timedelta(days=1),
        "nbf": now,
        "scope": "executions:read",
    }
    return {name: value for name, value in (good | changed).items() if value is not None}


def token(kid: str = "one", header: dict[str, Any] | None = None, **changed: Any) -> str:
    """A token that this key has signed."""
    key: Any = _EC if kid == "curve" else _RSA[kid]
    algorithm = "ES256" if kid == "curve" else "RS256"
    return jwt.encode(claims(**changed), key, algorithm, {"kid": kid, **(header or {})})


def secret_token(secret: str | bytes = SECRET, **changed: Any) -> str:
    """A token that a secret has signed."""
    return jwt.encode(claims(**changed), secret, "HS256", {"kid": "one"})


class Issuer:
    """Publishes a set of keys, as long as it is up, and counts who asks for it."""

    def __init__(self, *kids: str) -> None:
        self.document: Any = {"keys": [jwk(kid) for kid in kids]}
        self.is_up = True
        self.asked = 0
        self.may_answer = asyncio.Event()
        self.may_answer.set()
        self._news = asyncio.Condition()

    def publish(self, *kids: str) -> None:
        self.document = {"keys": [jwk(kid) for kid in kids]}

    async def fetch(self) -> bytes:
        """A `Fetch`."""
        async with self._news:
            self.asked += 1
            self._news.notify_all()
        await self.may_answer.wait()
        if not self.is_up:
            raise httpx.ConnectError("nobody answers")
        return self.document if isinstance(self.document, bytes) else json.dumps(self.document).encode()

    async def until_asked(self, times: int) -> None:
        async with self._news:
            await self._news.wait_for(lambda: self.asked >= times)
