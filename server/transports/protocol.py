"""`graphql-transport-ws`: its messages, both ways, and its close codes. What they lead to is `websocket.py`.

https://github.com/enisdenjo/graphql-ws/blob/master/PROTOCOL.md
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import IntEnum
from typing import Any, Final

import orjson

from db.runtime.json_values import InvalidJSON, check_json
from server.operations.requests import MAX_DEPTH, BadRequest, GraphQLRequest, json_type, read_json
from server.operations.responses import FormattedError

SUBPROTOCOL: Final = "graphql-transport-ws"

MAX_ID: Final = 256  # characters; an id is kept and sent with every event

CONNECTION_ACK: Final = '{"type":"connection_ack"}'


class CloseCode(IntEnum):
    """Why a socket is closed. Clients of graphql-ws reconnect after 1012, 1013, 4403 and 4408 only."""

    SERVICE_RESTART = 1012
    TRY_AGAIN_LATER = 1013
    BAD_REQUEST = 4400
    UNAUTHORIZED = 4401
    FORBIDDEN = 4403
    SUBPROTOCOL_NOT_ACCEPTABLE = 4406
    CONNECTION_INITIALISATION_TIMEOUT = 4408
    SUBSCRIBER_ALREADY_EXISTS = 4409
    TOO_MANY_INITIALISATION_REQUESTS = 4429
    INTERNAL_SERVER_ERROR = 4500


class MalformedMessage(ValueError):
    """A frame that is no message of the protocol; the message is the close reason."""


@dataclass(frozen=True, slots=True)
class ConnectionInit:
    payload: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Ping:
    payload: Mapping[str, Any] | None


@dataclass(frozen=True, slots=True)
class Pong:
    payload: Mapping[str, Any] | None


@dataclass(frozen=True, slots=True)
class Subscribe:
    """`fault` is what makes the payload unusable without making the message malformed."""

    id: str
    request: GraphQLRequest
    fault: str | None = None


@dataclass(frozen=True, slots=True)
class Complete:
    id: str


ClientMessage = ConnectionInit | Ping | Pong | Subscribe | Complete


def parse_message(text: str) -> ClientMessage:
    """The message in a text frame. Raises `MalformedMessage`."""
    try:
        message = read_json(text.encode(), "The message")
    except BadRequest as error:
        raise MalformedMessage(str(error)) from None
    fault = _fault(message)
    if not isinstance(message, dict):
        raise MalformedMessage(f"A message is an object, not {json_type(message)}.")
    kind = message.get("type")
    if fault and kind != "subscribe":
        raise MalformedMessage(fault)
    match kind:
        case "connection_init":
            return ConnectionInit(_payload(message) or {})
        case "ping":
            return Ping(_payload(message))
        case "pong":
            return Pong(_payload(message))
        case "complete":
            return Complete(_id(message))
        case "subscribe":
            request = _request(message)
            return Subscribe(_id(message), request, fault or request.fault)
        case str():
            raise MalformedMessage(f"There is no message of the type {kind[:50]!r} from a client.")
    raise MalformedMessage(f"The message's 'type' must be a string, not {json_type(kind)}.")


def next_prefix(operation_id: str) -> str:
    """What stands before the payload of a `next` message; `}` closes it."""
    return f'{{"id":{_quoted(operation_id)},"type":"next","payload":'


def error_message(operation_id: str, errors: list[FormattedError]) -> str:
    payload = orjson.dumps(errors).decode()
    return f'{{"id":{_quoted(operation_id)},"type":"error","payload":{payload}}}'


def complete_message(operation_id: str) -> str:
    return f'{{"id":{_quoted(operation_id)},"type":"complete"}}'


def pong_message(payload: Mapping[str, Any] | None) -> str:
    message = {"type": "pong"} if payload is None else {"type": "pong", "payload": payload}
    return orjson.dumps(message).decode()


def _fault(message: object) -> str | None:
    """What forbids a value in the message; a nesting that is too deep makes it malformed."""
    try:
        check_json(message, max_depth=MAX_DEPTH)
    except InvalidJSON as error:
        if error.is_limit:
            raise MalformedMessage(f"The message cannot be read: {error}.") from None
        return f"The message cannot be read: {error}."
    return None


def _id(message: Mapping[str, Any]) -> str:
    value = message.get("id")
    if not isinstance(value, str) or not 0 < len(value) <= MAX_ID or "\0" in value:
        raise MalformedMessage(f"The message's 'id' must be a string of 1 to {MAX_ID} characters.")
    return value


def _payload(message: Mapping[str, Any]) -> Mapping[str, Any] | None:
    value = message.get("payload")
    if value is not None and not isinstance(value, dict):
        raise MalformedMessage(f"The message's 'payload' must be an object, not {json_type(value)}.")
    return value


def _request(message: Mapping[str, Any]) -> GraphQLRequest:
    try:
        return GraphQLRequest.from_json(_payload(message) or {})
    except BadRequest as error:
        raise MalformedMessage(f"In the message's 'payload': {error}") from None


def _quoted(text: str) -> str:
    return orjson.dumps(text).decode()
