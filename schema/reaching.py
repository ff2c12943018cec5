"""Reading one's own writes: waiting until this server sees a revision of a tree (`live.md` J3, J6)."""

import asyncio
from typing import Final

from graphql import GraphQLError

from db.lookups import find_execution, tree_revision
from schema.context import Context, Watch

LONGEST: Final = 5.0
# The feed tells of a change at once; a doorbell that is away costs this much.
INTERVAL: Final = 0.5


async def reach_revision(context: Context, execution_id: str, revision: int) -> None:
    """Return once the execution's tree has the revision, or at once where there is no such execution.

    Raises `REVISION_NOT_REACHED` after 5 seconds.
    """
    context.allowance.enter()
    database = context.store.database
    place = await find_execution(database, context.tenant, execution_id)
    if place is None or await tree_revision(database, place.root_id) >= revision:
        return
    try:
        with context.allowance.uncounted():
            async with asyncio.timeout(LONGEST), context.feed.watch(root_id=place.root_id) as watch:
                while await tree_revision(database, place.root_id) < revision:
                    await _changed_or_interval(watch)
    except TimeoutError:
        now = await tree_revision(database, place.root_id)
        message = f"The tree is at revision {now}; it did not reach {revision} within {LONGEST:g} seconds."
        raise GraphQLError(message, extensions={"code": "REVISION_NOT_REACHED"}) from None


async def _changed_or_interval(watch: Watch) -> None:
    try:
        async with asyncio.timeout(INTERVAL):
            await watch.changed()
    except TimeoutError:
        return
