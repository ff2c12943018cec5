"""Where the history begins that is still told: the boundary is moved first, what lies before it goes later.

The boundary is a cursor of all trees (`live.md` J4, J5). Up to it nobody is told of a change any more, so that what is
removed there, in whatever pieces and by whomever, is never seen half removed (`docs/decisions/0014`).
"""

from collections.abc import AsyncIterator, Generator
from datetime import datetime
from typing import Any, Final

from sqlalchemy import BigInteger, bindparam, func, or_, select, tuple_, update

from db.columns import Timestamp
from db.elements import OldestWriter
from db.journal import Cursor
from db.requests import Request, Write
from db.session import Database
from db.statements import Statement
from db.tables import Journal, JournalEpoch, table_of

PIECE: Final = 2_000
"""Changes that are looked at, or removed, at a time."""

BEGINNING: Final = Cursor(0, 0)
_END_OF_TIME: Final = Cursor(2**63 - 1, 0)

journal = table_of(Journal)
_epoch = table_of(JournalEpoch)
_place = tuple_(journal.c.xid, journal.c.position)
_pruned = tuple_(_epoch.c.pruned_xid, _epoch.c.pruned_position)


def cursor_parameter(name: str) -> Any:
    """A cursor that is bound as `NAME_xid` and `NAME_position`."""
    return tuple_(
        bindparam(f"{name}_xid", type_=BigInteger()), bindparam(f"{name}_position", type_=BigInteger())
    )


def cursor_values(name: str, cursor: Cursor) -> dict[str, int]:
    """What `cursor_parameter` binds."""
    return {f"{name}_xid": cursor.xid, f"{name}_position": cursor.position}


_following = (journal.c.tenant == bindparam("tenant"), _place > cursor_parameter("after"))
_piece = (
    select(journal.c.xid, journal.c.position)
    .where(*_following)
    .order_by(journal.c.xid, journal.c.position)
    .limit(PIECE)
    .subquery()
)
_END = Statement(
    select(_piece.c.xid, _piece.c.position).order_by(_piece.c.xid.desc(), _piece.c.position.desc()).limit(1)
)
_FIRST_KEPT = Statement(
    select(journal.c.xid, journal.c.position)
    .where(
        *_following,
        _place <= cursor_parameter("end"),
        or_(
            journal.c.at >= bindparam("before", type_=Timestamp()),
            journal.c.xid >= bindparam("horizon", type_=BigInteger()),
        ),
    )
    .order_by(journal.c.xid, journal.c.position)
    .limit(1)
)
_HORIZON = Statement(select(OldestWriter()))
_PRUNED = Statement(select(_epoch.c.pruned_xid, _epoch.c.pruned_position))
_NEXT_TENANT = Statement(select(func.min(journal.c.tenant)).where(journal.c.tenant > bindparam("after")))
_MOVE = Statement(
    update(_epoch)
    .where(_pruned < cursor_parameter("until"))
    .values(
        pruned_xid=bindparam("until_xid", type_=BigInteger()),
        pruned_position=bindparam("until_position", type_=BigInteger()),
    )
)


async def boundary(database: Database) -> Cursor:
    """The cursor of the last change that is not told any more."""
    return Cursor(*(await database.rows(_PRUNED, {}))[0])


async def tenants(database: Database) -> AsyncIterator[str]:
    """Who has changes."""
    tenant = ""
    while True:
        ((tenant,),) = await database.rows(_NEXT_TENANT, {"after": tenant})
        if tenant is None:
            return
        yield tenant


async def find_boundary(database: Database, before: datetime) -> Cursor:
    """The last cursor before which, and at which, all changes are settled and older than a moment; not before the
    boundary that there is.
    """
    # First: what was written below it can be read from now on, so no change comes to light behind the one that is found.
    ((horizon,),) = await database.rows(_HORIZON, {})
    now = old = await boundary(database)
    kept = _END_OF_TIME
    async for tenant in tenants(database):
        after = now
        while after < kept:
            place = {"tenant": tenant, **cursor_values("after", after)}
            if not (found := await database.rows(_END, place)):
                break
            # In this order: what is written between the two is not among what was looked at, or is seen to be young.
            end = Cursor(*found[0])
            place |= {"before": before, "horizon": horizon, **cursor_values("end", end)}
            if first := await database.rows(_FIRST_KEPT, place):
                kept = min(kept, Cursor(*first[0]))
                break
            after = end
            old = max(old, after)
    # Positions are whole numbers: nothing lies between that and what is kept.
    return old if kept is _END_OF_TIME else Cursor(kept.xid, kept.position - 1)


async def move_boundary(database: Database, until: Cursor) -> None:
    """Tell nobody of the changes up to a cursor from now on; it never moves back."""
    await database.transact(_move(until))


def _move(until: Cursor) -> Generator[Request, Any, None]:
    yield Write(_MOVE, [cursor_values("until", until)])


def is_up_to(columns: Any, name: str) -> Any:
    """Whether a change (an alias's columns) lies at a bound cursor or before it."""
    return tuple_(columns.xid, columns.position) <= cursor_parameter(name)


def is_after(columns: Any, name: str) -> Any:
    """Whether a change lies after a bound cursor."""
    return tuple_(columns.xid, columns.position) > cursor_parameter(name)
