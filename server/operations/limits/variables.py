"""How much the variables of an operation hold, told before they are coerced: that takes far longer than to count them.

What is JSON to the schema is one value, whatever is in it: it is passed on as it is.
"""

from collections.abc import Mapping
from typing import Any

from graphql import (
    GraphQLError,
    GraphQLInputObjectType,
    GraphQLList,
    GraphQLNonNull,
    GraphQLSchema,
    is_leaf_type,
    type_from_ast,
)

from server.operations.limits.bounds import OperationLimits, over_limit
from server.operations.limits.measure import OperationMeasure


def check_variables(
    limits: OperationLimits, schema: GraphQLSchema, operation: OperationMeasure, variables: Mapping[str, Any]
) -> list[GraphQLError]:
    """An error for the first variable with which there are too many values; they are as the client sent them."""
    count = 0
    for definition in operation.definition.variable_definitions or ():
        given = variables.get(definition.variable.name.value)
        if isinstance(given, list | dict):
            count += _values(type_from_ast(schema, definition.type), given, limits.values - count)
        if count > limits.values:
            return [over_limit(operation, "values in variables", count, limits.values, definition)]
    return []


def _values(type_: Any, given: Any, most: int) -> int:
    """How many items of lists and members of input objects there are; no more are counted once there are too many."""
    count = 0
    pending = [(type_, given)]
    while pending and count <= most:
        type_, given = pending.pop()
        if isinstance(type_, GraphQLNonNull):
            type_ = type_.of_type
        if isinstance(type_, GraphQLList):
            items = given if isinstance(given, list) else [given]
            count += len(items)
            if count <= most and not is_leaf_type(type_.of_type):
                pending += [(type_.of_type, item) for item in items]
        elif isinstance(type_, GraphQLInputObjectType) and isinstance(given, dict):
            count += len(given)
            pending += [(type_.fields[name].type, given[name]) for name in type_.fields if name in given]
    return count
