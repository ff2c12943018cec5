"""Commands that wait in line for a tree, so that they are carried out together (`together.py`)."""

import asyncio
from collections.abc import Awaitable, Sequence
from dataclasses import dataclass
from typing import Any

import asyncpg

from db.commands.execution import update_workflow_context
from db.commands.outcome import Actor
from db.store import Store


@dataclass
class Line:
    """Who waits for one tree: commands by an id that each names."""

    store: Store
    root_id: str
    commands: Sequence[tuple[str, Awaitable[Any]]]


async def in_line(raw: asyncpg.Connection, tenant: str, *lines: Line) -> list[list[Any]]:
    """Let the commands of each line wait in their order for a tree that somebody else has locked.

    Returns what they came to, exceptions included. The first in each line is another command.
    """
    async with raw.transaction():
        roots = [line.root_id for line in lines]
        await raw.execute("select from workflow_execution where id = any($1) for update", roots)
        first = [asyncio.create_task(_wait_for(line, tenant)) for line in lines]
        for line in lines:
            while line.store.lanes.busy_root(line.root_id) is None:  # noqa: ASYNC110  # a line has no event
                await asyncio.sleep(0)
            for id_, _ in line.commands:
                # What is known to be in a tree that has a line stands in it at once.
                line.store.lanes.know(id_, line.root_id)
        waiting = [[asyncio.ensure_future(each) for _, each in line.commands] for line in lines]
        await asyncio.sleep(0)
    await asyncio.gather(*first)
    return [await asyncio.gather(*each, return_exceptions=True) for each in waiting]


async def _wait_for(line: Line, tenant: str) -> None:
    await update_workflow_context(line.store, Actor(tenant), line.root_id, {})
