"""Reads: the projection beside resolvers over the same rows, and beside no GraphQL at all."""

import asyncio
import json
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy.engine import make_url

from tests.benchmarks import samples
from tests.benchmarks.processes import Worker, cpu_seconds
from tests.benchmarks.rounds import Sample, Target, measure, show
from tests.servers import ServerProcess

CONNECTIONS = 8
SECONDS = 1.0

PROJECTION = "projection (this server)"
RESOLVERS = "resolvers and DataLoaders"
CACHED = "the same, documents cached"
HANDWRITTEN = "hand-written route and SQL"
TARGETS = (
    Target(PROJECTION, RESOLVERS, 8),
    Target(PROJECTION, HANDWRITTEN, 0.7),
    Target(PROJECTION, CACHED),
)

_FIELDS = """
  fragment Fields on WorkflowExecution {
    id name correlationId runtimeStatus createdAt startedAt revision context
    steps { id stepId type name status attempt createdAt startedAt completedAt outputData }
  }
"""
FLAT = f"query Execution($id: ID!) {{ workflowExecution(id: $id) {{ ...Fields }} }} {_FIELDS}"
TREE = f"""
  query Tree($id: ID!) {{
    workflowExecution(id: $id) {{ ...Fields childWorkflowExecutions(first: 500) {{ nodes {{ ...Fields }} }} }}
  }} {_FIELDS}
"""


@dataclass(frozen=True, slots=True)
class Shape:
    """A root with `children`, each of them and itself with `steps`, half of which are completed."""

    children: int
    steps: int

    def __str__(self) -> str:
        return f"1 + {self.children} executions × {self.steps} steps × 10 fields"

    @property
    def document(self) -> str:
        return TREE if self.children else FLAT

    @property
    def route(self) -> str:
        return "trees" if self.children else "executions"

    async def make(self, url: str) -> samples.Execution:
        """The rows; returns the root."""
        key = await samples.publish(
            url, samples.sequence(f"read-{self.children}-{self.steps}", self.steps - 2)
        )
        context = {"customer": {"name": "Ada", "country": "GB"}, "orders": [1, 2, 3]}
        root = await samples.start(url, key, context, completed=self.steps // 2)
        if self.children:
            await samples.copies(url, root, self.children, under=root)
        await samples.settle(url)
        return root


SHAPES = (Shape(children=10, steps=10), Shape(children=0, steps=100))


@pytest.mark.parametrize("shape", SHAPES, ids=lambda shape: f"{shape.children}-children")
def test_the_projection_answers_as_resolvers_and_a_hand_written_route_do(
    database_url: str, shape: Shape, tmp_path: Path
) -> None:
    root = asyncio.run(shape.make(database_url))
    query = {
        "method": "POST",
        "path": "/graphql",
        "body": json.dumps({"query": shape.document, "variables": {"id": root.id}}),
    }
    route = {"method": "GET", "path": f"/{shape.route}/{root.id}"}
    with servers(database_url, tmp_path) as (load, places):
        requests = {name: route if name == HANDWRITTEN else query for name in places}
        candidates: dict[str, Callable[[], Sample]] = {
            name: partial(sample, load, url, pid, requests[name]) for name, (url, pid) in places.items()
        }
        answers = {name: answer(load, url, requests[name]) for name, (url, _) in places.items()}
        rounds = measure(candidates)
    show(f"{shape}, {make_url(database_url).get_backend_name()}, {CONNECTIONS} connections", rounds, TARGETS)
    assert answers[PROJECTION]["data"]["workflowExecution"]["id"] == root.id
    assert answers[PROJECTION] == answers[RESOLVERS] == answers[CACHED] == answers[HANDWRITTEN]


@contextmanager
def servers(url: str, cwd: Path) -> Iterator[tuple[Worker, dict[str, tuple[str, int]]]]:
    """The load, and what serves where in which process."""
    with ExitStack() as stack:
        load = stack.enter_context(Worker("load"))
        ours = stack.enter_context(ServerProcess("--database", url, cwd=cwd))
        places = {PROJECTION: (ours.url, ours.process.pid)}
        for name, app in (
            (RESOLVERS, "resolvers"),
            (CACHED, "cached-resolvers"),
            (HANDWRITTEN, "handwritten"),
        ):
            worker = stack.enter_context(Worker("serving", app, url))
            places[name] = (worker.said, worker.pid)
        yield load, places


def answer(load: Worker, url: str, request: dict[str, str]) -> Any:
    """What a server says, after as many requests as warm its caches, its pool and the statements' plans."""
    queues = [[request] * 8] * CONNECTIONS
    return json.loads(load.ask({"url": url, "queues": queues, "seconds": None, "mark": "data"})["last"])


def sample(load: Worker, url: str, pid: int, request: dict[str, str]) -> Sample:
    """One round."""
    before = cpu_seconds(pid)
    queues = [[request]] * CONNECTIONS
    told = load.ask({"url": url, "queues": queues, "seconds": SECONDS, "mark": '"stepId":"start"'})
    return Sample(told["done"], told["seconds"], cpu_seconds(pid) - before)
