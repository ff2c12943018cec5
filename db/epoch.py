"""A new name for the history, after a restore: whoever stands somewhere in the old one begins again (`live.md` J5)."""

from collections.abc import Generator
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

from sqlalchemy import bindparam, update

from db.requests import Request, Write
from db.session import Database
from db.statements import Statement
from db.tables import Journal, JournalEpoch, table_of

_journal = table_of(Journal)
_epoch = table_of(JournalEpoch)

_RENAME = Statement(update(_epoch).values(epoch=bindparam("new"), created_at=bindparam("now"), pruned_xid=0))
# The transaction ids are those of the server that was backed up: to this one they may lie in the future.
_FORGET_WRITERS = Statement(update(_journal).where(_journal.c.xid != 0).values(xid=0))


async def begin_epoch(database: Database) -> str:
    """Returns the new epoch."""
    return await database.transact(_begin(uuid4().hex))


def _begin(epoch: str) -> Generator[Request, Any, str]:
    yield Write(_RENAME, [{"new": epoch, "now": datetime.now(UTC)}])
    yield Write(_FORGET_WRITERS, [{}])
    return epoch
