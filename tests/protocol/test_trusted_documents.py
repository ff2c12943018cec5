"""Where only trusted documents run, nothing else does, on every transport; Apollo's clients name them too (A5)."""

from hashlib import sha256
from typing import Any

import httpx
import pytest

from server.operations.documents import Runs, StoredDocuments
from tests.protocol.serving import served_toy
from tests.protocol.test_document_ids import (
    GRAPHQL_JSON,
    Ask,
    events,
    get,
    over_every_transport,
    post,
    websocket,
)

ECHO = "query Echo($text: String!) { echo(text: $text) }"
CHANGE = "mutation Change { change(value: 3) }"
COUNTER = "subscription Counter { counter { value } }"
DOCUMENTS = {"echo": ECHO, "change": CHANGE, "counter": COUNTER}
VARIABLES = {"text": "é"}
ECHOED = {"data": {"echo": "é"}}


def hash_of(text: str) -> str:
    return sha256(text.encode()).hexdigest()


def persisted(hash_: object, version: object = 1, **more: object) -> dict[str, Any]:
    """A request as Apollo's clients make it."""
    extension = {"version": version, "sha256Hash": hash_}
    return {"extensions": {"persistedQuery": extension}, "variables": VARIABLES, **more}


def codes(answer: dict[str, Any]) -> list[str]:
    return [error["extensions"]["code"] for error in answer["errors"]]


def served(runs: Runs) -> Any:
    return served_toy(documents=StoredDocuments(DOCUMENTS, runs))


NAMED = {
    "its hash": {"documentId": hash_of(ECHO), "variables": VARIABLES},
    "its hash with the prefix": {"documentId": f"sha256:{hash_of(ECHO)}", "variables": VARIABLES},
    "its id in a manifest": {"documentId": "echo", "variables": VARIABLES},
    "Apollo's extension": persisted(hash_of(ECHO)),
    "Apollo's extension beside the text": persisted(hash_of(ECHO), query=ECHO),
    "its text": {"query": ECHO, "variables": VARIABLES},
}


@pytest.mark.parametrize("runs", Runs)
@pytest.mark.parametrize("body", NAMED.values(), ids=NAMED.keys())
@over_every_transport
async def test_a5_a_trusted_document_runs_however_it_is_named(ask: Ask, body: Any, runs: Runs) -> None:
    async with served(runs) as toy:
        assert await ask(toy, body) == ECHOED


OTHERS = {
    "another query": "{ hello }",
    "a space more": ECHO + " ",
    "an empty text": "",
    "what is no GraphQL": "{",
    "a trusted one and another": ECHO + "{ hello }",
    "introspection": "{ __schema { queryType { name } } }",
    "a mutation": "mutation { change(value: 3) }",
    "a subscription": "subscription { counter { value } }",
}


@pytest.mark.parametrize("query", OTHERS.values(), ids=OTHERS.keys())
@over_every_transport
async def test_a5_nothing_else_runs_where_only_they_are_trusted(ask: Ask, query: str) -> None:
    async with served(Runs.TRUSTED) as toy:
        assert codes(await ask(toy, {"query": query})) == ["DOCUMENT_NOT_TRUSTED"]
        assert (toy.world.value, toy.world.sources) == (0, 0)


async def test_a5_a_hash_of_another_text_makes_it_no_trusted_one() -> None:
    async with served(Runs.TRUSTED) as toy:
        assert codes(await post(toy, persisted(hash_of("{ hello }"), query="{ hello }"))) == [
            "DOCUMENT_NOT_TRUSTED"
        ]
        assert codes(await post(toy, persisted(hash_of(ECHO), query="{ hello }"))) == ["BAD_REQUEST"]


@over_every_transport
async def test_a5_a_hash_that_nobody_knows_is_told_in_apollos_words(ask: Ask) -> None:
    async with served(Runs.ANY) as toy:
        (error,) = (await ask(toy, persisted(hash_of("{ hello }"))))["errors"]
    assert error == {
        "message": "PersistedQueryNotFound",
        "extensions": {"code": "PERSISTED_QUERY_NOT_FOUND"},
    }


MISTAKEN = {
    "a version of the future": (persisted(hash_of(ECHO), version=2), "'version' 1"),
    "a hash that is a number": (persisted(1), "'sha256Hash'"),
    "no object": ({"extensions": {"persistedQuery": "x"}}, "must be an object"),
    "the hash of another text": (persisted(hash_of(ECHO), query=ECHO + " "), "is not the SHA-256 of 'query'"),
    "a documentId too": (persisted(hash_of(ECHO), documentId="echo"), "give one of them"),
}


@pytest.mark.parametrize(("body", "fragment"), MISTAKEN.values(), ids=MISTAKEN.keys())
@pytest.mark.parametrize("ask", [post, get, websocket])
async def test_a5_what_is_wrong_with_apollos_extension_is_said(ask: Ask, body: Any, fragment: str) -> None:
    async with served(Runs.ANY) as toy:
        (error,) = (await ask(toy, body))["errors"]
    assert error["extensions"]["code"] == "BAD_REQUEST"
    assert fragment in error["message"]


@pytest.mark.parametrize("ask", [events, websocket])
async def test_a5_a_trusted_subscription_begins_by_its_hash(ask: Ask) -> None:
    async with served(Runs.TRUSTED) as toy:
        toy.world.end()
        answer = await ask(toy, {"documentId": hash_of(COUNTER)})
    assert answer == {"data": {"counter": {"value": 0}}}


async def test_a5_an_untrusted_document_is_a_request_error() -> None:
    async with served(Runs.TRUSTED) as toy, httpx.AsyncClient(trust_env=False) as http:
        response = await http.post(toy.url, json={"query": "{ hello }"}, headers={"accept": GRAPHQL_JSON})
    assert (response.status_code, "data" in response.json()) == (400, False)
