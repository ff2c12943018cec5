"""Two connections to one database, and databases with nothing in them."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from uuid import uuid4

import asyncpg
import pytest
from sqlalchemy.engine import make_url

from db.connect import database_for
from db.store import Store


@pytest.fixture
async def rivals(database_url: str) -> AsyncIterator[tuple[Store, Store]]:
    """Two stores over one database, as two server processes have them."""
    async with database_for(database_url) as first, database_for(database_url) as second:
        yield Store(first), Store(second)


@pytest.fixture
async def raw_postgresql(postgresql_url: str) -> AsyncIterator[asyncpg.Connection]:
    """A connection past the program, to hold locks with."""
    connection = await asyncpg.connect(plain(postgresql_url))
    yield connection
    await connection.close()


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgresql)])
def empty_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """A database of each kind that nobody has migrated."""
    if request.param == "sqlite":
        yield f"sqlite+aiosqlite:///{tmp_path / 'empty.db'}"
        return
    url = request.getfixturevalue("postgresql_url")
    name = f"stepgraph_empty_{uuid4().hex[:12]}"
    asyncio.run(_execute(url, f"create database {name}"))
    yield make_url(url).set(database=name).render_as_string(hide_password=False)
    asyncio.run(_execute(url, f"drop database {name} with (force)"))


def plain(url: str) -> str:
    """A URL as the driver takes it."""
    return url.replace("postgresql+asyncpg://", "postgresql://")


async def _execute(url: str, statement: str) -> None:
    connection = await asyncpg.connect(plain(url))
    try:
        await connection.execute(statement)
    finally:
        await connection.close()
