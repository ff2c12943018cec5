"""A set of keys is fetched seldom, outlives its issuer, and ends the trust in what it no longer has (`security.md` A1)."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from server.backoff import Backoff
from server.trust.authentication import Unauthenticated, Undecided
from server.trust.signing_keys import LARGEST_SET, UNKNOWN_SECONDS, KeySet, fetch_from
from tests.issuer import SECRET, Issuer, jwk

NEVER = 3600.0


class Keys:
    """A set of keys by a clock that the test moves."""

    def __init__(self, issuer: Issuer) -> None:
        self.now = 0.0
        self.set = KeySet(issuer.fetch, NEVER, clock=lambda: self.now)


@pytest.fixture
def issuer() -> Issuer:
    return Issuer("one")


@pytest.fixture
def keys(issuer: Issuer) -> Keys:
    return Keys(issuer)


async def test_a_known_key_is_found_without_asking_again(issuer: Issuer, keys: Keys) -> None:
    await keys.set.refresh()
    assert set((await keys.set.find("one")).by_algorithm) >= {"RS256", "PS256"}
    assert issuer.asked == 1


async def test_a_new_key_is_fetched_when_it_is_first_seen(issuer: Issuer, keys: Keys) -> None:
    await keys.set.refresh()
    issuer.publish("one", "two")
    keys.now += UNKNOWN_SECONDS
    assert await keys.set.find("two")
    assert issuer.asked == 2


async def test_names_that_are_made_up_have_the_issuer_asked_once_in_a_while(
    issuer: Issuer, keys: Keys
) -> None:
    await keys.set.refresh()
    for _ in range(3):
        keys.now += UNKNOWN_SECONDS
        for number in range(50):
            with pytest.raises(Unauthenticated, match="not to be trusted"):
                await keys.set.find(f"made-up-{number}")
    assert issuer.asked == 4


async def test_everybody_who_comes_with_a_new_key_waits_for_one_fetch(issuer: Issuer, keys: Keys) -> None:
    await keys.set.refresh()
    issuer.publish("one", "two")
    issuer.may_answer.clear()
    keys.now += UNKNOWN_SECONDS
    waiting = [asyncio.create_task(keys.set.find("two")) for _ in range(100)]
    await issuer.until_asked(2)
    issuer.may_answer.set()
    found = await asyncio.gather(*waiting)
    assert all(each is found[0] for each in found)
    assert issuer.asked == 2


async def test_who_stops_waiting_for_a_fetch_stops_nobody_else(issuer: Issuer, keys: Keys) -> None:
    issuer.may_answer.clear()
    impatient, patient = (asyncio.create_task(keys.set.find("one")) for _ in range(2))
    await issuer.until_asked(1)
    impatient.cancel()
    issuer.may_answer.set()
    assert await patient


@pytest.mark.parametrize("kid", [None, 1, ["one"], {}])
async def test_a_token_that_names_no_key_is_refused_without_asking(
    issuer: Issuer, keys: Keys, kid: Any
) -> None:
    with pytest.raises(Unauthenticated):
        await keys.set.find(kid)
    assert issuer.asked == 0


async def test_while_the_issuer_is_down_the_last_keys_stay_good(
    issuer: Issuer, keys: Keys, caplog: pytest.LogCaptureFixture
) -> None:
    await keys.set.refresh()
    before = await keys.set.find("one")
    issuer.is_up = False
    assert not await keys.set.refresh()
    assert await keys.set.find("one") is before
    assert not before.trust.is_over
    assert "cannot be fetched: ConnectError: nobody answers" in caplog.text


async def test_before_anything_was_fetched_nobody_can_tell_and_the_issuer_is_not_overrun(
    issuer: Issuer, keys: Keys
) -> None:
    issuer.is_up = False
    for _ in range(10):
        with pytest.raises(Undecided, match="Try again"):
            await keys.set.find("one")
    assert issuer.asked == 1
    issuer.is_up = True
    keys.now += UNKNOWN_SECONDS
    assert await keys.set.find("one")


@pytest.mark.parametrize(
    "document",
    [
        b"",
        b"<html>",
        b"[]",
        b"null",
        b'"keys"',
        b"{}",
        b'{"keys":{}}',
        b'{"keys":null}',
        b"\xff",
        b"[" * 5_000,
    ],
)
async def test_what_is_no_set_changes_nothing(issuer: Issuer, keys: Keys, document: bytes) -> None:
    await keys.set.refresh()
    issuer.document = document
    assert not await keys.set.refresh()
    assert not (await keys.set.find("one")).trust.is_over


@pytest.mark.parametrize("published", [[], ["two"]])
async def test_a_key_that_is_withdrawn_is_trusted_no_more(
    issuer: Issuer, keys: Keys, published: list[str]
) -> None:
    await keys.set.refresh()
    withdrawn = await keys.set.find("one")
    told: list[str] = []
    with withdrawn.trust.told(lambda: told.append("withdrawn")):
        issuer.publish(*published)
        await keys.set.refresh()
    assert told == ["withdrawn"]
    with pytest.raises(Unauthenticated):
        await keys.set.find("one")
    assert withdrawn.trust.is_over


async def test_another_key_of_the_same_name_is_another_trust(issuer: Issuer, keys: Keys) -> None:
    await keys.set.refresh()
    before = await keys.set.find("one")
    issuer.document = {"keys": [{**jwk("two"), "kid": "one"}]}
    await keys.set.refresh()
    assert before.trust.is_over
    assert not (await keys.set.find("one")).trust.is_over


async def test_a_key_that_stays_is_told_nothing(issuer: Issuer, keys: Keys) -> None:
    await keys.set.refresh()
    issuer.publish("two", "one")
    before = await keys.set.find("one")
    await keys.set.refresh()
    assert await keys.set.find("one") is before
    assert not before.trust.is_over


@pytest.mark.parametrize(
    ("listed", "algorithms"),
    [
        (jwk("one", alg="RS256"), {"RS256"}),
        (jwk("one", alg="HS256"), set()),
        (jwk("one", alg="none"), set()),
        (jwk("curve"), {"ES256"}),
        (jwk("curve", crv="P-384"), set()),
        (jwk("one", n="?"), set()),
        (jwk("one", n=None), set()),
        (jwk("one", kty=["RSA"]), set()),
        ({"kty": "oct", "k": "YSBzZWNyZXQ", "kid": "oct"}, set()),
        ({"kty": "?", "kid": "x"}, set()),
        ({"kid": "x"}, set()),
    ],
)
async def test_a_key_is_for_the_algorithms_of_its_type_and_a_secret_for_none(
    issuer: Issuer, keys: Keys, listed: dict[str, Any], algorithms: set[str]
) -> None:
    issuer.document = {"keys": [listed, jwk("two", alg="RS256")]}
    assert await keys.set.refresh()
    found = await keys.set.find(listed["kid"])
    assert found.by_algorithm.keys() == algorithms
    assert set((await keys.set.find("two")).by_algorithm) == {"RS256"}


@pytest.mark.parametrize(
    "listed",
    [jwk("one", use="enc"), jwk("one", key_ops=["encrypt"]), {**jwk("one"), "kid": None}, SECRET, None, 1],
)
async def test_what_is_not_for_signatures_is_left_out(issuer: Issuer, keys: Keys, listed: Any) -> None:
    issuer.document = {"keys": [listed]}
    assert await keys.set.refresh()
    with pytest.raises(Unauthenticated):
        await keys.set.find("one")


async def test_the_set_is_fetched_again_and_again_and_sooner_after_a_failure(issuer: Issuer) -> None:
    keys = KeySet(issuer.fetch, 0.001, backoff=Backoff(0.001, 0.001))
    async with keys.running():
        withdrawn = (await keys.find("one")).trust
        issuer.is_up = False
        await issuer.until_asked(issuer.asked + 3)
        assert not withdrawn.is_over
        issuer.publish("two")
        issuer.is_up = True
        over = asyncio.Event()
        with withdrawn.told(over.set):
            await over.wait()
    asked = issuer.asked
    await asyncio.sleep(0)  # whoever still kept it would go on
    assert issuer.asked == asked


# ---- Over HTTP


@asynccontextmanager
async def answering(response: bytes) -> AsyncIterator[str]:
    """The URL of a server that answers everything with these bytes."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(response)
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    async with server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/keys"


def response(status: str, body: bytes, *headers: str) -> bytes:
    lines = [f"HTTP/1.1 {status}", f"Content-Length: {len(body)}", "Connection: close", *headers, "", ""]
    return "\r\n".join(lines).encode() + body


async def test_a_set_comes_over_http() -> None:
    async with answering(response("200 OK", b'{"keys":[]}')) as url:
        assert await fetch_from(url)() == b'{"keys":[]}'


@pytest.mark.parametrize(
    ("answer", "fault"),
    [
        (response("500 No", b"{}"), "answered with 500"),
        (response("302 Found", b"", "Location: http://127.0.0.1:1/"), "answered with 302"),
        (response("200 OK", b" " * (LARGEST_SET + 1)), "larger than"),
    ],
    ids=["fault", "redirect", "too large"],
)
async def test_another_answer_is_no_set(answer: bytes, fault: str) -> None:
    async with answering(answer) as url:
        with pytest.raises(ValueError, match=fault):
            await fetch_from(url)()
