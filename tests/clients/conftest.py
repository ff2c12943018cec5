"""Servers with a network before them, and the packages of the examples."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from db.migrate import migrate
from tests.clients.followers import EXAMPLES
from tests.clients.proxy import Network
from tests.databases import empty_postgresql, sqlite_url
from tests.node import installed
from tests.servers import ServerProcess


@pytest.fixture(scope="session", autouse=True)
def packages() -> Path:
    """The directory of the examples with their packages installed."""
    return installed(EXAMPLES)


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgresql)])
def served_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """A database of the test's own, each kind in turn."""
    if request.param == "sqlite":
        yield sqlite_url(tmp_path / "followed.db")
        return
    with empty_postgresql() as url:
        asyncio.run(migrate(url))
        yield url


@pytest.fixture
def server(served_url: str, tmp_path: Path) -> Iterator[ServerProcess]:
    """A server that the test may kill; it comes back on its port."""
    with ServerProcess("--demo", "--database", served_url, cwd=tmp_path) as running:
        yield running


@pytest.fixture
async def network(server: ServerProcess) -> AsyncIterator[Network]:
    """What lies between the clients and the server."""
    network = Network(server)
    async with network.running():
        yield network
