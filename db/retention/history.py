"""Removing old history: of what lies up to the boundary stays what `asOf` and `explainStep` need of what lies after it."""

from collections.abc import AsyncIterator, Callable, Generator
from datetime import datetime
from typing import Any

from sqlalchemy import and_, bindparam, delete, exists, func, or_, select

from db.journal import Cursor
from db.requests import Fetch, Request
from db.retention.boundary import (
    BEGINNING,
    PIECE,
    cursor_values,
    find_boundary,
    is_after,
    is_up_to,
    journal,
    move_boundary,
    tenants,
)
from db.retention.gently import gently
from db.runtime.changes import ChangeKind
from db.session import Database
from db.statements import Statement

_later = journal.alias("later")
_one = journal.alias("one")

# Kinds of which the last one has what no later change of the row repeats: the context, and what a policy has read.
_REMEMBERED = (ChangeKind.CONTEXT_UPDATED, ChangeKind.STEP_DISABLED)


def _superseded() -> Any:
    """Whether a later change, up to the boundary too, tells all that is asked of this one.

    The first change of an execution tells when it was there; its attempts' first states come with it.
    """
    of_same_row = (
        _later.c.execution_id == _one.c.execution_id,
        _later.c.revision > _one.c.revision,
        is_up_to(_later.c, "until"),
        or_(and_(*(_one.c.kind != kind for kind in _REMEMBERED)), _later.c.kind == _one.c.kind),
    )
    # Two conditions and not one that knows null: no index would serve that.
    of_step = exists().where(_later.c.step_execution_id == _one.c.step_execution_id, *of_same_row)
    of_execution = exists().where(_later.c.step_execution_id.is_(None), *of_same_row)
    return and_(
        _one.c.kind != ChangeKind.EXECUTION_CREATED,
        or_(of_step, and_(_one.c.step_execution_id.is_(None), of_execution)),
    )


_in_piece = (
    _one.c.tenant == bindparam("tenant"),
    is_after(_one.c, "after"),
    is_up_to(_one.c, "end"),
)
_piece = (
    select(_one.c.xid, _one.c.position)
    .where(_one.c.tenant == bindparam("tenant"), is_after(_one.c, "after"), is_up_to(_one.c, "until"))
    .order_by(_one.c.xid, _one.c.position)
    .limit(PIECE)
    .subquery()
)
_END = Statement(
    select(_piece.c.xid, _piece.c.position).order_by(_piece.c.xid.desc(), _piece.c.position.desc()).limit(1)
)
_COUNT = Statement(select(func.count()).select_from(_one).where(*_in_piece, _superseded()))
# Who removes them at the same time is not waited for.
_REMOVE = Statement(
    delete(journal)
    .where(
        journal.c.position.in_(
            select(_one.c.position).where(*_in_piece, _superseded()).with_for_update(skip_locked=True)
        )
    )
    .returning(journal.c.position)
)


async def trim_history(
    database: Database, before: datetime, on_removed: Callable[[int], None], *, is_trial: bool = False
) -> int:
    """Tell nobody any more of changes older than a moment, and remove what is not needed of them; returns how many.

    Beside live traffic, in small transactions; may be interrupted, and run twice at the same time. `on_removed` is told
    after each of them how many it were. A trial only counts what would go.
    """
    until = await find_boundary(database, before)
    if not is_trial:
        await move_boundary(database, until)
    removed = 0
    async for values in _pieces(database, until):
        if is_trial:
            ((number,),) = await database.rows(_COUNT, values)
        else:
            number = await gently(database, _remove(values))
        removed += number
        on_removed(number)
    return removed


async def _pieces(database: Database, until: Cursor) -> AsyncIterator[dict[str, Any]]:
    """The old changes, so many at a time; from the beginning, for what stayed may have been superseded since."""
    async for tenant in tenants(database):
        after = BEGINNING
        while True:
            values = {"tenant": tenant, **cursor_values("after", after), **cursor_values("until", until)}
            found = await database.rows(_END, values)
            if not found:
                break
            end = Cursor(*found[0])
            yield values | cursor_values("end", end)
            after = end


def _remove(values: dict[str, Any]) -> Generator[Request, Any, int]:
    return len((yield Fetch(_REMOVE, values)))
