"""Reading one's own writes: waiting until this server sees a revision of a tree (`live.md` J3, J6)."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

from graphql import GraphQLError

from db.lookups import find_execution, tree_revision
from schema.context import Context, Watch

LONGEST: Final = 5.0
# The feed tells of a change at once; a doorbell that is away costs this much.
INTERVAL: Final = 0.5


async def reach_revision(context: Context, execution_id: str, revision: int) -> None:
    """Return once the execution's tree has the revision, or at once where there is no such execution.

    Raises `REVISION_NOT_REACHED` after 5 seconds, or once this process is to end: another one may have it.
    """
    context.allowance.enter()
    database = context.store.database
    place = await find_execution(database, context.tenant, execution_id)
    if place is None or await tree_revision(database, place.root_id) >= revision:
        return
    try:
        with context.allowance.uncounted():
            async with _at_most(LONGEST, context.closing), context.feed.watch(root_id=place.root_id) as watch:
                while await tree_revision(database, place.root_id) < revision:
                    await _changed_or_interval(watch)
    except TimeoutError:
        now = await tree_revision(database, place.root_id)
        until = "before this server ended" if context.closing.is_set() else f"within {LONGEST:g} seconds"
        message = f"The tree is at revision {now}; it did not reach {revision} {until}."
        raise GraphQLError(message, extensions={"code": "REVISION_NOT_REACHED"}) from None


@asynccontextmanager
async def _at_most(seconds: float, closing: asyncio.Event) -> AsyncIterator[None]:
    """Raises `TimeoutError` after so many seconds, or once the event is set."""
    async with asyncio.timeout(seconds) as limit:
        ending = asyncio.create_task(_expire(limit, closing))
        try:
            yield
        finally:
            ending.cancel()


async def _expire(limit: asyncio.Timeout, closing: asyncio.Event) -> None:
    await closing.wait()
    if not limit.expired():
        limit.reschedule(asyncio.get_running_loop().time())


async def _changed_or_interval(watch: Watch) -> None:
    try:
        async with asyncio.timeout(INTERVAL):
            await watch.changed()
    except TimeoutError:
        return
