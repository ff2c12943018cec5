"""What every command on a tree does around its decision: lock the root, load, decide, write, journal (`live.md` J1).

Nothing is written before the root is locked. The number of statements grows with the rows changed, never with the tree.
"""

from collections.abc import Generator
from dataclasses import dataclass

from db.commands import rows
from db.commands.outcome import Actor, Committed
from db.definitions import Definitions
from db.ids import IdKind, is_id
from db.runtime.errors import NotFound
from db.runtime.flow import Decision
from db.runtime.tree import Tree
from db.runtime.values import Execution, Step
from db.statements import Fetch, Row, Statement, Write

Requests = Fetch | Write


@dataclass(frozen=True, slots=True)
class Locked:
    """A tree whose root this transaction holds, and the execution that the command's id names."""

    tree: Tree
    execution_id: str


def lock_by_execution(actor: Actor, execution_id: str) -> Generator[Requests, list[Row], Locked]:
    """Lock the tree of an execution; `NotFound` for anything but the id of one of the tenant's executions."""
    return _lock(rows.LOCK_BY_EXECUTION, IdKind.EXECUTION, actor, execution_id)


def lock_by_step(actor: Actor, step_execution_id: str) -> Generator[Requests, list[Row], Locked]:
    """Lock the tree of an attempt; `NotFound` for anything but the id of one of the tenant's attempts."""
    return _lock(rows.LOCK_BY_STEP, IdKind.STEP_EXECUTION, actor, step_execution_id)


def _lock(
    statement: Statement, kind: IdKind, actor: Actor, id_: str
) -> Generator[Requests, list[Row], Locked]:
    if not is_id(kind, id_):
        raise NotFound(id_)
    found = yield Fetch(statement, {"id": id_, "tenant": actor.tenant})
    if not found:
        raise NotFound(id_)
    root_id, revision, changed_at, now, execution_id = found[0]
    # A clock that was set back must not make a tree's history run backwards (S2).
    return Locked(Tree(root_id=root_id, revision=revision, now=max(now, changed_at)), execution_id)


def carry_out(
    tree: Tree, decision: Decision, definitions: Definitions
) -> Generator[Requests, list[Row], None]:
    """Let a decision run over the tree, bringing in the rows that it asks for."""
    for load in decision:
        found = yield Fetch(rows.LOAD_EXECUTION, {"id": load.execution_id})
        execution = Execution(*found[0])
        current = yield Fetch(rows.LOAD_STEPS, {"execution_id": execution.id})
        definition = yield from definitions.load(execution.version_id)
        tree.put(execution, [Step(*row) for row in current], definition)


def write(tree: Tree, actor: Actor) -> Generator[Requests, list[Row], None]:
    """Write the rows that a decision made or changed, then its journal."""
    if not tree.changes:
        return
    yield from _write_executions(tree, actor)
    yield from _write_steps(tree, actor)
    yield Write(rows.INSERT_CHANGE, [rows.change_values(tree, change, actor) for change in tree.changes])


def _write_executions(tree: Tree, actor: Actor) -> Generator[Requests, list[Row], None]:
    touched = tree.executions.values()
    created = [execution for execution in touched if execution.id in tree.created]
    changed = [execution for execution in touched if execution.id in tree.changed - tree.created]
    if created:
        yield Write(rows.INSERT_EXECUTION, [rows.execution_values(tree, each, actor) for each in created])
    below = [rows.execution_update(each) for each in changed if each.id != tree.root_id]
    if below:
        yield Write(rows.UPDATE_EXECUTION, below)
    if tree.root_id in tree.created:
        return
    if tree.root_id in tree.changed:
        root = rows.execution_update(tree.executions[tree.root_id])
        yield Write(rows.UPDATE_ROOT, [root | rows.tree_update(tree)])
    else:
        yield Write(rows.UPDATE_TREE, [rows.tree_update(tree)])


def _write_steps(tree: Tree, actor: Actor) -> Generator[Requests, list[Row], None]:
    touched = [step for steps in tree.steps.values() for step in steps.values()]
    created = [rows.step_values(tree, step, actor) for step in touched if step.id in tree.created]
    changed = [step for step in touched if step.id in tree.changed - tree.created]
    with_output = [
        rows.step_update(step) | {"output_data": tree.outputs[step.id]}
        for step in changed
        if step.id in tree.outputs
    ]
    without = [rows.step_update(step) for step in changed if step.id not in tree.outputs]
    for statement, many in (
        (rows.INSERT_STEP, created),
        (rows.UPDATE_STEP_OUTPUT, with_output),
        (rows.UPDATE_STEP, without),
    ):
        if many:
            yield Write(statement, many)


def committed(tree: Tree, since: int, execution_id: str, step_execution_id: str | None = None) -> Committed:
    """What the command says of itself once its transaction has committed."""
    return Committed(
        root_id=tree.root_id,
        execution_id=execution_id,
        step_execution_id=step_execution_id,
        since=since,
        revision=tree.revision,
    )
