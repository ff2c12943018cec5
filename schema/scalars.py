"""Scalars beyond GraphQL's own."""

from typing import Any, NewType

import strawberry
from graphql import GraphQLError, ObjectValueNode, Undefined, ValueNode, value_from_ast_untyped
from strawberry.types.scalar import ScalarDefinition

from db.runtime.json_values import InvalidJSON, check_json

JSON = NewType("JSON", object)
JSONObject = NewType("JSONObject", dict[str, Any])
Duration = NewType("Duration", str)


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
