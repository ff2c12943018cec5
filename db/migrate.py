"""Bring a database to this program's schema, and tell how far it is."""

import asyncio
from collections.abc import Callable
from os.path import isfile
from pathlib import Path
from typing import TypeVar

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from alembic.script.revision import ResolutionError
from alembic.util import CommandError
from sqlalchemy import URL, Connection, create_engine, text
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import NullPool

from db.session import Unavailable, parse_database_url
from db.sqlite_errors import no_room

T = TypeVar("T")

_DIRECTORY = Path(__file__).parent / "migrations"
# Any number will do, as long as it is ours: two servers that start together migrate one after the other.
_LOCK = 7_380_455_210
_LOCK_SECONDS = 30


class UnknownMigration(Unavailable):
    """The database has a migration that this program does not know: it was migrated by a newer one."""


async def migrate(url: str) -> str:
    """Run the missing migrations; returns the revision reached. Raises `ValueError` (URL) and `Unavailable`."""
    return await _on_connection(url, _upgrade)


async def missing_migrations(url: str) -> list[str]:
    """The migrations that the database does not have yet, oldest first."""
    return await _on_connection(url, _missing)


async def require_migrated(url: str) -> None:
    """Refuse a database that lacks a migration, or a SQLite file that is not there: `Unavailable`. Makes no file."""
    parsed = parse_database_url(url)
    if parsed.drivername == "sqlite+aiosqlite" and not await asyncio.to_thread(isfile, str(parsed.database)):
        raise Unavailable(f"There is no SQLite file {parsed.database}.")
    missing = await missing_migrations(url)
    if missing:
        raise Unavailable(
            f"The database lacks {len(missing)} migration{'s' if len(missing) > 1 else ''}: run `stepgraph migrate` first."
        )


async def _on_connection(url: str, work: Callable[[Connection], T]) -> T:
    parsed = parse_database_url(url)
    place = parsed.render_as_string(hide_password=True)
    try:
        if parsed.drivername == "sqlite+aiosqlite":
            return await asyncio.to_thread(_on_sqlite, parsed, work)
        return await _on_postgresql(parsed, work)
    except (CommandError, ResolutionError) as error:
        raise UnknownMigration(
            f"The database {place} has a migration that this program does not know: {error}"
        ) from error
    except (SQLAlchemyError, OSError) as error:
        cause = getattr(error, "orig", None) or error
        if full := no_room(cause):
            raise full from error
        raise Unavailable(f"The database {place} cannot be reached or migrated: {cause}") from error


def _on_sqlite(url: URL, work: Callable[[Connection], T]) -> T:
    """Not through aiosqlite: the thread of a connection that cannot be opened outlives the event loop, and says so."""
    engine = create_engine(
        url.set(drivername="sqlite"), poolclass=NullPool, connect_args={"timeout": _LOCK_SECONDS}
    )
    with engine.connect() as connection:
        result = work(connection)
        connection.commit()
        return result


async def _on_postgresql(url: URL, work: Callable[[Connection], T]) -> T:
    engine = create_async_engine(url, poolclass=NullPool)
    try:
        async with engine.connect() as connection:
            result = await connection.run_sync(work)
            await connection.commit()
            return result
    finally:
        await engine.dispose()


def _config(connection: Connection) -> Config:
    config = Config()
    config.set_main_option("script_location", str(_DIRECTORY))
    config.attributes["connection"] = connection
    return config


def _upgrade(connection: Connection) -> str:
    if connection.dialect.name == "postgresql":
        connection.execute(text("select pg_advisory_lock(:lock)"), {"lock": _LOCK})
        connection.commit()
    else:
        # Held until the end: nobody else migrates meanwhile, and a migration that is killed leaves nothing.
        connection.execute(text("begin immediate"))
    config = _config(connection)
    command.upgrade(config, "head")
    return ScriptDirectory.from_config(config).get_current_head() or ""


def _missing(connection: Connection) -> list[str]:
    script = ScriptDirectory.from_config(_config(connection))
    current = MigrationContext.configure(connection).get_current_revision()
    return [each.revision for each in reversed(list(script.iterate_revisions("head", current)))]
