"""Subscription: an index of streams."""

import asyncio
from collections.abc import AsyncGenerator
from typing import Annotated, Any

import strawberry
from graphql import GraphQLError

from db.lookups import Place, find_execution
from db.runtime.statuses import ExecutionStatus
from schema.context import Context, OperationInfo, Watch
from schema.execution import WorkflowExecution
from schema.projection.rows import Rows
from schema.reach import reaches_others

_FINAL = frozenset((ExecutionStatus.COMPLETED, ExecutionStatus.CANCELLED))


@strawberry.type(description="Streams. A slow reader gets the newest state, not every state in between.")
class Subscription:
    @strawberry.subscription(
        description="The execution now, then again after every change in it or its steps; where other executions "
        "of its tree are selected, after every change of those too. Completes after it is "
        "COMPLETED or CANCELLED; after FAILED it stays open, for a retry reopens it."
    )
    async def workflow_execution(
        self,
        info: OperationInfo,
        id: Annotated[strawberry.ID, strawberry.argument(description="The execution's id.")],
    ) -> AsyncGenerator[WorkflowExecution, None]:
        context: Context = info.context
        place = await _required(context, id)
        raw = info._raw_info
        watched = None if reaches_others(raw.field_nodes, raw.fragments) else id
        async with context.feed.watch(root_id=place.root_id, execution_id=watched) as watch:
            ended = False
            while not ended:
                # The status first: if that was final, so is what is read after it.
                ended = (await _required(context, id)).status in _FINAL
                yield Rows("WorkflowExecution", {"id": id})  # type: ignore[misc]  # projected
                if not ended:
                    await _changed_or_joined(context, watch)


async def _required(context: Context, execution_id: str) -> Place:
    place = await find_execution(context.store.database, context.tenant, execution_id)
    if place is None:
        message = f"There is no execution with the id {execution_id[:100]!r}."
        raise GraphQLError(message, extensions={"code": "NOT_FOUND"})
    return place


async def _changed_or_joined(context: Context, watch: Watch) -> None:
    """Wait for a change, or for somebody who needs a state that was read after they came (H2)."""
    changed = asyncio.ensure_future(watch.changed())
    joined = asyncio.ensure_future(context.refresh.wait())
    waiting: tuple[asyncio.Future[Any], ...] = (changed, joined)
    try:
        await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for future in waiting:
            future.cancel()
    context.refresh.clear()
