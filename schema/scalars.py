"""Scalars beyond GraphQL's own."""

import re
from datetime import UTC, datetime
from typing import Any, NewType

import strawberry
from graphql import GraphQLError, ObjectValueNode, Undefined, ValueNode, value_from_ast_untyped
from strawberry.types.scalar import ScalarDefinition

from db.runtime.json_values import InvalidJSON, check_json
from db.runtime.moments import timestamp_text

JSON = NewType("JSON", object)
JSONObject = NewType("JSONObject", dict[str, Any])
Duration = NewType("Duration", str)


# Six decimals at most, which is what both databases keep.
_DATE_TIME = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{1,6})?(Z|[+-][0-9]{2}:[0-9]{2})"
)


def _moment(value: Any) -> datetime:
    text = value.upper() if isinstance(value, str) else ""
    if not _DATE_TIME.fullmatch(text):
        raise GraphQLError("A DateTime is expected, such as 2026-11-22T06:33:14.554268Z.")
    try:
        return datetime.fromisoformat(text).astimezone(UTC)
    except (ValueError, OverflowError):
        raise GraphQLError(f"There is no such moment as {value}, or none from the year 1 to 9999.") from None


def _json(value: Any) -> Any:
    try:
        check_json(value)
    except InvalidJSON as error:
        # A key that cannot be stored cannot be shown as it is either.
        place = error.pointer.encode("utf-8", "backslashreplace").decode() or "/"
        raise GraphQLError(f"Not JSON that is accepted here, at {place}: {error.message}") from error
    return value


def _json_object(value: Any) -> Any:
    if not isinstance(value, dict):
        raise GraphQLError("A JSON object is expected.")
    return _json(value)


def _literal(node: ValueNode, variables: dict[str, Any] | None = None) -> Any:
    return _json(_given(value_from_ast_untyped(node, variables)))


def _given(value: Any) -> Any:
    """A literal's value: as in input objects, a member whose variable was not given is not there."""
    if isinstance(value, dict):
        return {key: _given(member) for key, member in value.items() if member is not Undefined}
    if isinstance(value, list):
        return [None if member is Undefined else _given(member) for member in value]
    return value


def _object_literal(node: ValueNode, variables: dict[str, Any] | None = None) -> Any:
    if not isinstance(node, ObjectValueNode):
        raise GraphQLError("A JSON object is expected.")
    return _literal(node, variables)


def _same(value: Any) -> Any:
    return value


SCALARS: dict[object, ScalarDefinition] = {
    datetime: strawberry.scalar(
        name="DateTime",
        description="RFC 3339. Shown in UTC with six decimals and a trailing `Z`; taken with any offset and up to six.",
        specified_by_url="https://www.rfc-editor.org/rfc/rfc3339",
        serialize=timestamp_text,
        parse_value=_moment,
    ),
    JSON: strawberry.scalar(
        name="JSON",
        description="Any JSON value. Integers have at most 64 bits; NUL characters and lone surrogates are refused.",
        serialize=_same,
        parse_value=_json,
        parse_literal=_literal,
    ),
    JSONObject: strawberry.scalar(
        name="JSONObject",
        description="A JSON object, with the bounds of `JSON`.",
        serialize=_same,
        parse_value=_json_object,
        parse_literal=_object_literal,
    ),
    Duration: strawberry.scalar(
        name="Duration",
        description="An ISO 8601 duration, such as `P3D` or `PT10S`.",
        serialize=_same,
        parse_value=_same,
    ),
}
