"""A SQLite file that may not grow: what does not fit is refused and leaves nothing, what fits is done (`security.md` O5).

The limit is `PRAGMA max_page_count`, so that the error comes in the midst of a script; that of a real disk comes at the
commit, in `tests/process/test_full_disk.py`.
"""

import asyncio
from pathlib import Path
from typing import Any

import pytest

from db.commands.execution import NewExecution, create_workflow_execution
from db.commands.outcome import Actor, Committed
from db.connect import database_for
from db.migrate import migrate
from db.session import StorageFull
from db.sqlite import SQLiteDatabase
from db.store import Store
from tests.contract.graphs import CHILD
from tests.contract.trees import assert_whole, publish, read
from tests.databases import sqlite_url

BIG = {"filling": "x" * 300_000}
TENANT = "default"


async def limit(database: SQLiteDatabase, more: int | None) -> None:
    """Let the file grow by so many pages, or as it likes."""

    def told() -> None:
        connection: Any = database._writer._connection
        ((pages,),) = connection.execute("PRAGMA page_count").fetchall()
        connection.execute(f"PRAGMA max_page_count = {1 << 30 if more is None else pages + more}")

    await database._writer._in_thread(told)


async def create(store: Store, context: dict[str, Any] | None) -> Any:
    new = NewExecution(workflow_template_key="child", context=context, start=True)
    return await create_workflow_execution(store, Actor(TENANT), new)


@pytest.mark.parametrize("others", [0, 20])
async def test_what_does_not_fit_is_refused_and_leaves_nothing(tmp_path: Path, others: int) -> None:
    url = sqlite_url(tmp_path / "full.db")
    await migrate(url)
    async with database_for(url) as database:
        assert isinstance(database, SQLiteDatabase)
        store = Store(database)
        await publish(store, TENANT, CHILD)
        await limit(database, 60)
        wanted = [BIG, *[None] * others]
        outcomes = await asyncio.gather(
            *(create(store, context) for context in wanted), return_exceptions=True
        )
        assert isinstance(outcomes[0], StorageFull)
        # SQLite may undo the whole transaction, and then those who shared it are refused as well.
        assert all(isinstance(each, StorageFull | Committed) for each in outcomes), outcomes
        done = [each.execution_id for each in outcomes if isinstance(each, Committed)]
        rows = await read(store, TENANT)
        assert sorted(rows.executions) == sorted(done)
        assert_whole(rows)
        small = await create(store, None)
        await limit(database, None)
        big = await create(store, BIG)
        rows = await read(store, TENANT)
        assert sorted(rows.executions) == sorted([*done, small.execution_id, big.execution_id])
        assert_whole(rows)
