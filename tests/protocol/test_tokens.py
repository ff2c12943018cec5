"""Tokens are believed for their signature, their time and whom they are for, and for nothing else (`security.md` A1)."""

import asyncio
import base64
import hashlib
import hmac
import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import jwt
import pytest
from starlette.requests import HTTPConnection

from schema.context import Viewer
from server.trust.authentication import Unauthenticated
from server.trust.signing_keys import KeySet, Secret, SigningKeys
from server.trust.tokens import LONGEST_NAME, LONGEST_TOKEN, Expected, TokenAuthentication
from tests.issuer import AUDIENCE, ISSUER, SECRET, Issuer, claims, public_pem, secret_token, token
from tests.protocol.raw_client import raw_client
from tests.protocol.serving import Toy, served_toy
from tests.protocol.test_authorisation import PATIENCE, RARELY, shown, streamed
from tests.protocol.test_sse import counted as counted_event
from tests.protocol.test_websocket import COUNTER, counted

KEY_SET = ("RS256", "ES256")
NEVER = 3600.0
# Tokens of parameters are made when the tests are collected, and shown when it is their turn.
A_DAY = 86_400


@pytest.fixture
def issuer() -> Issuer:
    return Issuer("one", "curve")


@pytest.fixture
def keys(issuer: Issuer) -> KeySet:
    return KeySet(issuer.fetch, NEVER)


@pytest.fixture
async def toy(keys: KeySet) -> AsyncIterator[Toy]:
    async with served_toy(RARELY, authenticate=accepting(keys)) as serving:
        yield serving


def accepting(keys: SigningKeys, *algorithms: str) -> TokenAuthentication:
    return TokenAuthentication(keys, Expected(ISSUER, AUDIENCE, algorithms or KEY_SET))


def request(*authorization: str) -> HTTPConnection[Any]:
    """A request with these headers."""
    headers = [(b"authorization", each.encode()) for each in authorization]
    return HTTPConnection({"type": "http", "headers": headers, "query_string": b"", "path": "/graphql"})


async def viewer(shown: str, keys: SigningKeys, *algorithms: str) -> Viewer:
    return await accepting(keys, *algorithms)(request(f"Bearer {shown}"))


def unsigned(**changed: Any) -> str:
    return jwt.encode(claims(**changed), None, "none", {"kid": "one"})


def part(value: Any) -> str:
    raw = value if isinstance(value, bytes) else json.dumps(value).encode()
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def by_hand(header: Any, payload: Any = None, signature: bytes = b"x") -> str:
    return f"{part(header)}.{part(payload or {})}.{part(signature)}"


def another_payload(good: str) -> str:
    head, _, signature = good.split(".")
    return f"{head}.{part({'iss': ISSUER, 'aud': AUDIENCE, 'sub': 'root', 'exp': 4_000_000_000})}.{signature}"


def soon(seconds: float) -> datetime:
    return datetime.now(UTC) + timedelta(seconds=seconds)


MALFORMED = "The token is malformed."
ALGORITHM = "The token's algorithm is not allowed."
SIGNATURE = "The token's signature is not to be trusted."
NOT_FOR_HERE = "The token was not issued for this server."
NOT_YET = "The token is not valid yet."
CLAIMS = "The token lacks a claim, or one is not as it has to be."
EXPIRED = "The token has expired."

BAD: dict[str, tuple[str, str]] = {
    "no token at all": ("x", MALFORMED),
    "too many parts": ("a.b.c.d", MALFORMED),
    "a header that is no JSON": (by_hand(b"{"), MALFORMED),
    "a header that is a list": (by_hand([]), MALFORMED),
    "a header that is nested too deeply": (by_hand(b"[" * 9_000), MALFORMED),
    "a header that is not UTF-8": (by_hand(b'{"alg":"\xff"}'), MALFORMED),
    "a header with a number that is too long": (by_hand(b'{"alg":' + b"9" * 8_000 + b"}"), MALFORMED),
    "too long": ("a" * (LONGEST_TOKEN + 1), MALFORMED),
    "no algorithm": (by_hand({"kid": "one"}), ALGORITHM),
    "an algorithm that is a list": (by_hand({"alg": ["RS256"], "kid": "one"}), ALGORITHM),
    "none": (unsigned(), ALGORITHM),
    "None": (by_hand({"alg": "None", "kid": "one"}, {}, b""), ALGORITHM),
    "none with a signature": (by_hand({"alg": "none", "kid": "one"}), ALGORITHM),
    "an algorithm that is not allowed": (by_hand({"alg": "RS512", "kid": "one"}), ALGORITHM),
    "the algorithm of another type of key": (by_hand({"alg": "ES256", "kid": "one"}), ALGORITHM),
    "the algorithm of a secret": (secret_token(), ALGORITHM),
    "no key": (by_hand({"alg": "RS256"}), SIGNATURE),
    "a key of no kind": (by_hand({"alg": "RS256", "kid": 1}), MALFORMED),
    "an unknown key": (token("stranger"), SIGNATURE),
    "another key under this name": (token("stranger", header={"kid": "one"}), SIGNATURE),
    "another payload": (another_payload(token()), SIGNATURE),
    "no signature": (token().rpartition(".")[0] + ".", SIGNATURE),
    "another key in its own header": (
        token("stranger", header={"kid": "one", "jwk": {"kty": "oct", "k": "eA"}}),
        SIGNATURE,
    ),
    "an extension that must be understood": (token(header={"crit": ["exp"]}), MALFORMED),
    "expired": (token(exp=soon(-60)), EXPIRED),
    "expired within the leeway": (token(exp=soon(-1)), EXPIRED),
    "not yet valid": (token(nbf=soon(A_DAY)), NOT_YET),
    "issued in the future": (token(iat=soon(A_DAY)), NOT_YET),
    "another audience": (token(aud="another"), NOT_FOR_HERE),
    "other audiences": (token(aud=["another", "stepgraph2"]), NOT_FOR_HERE),
    "another issuer": (token(iss="https://issuer.test.evil"), NOT_FOR_HERE),
    "without an end": (token(exp=None), CLAIMS),
    "without an audience": (token(aud=None), CLAIMS),
    "without an issuer": (token(iss=None), CLAIMS),
    "without a subject": (token(sub=None), CLAIMS),
    "an empty subject": (token(sub=""), CLAIMS),
    "a subject with NUL": (token(sub="a\0"), CLAIMS),
    "a subject that is too long": (token(sub="a" * (LONGEST_NAME + 1)), CLAIMS),
    "a tenant that is a number": (token(tenant=1), CLAIMS),
    "an empty tenant": (token(tenant=""), CLAIMS),
    "a tenant with half a character": (token(tenant="\ud800"), CLAIMS),
    "an end that no calendar has": (token(exp=10**30), CLAIMS),
}


@pytest.mark.parametrize(("bad", "message"), BAD.values(), ids=BAD.keys())
async def test_a_bad_token_is_401_in_general_words_and_runs_nothing(
    toy: Toy, http: httpx.AsyncClient, caplog: pytest.LogCaptureFixture, bad: str, message: str
) -> None:
    headers = {"authorization": f"Bearer {bad}"}
    response = await http.post("/graphql", json={"query": "mutation { change(value: 1) }"}, headers=headers)
    assert (response.status_code, response.headers["www-authenticate"]) == (401, "Bearer")
    assert response.json() == {"errors": [{"message": message, "extensions": {"code": "UNAUTHENTICATED"}}]}
    assert toy.world.value == 0
    assert caplog.records == []


@pytest.mark.parametrize("name", ["none", "expired", "another audience", "an unknown key"])
async def test_a_bad_token_closes_its_socket(toy: Toy, name: str) -> None:
    bad, message = BAD[name]
    async with raw_client(toy) as client:
        await client.send({"type": "connection_init", "payload": {"authorization": f"Bearer {bad}"}})
        assert await client.closed() == (4403 if message == EXPIRED else 4401, message)


@pytest.mark.parametrize(
    "payload",
    [
        None,
        {},
        {"authorization": None},
        {"authorization": 1},
        {"authorization": ["Bearer x"]},
        {"token": "x"},
    ],
)
async def test_a_socket_without_a_token_in_its_payload_is_closed(
    toy: Toy, payload: dict[str, Any] | None
) -> None:
    headers = {"authorization": f"Bearer {token()}"}
    async with raw_client(toy, additional_headers=headers) as client:
        await client.send({"type": "connection_init", "payload": payload})
        assert await client.closed() == (4401, "There is no bearer token.")


@pytest.mark.parametrize(
    "headers", [[], [""], ["Bearer"], ["Bearer "], ["Basic YTpi"], [token()], [f"Bearer {token()}"] * 2]
)
async def test_only_one_bearer_token_is_one(keys: KeySet, headers: list[str]) -> None:
    with pytest.raises(Unauthenticated, match="There is no bearer token"):
        await accepting(keys)(request(*headers))


@pytest.mark.parametrize("address", ["/graphql?authorization=Bearer%20{}", "/graphql?access_token={}"])
async def test_a_token_in_the_address_is_none(http: httpx.AsyncClient, address: str) -> None:
    response = await http.post(address.format(token()), json={"query": "{ hello }"})
    assert response.json()["errors"][0]["message"] == "There is no bearer token."


@pytest.mark.parametrize("kid", ["one", "curve"])
@pytest.mark.parametrize("scheme", ["Bearer", "bearer", "BEARER"])
async def test_a_good_token_is_believed_on_every_transport(
    toy: Toy, http: httpx.AsyncClient, kid: str, scheme: str
) -> None:
    authorization = f"{scheme} {token(kid, tenant='acme')}"
    response = await http.post(
        "/graphql", json={"query": "{ viewer }"}, headers={"authorization": authorization}
    )
    assert response.json() == {"data": {"viewer": "acme"}}
    async with streamed(http, COUNTER, authorization) as events:
        assert await events.next() == counted_event(0)
    async with shown(toy, authorization) as client:
        await client.subscribe("1", "{ viewer }")
        assert (await client.receive())["payload"] == {"data": {"viewer": "acme"}}


async def test_what_a_token_says_is_who_asks(keys: KeySet) -> None:
    end = soon(600).replace(microsecond=0)
    shown = await viewer(token(sub="ann", tenant="acme", exp=end), keys)
    assert (shown.tenant, shown.actor, shown.expires_at) == ("acme", "ann", end)
    assert (await viewer(token(), keys)).tenant == "default"


@pytest.mark.parametrize(
    ("given", "scopes"),
    [
        ({"scope": "executions:read  steps:work"}, {"executions:read", "steps:work"}),
        ({"scopes": ["admin", "executions:write"]}, {"admin", "executions:write"}),
        ({"scp": ["templates:write"]}, {"templates:write"}),
        ({"scp": "templates:write steps:work"}, {"templates:write", "steps:work"}),
        ({"scope": "openid executions:read email"}, {"executions:read"}),
        ({"scope": "EXECUTIONS:READ executions executions:*"}, set()),
        ({"scopes": [1, None, ["admin"], "admin "]}, set()),
        ({"scopes": {"admin": True}}, set()),
        ({"scope": 7}, set()),
        ({}, set()),
    ],
)
async def test_scopes_are_those_that_mean_something_here(
    keys: KeySet, given: dict[str, Any], scopes: set[str]
) -> None:
    assert (await viewer(token(**{"scope": None, **given}), keys)).scopes == scopes


@pytest.mark.parametrize("changed", [{"nbf": soon(2)}, {"iat": soon(2)}, {"nbf": None}])
async def test_an_issuer_whose_clock_is_a_little_ahead_is_believed(
    keys: KeySet, changed: dict[str, Any]
) -> None:
    assert await viewer(token(**changed), keys)


# ---- Secrets


async def test_a_token_that_the_secret_has_signed_is_believed() -> None:
    assert (await viewer(secret_token(), Secret(SECRET), "HS256")).actor == "ann"


@pytest.mark.parametrize(
    ("bad", "message"),
    [
        (secret_token("another secret that is long enough for it"), SIGNATURE),
        (unsigned(), ALGORITHM),
        (token(), ALGORITHM),
        (secret_token(exp=soon(-60)), EXPIRED),
        (secret_token(aud="another"), NOT_FOR_HERE),
    ],
)
async def test_a_token_that_it_has_not_signed_is_not(bad: str, message: str) -> None:
    with pytest.raises(Unauthenticated) as refused:
        await viewer(bad, Secret(SECRET), "HS256")
    assert str(refused.value) == message


def signed_with_public_key() -> str:
    """What PyJWT itself refuses to make: a token whose secret is a public key, which everybody has."""
    signed = f"{part({'alg': 'HS256', 'kid': 'one'})}.{part({**claims(), 'exp': 4_000_000_000, 'nbf': 0})}"
    digest = hmac.new(public_pem("one"), signed.encode(), hashlib.sha256).digest()
    return f"{signed}.{part(digest)}"


@pytest.mark.parametrize("algorithms", [KEY_SET, ("RS256", "HS256"), ("HS256",)])
async def test_a_public_key_is_no_secret_even_where_the_algorithm_were_allowed(
    keys: KeySet, algorithms: tuple[str, ...]
) -> None:
    with pytest.raises(Unauthenticated) as refused:
        await viewer(signed_with_public_key(), keys, *algorithms)
    assert str(refused.value) == ALGORITHM


# ---- The issuer


async def test_while_nobody_can_tell_a_client_may_come_again(
    toy: Toy, http: httpx.AsyncClient, issuer: Issuer
) -> None:
    issuer.is_up = False
    message = "Tokens cannot be checked at the moment. Try again."
    headers = {"authorization": f"Bearer {token()}"}
    response = await http.post("/graphql", json={"query": "{ hello }"}, headers=headers)
    assert (response.status_code, response.headers["retry-after"]) == (503, "5")
    assert response.json() == {"errors": [{"message": message, "extensions": {"code": "UNAVAILABLE"}}]}
    async with raw_client(toy) as client:
        await client.send({"type": "connection_init", "payload": {"authorization": f"Bearer {token()}"}})
        assert await client.closed() == (1013, message)


async def test_with_the_issuer_down_known_keys_stay_good(
    http: httpx.AsyncClient, keys: KeySet, issuer: Issuer
) -> None:
    await keys.refresh()
    issuer.is_up = False
    await keys.refresh()
    headers = {"authorization": f"Bearer {token()}"}
    response = await http.post("/graphql", json={"query": "{ hello }"}, headers=headers)
    assert response.json() == {"data": {"hello": "world"}}


# ---- While a subscription lives


async def test_the_end_of_a_token_ends_what_lives_though_nothing_is_sent(
    toy: Toy, http: httpx.AsyncClient
) -> None:
    """An `exp` has no leeway, and is in whole seconds."""
    brief = f"Bearer {token(exp=soon(2))}"
    async with (
        asyncio.timeout(PATIENCE),
        shown(toy, brief) as client,
        streamed(http, COUNTER, brief) as events,
    ):
        await client.subscribe("1", COUNTER)
        assert await client.receive() == counted(0)
        assert await events.next() == counted_event(0)
        assert await client.closed() == (4403, EXPIRED)
        assert await events.ended()
    await toy.world.until(sources=0)


async def test_a_withdrawn_key_ends_what_lives_by_it_and_nothing_else(
    toy: Toy, http: httpx.AsyncClient, keys: KeySet, issuer: Issuer
) -> None:
    by_one, by_curve = f"Bearer {token()}", f"Bearer {token('curve')}"
    async with (
        shown(toy, by_one) as client,
        shown(toy, by_one) as idle,
        shown(toy, by_curve) as other,
        streamed(http, COUNTER, by_one) as events,
    ):
        for each in (client, other):
            await each.subscribe("1", COUNTER)
            assert await each.receive() == counted(0)
        assert await events.next() == counted_event(0)
        issuer.publish("curve")
        await keys.refresh()
        toy.world.change(1)
        told = (4403, "The key that the token was signed with has been withdrawn.")
        assert await client.closed() == told
        assert await idle.closed() == told
        assert await events.ended()
        assert await other.receive() == counted(1)
    headers = {"authorization": by_one}
    response = await http.post("/graphql", json={"query": "{ hello }"}, headers=headers)
    assert response.status_code == 401


async def test_a_key_that_is_withdrawn_while_its_token_is_looked_at_lets_nobody_in(
    keys: KeySet, issuer: Issuer
) -> None:
    await keys.refresh()
    late = await viewer(token(), keys)
    issuer.publish("curve")
    await keys.refresh()

    async def authenticate(_: HTTPConnection[Any]) -> Viewer:
        return late

    async with served_toy(RARELY, authenticate=authenticate) as toy, raw_client(toy) as client:
        await client.send({"type": "connection_init"})
        assert (await client.closed())[0] == 4403
