"""A command without a lock: read, decide, and write if the tree is still where it was read (compare and set, PostgreSQL).

Three round trips fewer than a transaction that locks first, and as safe: every change of a tree raises its revision, so a
tree that is still at the revision that was read has not changed at all. Who finds it changed, or locked, has written
nothing and goes through the lock.
"""

from collections.abc import Generator
from typing import Any

from db.commands import rows
from db.commands.guards import INSERT_KEY, key_values, recall, remember
from db.commands.loading import put_with_steps
from db.commands.outcome import Committed
from db.commands.transaction import TreeCommand, decide_on, tree_of
from db.commands.writing import changes_of, is_one_statement, write
from db.requests import Begin, Fetch, Request, TreePosition, WriteRows
from db.runtime.errors import NotFound
from db.runtime.tree import Tree
from db.store import Store


class Contended(Exception):
    """Others are at work on this tree, or what was read of it may be of different moments: it takes the lock."""

    def __init__(self, root_id: str, execution_id: str) -> None:
        super().__init__(root_id, execution_id)
        self.root_id = root_id
        self.execution_id = execution_id


def without_lock(store: Store, command: TreeCommand) -> Generator[Request, Any, Committed]:
    """Carry out a command, or raise `Contended` having changed nothing; `NotFound` for what its id does not name."""
    tree, execution_id = yield from _peeked(store, command)
    if store.lanes.is_busy(tree.root_id):
        raise Contended(tree.root_id, execution_id)
    try:
        outcome = yield from _carried_out(store, tree, command, execution_id)
    except Exception as error:
        # A refusal too may rest on reads of different moments; under the lock it is what it is.
        raise Contended(tree.root_id, execution_id) from error
    if outcome is None:
        raise Contended(tree.root_id, execution_id)
    return outcome


def _carried_out(
    store: Store, tree: Tree, command: TreeCommand, execution_id: str
) -> Generator[Request, Any, Committed | None]:
    """What the command came to; None where somebody was faster, or nothing was to be written."""
    before = yield from recall(command.actor, command.guard)
    if before is not None:
        return Committed(**before)
    outcome = yield from decide_on(store, tree, command, execution_id)
    if not tree.changes:
        return None
    once = command.guard.once
    # A key that is there already is found by no id, as rows are that one statement updates.
    is_simple = is_one_statement(tree) and (once is None or once.done is None)
    is_written = yield from (_at_once if is_simple else _in_steps)(tree, command, outcome)
    return outcome if is_written else None


def _at_once(tree: Tree, command: TreeCommand, outcome: Committed) -> Generator[Request, Any, bool]:
    """Write all with one statement, unless somebody was faster."""
    changes = yield from changes_of(tree, command.actor.tenant)
    if command.guard.once is not None:
        changes.insert(0, (INSERT_KEY, [key_values(command.actor, command.guard.once, outcome, tree.now)]))
    is_written: bool = yield WriteRows(changes, only_at=TreePosition(tree.root_id, outcome.since))
    return is_written


def _in_steps(tree: Tree, command: TreeCommand, outcome: Committed) -> Generator[Request, Any, bool]:
    """Write with several statements in a transaction, unless somebody was faster."""
    yield Begin()
    if not (yield Fetch(rows.LOCK_ROOT_AT, {"id": tree.root_id, "revision": outcome.since})):
        return False
    yield from write(tree, command.actor.tenant)
    yield from remember(command.actor, command.guard, outcome)
    return True


def _peeked(store: Store, command: TreeCommand) -> Generator[Request, Any, tuple[Tree, str]]:
    """The tree as one moment shows it, with the execution that the command's id names or belongs to."""
    id_ = command.named.checked()
    is_step = command.named.step_execution_id is not None
    statement = rows.PEEK_BY_STEP if is_step else rows.PEEK_BY_EXECUTION
    found = yield Fetch(statement, {"id": id_, "tenant": command.actor.tenant})
    if not found:
        raise NotFound(id_)
    tree = tree_of(found[0][: rows.ROOT_WIDTH])
    tree.is_locked = False
    execution = yield from put_with_steps(found[0][rows.ROOT_WIDTH :], tree, store.definitions)
    return tree, execution.id
