"""Databases for server processes, and servers."""

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest

from db.migrate import migrate
from tests.databases import empty_postgresql, sqlite_url
from tests.process.quiet import quiet_server
from tests.servers import ServerProcess


@pytest.fixture
def empty_postgresql_url() -> Iterator[str]:
    """A PostgreSQL database without a table."""
    with empty_postgresql() as url:
        yield url


@pytest.fixture
def migrated_postgresql_url(empty_postgresql_url: str) -> str:
    """A PostgreSQL database that `serve` takes."""
    asyncio.run(migrate(empty_postgresql_url))
    return empty_postgresql_url


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgresql)])
def served_database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """A database of the test's own that `serve` takes, each kind in turn."""
    if request.param == "sqlite":
        return sqlite_url(tmp_path / "served.db")
    url: str = request.getfixturevalue("migrated_postgresql_url")
    return url


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    """One server for all bad input. Whatever it is sent, it writes no word, still answers, and ends as it should."""
    with quiet_server(tmp_path_factory.mktemp("server")) as running:
        yield running
