"""Trees in which two commands meet, asked through two stores at once as two server processes do.

Each race is run for many trees at the same time. Afterwards every journal is dense and folds to the rows, every step knows
how many of its children have not ended, and every tree can still be driven to its end.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any

from db.commands.outcome import Actor, Committed
from db.runtime.errors import InvalidTransition
from db.store import Store
from tests.contract.graphs import CHILD, TASK, batch, expression, graph, single
from tests.contract.trees import (
    Rows,
    assert_rests,
    create,
    outcome,
    publish,
    read,
)

PAIRS = 200
# Of races that are others over again, with another end.
FEW = 50
Rivals = tuple[Store, Store]

ONE = graph("one", {"task": TASK}, "start task end")
# The policy of `task` turns with the context.
POLICY = graph(
    "policy",
    {
        "task": {
            "type": TASK,
            "activationPolicy": {"enabledWhen": expression("$not($boolean(__context__.skip))")},
        },
        "after": TASK,
    },
    "start task after end",
)
PARENT = graph("parent", {"children": batch("child", "[1, 2]")}, "start children end")
SOLE = graph("sole", {"child": single("child")}, "start child end")


@dataclass
class Arena:
    """Trees in which two commands meet, one pair in each."""

    rivals: Rivals
    tenant: str
    roots: list[str]
    rows: Rows

    @property
    def actor(self) -> Actor:
        return Actor(self.tenant)

    async def each(
        self, command: Callable[..., Awaitable[Any]], ids: Sequence[str], *given: Any
    ) -> list[Any]:
        """Give a command to all of these, through both stores by turns; it must be carried out."""
        commands = (command(self.rivals[n % 2], self.actor, id_, *given) for n, id_ in enumerate(ids))
        committed = await asyncio.gather(*commands)
        await self.look()
        return committed

    async def look(self) -> None:
        """The rows as they are now, without the journal."""
        self.rows = await read(self.rivals[0], self.tenant, journal=False)
        assert_rests(self.rows)

    async def race(self, first: "Runner", second: "Runner") -> list[tuple[Any, Any]]:
        """What each pair came to, as (first's, second's). Who asks first alternates, and so does who asks through what."""
        commands = []
        for number, root in enumerate(self.roots):
            pair = [
                outcome(first(self.rivals[0], self.actor, root)),
                outcome(second(self.rivals[1], self.actor, root)),
            ]
            commands += pair if number % 2 else reversed(pair)
        came = await asyncio.gather(*commands)
        pairs = list(zip(came[::2], came[1::2], strict=True))
        await self.look()
        return [pair if number % 2 else pair[::-1] for number, pair in enumerate(pairs)]

    def tasks(self, *indexes: int) -> list[str]:
        """The current attempts at `task` of each root's children with these indexes."""
        return [self.task(root, index) for root in self.roots for index in indexes]

    def task(self, root: str, index: int) -> str:
        """The current attempt at `task` of a root, or of its child with this index."""
        children = [
            row
            for row in self.rows.executions.values()
            if row["parent_id"] == root and row["child_index"] == index
        ]
        return self.rows.step(children[0]["id"] if children else root, "task")["id"]


Runner = Callable[[Store, Actor, str], Awaitable[Committed]]


async def arena(rivals: Rivals, tenant: str, key: str, pairs: int = PAIRS) -> Arena:
    """As many trees of one definition as there are pairs."""
    await publish(rivals[0], tenant, CHILD, ONE, POLICY, PARENT, SOLE)
    roots = await create(rivals[0], tenant, key, pairs)
    here = Arena(rivals, tenant, roots, Rows())
    await here.look()
    return here


def on_tasks(
    arena: Arena, command: Callable[..., Awaitable[Committed]], *given: Any, index: int = 0
) -> Runner:
    """A command on the task that each tree, or its child with this index, waits for – as it is when the race begins."""
    ids = {root: arena.task(root, index) for root in arena.roots}
    return lambda store, actor, root: command(store, actor, ids[root], *given)


def on_roots(command: Callable[..., Awaitable[Committed]], *given: Any) -> Runner:
    return lambda store, actor, root: command(store, actor, root, *given)


def winners(pairs: list[tuple[Any, Any]]) -> list[int]:
    """Who won each pair: exactly one of the two; the loser is told as data."""
    for pair in pairs:
        assert {type(each) for each in pair} == {Committed, InvalidTransition}, pair
    return [0 if isinstance(first, Committed) else 1 for first, _ in pairs]


def told(refusal: Any) -> tuple[str, str, tuple[str, ...]]:
    """What a loser hears."""
    assert isinstance(refusal, InvalidTransition), refusal
    return refusal.current, refusal.wanted, refusal.allowed


def carried_out(outcomes: Sequence[Any]) -> bool:
    return all(isinstance(each, Committed) for each in outcomes)
