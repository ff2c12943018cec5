"""What every command on a tree does around its decision: lock the root, load, decide, write, journal (`live.md` J1).

Nothing is written before the root is locked. The number of statements grows with the rows changed, never with the tree.
"""

from collections.abc import Callable, Generator
from dataclasses import dataclass
from typing import Any, TypeVar

from db.commands import rows
from db.commands.flows import new_flow
from db.commands.guards import Guard, Repeated, recall, remember
from db.commands.loading import answer
from db.commands.outcome import Actor, Committed, TemplateChanged
from db.definitions import Definitions
from db.ids import IdKind, is_id
from db.runtime.effects import Decision
from db.runtime.errors import NotFound
from db.runtime.flow import Flow
from db.runtime.tree import Tree
from db.statements import Fetch, Request, Statement, Write
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
    """Write the rows that a decision made or changed, then its journal."""
    if not tree.changes:
        return
    yield from _write_executions(tree, actor)
    yield from _write_steps(tree, actor)
    yield from _write_links(tree, actor)
    yield Write(rows.INSERT_CHANGE, [rows.change_values(tree, change, actor) for change in tree.changes])


def _write_executions(tree: Tree, actor: Actor) -> Generator[Request, Any, None]:
    touched = list(tree.executions.values())
    created = [rows.execution_values(tree, each, actor) for each in touched if each.id in tree.created]
    changed = [each for each in touched if each.id in tree.changed - tree.created]
    contexts = [
        {"key": each.id, "context": tree.contexts[each.id]} for each in changed if each.id in tree.written
    ]
    adopted = [{"key": child, "parent_step_id": step} for child, step in tree.adoptions.items()]
    yield from _each(
        (rows.INSERT_EXECUTION, created),
        (rows.UPDATE_EXECUTION, [rows.execution_update(each) for each in changed if each.id != tree.root_id]),
        (rows.UPDATE_CONTEXT, contexts),
        (rows.UPDATE_PARENT_STEP, [each for each in adopted if each["key"] not in tree.created]),
    )
    if tree.root_id not in tree.created:
        yield from _write_root(tree)


def _write_root(tree: Tree) -> Generator[Request, Any, None]:
    if tree.root_id in tree.changed:
        root = rows.execution_update(tree.executions[tree.root_id])
        yield Write(rows.UPDATE_ROOT, [root | rows.tree_update(tree)])
    else:
        yield Write(rows.UPDATE_TREE, [rows.tree_update(tree)])


def _write_steps(tree: Tree, actor: Actor) -> Generator[Request, Any, None]:
    """Attempts that were replaced first: a step has one current attempt at any moment."""
    touched = [*tree.replaced, *(step for steps in tree.steps.values() for step in steps.values())]
    changed = [step for step in touched if step.id in tree.changed - tree.created]
    done = [step for step in changed if step.id in tree.written]
    with_output = [rows.step_update(step) | {"output_data": tree.outputs[step.id]} for step in done]
    yield from _each(
        (rows.UPDATE_STEP_OUTPUT, with_output),
        (rows.UPDATE_STEP, [rows.step_update(step) for step in changed if step.id not in tree.written]),
        (
            rows.INSERT_STEP,
            [rows.step_values(tree, step, actor) for step in touched if step.id in tree.created],
        ),
    )


def _write_links(tree: Tree, actor: Actor) -> Generator[Request, Any, None]:
    yield from _each((rows.INSERT_LINK, [rows.link_values(each, actor) for each in tree.links]))


def _each(*writes: tuple[Statement, list[dict[str, Any]]]) -> Generator[Request, Any, None]:
    """The writes that have something to write."""
    for statement, many in writes:
        if many:
            yield Write(statement, many)
