"""What is no GraphQL request, over HTTP against a process (`security.md` A6): status, code, and what is wrong."""

import json
from typing import Any

import pytest

from tests.process.clients import http_client
from tests.process.raw import exchange
from tests.servers import ServerProcess

GRAPHQL_JSON = "application/graphql-response+json"
DOCUMENT = "{ __typename }"
LARGE = 3 << 20


def body(**parameters: Any) -> bytes:
    return json.dumps({"query": DOCUMENT, **parameters}).encode()


def post(content: bytes, *, content_type: str | None = "application/json", **headers: str | None) -> bytes:
    """A POST to /graphql as bytes; a header that is None is left out."""
    usual = {"Host": "localhost", "Accept": GRAPHQL_JSON, "Content-Type": content_type}
    length = {"Content-Length": str(len(content))}
    given = usual | length | {name.replace("_", "-"): value for name, value in headers.items()}
    lines = "".join(f"{name}: {value}\r\n" for name, value in given.items() if value is not None)
    return f"POST /graphql HTTP/1.1\r\n{lines}\r\n".encode("latin-1") + content


def mutation(literal: str) -> bytes:
    """A document that holds this as an output."""
    document = f'mutation {{ completeStep(input: {{id: "x", outputData: {literal}}}) {{ __typename }} }}'
    return body(query=document)


MALFORMED_BODIES = {
    "nothing": (b"", "zero-length"),
    "a number": (b"1", "object, not a number"),
    "a string": (b'"x"', "object, not a string"),
    "null": (b"null", "object, not null"),
    "an array": (b"[]", "object, not an array"),
    "a batch": (b'[{"query":"{__typename}"}]', "object, not an array"),
    "half of it": (b'{"query":', "unexpected end of data"),
    "bytes that are not UTF-8": (b'{"query":"\xff"}', "not valid UTF-8"),
    "UTF-16": (DOCUMENT.encode("utf-16"), "not valid UTF-8"),
    "a byte order mark": (b"\xef\xbb\xbf{}", "byte order mark"),
    "an array too deep to read": (b"[" * 100_000 + b"]" * 100_000, "depth limit"),
    "an object too deep to read": (b'{"a":' * 100_000 + b"1" + b"}" * 100_000, "depth limit"),
    "variables too deep to keep": (
        b'{"query":"{__typename}","variables":{"a":' + b"[" * 70 + b"]" * 70 + b"}}",
        "nested more than 64 levels deep",
    ),
    "NaN": (b'{"query":"{__typename}","variables":{"a":NaN}}', "expected a JSON value"),
    "an infinite number": (b'{"query":"{__typename}","variables":{"a":1e400}}', "infinity"),
    "an integer beyond 64 bits": (
        b'{"query":"{__typename}","variables":{"a":[9223372036854775808]}}',
        "/variables/a/0: an integer beyond 64 bits",
    ),
    "an integer of 5,000 digits": (
        b'{"query":"{__typename}","variables":{"a":' + b"9" * 5_000 + b"}}",
        "infinity",
    ),
    "a lone surrogate": (b'{"query":"{__typename}","variables":{"a":"\\ud800"}}', "surrogate"),
    "NUL in a value": (body(variables={"a": "\0"}), "/variables/a: holds a NUL character"),
    "NUL in a key": (body(variables={"\0": 1}), "NUL character"),
    "NUL in the document": (body(query="{ __typename }\0"), "/query: holds a NUL character"),
    "no query": (b"{}", "'query' is missing"),
    "a query that is null": (body(query=None), "'query' is missing"),
    "a query that is a number": (body(query=1), "'query' must be a string, not a number"),
    "a query that is an array": (body(query=[]), "'query' must be a string, not an array"),
    "variables in an array": (body(variables=[]), "'variables' must be an object, not an array"),
    "variables as text": (body(variables="{}"), "'variables' must be an object, not a string"),
    "operationName that is an object": (body(operationName={}), "'operationName' must be a string"),
    "operationName that is true": (body(operationName=True), "must be a string, not a boolean"),
    "extensions that are a number": (body(extensions=1), "'extensions' must be an object, not a number"),
}


@pytest.mark.parametrize(("content", "fragment"), MALFORMED_BODIES.values(), ids=MALFORMED_BODIES.keys())
async def test_a_malformed_body_is_400_and_says_what_and_where(
    server: ServerProcess, content: bytes, fragment: str
) -> None:
    await refuses(server, post(content), 400, "BAD_REQUEST", fragment)


BAD_DOCUMENTS = {
    "empty": (body(query=""), "GRAPHQL_PARSE_FAILED", "Unexpected <EOF>"),
    "not GraphQL": (body(query="select 1"), "GRAPHQL_PARSE_FAILED", "Unexpected Name"),
    "too many tokens": (body(query="{" + "a " * 2_001 + "}"), "GRAPHQL_PARSE_FAILED", "more than 2000"),
    "nested too deeply": (body(query="{a" * 900 + "}" * 900), "GRAPHQL_PARSE_FAILED", "nested too deeply"),
    "a type nested too deeply": (
        body(query=f"query($a: {'[' * 900}Int{']' * 900}) {{ __typename }}"),
        "GRAPHQL_PARSE_FAILED",
        "nested too deeply",
    ),
    "an unknown field": (body(query="{ nope }"), "GRAPHQL_VALIDATION_FAILED", "'nope'"),
    "a mutation's field in a query": (
        body(query="{ completeStep }"),
        "GRAPHQL_VALIDATION_FAILED",
        "'completeStep'",
    ),
    "an unknown operationName": (
        body(operationName="Nope"),
        "OPERATION_RESOLUTION_FAILURE",
        "no operation named 'Nope'",
    ),
    "several operations and no name": (
        body(query="query A { __typename } query B { __typename }"),
        "OPERATION_RESOLUTION_FAILURE",
        "several operations",
    ),
    "a missing variable": (
        body(query="query($id: ID!) { workflowExecution(id: $id) { id } }"),
        "BAD_USER_INPUT",
        "$id",
    ),
    "a variable of a wrong type": (
        body(query="query($n: Int) { workflowTemplates(first: $n) { totalCount } }", variables={"n": "1"}),
        "BAD_USER_INPUT",
        "$n",
    ),
    "a JSONObject that is none": (
        body(
            query="query($d: JSONObject!) { validateWorkflowDefinition(definition: $d) { code } }",
            variables={"d": [1]},
        ),
        "BAD_USER_INPUT",
        "A JSON object is expected",
    ),
    "NUL in a JSON literal": (
        mutation(r'{a: [{b: "\u0000"}]}'),
        "GRAPHQL_VALIDATION_FAILED",
        "/a/0/b: holds a NUL character",
    ),
    "a lone surrogate in a literal": (mutation(r'{a: "\ud800"}'), "GRAPHQL_PARSE_FAILED", "Unicode escape"),
    "an infinite number in a literal": (
        mutation("{a: 1e400}"),
        "GRAPHQL_VALIDATION_FAILED",
        "/a: not a finite number",
    ),
    "an integer beyond 64 bits in a literal": (
        mutation("{a: 9223372036854775808}"),
        "GRAPHQL_VALIDATION_FAILED",
        "/a: an integer beyond 64 bits",
    ),
    "a literal nested too deeply": (
        mutation(f"{{a: {'[' * 900}{']' * 900}}}"),
        "GRAPHQL_PARSE_FAILED",
        "nested too deeply",
    ),
}


@pytest.mark.parametrize(("content", "code", "fragment"), BAD_DOCUMENTS.values(), ids=BAD_DOCUMENTS.keys())
async def test_a_document_that_cannot_run_is_400_and_nothing_is_executed(
    server: ServerProcess, content: bytes, code: str, fragment: str
) -> None:
    await refuses(server, post(content), 400, code, fragment)


CONTENT_TYPES = {
    "none": (None, "without a Content-Type"),
    "a form": ("application/x-www-form-urlencoded", "not application/x-www-form-urlencoded"),
    "an upload": ("multipart/form-data; boundary=x", "not multipart/form-data"),
    "a document": ("application/graphql", "not application/graphql"),
    "another charset": ("application/json; charset=latin1", "UTF-8, not latin1"),
    "nonsense": ("\xff/;=;;", "A request is sent as application/json"),
}


@pytest.mark.parametrize(("content_type", "fragment"), CONTENT_TYPES.values(), ids=CONTENT_TYPES.keys())
async def test_another_media_type_is_415(
    server: ServerProcess, content_type: str | None, fragment: str
) -> None:
    await refuses(server, post(body(), content_type=content_type), 415, "UNSUPPORTED_MEDIA_TYPE", fragment)


@pytest.mark.parametrize("accept", ["text/xml", "image/*", ";q=x,,/;q=9e999", "application/json;q=0"])
async def test_a_client_that_takes_no_json_gets_406(server: ServerProcess, accept: str) -> None:
    await refuses(server, post(body(), Accept=accept), 406, "NOT_ACCEPTABLE", "'Accept' names none")


def chunked(content: bytes) -> bytes:
    """The content in chunks of 64 KiB, its length not announced."""
    size = 1 << 16
    chunks = [content[at : at + size] for at in range(0, len(content), size)]
    return b"".join(b"%x\r\n%b\r\n" % (len(chunk), chunk) for chunk in chunks) + b"0\r\n\r\n"


LARGE_BODIES = {
    "announced and sent": post(b" " * LARGE),
    "announced and not sent": post(b"", Content_Length=str(LARGE)),
    "in chunks": post(chunked(b" " * LARGE), Content_Length=None, Transfer_Encoding="chunked"),
    "announced beyond all measure": post(b"", Content_Length="9" * 18),
}


@pytest.mark.parametrize("request_", LARGE_BODIES.values(), ids=LARGE_BODIES.keys())
async def test_3_mib_are_413(server: ServerProcess, request_: bytes) -> None:
    await refuses(server, request_, 413, "PAYLOAD_TOO_LARGE", "larger than 2097152 bytes")


def get(target: str, method: str = "GET", **headers: str) -> bytes:
    """A request without a body."""
    lines = "".join(f"{name}: {value}\r\n" for name, value in {"Host": "localhost", **headers}.items())
    return f"{method} {target} HTTP/1.1\r\n{lines}\r\n".encode()


CANCEL = "mutation%7BcancelWorkflowExecution(input:%7Bid:%22x%22%7D)%7B__typename%7D%7D"
SUBSCRIPTION = 'subscription { workflowExecution(id: "x") { id } }'
WRONG_WAYS = {
    "a mutation by GET": (get(f"/graphql?query={CANCEL}"), 405, "METHOD_NOT_ALLOWED", "sent by POST"),
    "a mutation by GET as a stream": (
        get(f"/graphql?query={CANCEL}", Accept="text/event-stream"),
        405,
        "METHOD_NOT_ALLOWED",
        "sent by POST",
    ),
    "a subscription by plain POST": (
        post(body(query=SUBSCRIPTION)),
        406,
        "NOT_ACCEPTABLE",
        "Accept: text/event-stream",
    ),
    "GET without a query": (get("/graphql"), 400, "BAD_REQUEST", "'query' is missing"),
    "GET with variables that are no JSON": (
        get("/graphql?query=%7B__typename%7D&variables=%5B1"),
        400,
        "BAD_REQUEST",
        "'variables' is not JSON",
    ),
    "GET with NUL": (get("/graphql?query=%00"), 400, "BAD_REQUEST", "NUL character"),
    **{
        method: (get("/graphql", method), 405, "METHOD_NOT_ALLOWED", f"not {method}")
        for method in ("PUT", "PATCH", "DELETE", "OPTIONS", "TRACE")
    },
}


@pytest.mark.parametrize(
    ("request_", "status", "code", "fragment"), WRONG_WAYS.values(), ids=WRONG_WAYS.keys()
)
async def test_another_way_to_ask_is_refused(
    server: ServerProcess, request_: bytes, status: int, code: str, fragment: str
) -> None:
    response = await refuses(server, request_, status, code, fragment)
    if status == 405:
        assert "POST" in response.headers["allow"]


async def test_head_of_graphql_is_405_without_a_body(server: ServerProcess) -> None:
    async with http_client(server) as client:
        response = await client.head("/graphql")
    assert (response.status_code, response.headers["allow"], response.content) == (405, "GET, POST", b"")


OTHER_ADDRESSES = {
    "an unknown path": (get("/nope"), 404),
    "a path that is not UTF-8": (get("/%ff%00"), 404),
    "a way out of the assets": (get("/graphiql/assets/../../../../etc/passwd"), 404),
    "a hidden way out of the assets": (get("/graphiql/assets/%2e%2e/%2e%2e/package.json"), 404),
    "an asset with NUL": (get("/graphiql/assets/%00"), 404),
    "an asset with a name of 5,000 characters": (get(f"/graphiql/assets/{'a' * 5_000}"), 404),
    "another method on the health": (get("/healthz", "PUT"), 405),
    "the health in HTTP/1.0": (b"GET /healthz HTTP/1.0\r\nHost: localhost\r\n\r\n", 200),
    "a header of 60 KiB": (get("/healthz", X="a" * 60_000), 200),
    "a header of 100 KiB": (get("/healthz", X="a" * 100_000), 431),
    "an address of 200 KiB": (get(f"/graphql?query={'a' * 200_000}"), 431),
    "20,000 headers": (get("/healthz", **{f"X{n}": "a" for n in range(20_000)}), 431),
    "5,000 headers": (get("/healthz", **{f"X{n}": "a" for n in range(5_000)}), 200),
    "a header that is not ASCII": (b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nX: \xff\r\n\r\n", 200),
    "an upgrade to HTTP/2": (get("/healthz", Upgrade="h2c", Connection="Upgrade"), 200),
}


@pytest.mark.parametrize(("request_", "status"), OTHER_ADDRESSES.values(), ids=OTHER_ADDRESSES.keys())
async def test_other_addresses_answer_what_http_says(
    server: ServerProcess, request_: bytes, status: int
) -> None:
    assert (await exchange(server, request_)).status == status


NOT_HTTP = {
    "a method that there is none of": get("/graphql", "FOO"),
    "a path that is not ASCII": b"GET /\xc3\xa9 HTTP/1.1\r\nHost: localhost\r\n\r\n",
    "HTTP/2 from the start": b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    "TLS": b"\x16\x03\x01\x02\x00\x01\x00\r\n\r\n",
    "a negative length": post(b"", Content_Length="-1"),
    "two lengths": post(b"{}", Content_length="3"),
    "a length and chunks": post(b"0\r\n\r\n", Transfer_Encoding="chunked"),
    "a chunk without a size": post(b"ZZ\r\n", Content_Length=None, Transfer_Encoding="chunked"),
}


@pytest.mark.parametrize("request_", NOT_HTTP.values(), ids=NOT_HTTP.keys())
async def test_what_is_no_http_is_400(server: ServerProcess, request_: bytes) -> None:
    response = await exchange(server, request_)
    assert (response.status, response.body) == (400, b"Invalid HTTP request received.")


async def test_parameters_that_are_null_are_absent(server: ServerProcess) -> None:
    content = body(variables=None, operationName=None, extensions=None)
    response = await exchange(server, post(content))
    assert (response.status, json.loads(response.body)) == (200, {"data": {"__typename": "Query"}})


async def refuses(server: ServerProcess, request: bytes, status: int, code: str, fragment: str) -> Any:
    """The response, which has errors and no data; the first says this."""
    response = await exchange(server, request)
    assert response.status == status, response
    answer = json.loads(response.body)
    assert set(answer) == {"errors"}
    assert answer["errors"][0]["extensions"]["code"] == code
    assert fragment in answer["errors"][0]["message"]
    return response
