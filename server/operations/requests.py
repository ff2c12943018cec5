"""What a client asks: a GraphQL request, read from strict JSON or from a query string.

Media types, body sizes and methods are `server/transports/http.py`; messages over WebSocket are
`server/transports/protocol.py`.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Self

import orjson

from db.runtime.json_values import InvalidJSON, check_json
from server.operations.documents import sha256_of

MAX_DEPTH: Final = 64  # of objects and arrays in a request
MAX_JSON_VALUES: Final = 200_000  # of a request: each takes its time, in the one thread that there is
PERSISTED_QUERY: Final = "persistedQuery"

# orjson reads an integer beyond 64 bits as a float; only text with so many digits in a row can hold one.
_LONG_INTEGER: Final = re.compile(rb"\d{19}")
_DIGITS_BEYOND_64_BITS: Final = 21


class BadRequest(ValueError):
    """What was sent is not a GraphQL request; the message says what is wrong and where."""


@dataclass(frozen=True, slots=True)
class GraphQLRequest:
    """One operation to run: GraphQL over HTTP's parameters. `document_id` stands for a document that the server has.

    So does Apollo's `persistedQuery` among the extensions; beside a query it is a checksum.
    """

    query: str | None = None
    variables: Mapping[str, Any] = field(default_factory=dict)
    operation_name: str | None = None
    extensions: Mapping[str, Any] = field(default_factory=dict)
    document_id: str | None = None

    @property
    def fault(self) -> str | None:
        """What makes the request unusable though each of its parameters is well-formed."""
        if self.query is not None and self.document_id is not None:
            return "The request has both 'query' and 'documentId': give one of them."
        if self.extensions.get(PERSISTED_QUERY) is None:
            return None
        if self.sha256_hash is None:
            return (
                "'extensions.persistedQuery' must be an object with 'version' 1 and the string 'sha256Hash'."
            )
        if self.document_id is not None:
            return "The request has both 'documentId' and 'extensions.persistedQuery': give one of them."
        if self.query is not None and sha256_of(self.query) != self.sha256_hash:
            return "'extensions.persistedQuery.sha256Hash' is not the SHA-256 of 'query'."
        return None

    @property
    def sha256_hash(self) -> str | None:
        """The id of a document, as Apollo's clients give it."""
        match self.extensions.get(PERSISTED_QUERY):
            case {"version": 1, "sha256Hash": str(found)}:
                return found
        return None

    @classmethod
    def from_json(cls, value: object) -> Self:
        """From a decoded JSON value. Raises `BadRequest` for a parameter that is missing or of a wrong type."""
        if not isinstance(value, dict):
            raise BadRequest(f"A GraphQL request is a JSON object, not {json_type(value)}.")
        request = cls(
            query=_text(value, "query"),
            variables=_object(value, "variables"),
            operation_name=_text(value, "operationName") or None,
            extensions=_object(value, "extensions"),
            document_id=_text(value, "documentId"),
        )
        names_document = (
            request.document_id is not None or request.extensions.get(PERSISTED_QUERY) is not None
        )
        if request.query is None and not names_document:
            raise BadRequest("The parameter 'query' is missing, and so is 'documentId'.")
        return request

    @classmethod
    def from_body(cls, body: bytes) -> Self:
        """From the body of a POST."""
        return cls.from_json(decode_json(body, "The body"))

    @classmethod
    def from_parameters(cls, parameters: Mapping[str, str]) -> Self:
        """From a query string, where `variables` and `extensions` are JSON text."""
        value: dict[str, Any] = dict(parameters)
        for name in ("variables", "extensions"):
            if text := parameters.get(name):
                value[name] = decode_json(text.encode(), f"The parameter {name!r}")
            else:
                value.pop(name, None)
        _check(value, "The query string")
        return cls.from_json(value)


def decode_json(text: bytes, what: str) -> Any:
    """The value of strict JSON text (`runtime.md` I5); raises `BadRequest`, which begins with `what`."""
    value = read_json(text, what)
    _check(value, what)
    return value


def read_json(text: bytes, what: str) -> Any:
    """The value of JSON text, integers exact; what stands in it is not checked. Raises `BadRequest`."""
    if _holds_too_much(text):
        raise BadRequest(f"{what} holds more than {MAX_JSON_VALUES:,} JSON values.")
    try:
        value = orjson.loads(text)
        if _LONG_INTEGER.search(text):
            return json.loads(text, parse_int=_integer)
    except (orjson.JSONDecodeError, RecursionError) as error:
        raise BadRequest(f"{what} is not JSON: {error}.") from None
    return value


def json_type(value: object) -> str:
    """What JSON calls a decoded value."""
    match value:
        case None:
            return "null"
        case bool():
            return "a boolean"
        case int() | float():
            return "a number"
        case str():
            return "a string"
        case list():
            return "an array"
    return "an object"


def _check(value: object, what: str) -> None:
    try:
        check_json(value, max_depth=MAX_DEPTH)
    except InvalidJSON as error:
        raise BadRequest(f"{what} cannot be read: {error}.") from None


def _holds_too_much(text: bytes) -> bool:
    """Told from the text, for what is too much takes long to read. An empty object counts as two."""
    return _signs(text) > MAX_JSON_VALUES and _signs(_outside_strings(text)) > MAX_JSON_VALUES


def _outside_strings(text: bytes) -> bytes:
    without_escapes = text.replace(b"\\\\", b"").replace(b'\\"', b"")
    return b"".join(without_escapes.split(b'"')[::2])


def _signs(text: bytes) -> int:
    """At least one for each value but the outermost: the comma before it, or the bracket."""
    return text.count(b",") + text.count(b"[") + text.count(b"{")


def _integer(digits: str) -> int:
    """The integer; of endless digits one that is out of range too, for `int` takes no more than 4,300."""
    return int(digits[:_DIGITS_BEYOND_64_BITS])


def _text(request: Mapping[str, Any], name: str) -> str | None:
    value = request.get(name)
    if value is None or isinstance(value, str):
        return value
    raise BadRequest(f"The parameter {name!r} must be a string, not {json_type(value)}.")


def _object(request: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    value = request.get(name)
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise BadRequest(f"The parameter {name!r} must be an object, not {json_type(value)}.")
    return value
