"""Frames over an acknowledged WebSocket that close it: what is sent, the code, and a part of the reason."""

import json

from tests.process.raw import text_frame

Closed = tuple[bytes, int, str]


def message(**members: object) -> bytes:
    return text_frame(json.dumps(members).encode())


def subscribe(**payload: object) -> bytes:
    return message(id="1", type="subscribe", payload={"query": "{ __typename }", **payload})


FRAMES: dict[str, Closed] = {
    "a byte order mark": (text_frame(b"\xef\xbb\xbf{}"), 4400, "byte order mark"),
    "an overlong encoding": (text_frame(b'{"type":"\xc0\xaf"}'), 4400, "not UTF-8"),
    "a surrogate in UTF-8": (text_frame(b'{"type":"\xed\xa0\x80"}'), 4400, "not UTF-8"),
    "UTF-16": (text_frame('{"type":"ping"}'.encode("utf-16")), 4400, "not UTF-8"),
    "half a character at a fragment's end": (
        text_frame(b'{"type":"\xe2', final=False) + text_frame(b'\x28"}', opcode=0),
        4400,
        "not UTF-8",
    ),
    "two messages in a frame": (text_frame(b'{"type":"ping"}{"type":"ping"}'), 4400, "not JSON"),
    "a comma too many": (text_frame(b'{"type":"ping",}'), 4400, "not JSON"),
    "NUL after the end": (text_frame(b'{"type":"ping"}\x00'), 4400, "not JSON"),
    "a raw NUL": (text_frame(b'{"type":"pi\x00ng"}'), 4400, "not JSON"),
    "Infinity": (text_frame(b'{"type":"ping","payload":{"a":Infinity}}'), 4400, "not JSON"),
    "an integer beyond 64 bits in a ping": (
        text_frame(b'{"type":"ping","payload":{"a":9223372036854775808}}'),
        4400,
        "beyond 64 bits",
    ),
    "65 levels in a query": (
        text_frame(
            b'{"type":"subscribe","id":"1","payload":{"query":"{a}","variables":{"a":'
            + b"[" * 63
            + b"]" * 63
            + b"}}}"
        ),
        4400,
        "/payload/variables/a",
    ),
    "a type in upper case": (message(type="PING"), 4400, "no message of the type 'PING'"),
    "a type of 60,000 letters": (message(type="a" * 60_000), 4400, "no message of the type 'aaa"),
    "a type that is null": (message(type=None), 4400, "'type' must be a string, not null"),
    "a type that is an array": (message(type=["ping"]), 4400, "'type' must be a string, not an array"),
    "a type of JavaScript": (message(type="__proto__"), 4400, "no message of the type"),
    "the legacy protocol's start": (
        message(type="start", id="1", payload={}),
        4400,
        "no message of the type",
    ),
    "the legacy protocol's end": (message(type="connection_terminate"), 4400, "no message of the type"),
    "an acknowledgement": (message(type="connection_ack"), 4400, "no message of the type 'connection_ack'"),
    "an error of the client's": (message(type="error", id="1", payload=[]), 4400, "no message of the type"),
    "an id that is true": (message(type="complete", id=True), 4400, "'id' must be a string"),
    "an id that is an array": (message(type="complete", id=["1"]), 4400, "'id' must be a string"),
    "an id that is null": (message(type="complete", id=None), 4400, "'id' must be a string"),
    "no id": (message(type="complete"), 4400, "'id' must be a string"),
    "an id of 60,000 letters": (message(type="complete", id="a" * 60_000), 4400, "1 to 256 characters"),
    "a ping's payload that is a text": (
        message(type="ping", payload="x"),
        4400,
        "'payload' must be an object",
    ),
    "a ping's payload that is a number": (
        message(type="ping", payload=0),
        4400,
        "'payload' must be an object",
    ),
    "a pong's payload that is an array": (
        message(type="pong", payload=[]),
        4400,
        "'payload' must be an object",
    ),
    "a payload that is an array": (
        message(type="subscribe", id="1", payload=[{"query": "{a}"}]),
        4400,
        "'payload' must be an object, not an array",
    ),
    "a query that is null": (subscribe(query=None), 4400, "'query' is missing"),
    "a query that is an object": (subscribe(query={}), 4400, "'query' must be a string, not an object"),
    "variables as text": (subscribe(variables="{}"), 4400, "'variables' must be an object"),
    "variables that are false": (subscribe(variables=False), 4400, "'variables' must be an object"),
    "an operationName that is a number": (subscribe(operationName=0), 4400, "'operationName' must be"),
    "a documentId that is an object": (subscribe(documentId={}), 4400, "'documentId' must be a string"),
    "connection_init once more": (message(type="connection_init"), 4429, "Too many initialisation requests"),
    "10,000 fragments of nothing": (
        text_frame(b"", final=False)
        + text_frame(b"", opcode=0, final=False) * 10_000
        + text_frame(b"", opcode=0),
        4400,
        "not JSON",
    ),
    "a close code of the server's": (text_frame(b"\x03\xee", opcode=8), 1002, "status code"),
    "a close code beyond all": (text_frame(b"\xff\xff", opcode=8), 1002, "status code"),
}

# Frames that mean nothing and leave the socket open.
HARMLESS: dict[str, bytes] = {
    "the end of an operation that there is none of": message(type="complete", id="nobody"),
    "a pong that nobody asked for": message(type="pong"),
    "a pong of the protocol below": text_frame(b"x", opcode=10),
    "a pong of the longest size": text_frame(b"x" * 125, opcode=10),
    "members that nobody knows": message(type="pong", nope=1, __proto__={}),
    "a type that is there twice": text_frame(b'{"type":"nope","type":"pong"}'),
    "white space around it": text_frame(b' \r\n{"type":"pong"}\t '),
    "a message in 1,000 fragments": (
        text_frame(b"{", final=False)
        + text_frame(b" ", opcode=0, final=False) * 1_000
        + text_frame(b'"type":"pong"}', opcode=0)
    ),
}
