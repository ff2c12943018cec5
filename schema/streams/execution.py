"""One execution as it is, whenever it has changed (`live.md` H5, H7)."""

import asyncio
from collections.abc import AsyncGenerator
from typing import Any

from db.runtime.statuses import allowed_from
from schema.context import Context, OperationInfo, Watch
from schema.projection.rows import Rows
from schema.reach import reaches_others
from schema.streams.places import require_execution


async def execution_events(info: OperationInfo, execution_id: str) -> AsyncGenerator[Rows, None]:
    """The state, and again after each change that the selection can show; to the status that nothing follows."""
    context: Context = info.context
    place = await require_execution(context, execution_id)
    raw = info._raw_info
    watched = None if reaches_others(raw.field_nodes, raw.fragments) else execution_id
    async with context.feed.watch(root_id=place.root_id, execution_id=watched) as watch:
        has_ended, may_end = False, True
        while not has_ended:
            if may_end:
                # The status first: if that was final, so is what is read after it.
                has_ended = not allowed_from((await require_execution(context, execution_id)).status)
            yield Rows("WorkflowExecution", {"id": execution_id})
            if not has_ended:
                may_end = await _changed_or_joined(context, watch)


async def _changed_or_joined(context: Context, watch: Watch) -> bool:
    """Wait for a change, or for somebody who needs a state that was read after they came (H2); whether it may be an end."""
    changed = asyncio.ensure_future(watch.changed())
    joined = asyncio.ensure_future(context.refresh.wait())
    waiting: tuple[asyncio.Future[Any], ...] = (changed, joined)
    try:
        await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for future in waiting:
            future.cancel()
    context.refresh.clear()
    return changed.done() and not changed.cancelled() and changed.result()
