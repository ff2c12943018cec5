"""One command given to many objects: a transaction for each tree, never one for several (`live.md` J1).

Under an idempotency key (I4) what was done is kept with each tree's transaction, and grows: whoever repeats the command
is told what it has done as far as it came, and nothing is done again.
"""

from collections.abc import AsyncIterator, Generator, Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from db.commands.guards import UNGUARDED, Guard, Once, Repeated, grow, recall, remember
from db.commands.outcome import Actor, Committed, ManyDone
from db.commands.together import Result, on_one_tree
from db.commands.transaction import Named, TreeCommand
from db.requests import Request
from db.runtime import decisions
from db.runtime.effects import Decision
from db.runtime.flow import Flow
from db.runtime.values import Place
from db.store import Store


@dataclass(frozen=True, slots=True)
class Target:
    """An object that a command is to be given to, and where it is, which never changes."""

    id: str
    execution_id: str
    root_id: str


def cancelling(actor: Actor, target: Target, reason: str | None) -> TreeCommand:
    """Cancel an execution, as `cancel_workflow_execution` does."""
    decide = partial(decisions.cancel, reason=reason)
    return TreeCommand(actor, Named(execution_id=target.id), decide, UNGUARDED, target.execution_id)


def retrying(actor: Actor, target: Target, reason: str | None) -> TreeCommand:
    """Make a new attempt at a step, as `retry_step` does."""

    def decide(flow: Flow, execution_id: str) -> Decision[None]:
        return decisions.retry(flow, Place(execution_id, target.id), reason)

    return TreeCommand(actor, Named(step_execution_id=target.id), decide, UNGUARDED, target.execution_id)


async def recall_done(store: Store, actor: Actor, once: Once) -> ManyDone | None:
    """What the same command did before, or None; raises `IdempotencyConflict`."""
    kept = await store.database.transact(recall(actor, Guard(once=once)))
    return None if kept is None else ManyDone(**kept)


def committed_of(done: ManyDone) -> list[Committed]:
    """What was carried out, in order."""
    return [
        Committed(root_id or execution_id, execution_id, step_execution_id, since, revision)
        for root_id, execution_id, step_execution_id, since, revision in done.done
    ]


class Bulk:
    """A command that is given to the objects that were found, `matched` of them in all."""

    def __init__(self, store: Store, actor: Actor, once: Once | None, matched: int) -> None:
        self._store = store
        self._actor = actor
        self._once = once
        self._matched = matched
        self._done: list[Committed] = []

    async def by_tree(self, aimed: Iterable[tuple[Target, TreeCommand]]) -> AsyncIterator[list[Result]]:
        """Carry commands out, one tree after the other in the order of their first objects.

        Yields what came of each tree once that is committed: a refusal leaves the others done. Whoever stops asking stops
        it. Raises `Repeated` where somebody else does the same under the key: then this one has done nothing.
        """
        trees: dict[str, list[TreeCommand]] = {}
        for target, command in aimed:
            trees.setdefault(target.root_id, []).append(command)
        for root_id, commands in trees.items():
            results = await self._store.database.transact(self._on_tree(root_id, commands))
            self._done += _committed(results)
            yield results

    def _on_tree(
        self, root_id: str, commands: Sequence[TreeCommand]
    ) -> Generator[Request, Any, list[Result]]:
        results = yield from on_one_tree(self._store, root_id, commands)
        if self._once is not None:
            yield from self._keep(self._once, _committed(results))
        return results

    def _keep(self, once: Once, now_done: Sequence[Committed]) -> Generator[Request, Any, None]:
        outcome = ManyDone(self._matched, [_kept(each) for each in (*self._done, *now_done)])
        guard = Guard(once=once)
        if self._done and now_done:
            yield from grow(self._actor, once, outcome)
        elif now_done:
            yield from remember(self._actor, guard, outcome)
        elif not self._done and (yield from recall(self._actor, guard)) is not None:
            # All were refused, maybe because somebody was faster with the same.
            raise Repeated


def _committed(results: Iterable[Result]) -> list[Committed]:
    return [result for result in results if isinstance(result, Committed)]


def _kept(committed: Committed) -> Sequence[Any]:
    """In few bytes: all of it is written again with every tree. A root's own id stands there once."""
    is_root = committed.execution_id == committed.root_id
    return (
        None if is_root else committed.root_id,
        committed.execution_id,
        committed.step_execution_id,
        committed.since,
        committed.revision,
    )
