"""The steps that a fleet works on: children of hot trees, branches side by side, one after the other, and alone."""

import asyncio
from collections.abc import Sequence
from itertools import cycle
from random import Random
from typing import Any

from tests.contract.graphs import JOIN, PARALLEL, TASK, batch, graph
from tests.live.fleet.connection import Connection
from tests.live.fleet.notes import JSON

BRANCHES = 20
CHILDREN = 200
PIECE = graph("piece", {"task": TASK}, "start task end")
CHAIN = graph("chain", {"first": TASK, "second": TASK}, "start first second end")
WIDE = graph(
    "wide",
    {"split": PARALLEL, **{f"b{n}": TASK for n in range(BRANCHES)}, "join": JOIN},
    "start split",
    *(f"split b{n} join" for n in range(BRANCHES)),
    "join end",
)
HEAP = graph("heap", {"pieces": batch("piece")}, "start pieces end")
# How many steps of tasks there are in an execution, and which part of all steps are in such ones.
STEPS = {"piece": 1, "chain": 2, "wide": BRANCHES, "heap": CHILDREN}
SHARES = {"piece": 0.04, "chain": 0.08, "wide": 0.4, "heap": 0.48}
CREATORS = 4

PUBLISH = """
  mutation ($input: CreateWorkflowTemplateInput!) { createWorkflowTemplate(input: $input) { __typename } }
"""
CREATE = """
  mutation ($input: CreateWorkflowExecutionInput!) { createWorkflowExecution(input: $input) { __typename } }
"""


def executions(steps: int, chance: Random) -> list[str]:
    """The keys of the executions that have so many steps, in any order."""
    keys = [key for key, share in SHARES.items() for _ in range(int(steps * share) // STEPS[key])]
    keys += ["piece"] * (steps - sum(STEPS[key] for key in keys))
    chance.shuffle(keys)
    return keys


async def publish(url: str) -> None:
    """The templates."""
    connection = Connection(url)
    for raw in (PIECE, CHAIN, WIDE, HEAP):
        given = {"name": raw["name"], "key": raw["id"], "definition": raw, "publish": True, "activate": True}
        await _give(connection, PUBLISH, "TemplateSuccess", given)
    connection.close()


async def create(urls: Sequence[str], keys: Sequence[str]) -> None:
    """The executions, a few at once."""
    pending = iter(keys)

    async def creating(url: str) -> None:
        connection = Connection(url)
        for key in pending:
            context = {"items": list(range(CHILDREN))} if key == "heap" else {}
            await _give(
                connection, CREATE, "TransitionSuccess", {"workflowTemplateKey": key, "context": context}
            )
        connection.close()

    async with asyncio.TaskGroup() as tasks:
        for _, url in zip(range(CREATORS), cycle(urls), strict=False):
            tasks.create_task(creating(url))


async def _give(connection: Connection, document: str, expected: str, given: JSON) -> None:
    answer: Any = await connection.ask(document, given)
    assert answer["__typename"] == expected, answer
