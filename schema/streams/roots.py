"""Which tree is streamed."""

from graphql import GraphQLError

from db.lookups import find_execution
from schema.context import Context
from schema.projection.arguments import BadUserInput


async def require_root(context: Context, argument: str, root_id: str) -> None:
    """Raises `NOT_FOUND`, or for an execution that is no root an error that names its root."""
    place = await find_execution(context.store.database, context.tenant, root_id)
    if place is None:
        message = f"There is no execution with the id {root_id[:100]!r}."
        raise GraphQLError(message, extensions={"code": "NOT_FOUND"})
    if place.root_id != root_id:
        raise BadUserInput(f"{argument} is not the root of its tree: that is {place.root_id!r}.")
