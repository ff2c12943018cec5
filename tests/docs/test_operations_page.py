"""What `docs/operations.md` says of backups is run word for word, beside somebody who has the database open."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from sqlalchemy.engine import make_url

from db.commands.execution import NewExecution, cancel_workflow_execution, create_workflow_execution
from db.commands.outcome import Actor
from db.connect import database_for
from db.journal import JournalReader
from db.migrate import migrate
from db.store import Store
from server.demo import load_demo
from server.live.broadcast import Doorbell
from server.monitoring.health import Health
from server.settings import Settings
from tests.databases import sqlite_url
from tests.docs.pages import blocks
from tests.servers import environment

PAGE = "docs/operations.md"
BACKUPS = {"A SQLite file": "sqlite", "A PostgreSQL database": "postgresql"}
PROGRAMS = {"sqlite": ("sqlite3",), "postgresql": ("pg_dump", "pg_restore", "createdb", "dropdb", "vacuumdb")}


def parts_of(kind: str) -> tuple[str, str]:
    """The commands that take a backup, and those that put it back."""
    backup, restore = [
        block.text for block in blocks(PAGE) if block.language == "sh" and BACKUPS.get(block.section) == kind
    ]
    return backup, restore


def run(commands: str, url: str, directory: Path) -> None:
    """Type them where the database is, under the name that it has here."""
    database = make_url(url)
    if database.drivername.startswith("postgresql"):
        commands = commands.replace("stepgraph", str(database.database))
    connection = {
        "PGHOST": database.host,
        "PGPORT": database.port and str(database.port),
        "PGUSER": database.username,
        "PGPASSWORD": database.password,
    }
    subprocess.run(
        ["sh", "-euc", commands.replace(".venv/bin/python", sys.executable)],
        cwd=directory,
        env=environment(STEPGRAPH_DATABASE=url) | {name: str(it) for name, it in connection.items() if it},
        check=True,
        timeout=120,
    )


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgresql)])
def kept_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """A database where the page has it, of each kind."""
    for program in PROGRAMS[request.param]:
        if shutil.which(program) is None:
            pytest.skip(f"{program} is not installed: apt-get install sqlite3 postgresql-client")
    if request.param == "sqlite":
        return sqlite_url(tmp_path / "stepgraph.db")
    url: str = request.getfixturevalue("empty_postgresql_url")
    return url


async def test_a_backup_is_taken_and_put_back_as_the_page_says(kept_url: str, tmp_path: Path) -> None:
    backup, restore = parts_of("sqlite" if kept_url.startswith("sqlite") else "postgresql")
    await migrate(kept_url)
    async with database_for(kept_url) as database:
        store, actor = Store(database), Actor()
        await load_demo(store)
        made = await create_workflow_execution(store, actor, NewExecution(workflow_template_key="verify"))
        before = await JournalReader(database).tree_revisions([made.root_id])
        run(backup, kept_url, tmp_path)
        lost = await cancel_workflow_execution(store, actor, made.root_id, None)
        assert lost.revision > before.of_root[made.root_id]
    run(restore, kept_url, tmp_path)
    async with database_for(kept_url) as database:
        after = await JournalReader(database).tree_revisions([made.root_id])
        assert after.of_root == before.of_root
        assert after.epoch != before.epoch
        again = await cancel_workflow_execution(Store(database), Actor(), made.root_id, None)
        assert again.since == before.of_root[made.root_id]


async def test_a_process_is_not_ready_once_the_database_is_of_a_newer_program(tmp_path: Path) -> None:
    """As old processes are in an upgrade, which go on with what they have."""
    url = sqlite_url(tmp_path / "newer.db")
    await migrate(url)
    async with database_for(url) as database:
        health = Health(Settings(database=url), database, Doorbell("memory://"))
        assert await health.database_status() == "ok"
        run("sqlite3 newer.db \"update alembic_version set version_num = 'ffff'\"", url, tmp_path)
        assert await health.database_status() == "unavailable"
        assert (await JournalReader(database).tree_revisions(["exec_none"])).epoch
