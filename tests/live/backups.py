"""A copy of a database, and putting it back, while no server is connected to it."""

import sqlite3
from contextlib import closing
from pathlib import Path

from sqlalchemy.engine import make_url

from tests.databases import POSTGRESQL, connected


async def take(url: str) -> str:
    """Copy a database; returns the copy's URL."""
    parsed = make_url(url)
    copy = parsed.set(database=f"{parsed.database}_copy").render_as_string(hide_password=False)
    await _copy(url, copy)
    return copy


async def put_back(copy: str, url: str) -> None:
    """Put the copy in the database's place."""
    await _copy(copy, url)


async def drop(copy: str) -> None:
    """Forget the copy. A file is left to the directory that it is in."""
    if copy.startswith("postgresql"):
        await _execute(f"drop database if exists {make_url(copy).database} with (force)")


async def _copy(url: str, to: str) -> None:
    origin, target = str(make_url(url).database), str(make_url(to).database)
    if url.startswith("postgresql"):
        await _execute(f"drop database if exists {target} with (force)")
        await _execute(f"create database {target} template {origin}")
    else:
        _copy_file(origin, target)


def _copy_file(origin: str, target: str) -> None:
    for path in (target, f"{target}-wal", f"{target}-shm"):
        Path(path).unlink(missing_ok=True)
    with closing(sqlite3.connect(origin)) as source, closing(sqlite3.connect(target)) as copy:
        source.backup(copy)


async def _execute(statement: str) -> None:
    connection = await connected(POSTGRESQL)
    try:
        await connection.execute(statement)
    finally:
        await connection.close()
