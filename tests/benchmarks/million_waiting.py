"""Claiming one of a million waiting steps, beside claiming one of a thousand (PostgreSQL).

    make bench ARGS=tests/benchmarks/million_waiting.py

Not found by `make bench` alone: writing the rows takes minutes and some GB of the database's disk.
"""

import asyncio
from collections.abc import Callable
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from db.migrate import migrate
from tests.benchmarks import many_rows, samples
from tests.benchmarks.processes import Worker, cpu_seconds
from tests.benchmarks.raw_commands import CONNECTIONS
from tests.benchmarks.rounds import Sample, Target, measure, show
from tests.databases import empty_postgresql
from tests.servers import ServerProcess

FEW, MANY = 1_000, 1_000_000
CYCLES = 25
# At most one and a half times as dear.
FACTOR = 1 / 1.5


class Side:
    """A database in which so many steps wait, and a server on it."""

    def __init__(self, waiting: int, stack: ExitStack, cwd: Path) -> None:
        self._waiting = waiting
        url = stack.enter_context(empty_postgresql())
        self._key = asyncio.run(_rows(url, waiting))
        self._server = stack.enter_context(ServerProcess("--database", url, cwd=cwd))

    def __str__(self) -> str:
        return f"of {self._waiting:,} that wait"

    def filters(self) -> dict[str, dict[str, Any]]:
        """What workers want, by name."""
        keys = {"workflowTemplateKeys": [self._key]}
        return {
            "whatever there is": {},
            "of a type": {"types": ["HUMAN_FORM"]},
            "of a template": keys,
            "a step of a template": {**keys, "stepIds": ["form-1"]},
        }

    def claim(self, claimers: Worker, name: str) -> Sample:
        """One round of claiming and releasing."""
        pid = self._server.process.pid
        before = cpu_seconds(pid)
        asked = {"url": self._server.url, "wanted": self.filters()[name], "cycles": CYCLES}
        told = claimers.ask({**asked, "workers": CONNECTIONS, "release": True})
        return Sample(told["done"], told["seconds"], cpu_seconds(pid) - before)


async def _rows(url: str, waiting: int) -> str:
    await migrate(url)
    key = await samples.publish(url, samples.sequence("work", 1))
    await many_rows.let_wait(url, key, waiting)
    return key


@pytest.mark.postgresql
@pytest.mark.timeout(3_600)
def test_claiming_among_many_costs_what_it_costs_among_few(tmp_path: Path) -> None:
    with ExitStack() as stack:
        sides = [Side(waiting, stack, tmp_path) for waiting in (MANY, FEW)]
        claimers = stack.enter_context(Worker("claimers"))
        many, few = map(str, sides)
        for name in sides[0].filters():
            candidates: dict[str, Callable[[], Sample]] = {
                str(side): partial(side.claim, claimers, name) for side in sides
            }
            measure(candidates, rounds=1)
            rounds = measure(candidates)
            show(f"claim and release, {name}, {CONNECTIONS} workers", rounds, (Target(many, few, FACTOR),))
