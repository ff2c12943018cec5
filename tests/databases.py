"""Databases of a test's own, empty until somebody migrates them."""

import asyncio
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from uuid import uuid4

import asyncpg
import pytest
from sqlalchemy.engine import make_url

POSTGRESQL = os.environ.get("STEPGRAPH_TEST_POSTGRESQL", "postgresql://postgres@127.0.0.1:5432/postgres")


def sqlite_url(path: Path) -> str:
    return f"sqlite+aiosqlite:///{path}"


@contextmanager
def empty_postgresql(server: str = POSTGRESQL) -> Iterator[str]:
    """A new database, dropped at the end."""
    name = f"stepgraph_test_{uuid4().hex[:12]}"
    try:
        execute(server, f"create database {name}")
    except (OSError, asyncpg.PostgresError, TimeoutError) as error:
        pytest.skip(f"no PostgreSQL at {server} ({error}); install one with: apt-get install postgresql")
    try:
        url = make_url(server).set(drivername="postgresql+asyncpg", database=name)
        yield url.render_as_string(hide_password=False)
    finally:
        execute(server, f"drop database {name} with (force)")


async def connected(url: str) -> asyncpg.Connection:
    """A connection of the test's own."""
    return await asyncpg.connect(url.replace("+asyncpg", ""), timeout=10)


def execute(url: str, statement: str) -> None:
    async def run() -> None:
        connection = await connected(url)
        try:
            await connection.execute(statement)
        finally:
            await connection.close()

    asyncio.run(run())
