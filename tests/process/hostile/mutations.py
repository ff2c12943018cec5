"""What clients send, spoilt: requests and frames by number, the same ones each time."""

import json
import random
import re
from collections.abc import Callable
from typing import Any
from urllib.parse import quote

from tests.frontend_documents import document, operation_names, sample_variables
from tests.process.hostile.bodies import GRAPHQL_JSON, request
from tests.process.raw import text_frame

TOKEN = re.compile(r"\s+|[A-Za-z_]\w*|\.\.\.|\"[^\"]*\"|.", re.DOTALL)
ACCEPTS = [GRAPHQL_JSON, "application/json", "*/*", "text/event-stream", "text/html", "", ";", "text/xml"]
POISON: list[Any] = [
    None, True, False, 0, -1, 1.5, 1 << 31, -(1 << 63), 1 << 63, 1 << 70, 1e308, "", " ", "x", "0", "\0", "\u2028",
    "\ufeff", "é", "😀", "\u202e", "%00", "' or 1=1 --", "../../etc/passwd", "${7*7}", "{{7*7}}", "a" * 5_000,
    [], {}, [[]], [None], [1, "a"], {"": {}}, {"__proto__": 1}, {"$ref": "#"}, "2026-01-01T00:00:00Z", "P1D", "1.0.0",
    "exec_01m89ke0fte1m9hverf5hxdyms", "step_01m89ke0fte1m9hverf5hxdyms", "verify", "COMPLETED", "$eval('1')",
]  # fmt: skip
WORDS = [
    "{", "}", "(", ")", "[", "]", ":", "!", "$", "@", "|", "&", "=", "...", "...F", "...ChildFields", "on", "null", "true",
    "query", "mutation", "subscription", "fragment", "__typename", "__schema { types { name } }", "id", "a: id",
    "@skip(if: true)",
    "@include(if: $x)", "@nope", "first: -1", "first: 501", "9" * 400, "1e999", '"', '"""', "\\", "#", "\ufeff", "é", "\0",
    "$id", "$input", "type A { a: Int }", "fragment F on Query { ...F }", "where: {not: {not: {not: {not: {}}}}}",
]  # fmt: skip
BYTES = [
    b"{",
    b"}",
    b"[",
    b'"',
    b"\\",
    b"\\u0000",
    b"\\ud800",
    b"\x00",
    b"\xff",
    b"\xc0\xaf",
    b"\xef\xbb\xbf",
    b"1e400",
    b"NaN",
]


def http_request(number: int) -> bytes:
    """A request over HTTP."""
    rng = random.Random(number)  # noqa: S311  # nothing is secret
    parameters = operation(rng)
    accept = rng.choice(ACCEPTS[:4] * 3 + ACCEPTS)
    if rng.random() < 0.1:
        texts = {
            name: value if isinstance(value, str) else json.dumps(value) for name, value in parameters.items()
        }
        target = "/graphql?" + "&".join(f"{name}={quote(text, safe='{}()')}" for name, text in texts.items())
        return request(
            b"", method="GET", target=target.replace(" ", "%20"), Accept=accept, Content_Length=None
        )
    return request(encoded(rng, parameters), Accept=accept)


def frame(number: int) -> bytes:
    """A frame over WebSocket."""
    rng = random.Random(number)  # noqa: S311  # nothing is secret
    message: Any = {"id": "1", "type": "subscribe", "payload": operation(rng)}
    if rng.random() < 0.3:
        message = spoilt_value(rng, message)
    return text_frame(encoded(rng, message)[:60_000])


def operation(rng: random.Random) -> dict[str, Any]:
    """The parameters of an operation, spoilt in one to three places."""
    name = rng.choice(operation_names())
    parameters: dict[str, Any] = {"query": document(name), "variables": sample_variables(name)}
    for _ in range(rng.randint(1, 3)):
        change = rng.choice(CHANGES)
        parameters = change(rng, parameters)
    return parameters


def encoded(rng: random.Random, value: Any) -> bytes:
    """JSON, some of it with spoilt bytes. What JSON cannot say is said as Python says it."""
    content = json.dumps(value, ensure_ascii=rng.random() < 0.5).encode(errors="replace")
    if rng.random() < 0.15:
        at = rng.randrange(len(content) + 1)
        content = content[:at] + rng.choice(BYTES) + content[at + rng.randrange(4) :]
    return content


def spoilt_document(rng: random.Random, parameters: dict[str, Any]) -> dict[str, Any]:
    """A token of the document dropped, doubled, replaced or moved."""
    if not isinstance(parameters.get("query"), str):
        return parameters
    tokens = TOKEN.findall(parameters["query"])
    at, other = rng.randrange(len(tokens) + 1), rng.randrange(len(tokens) + 1)
    here = tokens[at : at + 1]
    replacement = rng.choice([[], here * 2, here * 40, [f" {rng.choice(WORDS)} "], tokens[other : other + 9]])
    return {**parameters, "query": "".join([*tokens[:at], *replacement, *tokens[at + 1 :]])}


def spoilt_variables(rng: random.Random, parameters: dict[str, Any]) -> dict[str, Any]:
    """A value within the variables replaced, dropped, doubled or wrapped."""
    return {**parameters, "variables": spoilt_value(rng, parameters.get("variables"))}


def spoilt_parameters(rng: random.Random, parameters: dict[str, Any]) -> dict[str, Any]:
    """A parameter that is something else, or one more."""
    name = rng.choice(["query", "variables", "operationName", "extensions", "documentId", "nope"])
    return {**parameters, name: rng.choice(POISON)}


def spoilt_value(rng: random.Random, value: Any) -> Any:
    """A JSON value, spoilt in one place."""
    # A long list of long lists of long lists would be gigabytes.
    often = 600 if len(repr(value)) < 5_000 else 2
    if not value or not isinstance(value, dict | list) or rng.random() < 0.2:
        poison = rng.choice(POISON)
        return (
            rng.choice([poison, [value], {"a": value}, [value] * often, nested(value, 70)])
            if rng.random() < 0.3
            else poison
        )
    if isinstance(value, list):
        at = rng.randrange(len(value))
        return [*value[:at], spoilt_value(rng, value[at]), *value[at + rng.randrange(2) :]]
    key = rng.choice(sorted(value))
    if rng.random() < 0.1:
        return {other: value[other] for other in value if other != key}
    return {**value, key: spoilt_value(rng, value[key])}


def nested(value: Any, depth: int) -> Any:
    for _ in range(depth):
        value = [value]
    return value


Change = Callable[[random.Random, dict[str, Any]], dict[str, Any]]
CHANGES: list[Change] = [spoilt_document] * 4 + [spoilt_variables] * 4 + [spoilt_parameters]
