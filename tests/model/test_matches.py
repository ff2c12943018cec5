"""What the commands for many match is what the single ones act on, by the model's own account of S7 and C5."""

import random
from typing import Final

import pytest
from graphql import GraphQLObjectType

from db.store import Store
from schema.matches import CANCELLABLE, RETRYABLE, Matches, MatchKind
from schema.schema import plans_for
from tests.api import SCHEMA
from tests.model.commands import Command, is_allowed
from tests.model.memory import MemoryTree
from tests.model.random_definitions import random_library
from tests.model.test_both_databases import Replayed, memory_rows, names
from tests.model.walk import Walk

SEEDS = range(100, 106)
LENGTH = 40
# Commands that leave failed steps below executions that are over, or that are waited for no more.
OFTEN: Final = ["fail"] * 4 + ["retry"] * 2 + ["complete"] * 3 + ["cancel", "disable", "start"]


async def matched(replayed: Replayed, kind: MatchKind) -> set[str]:
    """The names of all that match, of which the first come with where they are."""
    node = SCHEMA._schema.get_type(kind.node)
    assert isinstance(node, GraphQLObjectType)
    plans = plans_for(SCHEMA, replayed.store.database.kind)
    matches = Matches(kind, plans, node, {}, limit=500, tenant=replayed.actor.tenant)
    number, targets = await matches.read(replayed.store.database)
    rows = await replayed.rows()
    name = names(rows)
    owners = {row["id"]: row.get("execution_id", row["id"]) for row in (*rows["executions"], *rows["steps"])}
    assert number == len(targets) == await matches.count(replayed.store.database)
    assert {(each.execution_id, each.root_id) for each in targets} <= {
        (owners[each.id], replayed.root_id) for each in targets
    }
    return {name[each.id] for each in targets}


def acted_on(tree: MemoryTree, kind: str) -> set[str]:
    """The names of what a command acts on."""
    name = names(memory_rows(tree))
    ids = [*tree.executions] if kind == "cancel" else [*tree.steps]
    return {name[id_] for id_ in ids if is_allowed(tree, Command(kind, id_))}


@pytest.mark.parametrize("seed", SEEDS)
async def test_what_matches_is_what_the_command_acts_on(seed: int, store: Store, tenant: str) -> None:
    choose = random.Random(seed).randrange  # noqa: S311 – the same for the same seed
    walk = Walk(choose, random_library(choose))
    walk.kinds = OFTEN
    replayed = Replayed(Store(store.database, limits=walk.tree.limits), tenant)
    await replayed.publish(walk.raws)
    await replayed.create(walk.context, start=walk.is_started)
    for _ in range(LENGTH):
        name = names(memory_rows(walk.tree))
        walk.step()
        command = walk.commands[-1]
        await replayed.give(command, name[command.target])
        assert await matched(replayed, CANCELLABLE) == acted_on(walk.tree, "cancel")
        assert await matched(replayed, RETRYABLE) == acted_on(walk.tree, "retry")
