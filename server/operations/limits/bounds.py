"""The bounds themselves, and the errors about what passes them."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from graphql import GraphQLError, Node

from server.operations.limits.cost import Variables
from server.operations.limits.measure import OperationMeasure


@dataclass(frozen=True, slots=True)
class OperationLimits:
    """How much one operation may ask for, and how long a query or a mutation may take.

    `characters` and `tokens` are counted in the whole document, the tokens by the parser; `values` in the variables.
    """

    characters: int = 128 * 1024
    tokens: int = 2_000
    depth: int = 12
    introspection_depth: int = 15  # as deep as the standard introspection query
    aliases: int = 30
    directives: int = 50
    root_fields: int = 10
    nodes: int = 10_000
    values: int = 5_000
    seconds: float = 10.0


def check_document(limits: OperationLimits, operations: Iterable[OperationMeasure]) -> list[GraphQLError]:
    """An error for every bound that an operation passes whatever its variables are."""
    return [error for operation in operations for error in _passed(limits, operation)]


def check_nodes(
    limits: OperationLimits, operation: OperationMeasure, variables: Variables
) -> list[GraphQLError]:
    """An error if the operation asks for too many nodes with these variables, which are coerced."""
    nodes = operation.cost.nodes(variables)
    if nodes <= limits.nodes:
        return []
    costliest, _ = max(operation.roots, key=lambda root: root[1].nodes(variables))
    return [over_limit(operation, "nodes", nodes, limits.nodes, costliest)]


def _passed(limits: OperationLimits, operation: OperationMeasure) -> Iterator[GraphQLError]:
    total, whole = operation.total, operation.definition
    for limit, actual, maximum, place in (
        ("depth", total.depth.fields, limits.depth, total.depth.innermost),
        (
            "introspection depth",
            total.introspection.fields,
            limits.introspection_depth,
            total.introspection.innermost,
        ),
        ("aliases", total.aliases, limits.aliases, whole),
        ("directives", total.directives, limits.directives, whole),
        ("root fields", total.fields, limits.root_fields, whole),
    ):
        if actual > maximum:
            yield over_limit(operation, limit, actual, maximum, place or whole)


def over_limit(
    operation: OperationMeasure, limit: str, actual: int, maximum: int, place: Node
) -> GraphQLError:
    """The error of an operation that passes a bound."""
    name = operation.definition.name
    whose = f"The operation {name.value!r}" if name else "The operation"
    message = f"{whose} is over the limit of {limit}: {actual:,}, and at most {maximum:,} are allowed."
    return GraphQLError(message, place, extensions={"limit": limit, "actual": actual, "maximum": maximum})
