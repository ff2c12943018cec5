"""The journal as the feed reads it: what was committed in a tree, or over all of a tenant's trees, in order.

`live.md` J1, J4, J5, H1. Images of rows are not read here: the projection shows them.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

from sqlalchemy import (
    BigInteger,
    Text,
    and_,
    bindparam,
    case,
    cast,
    exists,
    false,
    func,
    or_,
    select,
    true,
    tuple_,
)

from db.elements import OneOf, Settled
from db.runtime.changes import ChangeKind
from db.runtime.statuses import ExecutionStatus
from db.session import Database
from db.statements import Statement
from db.tables import Journal, JournalEpoch, WorkflowExecution, table_of

_journal = table_of(Journal)
_epoch = table_of(JournalEpoch)
_executions = table_of(WorkflowExecution)
_among = _executions.alias()

LONGEST_PAGE: Final = 500
HEAVIEST_PAGE: Final = 1 << 20
"""Characters of images in a page, unless its one change has more."""

_FINAL = (ExecutionStatus.COMPLETED, ExecutionStatus.FAILED, ExecutionStatus.CANCELLED)


class NoSuchTree(LookupError):  # a fact: it was never there, or was deleted
    """There is no root with this id."""

    def __init__(self, root_id: str) -> None:
        super().__init__(f"there is no root {root_id}")
        self.root_id = root_id


class Cursor(NamedTuple):
    """A place among all changes: the writer's transaction (0 on SQLite) and the row."""

    xid: int
    position: int


@dataclass(frozen=True, slots=True)
class JournalEntry:
    """One committed change: where it stands in its tree, and whose it is."""

    revision: int
    kind: ChangeKind
    execution_id: str
    step_execution_id: str | None
    tenant: str


@dataclass(frozen=True, slots=True)
class TreeRevisions:
    """The name of the history, and the revision of each tree by its root's id; those that do not exist are left out."""

    epoch: str
    of_root: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class TreePage:
    """What follows a revision in a tree, and how the tree stands, at one moment.

    `first` is the revision after it, None where that is not there or not told any more (J5); `last` is the page's end,
    None where nothing is after it.
    `is_at_rest`: the root has ended and nothing in the tree is in progress or scheduled.
    """

    epoch: str
    revision: int
    status: ExecutionStatus
    is_at_rest: bool
    first: int | None
    last: int | None


@dataclass(frozen=True, slots=True)
class JournalPage:
    """What follows a cursor among a tenant's settled changes: whose executions it is, and the cursor of its end.

    `is_all`: nothing more is committed; otherwise there is more, or what is not settled yet. Who stands before `pruned`
    has missed what is no longer told. `deletions` grows with every tree that is deleted, be it this tenant's or not.
    """

    epoch: str
    pruned: Cursor
    end: Cursor
    execution_ids: Sequence[str]
    is_all: bool
    deletions: int = 0


_BOUNDARIES = (
    _epoch.c.pruned_xid,
    _epoch.c.pruned_position,
    _epoch.c.deleted_xid,
    _epoch.c.deleted_position,
)
_REVISIONS = Statement(
    select(_epoch.c.epoch, _executions.c.id, _executions.c.tree_revision).select_from(
        _epoch.outerjoin(_executions, OneOf(_executions.c.id, "root_ids"))
    )
)
_CHANGES = Statement(
    select(
        _journal.c.revision,
        _journal.c.kind,
        _journal.c.execution_id,
        _journal.c.step_execution_id,
        _journal.c.tenant,
    )
    .where(_journal.c.root_id == bindparam("root_id"), _journal.c.revision > bindparam("after"))
    .order_by(_journal.c.revision)
    .limit(bindparam("most", type_=BigInteger()))
)


def _tree_page() -> Statement:
    after = bindparam("after", type_=BigInteger())
    of_tree = and_(_journal.c.root_id == bindparam("root_id"), _journal.c.revision > after)
    following = (
        select(_journal.c.revision, _journal.c.data)
        .where(of_tree)
        .order_by(_journal.c.revision)
        .limit(LONGEST_PAGE)
        .subquery()
    )
    weight = func.sum(func.coalesce(func.length(cast(following.c.data, Text)), 0))
    weighed = select(
        following.c.revision, weight.over(order_by=following.c.revision).label("weight")
    ).subquery()
    is_told = tuple_(_journal.c.xid, _journal.c.position) > tuple_(*_BOUNDARIES[:2])
    first = (
        select(_journal.c.revision)
        .join_from(_journal, _epoch, is_told)
        .where(_journal.c.root_id == bindparam("root_id"), _journal.c.revision == after + 1)
        .scalar_subquery()
    )
    last = (
        select(func.max(weighed.c.revision))
        .where(or_(weighed.c.weight <= HEAVIEST_PAGE, weighed.c.revision == after + 1))
        .scalar_subquery()
    )
    moving = exists().where(
        _among.c.tenant == _executions.c.tenant,
        _among.c.root_id == _executions.c.id,
        _among.c.runtime_status == ExecutionStatus.IN_PROGRESS,
    )
    ended = or_(*(_executions.c.runtime_status == status for status in _FINAL))
    at_rest = case((ended, ~moving), else_=false())
    return Statement(
        select(
            select(_epoch.c.epoch).scalar_subquery(),
            _executions.c.tree_revision,
            _executions.c.runtime_status,
            at_rest,
            first,
            last,
        ).where(_executions.c.id == bindparam("root_id"))
    )


_TREE_PAGE = _tree_page()
_TREE_CURSOR = Statement(
    select(_journal.c.xid, _journal.c.position)
    .where(_journal.c.root_id == bindparam("root_id"), _journal.c.revision <= bindparam("revision"))
    .order_by(_journal.c.revision.desc())
    .limit(1)
)
_REVISION_AT = Statement(
    select(_journal.c.revision)
    .where(
        _journal.c.root_id == bindparam("root_id"),
        tuple_(_journal.c.xid, _journal.c.position)
        <= tuple_(bindparam("xid", type_=BigInteger()), bindparam("position", type_=BigInteger())),
    )
    .order_by(_journal.c.revision.desc())
    .limit(1)
)


def _settled() -> Statement:
    last = (
        select(_journal.c.xid, _journal.c.position)
        .where(_journal.c.tenant == bindparam("tenant"), Settled(_journal.c.xid))
        .order_by(_journal.c.xid.desc(), _journal.c.position.desc())
        .limit(1)
        .subquery()
    )
    joined = _epoch.outerjoin(last, true())
    return Statement(select(*_BOUNDARIES, last.c.xid, last.c.position).select_from(joined))


_SETTLED = _settled()


def _journal_page() -> Statement:
    of_tenant = _journal.c.tenant == bindparam("tenant")
    after = tuple_(bindparam("xid", type_=BigInteger()), bindparam("position", type_=BigInteger()))
    place = (_journal.c.xid, _journal.c.position)
    page = (
        select(*place, _journal.c.execution_id, func.length(cast(_journal.c.data, Text)).label("weight"))
        .where(of_tenant, tuple_(*place) > after, Settled(_journal.c.xid))
        .order_by(*place)
        .limit(LONGEST_PAGE)
        .subquery()
    )
    unsettled = exists().where(of_tenant, ~Settled(_journal.c.xid))
    history = (_epoch.c.epoch, *_BOUNDARIES, _epoch.c.deletions)
    columns = (page.c.xid, page.c.position, page.c.execution_id, page.c.weight)
    joined = _epoch.outerjoin(page, true())
    return Statement(
        select(*history, unsettled, *columns).select_from(joined).order_by(page.c.xid, page.c.position)
    )


_JOURNAL_PAGE = _journal_page()
# Columns before those of a change.
_HISTORY = len(_BOUNDARIES) + 3


class JournalReader:
    """Reads the journal of one database. Root ids come from reads that were the tenant's."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def tree_revisions(self, root_ids: Collection[str]) -> TreeRevisions:
        """Where these trees stand."""
        rows = await self._database.rows(_REVISIONS, {"root_ids": list(root_ids)})
        return TreeRevisions(rows[0][0], {row[1]: row[2] for row in rows if row[1] is not None})

    async def tree_changes(self, root_id: str, after: int, limit: int) -> Sequence[JournalEntry]:
        """The next changes of a tree after a revision, ascending and dense, at most `limit`."""
        values = {"root_id": root_id, "after": after, "most": limit}
        return [JournalEntry(*row) for row in await self._database.rows(_CHANGES, values)]

    async def tree_page(self, root_id: str, after: int) -> TreePage:
        """How the tree stands, and the next page of its changes after a revision. Raises `NoSuchTree`."""
        rows = await self._database.rows(_TREE_PAGE, {"root_id": root_id, "after": after})
        if not rows:
            raise NoSuchTree(root_id)
        epoch, revision, status, is_at_rest, first, last = rows[0]
        return TreePage(epoch, revision, status, bool(is_at_rest), first, last)

    async def tree_cursor(self, root_id: str, revision: int) -> Cursor:
        """The cursor of the last change of a tree up to a revision."""
        rows = await self._database.rows(_TREE_CURSOR, {"root_id": root_id, "revision": revision})
        return Cursor(*rows[0]) if rows else Cursor(0, 0)

    async def revision_at(self, root_id: str, cursor: Cursor) -> int:
        """The revision that a tree had at a cursor; 0 where nothing is kept from before it."""
        rows = await self._database.rows(_REVISION_AT, {"root_id": root_id, **cursor._asdict()})
        return int(rows[0][0]) if rows else 0

    async def settled(self, tenant: str) -> Cursor:
        """Where the tenant's settled changes end: who begins there has missed nothing that is told."""
        ((*boundaries, xid, position),) = await self._database.rows(_SETTLED, {"tenant": tenant})
        last = Cursor(xid, position) if xid is not None else Cursor(0, 0)
        return max(last, *_cursors(boundaries))

    async def page(self, tenant: str, after: Cursor) -> JournalPage:
        """The next page of a tenant's settled changes after a cursor."""
        rows = await self._database.rows(_JOURNAL_PAGE, {"tenant": tenant, **after._asdict()})
        epoch, *boundaries, deletions, is_unsettled = rows[0][:_HISTORY]
        changes = [row[_HISTORY:] for row in rows if row[_HISTORY] is not None]
        found = _up_to_weight(changes)
        is_all = not is_unsettled and len(found) == len(changes) < LONGEST_PAGE
        end = Cursor(*found[-1][:2]) if found else after
        pruned, deleted = _cursors(boundaries)
        # Of what was removed of a row a later change is still there: without one before the boundary nothing was missed.
        missed = max(pruned, deleted) if changes and Cursor(*changes[0][:2]) <= pruned else deleted
        return JournalPage(epoch, missed, end, [row[2] for row in found], is_all, deletions)


def _cursors(boundaries: Sequence[int]) -> tuple[Cursor, Cursor]:
    """Up to where history is not told any more, and the last change of a tree that was deleted."""
    return Cursor(*boundaries[:2]), Cursor(*boundaries[2:])


def _up_to_weight(rows: Sequence[Sequence[Any]]) -> Sequence[Sequence[Any]]:
    weight = 0
    for number, row in enumerate(rows):
        weight += row[3] or 0
        if number and weight > HEAVIEST_PAGE:
            return rows[:number]
    return rows
