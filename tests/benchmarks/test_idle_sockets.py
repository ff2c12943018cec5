"""Idle sockets: what each takes of the server's memory, with a subscription that nothing happens to."""

import asyncio
import resource
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
from sqlalchemy.engine import make_url

from tests.benchmarks import samples
from tests.benchmarks.processes import Worker
from tests.servers import ServerProcess

SOCKETS = 10_000
EARLIER = 200  # what the first ones bring up (caches, plans, connections) is not a socket's
TARGET = 45  # KiB

WATCH = "subscription Watch($id: ID!) { workflowExecution(id: $id) { name runtimeStatus revision } }"
SAME, OWN = "all watch one execution", "each watches another"


@pytest.fixture
def many_files() -> Iterator[None]:
    """Let processes open a socket for every subscriber."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = SOCKETS + EARLIER + 200
    assert hard >= wanted, f"a process may open {hard:,} files here, and {wanted:,} are needed"
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, wanted), hard))
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


@pytest.mark.usefixtures("many_files")
@pytest.mark.parametrize("watched", [SAME, OWN])
def test_an_idle_socket_takes_little(database_url: str, tmp_path: Path, watched: str) -> None:
    pattern, others = asyncio.run(executions(database_url, 1 if watched == SAME else SOCKETS))
    asked = {"count": SOCKETS, "payload": {"query": WATCH}, "ids": others * (SOCKETS // len(others))}
    with (
        ServerProcess("--database", database_url, cwd=tmp_path) as server,
        Worker("subscribers") as first,
        Worker("subscribers") as client,
    ):
        process = psutil.Process(server.process.pid)
        first.ask({"open": {**asked, "url": server.url, "count": EARLIER, "ids": [pattern] * EARLIER}})
        before = process.memory_info().rss
        client.ask({"open": {**asked, "url": server.url}})
        each = (process.memory_info().rss - before) / SOCKETS / 1024
        assert len(process.net_connections("tcp")) > SOCKETS
    print(f"\n{SOCKETS:,} idle sockets, {watched}, {make_url(database_url).get_backend_name()}")
    print(f"  {each:.1f} KiB each, target ≤ {TARGET}: {'reached' if each <= TARGET else 'MISSED'}")


async def executions(url: str, count: int) -> tuple[str, list[str]]:
    """An execution, and so many like it."""
    key = await samples.publish(url, samples.sequence("idle", 1))
    pattern = await samples.start(url, key)
    return pattern.id, [each.id for each in await samples.copies(url, pattern, count)]
