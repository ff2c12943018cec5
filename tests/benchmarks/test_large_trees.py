"""Completing a step of one child among a thousand, beside completing one of an only child."""

import asyncio
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from functools import partial
from pathlib import Path

import pytest

from tests.benchmarks import samples
from tests.benchmarks.rounds import ROUNDS, Sample, Target, measure, show
from tests.benchmarks.test_commands import FORMS, MIDDLE, Server
from tests.contract.graphs import batch, graph

CHILDREN = 1_000
CHILDREN_A_ROUND = 20
AMONG_MANY = f"completeStep in a tree of {CHILDREN:,} children"
ALONE = "completeStep in trees of 1 child"

Queues = Iterator[list[list[str]]]


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest) -> str:
    """Each database in turn."""
    url: str = request.getfixturevalue(f"{request.param}_url")
    return url


async def children_to_complete(url: str) -> tuple[list[samples.Execution], list[samples.Execution]]:
    """Children of one tree, and of as many trees of their own as the rounds take."""
    child = await samples.publish(url, samples.sequence("child", FORMS))
    parent = graph("parent", {"children": batch(child)}, "start children end") | {"name": "parent"}
    key = await samples.publish(url, parent)
    many = await samples.start(url, key, {"items": list(range(CHILDREN))})
    trees = [await samples.start(url, key, {"items": [0]}) for _ in range(CHILDREN_A_ROUND * (ROUNDS + 1))]
    await samples.settle(url)
    return await samples.children(url, [many]), await samples.children(url, trees)


def queues(children: Sequence[samples.Execution]) -> Queues:
    """For each round the forms of other children, for one client."""
    for first in range(0, len(children), CHILDREN_A_ROUND):
        taken = children[first : first + CHILDREN_A_ROUND]
        yield [[step for child in taken for step in child.steps[1 : MIDDLE + 1]]]


def test_complete_step_costs_the_same_in_a_large_tree(database_url: str, tmp_path: Path) -> None:
    among_many, alone = asyncio.run(children_to_complete(database_url))
    assert len(among_many) == CHILDREN
    with ExitStack() as stack:
        server = Server(database_url, tmp_path, stack)

        def complete(made: Queues) -> Sample:
            return server.complete(next(made))

        candidates: dict[str, Callable[[], Sample]] = {
            AMONG_MANY: partial(complete, queues(among_many)),
            ALONE: partial(complete, queues(alone)),
        }
        measure(candidates, rounds=1)
        rounds = measure(candidates)
    show(f"1 client, {database_url.partition('+')[0]}", rounds, [Target(AMONG_MANY, ALONE, 1 / 1.5)])
    stands = [asyncio.run(samples.stand(database_url, made[0].id)) for made in (among_many, alone)]
    assert stands[0] == stands[1]
