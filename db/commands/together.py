"""Group commit, per tree: commands that come while their tree is busy are carried out together, in one transaction.

Each is decided in turn on the state that the one before left; a refused one has changed nothing. Trees are never put
together on PostgreSQL: a transaction has its id from its first write on, and one that then waited for a second tree could
show that tree's revisions out of order (`live.md` J4). SQLite has one writer, which takes along all that wait
(`sqlite_writer.py`).
"""

from collections.abc import Generator, Sequence
from dataclasses import replace
from typing import Any

from db.commands import rows
from db.commands.guards import Repeated, recall, remember
from db.commands.loading import load_together
from db.commands.optimistic import Contended, without_lock
from db.commands.outcome import Committed
from db.commands.transaction import TreeCommand, commit, decide_on, on_tree, tree_of
from db.commands.writing import write
from db.requests import Fetch, Request
from db.runtime.errors import NotFound, Refusal
from db.runtime.tree import Tree
from db.session import Unavailable
from db.store import Store

Result = Committed | Exception


async def run_on_tree(store: Store, command: TreeCommand) -> Committed:
    """Carry out a command: at once, or where its tree is busy together with those that wait for it too."""
    if store.database.kind == "sqlite":
        return await commit(store, lambda: on_tree(store, command))
    id_ = command.named.checked()
    root_id = store.lanes.busy_root(id_)
    if root_id is None:
        try:
            return await store.database.attempt(without_lock(store, command))
        except Contended as contended:
            root_id = contended.root_id
            store.lanes.know(id_, root_id)
            command = replace(command, execution_id=contended.execution_id)
    return await wait_for_tree(store, root_id, command)


async def wait_for_tree(store: Store, root_id: str, command: TreeCommand) -> Committed:
    """Carry out a command under the lock of its tree, with all others of this process that wait for it too."""
    outcome: Committed = await store.lanes.join(
        root_id, command, lambda waiting: _together(store, root_id, waiting)
    )
    return outcome


async def _together(store: Store, root_id: str, commands: Sequence[TreeCommand]) -> list[Result]:
    """What each command came to. What fails together is tried one by one: one bad command must not spoil the others."""
    if len(commands) > 1:
        try:
            return await store.database.transact(_on_one_tree(store, root_id, commands))
        except Exception as error:
            # Whose it is meets it again, alone; but a database that is away would be waited for once for each.
            if isinstance(error, Unavailable):
                raise
    return [await _alone(store, command) for command in commands]


async def _alone(store: Store, command: TreeCommand) -> Result:
    try:
        return await commit(store, lambda: on_tree(store, command))
    except Exception as error:
        return error


def _on_one_tree(
    store: Store, root_id: str, commands: Sequence[TreeCommand]
) -> Generator[Request, Any, list[Result]]:
    found = yield Fetch(rows.LOCK_ROOT, {"id": root_id})
    if not found:
        return [NotFound(command.named.checked()) for command in commands]
    tree = tree_of(found[0])
    known = {command.execution_id for command in commands if command.execution_id is not None}
    if known:
        yield from load_together(known, tree, store.definitions)
    results: list[Result] = []
    done: list[tuple[TreeCommand, Committed]] = []
    for command in commands:
        if command.guard.once and _key(command) in {_key(earlier) for earlier, _ in done}:
            # What the earlier one came to is not written yet.
            raise Repeated
        result, is_new = yield from _attempted(store, tree, command)
        results.append(result)
        if is_new and isinstance(result, Committed):
            done.append((command, result))
    if done:
        # Not any command's: one that names a tree of somebody else came to nothing.
        yield from write(tree, done[0][0].actor.tenant)
    # In the order of their keys: lines of two trees that wait for each other's keys would never end.
    for command, outcome in sorted(done, key=lambda each: _key(each[0])):
        yield from remember(command.actor, command.guard, outcome)
    return results


def _key(command: TreeCommand) -> tuple[str, str]:
    """Whose key it is, and the key under which the command is to be done once."""
    return command.actor.tenant, command.guard.once.key if command.guard.once else ""


def _attempted(
    store: Store, tree: Tree, command: TreeCommand
) -> Generator[Request, Any, tuple[Result, bool]]:
    """What a command came to on the tree as it is in memory, and whether it was carried out now."""
    since = tree.revision
    try:
        execution_id = yield from _execution_of(tree, command)
        before = yield from recall(command.actor, command.guard)
        if before is not None:
            return Committed(**before), False
        return (yield from decide_on(store, tree, command, execution_id)), True
    except Refusal as refusal:
        assert tree.revision == since, "a refusal has changed the tree"
        return refusal, False


def _execution_of(tree: Tree, command: TreeCommand) -> Generator[Request, Any, str]:
    """The execution that a command concerns; `NotFound` for what is not the tenant's."""
    if command.execution_id is not None:
        return command.execution_id
    is_step = command.named.step_execution_id is not None
    statement = rows.FIND_EXECUTION_OF_STEP if is_step else rows.FIND_EXECUTION
    place = {"id": command.named.checked(), "tenant": command.actor.tenant, "root_id": tree.root_id}
    found = yield Fetch(statement, place)
    if not found:
        raise NotFound(place["id"])
    execution_id: str = found[0][0]
    return execution_id
