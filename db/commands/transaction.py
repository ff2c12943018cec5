"""What every command on a tree does around its decision: lock the root, load, decide, write, journal (`live.md` J1).

Nothing is written before the root is locked. The number of statements grows with the rows changed, never with the tree.
"""

from collections.abc import Callable, Generator, Iterator
from dataclasses import dataclass
from typing import Any, TypeVar

from db.commands import rows
from db.commands.flows import new_flow
from db.commands.guards import Guard, Repeated, recall, remember
from db.commands.loading import answer
from db.commands.outcome import Actor, Committed, TemplateChanged
from db.definitions import Definitions
from db.ids import IdKind, is_id
from db.requests import Fetch, Request, WriteRows
from db.row_changes import Insert, Update
from db.runtime.effects import Decision
from db.runtime.errors import NotFound
from db.runtime.flow import Flow
from db.runtime.tree import Tree
from db.store import Store

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Named:
    """What a command's id names: an execution, or an attempt."""

    execution_id: str | None = None
    step_execution_id: str | None = None


async def commit(store: Store, work: Callable[[], Generator[Request, Any, T]]) -> T:
    """Run the script that `work` makes in one transaction; once more if somebody else did the same thing just now."""
    try:
        return await store.database.transact(work())
    except Repeated:
        return await store.database.transact(work())


async def template_commit(
    store: Store, actor: Actor, guard: Guard, work: Callable[[], Generator[Request, Any, TemplateChanged]]
) -> TemplateChanged:
    """A command on a template, which no tree and so no root lock is concerned with."""

    def once() -> Generator[Request, Any, TemplateChanged]:
        before = yield from recall(actor, guard)
        if before is not None:
            return TemplateChanged(**before)
        outcome = yield from work()
        yield from remember(actor, guard, outcome)
        return outcome

    return await commit(store, once)


def on_tree(
    store: Store, actor: Actor, named: Named, decide: Callable[[Flow, str], Decision[None]], guard: Guard
) -> Generator[Request, Any, Committed]:
    """A command on a tree: lock, recall or decide, write, remember."""
    tree, execution_id = yield from lock(actor, named)
    before = yield from recall(actor, guard)
    if before is not None:
        return Committed(**before)
    since = tree.revision
    decision = decide(new_flow(tree, store), execution_id)
    yield from carry_out(tree, decision, actor, store.definitions)
    yield from write(tree, actor)
    outcome = Committed(tree.root_id, execution_id, named.step_execution_id, since, tree.revision)
    yield from remember(actor, guard, outcome)
    return outcome


def lock(actor: Actor, named: Named) -> Generator[Request, Any, tuple[Tree, str]]:
    """Lock a tree; returns it with the id of the execution that is concerned. `NotFound` for any id but a tenant's own."""
    if named.step_execution_id is not None:
        statement, kind, id_ = rows.LOCK_BY_STEP, IdKind.STEP_EXECUTION, named.step_execution_id
    else:
        statement, kind, id_ = rows.LOCK_BY_EXECUTION, IdKind.EXECUTION, named.execution_id or ""
    if not is_id(kind, id_):
        raise NotFound(id_)
    found = yield Fetch(statement, {"id": id_, "tenant": actor.tenant})
    if not found:
        raise NotFound(id_)
    root_id, revision, changed_at, size, now, execution_id = found[0]
    # A clock that was set back must not make a tree's history run backwards (S2).
    tree = Tree(root_id=root_id, revision=revision, now=max(now, changed_at), size=size)
    return tree, execution_id


def carry_out(
    tree: Tree, decision: Decision[T], actor: Actor, definitions: Definitions
) -> Generator[Request, Any, T]:
    """Let a decision run over the tree, answering what it asks; returns what it returns."""
    try:
        effect = next(decision)
        while True:
            effect = decision.send((yield from answer(effect, tree, actor, definitions)))
    except StopIteration as end:
        result: T = end.value
        return result


def write(tree: Tree, actor: Actor) -> Generator[Request, Any, None]:
    """Write the rows that a decision made or changed, and its journal: all at once, if no attempt was replaced.

    Attempts that were replaced come first: a step has one current attempt at any moment.
    """
    if not tree.changes:
        return
    replaced = [rows.step_update(step) for step in tree.replaced if step.id not in tree.created]
    if replaced:
        yield WriteRows([(rows.UPDATE_STEP, replaced)])
    changes = [*_executions(tree, actor), *_steps(tree, actor)]
    changes.append((rows.INSERT_LINK, [rows.link_values(each, actor) for each in tree.links]))
    changes.append((rows.INSERT_CHANGE, [rows.change_values(tree, each, actor) for each in tree.changes]))
    yield WriteRows([(change, many) for change, many in changes if many])


Changes = Iterator[tuple[Insert | Update, list[dict[str, Any]]]]


def _executions(tree: Tree, actor: Actor) -> Changes:
    """No row is in two of these: a change of context goes with the other changes of its row."""
    touched = list(tree.executions.values())
    changed = [each for each in touched if each.id in tree.changed and each.id not in tree.created]
    yield (
        rows.INSERT_EXECUTION,
        [rows.execution_values(tree, each, actor) for each in touched if each.id in tree.created],
    )
    if tree.root_id not in tree.created:
        yield _root(tree)
    below = [each for each in changed if each.id != tree.root_id]
    yield (
        rows.UPDATE_EXECUTION,
        [rows.execution_update(each) for each in below if each.id not in tree.written],
    )
    with_context = [each for each in below if each.id in tree.written]
    yield (
        rows.UPDATE_EXECUTION_CONTEXT,
        [rows.execution_update(each) | {"context": tree.contexts[each.id]} for each in with_context],
    )
    adopted = {id_: step for id_, step in tree.adoptions.items() if id_ not in tree.changed | tree.created}
    yield rows.UPDATE_PARENT_STEP, [{"key": id_, "parent_step_id": step} for id_, step in adopted.items()]


def _root(tree: Tree) -> tuple[Update, list[dict[str, Any]]]:
    if tree.root_id not in tree.changed:
        return rows.UPDATE_TREE, [rows.tree_update(tree)]
    root = rows.execution_update(tree.executions[tree.root_id]) | rows.tree_update(tree)
    if tree.root_id in tree.written:
        return rows.UPDATE_ROOT_CONTEXT, [root | {"context": tree.contexts[tree.root_id]}]
    return rows.UPDATE_ROOT, [root]


def _steps(tree: Tree, actor: Actor) -> Changes:
    current = [step for steps in tree.steps.values() for step in steps.values()]
    made = [step for step in (*tree.replaced, *current) if step.id in tree.created]
    changed = [step for step in current if step.id in tree.changed and step.id not in tree.created]
    done = [step for step in changed if step.id in tree.written]
    yield (
        rows.UPDATE_STEP_OUTPUT,
        [rows.step_update(step) | {"output_data": tree.outputs[step.id]} for step in done],
    )
    yield rows.UPDATE_STEP, [rows.step_update(step) for step in changed if step.id not in tree.written]
    yield rows.INSERT_STEP, [rows.step_values(tree, step, actor) for step in made]
