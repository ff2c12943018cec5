"""A document is named by its id in place of its text, on every transport (`live.md` W2, `security.md` A5)."""

from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import httpx
import orjson
import pytest

from tests.protocol.raw_client import RawClient, ready_client
from tests.protocol.serving import Toy, served_toy
from tests.protocol.test_websocket import counted

GRAPHQL_JSON = "application/graphql-response+json"
TEXTS = {
    "sha256:echo": "query A { hello } query B($text: String!) { echo(text: $text) }",
    "change": "mutation { change(value: 3) }",
    "counter": "subscription { counter { value } }",
    "extensions": "{ extensions }",
    "broken": "{ nothing }",
}
BOTH = "The request has both 'query' and 'documentId': give one of them."

Answer = dict[str, Any]
Ask = Callable[[Toy, Answer], Awaitable[Answer]]


class Store:
    """The documents of these tests."""

    def text_of(self, document_id: str) -> str | None:
        return TEXTS.get(document_id)

    def admits(self, text: str) -> bool:
        return True


@pytest.fixture
async def toy() -> AsyncIterator[Toy]:
    async with served_toy(documents=Store()) as serving:
        yield serving


async def post(toy: Toy, body: Answer) -> Answer:
    async with httpx.AsyncClient(trust_env=False) as http:
        answer: Answer = (await http.post(toy.url, json=body)).json()
    return answer


def as_parameters(body: Answer) -> dict[str, str]:
    return {
        name: value if isinstance(value, str) else orjson.dumps(value).decode()
        for name, value in body.items()
    }


async def get(toy: Toy, body: Answer) -> Answer:
    async with httpx.AsyncClient(trust_env=False) as http:
        answer: Answer = (await http.get(toy.url, params=as_parameters(body))).json()
    return answer


async def events(toy: Toy, body: Answer) -> Answer:
    async with httpx.AsyncClient(trust_env=False) as http:
        response = await http.post(toy.url, json=body, headers={"accept": "text/event-stream"})
    first, *rest = response.text.removeprefix(":\n\n").split("\n\n")
    assert rest == ["event: complete\ndata:", ""]
    answer: Answer = orjson.loads(first.removeprefix("event: next\ndata: "))
    return answer


async def websocket(toy: Toy, body: Answer) -> Answer:
    async with ready_client(toy) as client:
        await client.send({"id": "1", "type": "subscribe", "payload": body})
        message = await client.receive()
        assert message["type"] in {"next", "error"}
        return {"errors": message["payload"]} if message["type"] == "error" else message["payload"]


over_every_transport = pytest.mark.parametrize("ask", [post, get, events, websocket])


@over_every_transport
async def test_a_document_is_found_by_its_id(toy: Toy, ask: Ask) -> None:
    request = {"documentId": "sha256:echo", "operationName": "B", "variables": {"text": "é"}}
    assert await ask(toy, request) == {"data": {"echo": "é"}}


@over_every_transport
async def test_extensions_reach_the_fields(toy: Toy, ask: Ask) -> None:
    answer = await ask(toy, {"documentId": "extensions", "extensions": {"trace": {"id": [1]}}})
    assert orjson.loads(answer["data"]["extensions"]) == {"trace": {"id": [1]}}


@over_every_transport
async def test_an_id_of_no_document_is_told_with_a_code_of_its_own(toy: Toy, ask: Ask) -> None:
    assert await ask(toy, {"documentId": "sha256:other"}) == {
        "errors": [
            {
                "message": "There is no document with the id 'sha256:other'.",
                "extensions": {"code": "PERSISTED_DOCUMENT_NOT_FOUND"},
            }
        ]
    }


@over_every_transport
async def test_a_document_of_the_store_is_validated_too(toy: Toy, ask: Ask) -> None:
    (error,) = (await ask(toy, {"documentId": "broken"}))["errors"]
    assert error["extensions"]["code"] == "GRAPHQL_VALIDATION_FAILED"


@pytest.mark.parametrize("ask", [post, get, websocket])
@pytest.mark.parametrize("query", ["{ hello }", TEXTS["change"], ""])
async def test_a_query_beside_a_document_id_is_refused(toy: Toy, ask: Ask, query: str) -> None:
    answer = await ask(toy, {"documentId": "change", "query": query})
    assert answer == {"errors": [{"message": BOTH, "extensions": {"code": "BAD_REQUEST"}}]}
    assert toy.world.value == 0


async def test_on_a_socket_what_is_wrong_with_a_document_id_is_its_operations_alone(toy: Toy) -> None:
    async with ready_client(toy) as client:
        await subscribe(client, "sibling", documentId="counter")
        assert await client.receive() == counted(0, "sibling")
        for payload in ({"documentId": "other"}, {"documentId": "counter", "query": "{ hello }"}):
            await subscribe(client, "1", **payload)
            message = await client.receive()
            assert (message["id"], message["type"]) == ("1", "error")
        toy.world.change(1)
        assert await client.receive() == counted(1, "sibling")


async def subscribe(client: RawClient, operation_id: str, **payload: object) -> None:
    await client.send({"id": operation_id, "type": "subscribe", "payload": payload})


async def test_a_subscription_shares_the_run_of_its_text(toy: Toy) -> None:
    async with ready_client(toy) as client:
        await subscribe(client, "1", documentId="counter")
        assert await client.receive() == counted(0)
        await client.subscribe("2", TEXTS["counter"])
        assert await client.receive() == counted(0, "2")
        assert toy.world.sources == 1


@pytest.mark.parametrize("value", ["1", "[]", "{}", "true"])
async def test_an_id_that_is_no_text_is_malformed(toy: Toy, value: str) -> None:
    body = f'{{"documentId":{value}}}'
    async with httpx.AsyncClient(trust_env=False) as http:
        response = await http.post(toy.url, content=body, headers={"content-type": "application/json"})
    assert response.status_code == 400
    assert "'documentId' must be a string, not" in response.text
    async with ready_client(toy) as client:
        await client.send(f'{{"id":"1","type":"subscribe","payload":{body}}}')
        code, reason = await client.closed()
    assert code == 4400
    assert "'documentId' must be a string, not" in reason


@pytest.mark.parametrize("accept", ["application/json", GRAPHQL_JSON, "text/event-stream"])
async def test_both_are_400_in_every_media_type(toy: Toy, accept: str) -> None:
    async with httpx.AsyncClient(trust_env=False) as http:
        body = {"documentId": "change", "query": "{ hello }"}
        response = await http.post(toy.url, json=body, headers={"accept": accept})
    assert (response.status_code, response.json()["errors"][0]["message"]) == (400, BOTH)


async def test_an_unknown_id_is_a_request_error(toy: Toy) -> None:
    async with httpx.AsyncClient(trust_env=False) as http:
        response = await http.post(toy.url, json={"documentId": "x"}, headers={"accept": GRAPHQL_JSON})
    assert (response.status_code, "data" in response.json()) == (400, False)


async def test_a_mutation_of_the_store_by_get_is_405_and_does_nothing(toy: Toy) -> None:
    async with httpx.AsyncClient(trust_env=False) as http:
        response = await http.get(toy.url, params={"documentId": "change"})
    assert (response.status_code, toy.world.value) == (405, 0)


async def test_a_browser_that_names_a_document_gets_no_page(toy: Toy) -> None:
    async with httpx.AsyncClient(trust_env=False) as http:
        parameters = {"documentId": "extensions"}
        response = await http.get(toy.url, params=parameters, headers={"accept": "text/html, */*"})
    assert response.json() == {"data": {"extensions": "{}"}}


async def test_a_server_without_a_store_knows_no_document() -> None:
    async with served_toy() as toy:
        (error,) = (await post(toy, {"documentId": "change"}))["errors"]
    assert error["extensions"]["code"] == "PERSISTED_DOCUMENT_NOT_FOUND"
