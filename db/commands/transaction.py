"""What every command on a tree does around its decision: lock the root, load, decide, write, journal (`live.md` J1).

Nothing is written before the root is locked. The number of statements grows with the rows changed, never with the tree.
"""

from collections.abc import Awaitable, Callable, Generator, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from db.commands import rows
from db.commands.flows import new_flow
from db.commands.guards import Guard, Repeated, recall, remember
from db.commands.loading import answer
from db.commands.outcome import Actor, ClaimedStep, Committed, TemplateChanged
from db.commands.writing import write
from db.definitions import Definitions
from db.ids import IdKind, is_id
from db.requests import Fetch, Request
from db.runtime.effects import Decision
from db.runtime.errors import NotFound, Refusal
from db.runtime.flow import Flow
from db.runtime.tree import Tree
from db.store import Store

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Named:
    """What a command's id names: an execution, or an attempt."""

    execution_id: str | None = None
    step_execution_id: str | None = None

    def checked(self) -> str:
        """The id, if it is well formed and of its kind; raises `NotFound`."""
        if self.step_execution_id is not None:
            kind, id_ = IdKind.STEP_EXECUTION, self.step_execution_id
        else:
            kind, id_ = IdKind.EXECUTION, self.execution_id or ""
        if not is_id(kind, id_):
            raise NotFound(id_)
        return id_


@dataclass(frozen=True, slots=True)
class TreeCommand:
    """A command on a tree: who gives it, what it names, what it decides for an execution, under what conditions."""

    actor: Actor
    named: Named
    # A command that hands out steps returns them.
    decide: Callable[[Flow, str], Decision[list[ClaimedStep] | None]]
    guard: Guard
    # What the id was found to name or to belong to, which never changes.
    execution_id: str | None = None


async def commit(store: Store, work: Callable[[], Generator[Request, Any, T]]) -> T:
    """Run the script that `work` makes in one transaction; once more if somebody else did the same thing just now."""
    return await _twice_at_most(store.database.transact, work)


async def attempt(store: Store, work: Callable[[], Generator[Request, Any, T]]) -> T:
    """The same with a script that begins its transaction itself, where it needs one."""
    return await _twice_at_most(store.database.attempt, work)


async def _twice_at_most(
    run: Callable[[Generator[Request, Any, T]], Awaitable[T]], work: Callable[[], Generator[Request, Any, T]]
) -> T:
    try:
        return await run(work())
    except Repeated:
        return await run(work())


async def template_commit(
    store: Store, actor: Actor, guard: Guard, work: Callable[[], Generator[Request, Any, TemplateChanged]]
) -> TemplateChanged:
    """A command on a template, which no tree and so no root lock is concerned with.

    Two that are the same may both have found that it was not done yet; the one that comes second is then refused for what
    the first has done, which is looked up once more.
    """

    def once() -> Generator[Request, Any, TemplateChanged]:
        before = yield from recall(actor, guard)
        if before is not None:
            return TemplateChanged(**before)
        outcome = yield from work()
        yield from remember(actor, guard, outcome)
        return outcome

    try:
        return await commit(store, once)
    except Refusal:
        before = await store.database.transact(recall(actor, guard)) if guard.once else None
        if before is None:
            raise
        return TemplateChanged(**before)


def on_tree(store: Store, command: TreeCommand) -> Generator[Request, Any, Committed]:
    """A command by itself: lock, recall or decide, write, remember."""
    tree, execution_id = yield from _locked(command)
    before = yield from recall(command.actor, command.guard)
    if before is not None:
        return Committed(**before)
    outcome = yield from decide_on(store, tree, command, execution_id)
    yield from write(tree, command.actor.tenant)
    yield from remember(command.actor, command.guard, outcome)
    return outcome


def decide_on(
    store: Store, tree: Tree, command: TreeCommand, execution_id: str
) -> Generator[Request, Any, Committed]:
    """Let a command change a tree in memory; a refusal is raised before it has changed anything."""
    since, tree.actor = tree.revision, command.actor.subject
    decision = command.decide(new_flow(tree, store), execution_id)
    claims = yield from carry_out(tree, decision, command.actor, store.definitions)
    return Committed(
        tree.root_id, execution_id, command.named.step_execution_id, since, tree.revision, claims
    )


def tree_of(root: Sequence[Any]) -> Tree:
    """A tree as its locked root tells of it: id, revision, time of its last change, size, and the time now."""
    root_id, revision, changed_at, size, now = root
    # A clock that was set back must not make a tree's history run backwards (S2).
    return Tree(root_id=root_id, revision=revision, now=max(now, changed_at), size=size)


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


def _locked(command: TreeCommand) -> Generator[Request, Any, tuple[Tree, str]]:
    """Lock the tree; returns it with the id of the execution that the command's id names or belongs to."""
    id_ = command.named.checked()
    is_step = command.named.step_execution_id is not None
    statement = rows.LOCK_BY_STEP if is_step else rows.LOCK_BY_EXECUTION
    found = yield Fetch(statement, {"id": id_, "tenant": command.actor.tenant})
    if not found:
        raise NotFound(id_)
    *root, execution_id = found[0]
    return tree_of(root), execution_id
