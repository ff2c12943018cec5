"""What a client is answered: error codes, masking of what nobody expected, JSON bytes and media types.

Status codes are `server/transports/http.py`; frames and events are `protocol.py` and `sse.py` beside it.
"""

import logging
import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from typing import Any, Final

import orjson
from graphql import GraphQLError

from db.session import StorageFull, Unavailable
from server.telemetry.metrics import UNEXPECTED_ERRORS
from server.telemetry.seldom import Seldom

logger = logging.getLogger(__name__)
# Whoever asks meanwhile is refused for the same reason, and a full disk may be that of the log.
_refusals = Seldom(logger)

JSON: Final = "application/json"
GRAPHQL_JSON: Final = "application/graphql-response+json"
EVENT_STREAM: Final = "text/event-stream"
HTML: Final = "text/html"
LONGEST_MESSAGE: Final = 1_000  # characters; graphql-core repeats names and values however long they are
_ANY_JSON: Final = ("*/*", "application/*")

FormattedError = dict[str, Any]


class ErrorCode(StrEnum):
    """`extensions.code` of errors that arise before or beside a resolver."""

    BAD_REQUEST = "BAD_REQUEST"
    BAD_USER_INPUT = "BAD_USER_INPUT"
    DOCUMENT_NOT_TRUSTED = "DOCUMENT_NOT_TRUSTED"
    FORBIDDEN = "FORBIDDEN"
    GRAPHQL_PARSE_FAILED = "GRAPHQL_PARSE_FAILED"
    GRAPHQL_VALIDATION_FAILED = "GRAPHQL_VALIDATION_FAILED"
    INTERNAL_SERVER_ERROR = "INTERNAL_SERVER_ERROR"
    LIMIT_EXCEEDED = "LIMIT_EXCEEDED"
    METHOD_NOT_ALLOWED = "METHOD_NOT_ALLOWED"
    NOT_ACCEPTABLE = "NOT_ACCEPTABLE"
    OPERATION_RESOLUTION_FAILURE = "OPERATION_RESOLUTION_FAILURE"
    ORIGIN_NOT_ALLOWED = "ORIGIN_NOT_ALLOWED"
    PAYLOAD_TOO_LARGE = "PAYLOAD_TOO_LARGE"
    PERSISTED_DOCUMENT_NOT_FOUND = "PERSISTED_DOCUMENT_NOT_FOUND"
    PERSISTED_QUERY_NOT_FOUND = "PERSISTED_QUERY_NOT_FOUND"  # Apollo's, on which its clients send the text
    REQUEST_TIMEOUT = "REQUEST_TIMEOUT"
    STORAGE_FULL = "STORAGE_FULL"
    TIMEOUT = "TIMEOUT"
    TOO_MANY_OPERATIONS = "TOO_MANY_OPERATIONS"
    UNAUTHENTICATED = "UNAUTHENTICATED"
    UNAVAILABLE = "UNAVAILABLE"
    UNSUPPORTED_MEDIA_TYPE = "UNSUPPORTED_MEDIA_TYPE"


@dataclass(frozen=True, slots=True)
class ExecutionOutcome:
    """The answer to one operation or one event. `was_executed` is false where a request error came before."""

    data: dict[str, Any] | None
    errors: list[FormattedError]
    was_executed: bool = True


def refused(errors: list[FormattedError]) -> ExecutionOutcome:
    """The answer to a request that was not executed."""
    return ExecutionOutcome(None, errors, was_executed=False)


def error(message: str, code: ErrorCode) -> FormattedError:
    """An error that has no place in a document."""
    return {"message": message, "extensions": {"code": code}}


def format_errors(errors: Iterable[GraphQLError], code: ErrorCode) -> list[FormattedError]:
    """Errors as the response shows them. `code` stands where an error has none of its own.

    An error whose cause is no `GraphQLError` was expected by nobody: logged with an id and masked
    (`security.md` A7).
    """
    return [_masked(each, cause) if (cause := _cause(each)) else _shown(each, code) for each in errors]


def format_input_errors(errors: Iterable[GraphQLError], code: ErrorCode) -> list[FormattedError]:
    """As `format_errors`, about what the client sent: a scalar's `ValueError` is the client's as well."""
    return [
        _masked(each, cause)
        if (cause := _cause(each)) and not isinstance(cause, ValueError)
        else _shown(each, code)
        for each in errors
    ]


def internal_error(cause: BaseException) -> FormattedError:
    """The masked error for an exception that nobody expected, which is logged with the same id.

    A database that is away or has no room is no mystery: clients may try again (`security.md` O3, O5).
    """
    if isinstance(cause, Unavailable):
        _refusals.warn(str(cause))
        return _passing(cause)
    error_id = uuid.uuid4().hex
    UNEXPECTED_ERRORS.inc()
    logger.error("Unexpected error %s", error_id, exc_info=cause, extra={"error_id": error_id})
    extensions = {"code": ErrorCode.INTERNAL_SERVER_ERROR, "id": error_id}
    return {"message": "Internal server error", "extensions": extensions}


def _passing(cause: Unavailable) -> FormattedError:
    if isinstance(cause, StorageFull):
        return error("The database has no room left at the moment. Try again.", ErrorCode.STORAGE_FULL)
    return error("The database does not answer at the moment. Try again.", ErrorCode.UNAVAILABLE)


def encode_outcome(outcome: ExecutionOutcome) -> bytes:
    """The JSON text of an answer, on one line. `data` may hold `orjson.Fragment`."""
    body: dict[str, Any] = {"errors": outcome.errors} if outcome.errors else {}
    if outcome.was_executed:
        body["data"] = outcome.data
    try:
        return orjson.dumps(body)
    except TypeError as cause:  # orjson's errors are this: a resolver's value that JSON cannot show
        return orjson.dumps({"errors": [internal_error(cause)], "data": None})


@dataclass(frozen=True, slots=True)
class Accepted:
    """What a client takes, by its Accept header."""

    # To answer with; None where it takes no JSON.
    json: str | None
    # By name: a wildcard means no stream.
    has_events: bool
    prefers_events: bool
    prefers_html: bool


@lru_cache(maxsize=64)  # clients send the same few
def accepted_by(accept: str | None) -> Accepted:
    """What a client takes that sends this Accept header, or none."""
    ranges = media_ranges(accept or "")
    return Accepted(
        json=_json_media_type(ranges) if accept and accept.strip() else JSON,
        has_events=EVENT_STREAM in ranges,
        prefers_events=_first_of(ranges, EVENT_STREAM, JSON, GRAPHQL_JSON, *_ANY_JSON) == EVENT_STREAM,
        prefers_html=_first_of(ranges, HTML, JSON, GRAPHQL_JSON, EVENT_STREAM) == HTML,
    )


def media_ranges(accept: str) -> tuple[str, ...]:
    """The media ranges of an Accept header that are wanted, the most wanted first (RFC 9110 12.5.1)."""
    weighted = [_weighted(part) for part in accept.lower().split(",") if part.strip()]
    return tuple(name for name, weight in sorted(weighted, key=lambda each: -each[1]) if weight > 0)


def _json_media_type(ranges: tuple[str, ...]) -> str | None:
    found = _first_of(ranges, JSON, GRAPHQL_JSON, *_ANY_JSON)
    return JSON if found in _ANY_JSON else found


def _first_of(ranges: tuple[str, ...], *names: str) -> str | None:
    return next((name for name in ranges if name in names), None)


def _weighted(part: str) -> tuple[str, float]:
    name, *parameters = (each.strip() for each in part.split(";"))
    for parameter in parameters:
        key, _, value = parameter.partition("=")
        if key.strip() == "q":
            try:
                return name, float(value)
            except ValueError:
                return name, 0.0
    return name, 1.0


def _cause(each: GraphQLError) -> Exception | None:
    """The exception behind an error; None where there are only GraphQL errors."""
    cause = each.original_error
    while isinstance(cause, GraphQLError):
        cause = cause.original_error
    return cause


def _masked(each: GraphQLError, cause: Exception) -> FormattedError:
    masked = internal_error(cause)
    if each.locations:
        masked["locations"] = [location.formatted for location in each.locations]
    if each.path is not None:
        masked["path"] = each.path
    return masked


def _shown(each: GraphQLError, code: ErrorCode) -> FormattedError:
    shown: FormattedError = {**each.formatted}
    if len(each.message) > LONGEST_MESSAGE:
        shown["message"] = each.message[: LONGEST_MESSAGE - 1] + "…"
    shown["extensions"] = {"code": code, **(each.extensions or {})}
    return shown
