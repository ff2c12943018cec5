"""GraphQL over HTTP, sentence by sentence (`security.md` A6, A7; `live.md` W1)."""

import asyncio
import logging
from collections.abc import AsyncIterator
from typing import Any

import httpx
import orjson
import pytest

from server.transports.endpoint import TransportLimits
from server.transports.http import HTTPLimits
from tests.protocol.serving import Toy, served_toy

GRAPHQL_JSON = "application/graphql-response+json"


async def post(
    http: httpx.AsyncClient, query: str, accept: str = GRAPHQL_JSON, **body: object
) -> httpx.Response:
    return await http.post("/graphql", json={"query": query, **body}, headers={"accept": accept})


def codes(response: httpx.Response) -> list[str]:
    return [each["extensions"]["code"] for each in response.json()["errors"]]


async def test_a_query_is_answered(http: httpx.AsyncClient) -> None:
    response = await post(http, "{ hello }")
    assert (response.status_code, response.json()) == (200, {"data": {"hello": "world"}})


async def test_variables_and_operation_name_are_used(http: httpx.AsyncClient) -> None:
    query = "query A { hello } query B($text: String!) { echo(text: $text) }"
    response = await post(http, query, operationName="B", variables={"text": "é"})
    assert response.json() == {"data": {"echo": "é"}}


async def test_a_query_may_come_by_get(http: httpx.AsyncClient) -> None:
    query = {"query": "query($text: String!) { echo(text: $text) }", "variables": '{"text": "x"}'}
    response = await http.get("/graphql", params=query)
    assert (response.status_code, response.json()) == (200, {"data": {"echo": "x"}})


async def test_ready_made_json_goes_out_as_it_is(http: httpx.AsyncClient) -> None:
    assert (await post(http, "{ projected }")).text == '{"data":{"projected":{"ready":"made"}}}'


async def test_the_context_is_made_of_the_request(http: httpx.AsyncClient) -> None:
    response = await http.post("/graphql", json={"query": "{ viewer }"}, headers={"x-tenant": "acme"})
    assert response.json() == {"data": {"viewer": "acme"}}


@pytest.mark.parametrize(
    ("accept", "content_type"),
    [
        (None, "application/json; charset=utf-8"),
        ("*/*", "application/json; charset=utf-8"),
        ("application/json", "application/json; charset=utf-8"),
        (GRAPHQL_JSON, "application/graphql-response+json; charset=utf-8"),
        (f"application/json;q=0.5, {GRAPHQL_JSON}", "application/graphql-response+json; charset=utf-8"),
        (f"{GRAPHQL_JSON};q=0, application/json;q=0.1", "application/json; charset=utf-8"),
        (f"{GRAPHQL_JSON}, application/json, text/event-stream", f"{GRAPHQL_JSON}; charset=utf-8"),
    ],
)
async def test_the_media_type_is_negotiated(
    http: httpx.AsyncClient, accept: str | None, content_type: str
) -> None:
    request = http.build_request("POST", "/graphql", json={"query": "{ hello }"})
    del request.headers["accept"]
    if accept:
        request.headers["accept"] = accept
    assert (await http.send(request)).headers["content-type"] == content_type


async def test_a_client_that_takes_no_json_gets_406(http: httpx.AsyncClient) -> None:
    response = await post(http, "{ hello }", accept="text/plain")
    assert (response.status_code, codes(response)) == (406, ["NOT_ACCEPTABLE"])


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ("{ hello", "GRAPHQL_PARSE_FAILED"),
        ("", "GRAPHQL_PARSE_FAILED"),
        ("{" + "hello " * 2_000 + "}", "GRAPHQL_PARSE_FAILED"),
        ("{" + "a{" * 900 + "}" * 901, "GRAPHQL_PARSE_FAILED"),
        ("{ nothing }", "GRAPHQL_VALIDATION_FAILED"),
        ("{ echo(text: 1) }", "GRAPHQL_VALIDATION_FAILED"),
        ("query A { hello } query B { hello }", "OPERATION_RESOLUTION_FAILURE"),
        ("fragment F on Query { hello }", "GRAPHQL_VALIDATION_FAILED"),
        ("query($text: String!) { echo(text: $text) }", "BAD_USER_INPUT"),
    ],
)
async def test_a_request_error_is_400_without_data(http: httpx.AsyncClient, query: str, code: str) -> None:
    response = await post(http, query)
    assert (response.status_code, codes(response)) == (400, [code])
    assert "data" not in response.json()


@pytest.mark.parametrize(("links", "status"), [(100, 200), (230, 400)])
async def test_a_chain_of_fragments_is_answered_or_refused_however_long(
    http: httpx.AsyncClient, caplog: pytest.LogCaptureFixture, links: int, status: int
) -> None:
    chain = "".join(f"fragment F{n} on Query {{ ...F{n + 1} }} " for n in range(links))
    response = await post(http, "{ ...F0 } " + chain + f"fragment F{links} on Query {{ hello }}")
    assert response.status_code == status
    assert "INTERNAL_SERVER_ERROR" not in response.text
    assert not caplog.records


@pytest.mark.parametrize("levels", [50, 200, 450, 620])
async def test_a_selection_is_answered_or_refused_however_deep(
    http: httpx.AsyncClient, caplog: pytest.LogCaptureFixture, levels: int
) -> None:
    query = '{ __type(name: "Query") { ' + "ofType { " * levels + "name" + " }" * levels + " } }"
    response = await post(http, query)
    assert response.status_code in {200, 400}
    assert "INTERNAL_SERVER_ERROR" not in response.text
    assert not caplog.records


async def test_a_request_error_is_200_under_the_older_media_type(http: httpx.AsyncClient) -> None:
    response = await post(http, "{ nothing }", accept="application/json")
    assert (response.status_code, codes(response)) == (200, ["GRAPHQL_VALIDATION_FAILED"])


@pytest.mark.parametrize(
    ("body", "what"),
    [
        (b"", "The body is not JSON"),
        (b"{", "The body is not JSON"),
        (b"1", "a JSON object, not a number"),
        (b'"x"', "a JSON object, not a string"),
        (b"null", "a JSON object, not null"),
        (b"true", "a JSON object, not a boolean"),
        (b'[{"query":"{ hello }"}]', "a JSON object, not an array"),
        (b"{}", "'query' is missing"),
        (b'{"query":1}', "'query' must be a string, not a number"),
        (b'{"query":"{ hello }","variables":[]}', "'variables' must be an object, not an array"),
        (b'{"query":"{ hello }","operationName":{}}', "'operationName' must be a string"),
        (b'{"query":"{ hello }","extensions":"x"}', "'extensions' must be an object"),
        (b'{"query":"\xff"}', "UTF-8"),
        (b'{"query":"{ hello }","variables":{"a":NaN}}', "The body is not JSON"),
        (b'{"query":"{ hello }","variables":{"a":1e400}}', "infinity"),
        (b'{"query":"{ hello }","variables":{"a":"\\ud800"}}', "surrogate"),
        (b'{"query":"{ hello }","variables":{"a":["\\u0000"]}}', "/variables/a/0: holds a NUL"),
        (
            b'{"query":"{ hello }","variables":{"a":18446744073709551615}}',
            "/variables/a: an integer beyond 64 bits",
        ),
        (b'{"query":"{ hello }","variables":{"a":' + b"9" * 300 + b"}}", "/variables/a: an integer beyond"),
        (b'{"query":"{ hello }","variables":{"a":' + b"9" * 5_000 + b"}}", "infinity"),
        (b'{"query":"{ hello }","variables":{"a":' + b"[" * 70 + b"]" * 70 + b"}}", "nested more than 64"),
        (b'{"query":"{ hello }","variables":' + b'{"a":' * 5_000 + b"1" + b"}" * 5_001, "depth"),
    ],
)
async def test_a_malformed_body_is_400_and_says_what_and_where(
    http: httpx.AsyncClient, caplog: pytest.LogCaptureFixture, body: bytes, what: str
) -> None:
    response = await http.post("/graphql", content=body, headers={"content-type": "application/json"})
    assert (response.status_code, codes(response)) == (400, ["BAD_REQUEST"])
    assert what in response.json()["errors"][0]["message"]
    assert not caplog.records


@pytest.mark.parametrize("parameter", ["variables", "extensions"])
async def test_a_malformed_parameter_is_400_and_is_named(http: httpx.AsyncClient, parameter: str) -> None:
    response = await http.get("/graphql", params={"query": "{ hello }", parameter: "{"})
    assert response.status_code == 400
    assert f"The parameter '{parameter}' is not JSON" in response.json()["errors"][0]["message"]


@pytest.mark.parametrize(
    "content_type",
    ["", "text/plain", "application/x-www-form-urlencoded", "application/json; charset=utf-16"],
)
async def test_another_content_type_is_415(http: httpx.AsyncClient, content_type: str) -> None:
    headers = {"content-type": content_type} if content_type else {}
    response = await http.post("/graphql", content=b'{"query":"{ hello }"}', headers=headers)
    assert (response.status_code, codes(response)) == (415, ["UNSUPPORTED_MEDIA_TYPE"])


@pytest.mark.parametrize("method", ["PUT", "PATCH", "DELETE", "HEAD", "OPTIONS"])
async def test_another_method_is_405_and_says_which_are_allowed(http: httpx.AsyncClient, method: str) -> None:
    response = await http.request(method, "/graphql")
    assert (response.status_code, response.headers["allow"]) == (405, "GET, POST")


async def test_a_mutation_by_get_is_405_and_does_nothing(toy: Toy, http: httpx.AsyncClient) -> None:
    response = await http.get("/graphql", params={"query": "mutation { change(value: 7) }"})
    assert (response.status_code, response.headers["allow"]) == (405, "POST")
    assert codes(response) == ["METHOD_NOT_ALLOWED"]
    assert toy.world.value == 0


@pytest.mark.parametrize("method", ["GET", "POST"])
async def test_a_subscription_without_an_event_stream_is_406(
    toy: Toy, http: httpx.AsyncClient, method: str
) -> None:
    query = {"query": "subscription { counter { value } }"}
    if method == "GET":
        response = await http.get("/graphql", params=query)
    else:
        response = await http.post("/graphql", json=query)
    assert (response.status_code, codes(response)) == (406, ["NOT_ACCEPTABLE"])
    assert "text/event-stream" in response.json()["errors"][0]["message"]
    assert toy.world.reads == 0


async def test_a_body_beyond_the_limit_is_413(http: httpx.AsyncClient) -> None:
    body = orjson.dumps({"query": "{ hello }", "variables": {"a": "x" * 3 * 1024 * 1024}})
    response = await http.post("/graphql", content=body, headers={"content-type": "application/json"})
    assert (response.status_code, codes(response)) == (413, ["PAYLOAD_TOO_LARGE"])


async def test_a_body_beyond_the_limit_is_413_though_its_length_is_not_announced(
    http: httpx.AsyncClient,
) -> None:
    async def chunks() -> AsyncIterator[bytes]:
        for _ in range(48):
            yield b" " * 65_536

    response = await http.post("/graphql", content=chunks(), headers={"content-type": "application/json"})
    assert response.status_code == 413


async def test_a_body_as_large_as_the_limit_is_read() -> None:
    async with (
        served_toy(TransportLimits(http=HTTPLimits(body=100))) as toy,
        httpx.AsyncClient(base_url=toy.origin, trust_env=False) as http,
    ):
        body = b'{"query":"{ hello }"}'.ljust(100)
        sizes = {}
        for size in (100, 101):
            response = await http.post(
                "/graphql", content=body.ljust(size), headers={"content-type": "application/json"}
            )
            sizes[size] = response.status_code
        assert sizes == {100: 200, 101: 413}


async def test_an_unexpected_error_is_masked_and_logged_once_with_its_id(
    http: httpx.AsyncClient, caplog: pytest.LogCaptureFixture
) -> None:
    response = await post(http, "{ hello broken }")
    (shown,) = response.json()["errors"]
    assert response.status_code == 200
    assert response.json()["data"] == {"hello": "world", "broken": None}
    assert (shown["message"], shown["path"]) == ("Internal server error", ["broken"])
    assert shown["extensions"]["code"] == "INTERNAL_SERVER_ERROR"
    assert "swordfish" not in response.text
    (record,) = caplog.records
    assert shown["extensions"]["id"] in record.getMessage()
    assert "swordfish" in str(record.exc_info)


async def test_an_error_that_takes_the_whole_data_is_still_an_execution(http: httpx.AsyncClient) -> None:
    response = await post(http, "{ requiredButBroken }")
    assert (response.status_code, response.json()["data"]) == (200, None)


async def test_a_resolver_may_refuse_with_a_code_of_its_own_and_nothing_is_logged(
    http: httpx.AsyncClient, caplog: pytest.LogCaptureFixture
) -> None:
    response = await post(http, "{ refused }")
    (shown,) = response.json()["errors"]
    assert (shown["message"], shown["extensions"]) == ("There is no such thing.", {"code": "NOT_FOUND"})
    assert not caplog.records


async def test_a_value_that_json_cannot_show_is_masked(
    http: httpx.AsyncClient, caplog: pytest.LogCaptureFixture
) -> None:
    response = await post(http, "{ surrogate }")
    assert codes(response) == ["INTERNAL_SERVER_ERROR"]
    assert [record.levelno for record in caplog.records] == [logging.ERROR]


async def test_a_client_that_goes_while_it_sends_is_no_error(
    toy: Toy, http: httpx.AsyncClient, caplog: pytest.LogCaptureFixture
) -> None:
    _, writer = await asyncio.open_connection("127.0.0.1", toy.port)
    head = (
        "POST /graphql HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{"
    )
    writer.write(head.encode())
    await writer.drain()
    writer.close()
    await writer.wait_closed()
    assert (await post(http, "{ hello }")).status_code == 200
    assert not caplog.records


async def test_a_browser_that_asks_for_nothing_gets_the_page(http: httpx.AsyncClient) -> None:
    accept = {"accept": "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"}
    page = await http.get("/graphql", headers=accept)
    assert page.headers["content-type"].startswith("text/html")
    answer = await http.get("/graphql", headers=accept, params={"query": "{ hello }"})
    assert answer.json() == {"data": {"hello": "world"}}


async def test_introspection_works(http: httpx.AsyncClient) -> None:
    response = await post(http, "{ __schema { queryType { name } } }")
    assert response.json() == {"data": {"__schema": {"queryType": {"name": "Query"}}}}


async def test_a_document_is_parsed_and_validated_once(
    http: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    parsed: list[Any] = []
    original = __import__("server.operations.operations", fromlist=["parse"]).parse
    monkeypatch.setattr(
        "server.operations.operations.parse", lambda *a, **k: parsed.append(a) or original(*a, **k)
    )
    for _ in range(3):
        assert (await post(http, "{ again: hello }")).status_code == 200
    assert len(parsed) == 1
