"""Two connections to one database, and databases with nothing in them."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import asyncpg
import pytest

from db.connect import database_for
from db.migrate import migrate
from db.store import Store
from tests.databases import connected, empty_postgresql


@pytest.fixture
async def rivals(database_url: str) -> AsyncIterator[tuple[Store, Store]]:
    """Two stores over one database, as two server processes have them."""
    async with database_for(database_url) as first, database_for(database_url) as second:
        yield Store(first), Store(second)


@pytest.fixture
async def lone_rivals(empty_url: str) -> AsyncIterator[tuple[Store, Store]]:
    """The same over a database of the test's own: the timer asks for everybody's."""
    await migrate(empty_url)
    async with database_for(empty_url) as first, database_for(empty_url) as second:
        yield Store(first), Store(second)


@pytest.fixture
async def raw_postgresql(postgresql_url: str) -> AsyncIterator[asyncpg.Connection]:
    """A connection past the program, to hold locks with."""
    connection = await connected(postgresql_url)
    yield connection
    await connection.close()


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgresql)])
def empty_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """A database of each kind that nobody has migrated."""
    if request.param == "sqlite":
        yield f"sqlite+aiosqlite:///{tmp_path / 'empty.db'}"
        return
    with empty_postgresql() as url:
        yield url
