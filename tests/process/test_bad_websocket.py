"""What is no message, over WebSocket against a process (`live.md` W2, W3): the close code and what is wrong."""

import json

import pytest

from tests.process.clients import ask_over_websocket
from tests.process.raw import close_frame, exchange, text_frame
from tests.servers import ServerProcess

KEY = "AAAAAAAAAAAAAAAAAAAAAA=="
INIT = b'{"type":"connection_init"}'


def subscribe(**fields: object) -> bytes:
    message = {"id": "1", "type": "subscribe", "payload": {"query": "{ __typename }"}}
    return json.dumps(message | fields).encode()


MALFORMED_MESSAGES = {
    "nothing": (b"", "not JSON"),
    "an array": (b"[]", "object, not an array"),
    "a number": (b"1", "object, not a number"),
    "null": (b"null", "object, not null"),
    "a string": (b'"x"', "object, not a string"),
    "NaN": (b'{"type":NaN}', "not JSON"),
    "an infinite number": (b'{"type":"ping","payload":{"a":1e400}}', "not JSON"),
    "a lone surrogate": (b'{"type":"ping","payload":{"a":"\\ud800"}}', "surrogate"),
    "NUL": (b'{"type":"ping","payload":{"a":"\\u0000"}}', "/payload/a: holds a NUL character"),
    "too deep": (b"[" * 30_000, "depth limit"),
    "too deep to keep": (
        b'{"type":"ping","payload":{"a":' + b"[" * 70 + b"]" * 70 + b"}}",
        "/payload/a/0/0/0",
    ),
    "bytes that are not UTF-8": (b"\xff", "not UTF-8"),
    "no type": (b"{}", "'type' must be a string, not null"),
    "a type that is a number": (b'{"type":1}', "'type' must be a string, not a number"),
    "an unknown type": (b'{"type":"start"}', "no message of the type 'start'"),
    "a server's type": (b'{"type":"next","id":"1"}', "no message of the type 'next'"),
    "an id that is an object": (subscribe(id={}), "'id' must be a string"),
    "an id that is empty": (subscribe(id=""), "'id' must be a string"),
    "an id of 257 characters": (subscribe(id="a" * 257), "1 to 256 characters"),
    "an id with NUL": (subscribe(id="\0"), "'id' must be a string"),
    "no payload": (b'{"type":"subscribe","id":"1"}', "'query' is missing"),
    "a payload that is a string": (subscribe(payload="{ __typename }"), "'payload' must be an object"),
    "a query that is a number": (subscribe(payload={"query": 1}), "'query' must be a string"),
    "variables in an array": (subscribe(payload={"query": "{a}", "variables": []}), "'variables' must be"),
    "an operationName that is an array": (
        subscribe(payload={"query": "{a}", "operationName": []}),
        "'operationName' must be",
    ),
    "extensions that are a string": (
        subscribe(payload={"query": "{a}", "extensions": "x"}),
        "'extensions' must be",
    ),
}


@pytest.mark.parametrize(("message", "fragment"), MALFORMED_MESSAGES.values(), ids=MALFORMED_MESSAGES.keys())
async def test_a_malformed_message_closes_with_4400_and_says_what_is_wrong(
    server: ServerProcess, message: bytes, fragment: str
) -> None:
    code, reason = await close_frame(server, text_frame(INIT), text_frame(message))
    assert code == 4400
    assert fragment in reason


PROTOCOL_ERRORS = {
    "a binary frame": (text_frame(INIT, opcode=2), 4400, "Binary frames"),
    "an operation before connection_init": (text_frame(subscribe()), 4401, "Unauthorized"),
    "connection_init twice": (text_frame(INIT) * 2, 4429, "Too many initialisation requests"),
    "an id twice": (
        text_frame(INIT)
        + text_frame(subscribe(payload={"query": "mutation { a: __typename }"}))
        + text_frame(subscribe(payload={"query": "mutation { a: __typename }"})),
        4409,
        "Subscriber for 1 already exists",
    ),
    "64 KiB and more": (text_frame(b" " * 70_000), 1009, "exceeds limit of 65536 bytes"),
    "64 KiB and more in fragments": (
        text_frame(b" " * 40_000, final=False) + text_frame(b" " * 40_000, opcode=0),
        1009,
        "exceeds limit of 65536 bytes",
    ),
    "a length of 63 bits": (b"\x81\xff\x7f" + b"\xff" * 7 + bytes(4), 1009, "exceeds limit"),
    "a frame that is not masked": (b"\x81\x02{}", 1002, "masking"),
    "reserved bits": (b"\xf1\x82" + bytes(4) + b"{}", 1002, "reserved bits"),
    "an unknown opcode": (text_frame(b"{}", opcode=3), 1002, "opcode"),
    "a continuation of nothing": (text_frame(b"{}", opcode=0), 1002, "continuation"),
    "a message within a message": (text_frame(b"{", final=False) + text_frame(b"}"), 1002, "continuation"),
    "a ping that is too long": (text_frame(b"a" * 255, opcode=9), 1002, "control frame too long"),
    "a ping in fragments": (text_frame(b"a", opcode=9, final=False), 1002, "fragmented control frame"),
    "a close code that is cut off": (text_frame(b"a", opcode=8), 1002, "close frame too short"),
    "a close code that does not exist": (text_frame(b"\0\1", opcode=8), 1002, "status code"),
    "a close reason that is not UTF-8": (text_frame(b"\x03\xe8\xff", opcode=8), 1007, "start byte"),
}


@pytest.mark.parametrize(("frames", "code", "fragment"), PROTOCOL_ERRORS.values(), ids=PROTOCOL_ERRORS.keys())
async def test_frames_that_break_a_protocol_close_with_its_code(
    server: ServerProcess, frames: bytes, code: int, fragment: str
) -> None:
    closed, reason = await close_frame(server, frames)
    assert closed == code
    assert fragment in reason


FAULTY_OPERATIONS = {
    "a syntax error": ("{", {}, "GRAPHQL_PARSE_FAILED", "Expected Name"),
    "an unknown field": ("{ nope }", {}, "GRAPHQL_VALIDATION_FAILED", "'nope'"),
    "NUL in a variable": ("{ __typename }", {"a": "\0"}, "BAD_REQUEST", "/payload/variables/a: holds a NUL"),
    "an integer beyond 64 bits": ("{ __typename }", {"a": 1 << 63}, "BAD_REQUEST", "beyond 64 bits"),
    "a missing variable": (
        "subscription($id: ID!) { workflowExecution(id: $id) { id } }",
        {},
        "BAD_USER_INPUT",
        "$id",
    ),
    "an execution that there is none of": (
        'subscription { workflowExecution(id: "x") { id } }',
        {},
        "NOT_FOUND",
        "no execution with the id 'x'",
    ),
}


@pytest.mark.parametrize(
    ("query", "variables", "code", "fragment"), FAULTY_OPERATIONS.values(), ids=FAULTY_OPERATIONS.keys()
)
async def test_a_faulty_operation_is_its_own_error(
    server: ServerProcess, query: str, variables: dict[str, object], code: str, fragment: str
) -> None:
    answer = await ask_over_websocket(server, query, **variables)
    assert set(answer) == {"errors"}
    assert answer["errors"][0]["extensions"]["code"] == code
    assert fragment in answer["errors"][0]["message"]


def upgrade(path: str = "/graphql", method: str = "GET", key: str | None = KEY, **headers: str) -> bytes:
    """A handshake as bytes."""
    lines = {
        "Host": "localhost",
        "Upgrade": "websocket",
        "Connection": "Upgrade",
        "Sec-WebSocket-Version": "13",
    }
    lines |= {"Sec-WebSocket-Key": key} if key is not None else {}
    lines |= {name.replace("_", "-"): value for name, value in headers.items()}
    text = "".join(f"{name}: {value}\r\n" for name, value in lines.items())
    return f"{method} {path} HTTP/1.1\r\n{text}\r\n".encode("latin-1")


HANDSHAKES = {
    "no key": (upgrade(key=None), 400),
    "a key that is none": (upgrade(key="x"), 400),
    "an old version": (upgrade(Sec_WebSocket_Version="1"), 400),
    "by POST": (upgrade(method="POST"), 405),
    "a subprotocol that is none": (upgrade(Sec_WebSocket_Protocol="a b"), 400),
    "an unknown path": (upgrade("/nope"), 403),
    "the health": (upgrade("/healthz"), 403),
    "an asset": (upgrade("/graphiql/assets/x.js"), 403),
    "a page of another origin": (upgrade(Origin="http://evil.example"), 403),
    "a page without an origin": (upgrade(Origin="null"), 403),
    "an origin that is not ASCII": (upgrade(Origin="\xff"), 403),
    "an origin that is no URL": (upgrade(Origin="http://["), 403),
    "a header of 20,000 characters": (upgrade(X="a" * 20_000), 400),
    "300 headers": (upgrade(**{f"X{n}": "a" for n in range(300)}), 400),
    "a body": (upgrade(Content_Length="5") + b"hello", 400),
}


@pytest.mark.parametrize(("request_", "status"), HANDSHAKES.values(), ids=HANDSHAKES.keys())
async def test_a_handshake_that_is_wrong_opens_nothing(
    server: ServerProcess, request_: bytes, status: int
) -> None:
    assert (await exchange(server, request_)).status == status
