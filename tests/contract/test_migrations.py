"""The migrations make the tables that `db/tables` describes, and can be undone (both databases)."""

import asyncio
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from sqlalchemy import CheckConstraint, Connection, create_engine, inspect, text
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import NullPool
from sqlmodel import SQLModel

import db
from db import tables
from db.migrate import migrate, missing_migrations
from db.session import Unavailable

T = TypeVar("T")
ALL = ["0001", "0002", "0003", "0004", "0005", "0006", "0007"]
HEAD = ALL[-1]
MIGRATIONS = Path(db.__file__).parent / "migrations"
ROOT = Path(db.__file__).parent.parent


async def on_connection(url: str, work: Callable[[Connection], T]) -> T:
    """Something done on a connection of SQLAlchemy's."""
    engine = create_async_engine(url, poolclass=NullPool)
    try:
        async with engine.begin() as connection:
            return await connection.run_sync(work)
    finally:
        await engine.dispose()


def downgrade(connection: Connection) -> None:
    """Undo every migration."""
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    config.attributes["connection"] = connection
    command.downgrade(config, "base")


def tables_there(connection: Connection) -> set[str]:
    return set(inspect(connection).get_table_names()) - {"alembic_version"}


def epochs(connection: Connection) -> list[Any]:
    return list(connection.execute(text("select id, epoch from journal_epoch")))


async def test_upgrade_from_nothing_down_and_up_again(empty_url: str) -> None:
    assert await missing_migrations(empty_url) == ALL
    assert await migrate(empty_url) == HEAD
    assert await missing_migrations(empty_url) == []
    assert await on_connection(empty_url, tables_there) == set(SQLModel.metadata.tables)
    first = await on_connection(empty_url, epochs)
    await on_connection(empty_url, downgrade)
    assert await on_connection(empty_url, tables_there) == set()
    assert await missing_migrations(empty_url) == ALL
    await migrate(empty_url)
    assert await on_connection(empty_url, tables_there) == set(SQLModel.metadata.tables)
    second = await on_connection(empty_url, epochs)
    assert len(first) == len(second) == 1
    assert first != second


async def test_migrating_again_does_nothing(empty_url: str) -> None:
    await migrate(empty_url)
    before = await on_connection(empty_url, epochs)
    assert await migrate(empty_url) == HEAD
    assert await on_connection(empty_url, epochs) == before


@pytest.mark.filterwarnings("ignore:.*expression-based index")
async def test_the_migrated_database_is_what_the_tables_say(database_url: str) -> None:
    def differences(connection: Connection) -> list[Any]:
        options = {"compare_type": True, "include_object": is_no_index}
        context = MigrationContext.configure(connection, opts=options)
        return list(compare_metadata(context, SQLModel.metadata))

    assert await on_connection(database_url, differences) == []


def is_no_index(_object: Any, _name: str | None, kind: str, *_: Any) -> bool:
    """Alembic compares no expressions of indexes; they have a test of their own."""
    return kind != "index"


async def test_the_indexes_are_those_of_the_tables(empty_url: str) -> None:
    """As the database tells them, made in the one way and in the other."""
    await on_connection(empty_url, SQLModel.metadata.create_all)
    made = await on_connection(empty_url, indexes)
    await on_connection(empty_url, SQLModel.metadata.drop_all)
    await migrate(empty_url)
    assert await on_connection(empty_url, indexes) == made
    assert any("coalesce" in each.lower() for each in made)


def indexes(connection: Connection) -> set[str]:
    """The statement of every index but those that stand behind constraints."""
    statement = (
        "select indexdef from pg_indexes where schemaname = 'public'"
        if connection.dialect.name == "postgresql"
        else "select sql from sqlite_master where type = 'index' and sql is not null"
    )
    return {row[0] for row in connection.execute(text(statement)) if "alembic_version" not in row[0]}


async def test_the_checks_are_those_of_the_tables(database_url: str) -> None:
    """Alembic does not compare CHECKs; what each refuses is tried in `test_constraints.py`."""

    def checks(connection: Connection) -> dict[str, set[str | None]]:
        inspector = inspect(connection)
        return {
            name: {check["name"] for check in inspector.get_check_constraints(name)}
            for name in SQLModel.metadata.tables
        }

    promised = {
        name: {each.name for each in table.constraints if isinstance(each, CheckConstraint)}
        for name, table in SQLModel.metadata.tables.items()
    }
    assert await on_connection(database_url, checks) == promised


async def test_sqlite_keeps_the_checks_word_for_word(sqlite_url: str, tmp_path: Path) -> None:
    """PostgreSQL writes a CHECK anew, SQLite keeps its text, so there the two ways to the tables can be compared."""
    engine = create_engine(f"sqlite:///{tmp_path / 'made.db'}")
    with engine.begin() as connection:
        SQLModel.metadata.create_all(connection)
        made = check_texts(connection)
    engine.dispose()
    assert await on_connection(sqlite_url, check_texts) == made


def check_texts(connection: Connection) -> dict[str, dict[str | None, str]]:
    inspector = inspect(connection)
    return {
        name: {check["name"]: check["sqltext"] for check in inspector.get_check_constraints(name)}
        for name in SQLModel.metadata.tables
    }


@pytest.mark.postgresql
async def test_postgresql_compares_every_text_by_code_point(postgresql_url: str) -> None:
    """Alembic does not compare collations; SQLite compares by code point as it is."""

    def others(connection: Connection) -> list[Any]:
        statement = text(
            "select c.relname, a.attname from pg_attribute a join pg_class c on c.oid = a.attrelid"
            " join pg_collation l on l.oid = a.attcollation"
            " where c.relkind = 'r' and c.relnamespace = 'public'::regnamespace and a.attnum > 0"
            " and l.collname <> 'C' and c.relname <> 'alembic_version'"
        )
        return list(connection.execute(statement))

    assert await on_connection(postgresql_url, others) == []


async def test_j4_sqlite_never_gives_a_position_of_the_journal_twice(sqlite_url: str) -> None:
    def journal(connection: Connection) -> str:
        statement = text("select sql from sqlite_master where name = 'journal'")
        return str(connection.execute(statement).scalar_one())

    assert "AUTOINCREMENT" in await on_connection(sqlite_url, journal)


async def test_a_tenant_is_in_every_row(database_url: str) -> None:
    def without(connection: Connection) -> set[str]:
        inspector = inspect(connection)
        return {
            name
            for name in SQLModel.metadata.tables
            if "tenant" not in {column["name"] for column in inspector.get_columns(name)}
        }

    assert await on_connection(database_url, without) == {tables.JournalEpoch.__tablename__}


async def test_processes_that_migrate_at_once_do_it_once(empty_url: str) -> None:
    program = "import asyncio, sys; from db.migrate import migrate; print(asyncio.run(migrate(sys.argv[1])))"

    async def process() -> tuple[bytes, bytes]:
        started = await asyncio.create_subprocess_exec(
            sys.executable, "-c", program, empty_url, cwd=ROOT, stdout=-1, stderr=-1
        )
        return await started.communicate()

    assert await asyncio.gather(*(process() for _ in range(3))) == [(f"{HEAD}\n".encode(), b"")] * 3
    assert len(await on_connection(empty_url, epochs)) == 1


async def test_a_migration_that_is_stopped_leaves_nothing(
    empty_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stop() -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        # The last thing that the migration does is to make an epoch.
        patch.setattr("uuid.uuid4", stop)
        with pytest.raises(KeyboardInterrupt):
            await migrate(empty_url)
    assert await on_connection(empty_url, tables_there) == set()
    assert await migrate(empty_url) == HEAD


@pytest.mark.parametrize("ask", [migrate, missing_migrations])
async def test_a_database_of_a_newer_program_is_told_in_one_sentence(empty_url: str, ask: Any) -> None:
    await migrate(empty_url)

    def newer(connection: Connection) -> None:
        connection.execute(text("update alembic_version set version_num = '9999'"))

    await on_connection(empty_url, newer)
    with pytest.raises(Unavailable, match=r"does not know.*9999"):
        await ask(empty_url)


@pytest.mark.parametrize(
    "url",
    [
        "",
        "nonsense",
        "mysql://localhost/x",
        "sqlite:///x.db",
        "sqlite+aiosqlite://",
        "sqlite+aiosqlite:///:memory:",
        "postgresql://localhost/x",
    ],
)
async def test_a_url_that_does_not_work_here_is_told_with_the_forms_that_do(url: str) -> None:
    for ask in (migrate, missing_migrations):
        with pytest.raises(ValueError, match=r"sqlite\+aiosqlite:///FILE or postgresql\+asyncpg://"):
            await ask(url)


@pytest.mark.parametrize(
    "url",
    ["sqlite+aiosqlite:////nonexistent/directory/x.db", "postgresql+asyncpg://nobody@127.0.0.1:1/nothing"],
)
async def test_a_database_that_cannot_be_reached_is_told_in_one_sentence(url: str) -> None:
    for ask in (migrate, missing_migrations):
        with pytest.raises(Unavailable) as told:
            await ask(url)
        assert url in str(told.value)
        assert "\n" not in str(told.value)
