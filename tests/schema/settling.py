"""Waiting until lists over all trees show all that was committed: any writer in the whole cluster holds them back (J4)."""

import asyncio

from sqlalchemy import func, literal_column, select

from db import tables
from db.session import Database
from db.statements import Statement
from db.tables import table_of

_JOURNAL = table_of(tables.Journal)
_HORIZON = literal_column("pg_snapshot_xmin(pg_current_snapshot())::text::bigint")
_UNSETTLED = Statement(select(func.count()).select_from(_JOURNAL).where(_JOURNAL.c.xid >= _HORIZON))


async def settled(database: Database) -> None:
    """Return once no transaction is running that is older than the journal's youngest row."""
    if database.kind == "postgresql":
        while await _unsettled(database):  # noqa: ASYNC110  # what is awaited is another process
            await asyncio.sleep(0.02)


async def _unsettled(database: Database) -> int:
    rows = await database.rows(_UNSETTLED, {})
    return int(rows[0][0])
