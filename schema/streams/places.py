"""What is streamed, if it is there."""

from graphql import GraphQLError

from db.lookups import Place, find_execution
from schema.context import Context
from schema.projection.arguments import BadUserInput


async def require_execution(context: Context, execution_id: str) -> Place:
    """Raises `NOT_FOUND`."""
    place = await find_execution(context.store.database, context.tenant, execution_id)
    if place is None:
        raise not_found(execution_id)
    return place


def not_found(execution_id: str) -> GraphQLError:
    """The error of an id that names no execution, or none any more."""
    message = f"There is no execution with the id {execution_id[:100]!r}."
    return GraphQLError(message, extensions={"code": "NOT_FOUND"})


async def require_root(context: Context, argument: str, root_id: str) -> None:
    """Raises `NOT_FOUND`, or for an execution that is no root an error that names its root."""
    place = await require_execution(context, root_id)
    if place.root_id != root_id:
        raise BadUserInput(f"{argument} is not the root of its tree: that is {place.root_id!r}.")
