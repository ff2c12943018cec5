"""What an operation may ask for is refused alike over every transport (`security.md` A4)."""

from typing import Any

import httpx
import orjson
import pytest

from tests.protocol.raw_client import RawClient

TOO_MANY_ROOTS = "query Many { " + "hello " * 11 + "}"
SIZED = "($first: Int) { counters(first: $first) { value } }"
MANY_NODES = [
    ("query { counters(first: 10001) { value } }", {}),
    ("query" + SIZED, {"first": 10_001}),
    ("query($first: Int = 10001) { counters(first: $first) { value } }", {}),
    ("subscription" + SIZED, {"first": 10_001}),
]
NODES = {"code": "LIMIT_EXCEEDED", "limit": "nodes", "actual": 10_001, "maximum": 10_000}


async def post(http: httpx.AsyncClient, query: str, variables: dict[str, Any], accept: str) -> httpx.Response:
    body = {"query": query, "variables": variables}
    return await http.post("/graphql", json=body, headers={"accept": accept})


async def test_what_is_over_a_limit_is_named_with_its_place(http: httpx.AsyncClient) -> None:
    response = await post(http, TOO_MANY_ROOTS, {}, "application/graphql-response+json")
    assert response.status_code == 400
    assert response.json() == {
        "errors": [
            {
                "message": "The operation 'Many' is over the limit of root fields: 11, and at most 10 are allowed.",
                "locations": [{"line": 1, "column": 1}],
                "extensions": {"code": "LIMIT_EXCEEDED", "limit": "root fields", "actual": 11, "maximum": 10},
            }
        ]
    }


@pytest.mark.parametrize(("query", "variables"), MANY_NODES[:3])
async def test_http_refuses_with_400(http: httpx.AsyncClient, query: str, variables: dict[str, Any]) -> None:
    response = await post(http, query, variables, "application/graphql-response+json")
    (error,) = response.json()["errors"]
    assert (response.status_code, "data" in response.json()) == (400, False)
    assert error["extensions"] == NODES
    assert query[error["locations"][0]["column"] - 1 :].startswith("counters")


@pytest.mark.parametrize(("query", "variables"), MANY_NODES)
async def test_an_event_stream_has_one_event_with_the_error(
    http: httpx.AsyncClient, query: str, variables: dict[str, Any]
) -> None:
    response = await post(http, query, variables, "text/event-stream")
    data = [line for line in response.text.splitlines() if line.startswith("data: ")]
    (payload,) = (orjson.loads(line.removeprefix("data: ")) for line in data)
    assert [error["extensions"] for error in payload["errors"]] == [NODES]
    assert response.text.endswith("event: complete\ndata:\n\n")


@pytest.mark.parametrize(("query", "variables"), MANY_NODES)
async def test_a_socket_has_an_error_message(
    client: RawClient, query: str, variables: dict[str, Any]
) -> None:
    await client.subscribe("1", query, variables=variables)
    message = await client.receive()
    assert (message["id"], message["type"]) == ("1", "error")
    assert [error["extensions"] for error in message["payload"]] == [NODES]
    await client.roundtrip()


async def test_fields_that_are_repeated_too_often_to_compare_are_refused(http: httpx.AsyncClient) -> None:
    query = "{ counters { " + "value " * 300 + "} }"
    response = await post(http, query, {}, "application/graphql-response+json")
    (error,) = response.json()["errors"]
    assert (response.status_code, error["extensions"]) == (400, {"code": "GRAPHQL_VALIDATION_FAILED"})
    message = "The document repeats or nests fields and fragments more than can be validated."
    assert error["message"] == message


async def test_one_document_is_within_the_limit_or_not_as_its_variables_are(http: httpx.AsyncClient) -> None:
    for first, status in ((3, 200), (10_001, 400), (2, 200)):
        response = await post(http, "query" + SIZED, {"first": first}, "application/graphql-response+json")
        assert response.status_code == status
        if status == 200:
            assert len(response.json()["data"]["counters"]) == first


async def test_a_document_that_is_refused_for_its_variables_is_parsed_once(
    http: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    measured: list[object] = []
    original = __import__("server.operations.operations", fromlist=["measure_operations"]).measure_operations
    monkeypatch.setattr(
        "server.operations.operations.measure_operations", lambda *a: measured.append(a) or original(*a)
    )
    for first in (10_001, 1, 10_002):
        await post(http, "query" + SIZED, {"first": first}, "application/json")
    assert len(measured) == 1
