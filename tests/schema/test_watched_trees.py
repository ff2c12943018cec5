"""`stepgraph watch` folds what the API tells it, and holds what the API shows (`live.md` J2, H8)."""

from random import Random
from typing import Any

import pytest

from db.store import Store
from server.watching.documents import CHANGE, EXECUTION
from server.watching.events import Changed, Snapshot
from server.watching.follower import change_of
from server.watching.tree import Tree
from tests.api import Api
from tests.schema.histories import History, lived, walked
from tests.schema.test_past import LIVES, WALKS

STATE = f"""
  query ($id: ID!, $asOf: Int) {{
    workflowExecution(id: $id, asOf: $asOf) {{
      treeRevision
      ...WatchedExecution
      descendantWorkflowExecutions(first: 500) {{ ...WatchedPage }}
    }}
  }}
  {EXECUTION}
"""
JOURNAL = f"""
  query ($id: ID!) {{
    changes(rootWorkflowExecutionId: $id, first: 500) {{
      nodes {{ ...WatchedChange }} pageInfo {{ hasNextPage }}
    }}
  }}
  {CHANGE}
"""


async def snapshot(history: History, revision: int | None = None) -> Snapshot:
    """The tree at a revision, or now."""
    found = (await history.api.data(STATE, id=history.root_id, asOf=revision))["workflowExecution"]
    below = found.pop("descendantWorkflowExecutions")
    assert not below["pageInfo"]["hasNextPage"]
    return Snapshot(found.pop("treeRevision"), "epoch", "START", [found, *reversed(below["nodes"])])


async def journal(history: History) -> list[dict[str, Any]]:
    """Every change of the tree, as a watcher is told of it."""
    found = (await history.api.data(JOURNAL, id=history.root_id))["changes"]
    assert not found["pageInfo"]["hasNextPage"]
    return [change_of(each) for each in found["nodes"]]


def held(tree: Tree) -> tuple[Any, ...]:
    """All that a watcher holds, and what it has below which step."""
    below = {
        (execution_id, step_id): [child["id"] for child in tree.children(execution_id, step_id)]
        for execution_id, execution in tree.executions.items()
        for step_id in execution["steps"]
    }
    return tree.revision, tree.root_id, tree.executions, below


def holding(state: Snapshot) -> Tree:
    """A tree as it is after a snapshot."""
    tree = Tree()
    tree.replace(state)
    return tree


async def assert_folds(history: History, seed: int) -> None:
    """From any revision to any later one, in pieces of any size."""
    changes = await journal(history)
    last = len(changes)
    random = Random(seed)  # noqa: S311  # the same for the same seed
    for first in {1, *random.sample(range(1, last + 1), min(2, last))}:
        tree = holding(await snapshot(history, first))
        at = first
        while at < last:
            piece = changes[at : at + random.randint(1, 5)]
            at += len(piece)
            tree.fold(Changed(at, piece))
            if random.random() < 0.2:
                assert held(tree) == held(holding(await snapshot(history, at))), f"{first} to {at}"
        assert held(tree) == held(holding(await snapshot(history))), f"from {first}"


@pytest.mark.parametrize("seed", WALKS)
async def test_j2_a_folded_walk_is_what_the_query_shows(store: Store, tenant: str, seed: int) -> None:
    await assert_folds(await walked(store, tenant, seed, length=20), seed)


@pytest.mark.parametrize("seed", LIVES)
async def test_j2_a_folded_life_is_what_the_query_shows(api: Api, seed: int) -> None:
    await assert_folds(await lived(api, seed, length=20), seed)
