"""A new name for the history, after a restore: whoever stands somewhere in the old one begins again (`live.md` J5)."""

from collections.abc import Generator
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

from sqlalchemy import bindparam, func, select, tuple_, update

from db.requests import Request, Write
from db.session import Database
from db.statements import Statement
from db.tables import Journal, JournalEpoch, table_of

_journal = table_of(Journal)
_epoch = table_of(JournalEpoch)

# From here on the order is that of the positions alone: no change that is not told any more may come back by that.
_last_pruned = (
    select(func.max(_journal.c.position))
    .where(
        tuple_(_journal.c.xid, _journal.c.position) <= tuple_(_epoch.c.pruned_xid, _epoch.c.pruned_position)
    )
    .scalar_subquery()
)
_RENAME = Statement(
    update(_epoch).values(
        epoch=bindparam("new"),
        created_at=bindparam("now"),
        pruned_xid=0,
        pruned_position=func.coalesce(_last_pruned, 0),
        # Who stood somewhere in the old history begins again anyway.
        deleted_xid=0,
        deleted_position=0,
    )
)
# The transaction ids are those of the server that was backed up: to this one they may lie in the future.
_FORGET_WRITERS = Statement(update(_journal).where(_journal.c.xid != 0).values(xid=0))


async def begin_epoch(database: Database) -> str:
    """Returns the new epoch."""
    return await database.transact(_begin(uuid4().hex))


def _begin(epoch: str) -> Generator[Request, Any, str]:
    yield Write(_RENAME, [{"new": epoch, "now": datetime.now(UTC)}])
    yield Write(_FORGET_WRITERS, [{}])
    return epoch
