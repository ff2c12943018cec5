"""Deleting trees that have ended and have long not changed, whole: rows, ties, attempts and journal.

A tree goes in one transaction, so nobody sees half of one. Within it the rows go in pieces, from the deepest executions
up: what refers to a row goes before it.
"""

from collections.abc import AsyncIterator, Callable, Generator
from datetime import datetime
from typing import Any, Final

from sqlalchemy import BigInteger, and_, bindparam, case, delete, exists, or_, select, tuple_, update

from db.columns import Timestamp
from db.elements import OneOf
from db.journal import Cursor
from db.requests import Fetch, Request, Write
from db.retention.boundary import cursor_parameter, cursor_values
from db.retention.gently import gently
from db.runtime.statuses import ExecutionStatus
from db.session import Database
from db.statements import Statement
from db.tables import Journal, JournalEpoch, StepChild, StepExecution, WorkflowExecution, table_of

PAGE: Final = 1_000
"""Executions that are looked at at a time."""

PIECE: Final = 5_000
"""Rows that one statement deletes."""

TOGETHER: Final = 500
"""Executions that go together, after their attempts."""

_executions = table_of(WorkflowExecution)
_steps = table_of(StepExecution)
_links = table_of(StepChild)
_journal = table_of(Journal)
_epoch = table_of(JournalEpoch)
_member = _executions.alias("member")


def _is_live(status: Any) -> Any:
    return or_(status == ExecutionStatus.NOT_STARTED, status == ExecutionStatus.IN_PROGRESS)


_is_old = and_(
    _executions.c.parent_id.is_(None),
    ~_is_live(_executions.c.runtime_status),
    _executions.c.tree_changed_at < bindparam("before", type_=Timestamp()),
    # A child that its parent left behind may still run.
    ~exists().where(_member.c.root_id == _executions.c.id, _is_live(_member.c.runtime_status)),
)
_LOOK = Statement(
    select(_executions.c.id, case((_is_old, 1), else_=0))
    .where(_executions.c.id > bindparam("after"))
    .order_by(_executions.c.id)
    .limit(PAGE)
)
# Who is at work on the tree, or deletes it too, is not waited for. Whoever was faster has changed what is asked here.
_LOCK = Statement(
    select(_executions.c.id)
    .where(_executions.c.id == bindparam("root_id"), _is_old)
    .with_for_update(skip_locked=True)
)
_of_tree = _journal.c.root_id == bindparam("root_id")
_LAST = Statement(
    select(_journal.c.xid, _journal.c.position).where(_of_tree).order_by(_journal.c.revision.desc()).limit(1)
)
_DELETE_CHANGES = Statement(
    delete(_journal)
    .where(
        _journal.c.position.in_(
            select(_journal.c.position).where(_of_tree).order_by(_journal.c.revision).limit(PIECE)
        )
    )
    .returning(_journal.c.position)
)
_DEEPEST = Statement(
    select(_executions.c.id)
    .where(_executions.c.root_id == bindparam("root_id"))
    .order_by(_executions.c.depth.desc())
    .limit(TOGETHER)
)
_DELETE_LINKS = Statement(delete(_links).where(OneOf(_links.c.child_id, "ids")))
_DELETE_STEPS = Statement(
    delete(_steps)
    .where(_steps.c.id.in_(select(_steps.c.id).where(OneOf(_steps.c.execution_id, "ids")).limit(PIECE)))
    .returning(_steps.c.id)
)
_DELETE_EXECUTIONS = Statement(delete(_executions).where(OneOf(_executions.c.id, "ids")))
_deleted = tuple_(_epoch.c.deleted_xid, _epoch.c.deleted_position)
_COUNT = Statement(update(_epoch).values(deletions=_epoch.c.deletions + 1))
_MOVE = Statement(
    update(_epoch)
    .where(_deleted < cursor_parameter("last"))
    .values(
        deleted_xid=bindparam("last_xid", type_=BigInteger()),
        deleted_position=bindparam("last_position", type_=BigInteger()),
    )
)


async def delete_trees(
    database: Database, before: datetime, on_deleted: Callable[[int], None], *, is_trial: bool = False
) -> int:
    """Delete the trees that have ended, all of them, and have not changed since a moment; returns how many.

    Beside live traffic, a transaction for each; may be interrupted, and run twice at the same time. `on_deleted` is told
    after each. A trial only counts what would go.
    """
    deleted = 0
    async for root_id in _old_trees(database, before):
        if is_trial or await gently(database, _delete(root_id, before)):
            deleted += 1
            on_deleted(1)
    return deleted


async def _old_trees(database: Database, before: datetime) -> AsyncIterator[str]:
    after = ""
    while found := await database.rows(_LOOK, {"after": after, "before": before}):
        for id_, is_old in found:
            if is_old:
                yield id_
        after = found[-1][0]


def _delete(root_id: str, before: datetime) -> Generator[Request, Any, bool]:
    """Whether it was there, still as old, and nobody else's."""
    tree = {"root_id": root_id}
    if not (yield Fetch(_LOCK, {**tree, "before": before})):
        return False
    last = yield Fetch(_LAST, tree)
    while (yield Fetch(_DELETE_CHANGES, tree)):
        pass
    while found := (yield Fetch(_DEEPEST, tree)):
        ids = {"ids": [row[0] for row in found]}
        yield Write(_DELETE_LINKS, [ids])
        while (yield Fetch(_DELETE_STEPS, ids)):
            pass
        yield Write(_DELETE_EXECUTIONS, [ids])
    # Last: who deletes another tree at the same time waits for this row until the end of the transaction.
    yield Write(_COUNT, [{}])
    if last:
        yield Write(_MOVE, [cursor_values("last", Cursor(*last[0]))])
    return True
