"""What the timer does: ask when something is due next, find what is due, and let it happen, tree by tree (T1, T2).

What is found is only a hint. Whether it is due still is decided under the lock of its tree, so that each happens once,
whichever of several servers comes first. All moments are compared with the database's clock.
"""

from collections.abc import Collection, Generator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Select, select, text, union_all

from db.commands import rows
from db.commands.flows import new_flow
from db.commands.loading import load_together
from db.commands.outcome import Actor, Committed
from db.commands.transaction import carry_out, tree_of
from db.commands.writing import write
from db.elements import OneOf
from db.requests import Fetch, Request
from db.runtime import due
from db.session import Database
from db.statements import Statement
from db.store import Store
from db.tables.executions import WILL_BE_OVERDUE, WILL_BE_RETRIED, WILL_EXPIRE

MOST_FOUND = 200
"""Attempts that are found at a time."""

MOST_TOGETHER = 64
"""Executions of one tree whose turn comes in one transaction: commands on the tree wait for it."""

_steps = rows.steps
_free = ~OneOf(_steps.c.root_id, "held")
# What comes by itself: which attempts wait for it, and when it comes.
_KINDS: Sequence[tuple[str, ColumnElement[datetime]]] = (
    (WILL_BE_OVERDUE, _steps.c.due_at),
    (WILL_BE_RETRIED, _steps.c.retry_at),
    # An assignment has no end.
    (f"{WILL_EXPIRE} and lease_expires_at is not null", _steps.c.lease_expires_at),
)
# Read once and not for every row: what may change between two rows finds nothing in an index.
_now = select(rows.clock).scalar_subquery()


def _first(condition: str, moment: ColumnElement[datetime]) -> ColumnElement[datetime]:
    """The earliest of these moments, which the index of its kind begins with."""
    return select(moment).where(text(condition), _free).order_by(moment).limit(1).scalar_subquery()


def _come(condition: str, moment: ColumnElement[datetime]) -> Select[Any]:
    """The attempts whose moment has come, the longest ago first."""
    found = (
        select(_steps.c.root_id, _steps.c.tenant, _steps.c.execution_id, moment.label("moment"))
        .where(text(condition), _free, moment <= _now)
        .order_by(moment)
        .limit(MOST_FOUND)
        .subquery()
    )
    return select(*found.c)


def _due() -> Statement:
    found = union_all(*(_come(*kind) for kind in _KINDS)).subquery()
    return Statement(
        select(found.c.root_id, found.c.tenant, found.c.execution_id)
        .order_by(found.c.moment)
        .limit(MOST_FOUND)
    )


NEXT = Statement(select(rows.clock, *(_first(*kind) for kind in _KINDS)))
DUE = _due()


@dataclass(frozen=True, slots=True)
class DueTree:
    """A tree in which something is due, and the executions of it that are concerned, the longest due first."""

    root_id: str
    tenant: str
    execution_ids: tuple[str, ...]


async def seconds_until_due(database: Database, held: Collection[str] = ()) -> float | None:
    """How long until something is due in a tree that is not `held` (ids of roots): 0 or less if it is, None for never."""
    ((now, *moments),) = await database.rows(NEXT, {"held": list(held)})
    first = min((moment for moment in moments if moment is not None), default=None)
    return None if first is None else (first - now).total_seconds()


async def due_trees(database: Database, held: Collection[str] = ()) -> list[DueTree]:
    """Trees that are not `held` in which something is due, the longest due first: not all, if there are many."""
    found: dict[tuple[str, str], dict[str, None]] = {}
    for root_id, tenant, execution_id in await database.rows(DUE, {"held": list(held)}):
        found.setdefault((root_id, tenant), {})[execution_id] = None
    return [DueTree(*tree, tuple(ids)[:MOST_TOGETHER]) for tree, ids in found.items()]


async def handle_due(store: Store, tree: DueTree, *, wait: bool = False) -> Committed | None:
    """Let happen what is due in a tree, in one transaction; its revision stays where nothing is due any more.

    None where somebody is at work on the tree, unless it is to `wait` for them.
    """
    return await store.database.transact(_handled(store, tree, wait=wait))


def _handled(store: Store, due_tree: DueTree, *, wait: bool) -> Generator[Request, Any, Committed | None]:
    lock = rows.LOCK_ROOT if wait else rows.LOCK_ROOT_IF_FREE
    found = yield Fetch(lock, {"id": due_tree.root_id})
    if not found:
        return None
    tree = tree_of(found[0])
    since = tree.revision
    if store.database.kind == "postgresql":
        yield from load_together(due_tree.execution_ids, tree, store.definitions)
    server = Actor(due_tree.tenant)
    for execution_id in due_tree.execution_ids:
        # What one command may do at most is each execution's own: together they are no command.
        decision = due.come_due(new_flow(tree, store), execution_id)
        yield from carry_out(tree, decision, server, store.definitions)
    yield from write(tree, due_tree.tenant)
    return Committed(tree.root_id, tree.root_id, None, since, tree.revision)
