"""Lists and trees among a million executions and ten million steps, beside the same among a thousand (PostgreSQL).

    make bench ARGS=tests/benchmarks/million_executions.py

Not found by `make bench` alone: writing the rows takes 6 minutes and 8 GB of the database's disk.
"""

import asyncio
import json
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from db.migrate import migrate
from tests.benchmarks import many_rows, samples
from tests.benchmarks.processes import Worker
from tests.benchmarks.rounds import Sample, Target, measure, show
from tests.benchmarks.shapes import TREE
from tests.benchmarks.test_reads import CONNECTIONS, Request, answer, sample
from tests.databases import empty_postgresql
from tests.servers import ServerProcess

Variables = dict[str, Any]

FEW, MANY = 1_000, 1_000_000
PAGES = 1_000
# At most one and a half times as dear.
FACTOR = 1 / 1.5

LIST = """
  query Page($after: String, $where: WorkflowExecutionWhere, $orderBy: [WorkflowExecutionOrder!]) {
    workflowExecutions(first: 50, after: $after, where: $where, orderBy: $orderBy) {
      nodes { id name correlationId runtimeStatus createdAt startedAt completedAt lastActivityAt revision context }
      pageInfo { hasNextPage endCursor }
    }
  }
"""
LISTS = {
    "in progress, newest first": {"where": {"runtimeStatus": {"eq": "IN_PROGRESS"}}},
    "not completed and from GB, last started first": {
        "where": {
            "not": {"runtimeStatus": {"eq": "COMPLETED"}},
            "context": [{"path": "customer.country", "eq": "GB"}],
        },
        "orderBy": [{"field": "STARTED_AT", "direction": "DESC"}],
    },
}


class Side:
    """A database with so many executions, and a server on it. What it asks for is known once the rows are there."""

    def __init__(self, executions: int, stack: ExitStack, cwd: Path) -> None:
        self._executions = executions
        url = stack.enter_context(empty_postgresql())
        root = asyncio.run(_rows(url, executions))
        self._server = stack.enter_context(ServerProcess("--database", url, cwd=cwd))
        self.requests = {"a tree": _request(TREE.document, {"id": root.id}), **dict(self._pages())}

    def __str__(self) -> str:
        return f"of {self._executions:,} executions"

    def rows(self, load: Worker, name: str) -> int:
        """How many executions and steps an answer shows; warms what it needs."""
        return json.dumps(answer(load, self._server.url, self.requests[name])).count('"startedAt"')

    def read(self, load: Worker, name: str) -> Sample:
        """One round of a request."""
        return sample(load, self._server.url, self._server.process.pid, self.requests[name])

    def _pages(self) -> Iterator[tuple[str, Request]]:
        """The first page of each list, and one deep in it: the last of the few, the thousandth of the many."""
        for name, variables in LISTS.items():
            yield f"page 1, {name}", _request(LIST, variables)
            yield f"page {PAGES:,}, {name}", _request(LIST, {**variables, "after": self._deep(variables)})

    def _deep(self, variables: Variables) -> str | None:
        """The cursor before the thousandth page, or before the last that is full."""
        cursors: list[str | None] = [None]
        while len(cursors) < PAGES:
            page = self._server.graphql(LIST, **variables, after=cursors[-1])["workflowExecutions"]
            if not page["pageInfo"]["hasNextPage"]:
                return cursors[-2]
            cursors.append(page["pageInfo"]["endCursor"])
        return cursors[-1]


async def _rows(url: str, executions: int) -> samples.Execution:
    await migrate(url)
    root = await TREE.rows(url)
    await many_rows.fill(url, executions)
    return root


def _request(document: str, variables: Variables) -> Request:
    return {
        "method": "POST",
        "path": "/graphql",
        "body": json.dumps({"query": document, "variables": variables}),
    }


@pytest.mark.postgresql
@pytest.mark.timeout(3_600)
def test_many_cost_what_few_cost(tmp_path: Path) -> None:
    with ExitStack() as stack:
        sides = [Side(executions, stack, tmp_path) for executions in (MANY, FEW)]
        load = stack.enter_context(Worker("load"))
        many, few = map(str, sides)
        for name in sides[0].requests:
            candidates: dict[str, Callable[[], Sample]] = {
                str(side): partial(side.read, load, name) for side in sides
            }
            assert sides[0].rows(load, name) == sides[1].rows(load, name)
            rounds = measure(candidates)
            show(f"{name}, {CONNECTIONS} connections", rounds, (Target(many, few, FACTOR),))
