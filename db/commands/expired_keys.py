"""Forgetting the idempotency keys that have been kept long enough (I4)."""

from collections.abc import Generator
from typing import Any

from sqlalchemy import bindparam, delete, select

from db.commands.guards import KEPT_FOR
from db.commands.rows import clock
from db.requests import Fetch, Request, Write
from db.session import Database
from db.statements import Statement
from db.tables import Idempotency, table_of

MOST_FORGOTTEN = 500

_keys = table_of(Idempotency)
_NOW = Statement(select(clock))
# Nobody waits for this, and this for nobody: a key that somebody holds is forgotten the next time.
_expired = (
    select(_keys.c.tenant, _keys.c.key)
    .where(_keys.c.created_at <= bindparam("before", type_=_keys.c.created_at.type))
    .order_by(_keys.c.created_at)
    .limit(MOST_FORGOTTEN)
    .with_for_update(skip_locked=True)
)
_EXPIRED = Statement(_expired)
_FORGET = Statement(
    delete(_keys).where(_keys.c.tenant == bindparam("tenant"), _keys.c.key == bindparam("key"))
)


async def forget_expired_keys(database: Database) -> int:
    """Forget the oldest keys that are older than 24 hours, in one small transaction; returns how many they were.

    As many as `MOST_FORGOTTEN` means that there may be more.
    """
    return await database.transact(_forget())


def _forget() -> Generator[Request, Any, int]:
    ((now,),) = yield Fetch(_NOW, {})
    found = yield Fetch(_EXPIRED, {"before": now - KEPT_FOR})
    if found:
        yield Write(_FORGET, [{"tenant": tenant, "key": key} for tenant, key in found])
    return len(found)
