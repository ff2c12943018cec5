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
from tests.docs.owners import runs
from tests.docs.pages import Block, in_section
from tests.docs.terminal import TypedServer
from tests.issuer import AUDIENCE, ISSUER, SECRET
from tests.live.brokers import REDIS_URL
from tests.servers import environment

PAGE = "docs/operations.md"
BACKUPS = {
    "sqlite": in_section(PAGE, "A SQLite file", "sh"),
    "postgresql": in_section(PAGE, "A PostgreSQL database", "sh"),
}
(SEVERAL,) = in_section(PAGE, "Several machines", "sh")
PROGRAMS = {"sqlite": ("sqlite3",), "postgresql": ("pg_dump", "pg_restore", "createdb", "dropdb", "vacuumdb")}


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


@pytest.fixture
def kept_url(kind: str, request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """A database of that kind where the page has it."""
    for program in PROGRAMS[kind]:
        if shutil.which(program) is None:
            pytest.skip(f"{program} is not installed: apt-get install sqlite3 postgresql-client")
    if kind == "sqlite":
        return sqlite_url(tmp_path / "stepgraph.db")
    url: str = request.getfixturevalue("empty_postgresql_url")
    return url


@pytest.mark.parametrize(
    ("kind", "backup", "restore"),
    [
        pytest.param("sqlite", *BACKUPS["sqlite"], marks=runs(*BACKUPS["sqlite"])),
        pytest.param(
            "postgresql", *BACKUPS["postgresql"], marks=[runs(*BACKUPS["postgresql"]), pytest.mark.postgresql]
        ),
    ],
    ids=BACKUPS,
)
async def test_a_backup_is_taken_and_put_back_as_the_page_says(
    kept_url: str, backup: Block, restore: Block, tmp_path: Path
) -> None:
    await migrate(kept_url)
    async with database_for(kept_url) as database:
        store, actor = Store(database), Actor()
        await load_demo(store)
        made = await create_workflow_execution(store, actor, NewExecution(workflow_template_key="verify"))
        before = await JournalReader(database).tree_revisions([made.root_id])
        run(backup.text, kept_url, tmp_path)
        lost = await cancel_workflow_execution(store, actor, made.root_id, None)
        assert lost.revision > before.of_root[made.root_id]
    run(restore.text, kept_url, tmp_path)
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
        assert await health.database_status() == "ahead"
        assert (await JournalReader(database).tree_revisions(["exec_none"])).epoch


@runs(SEVERAL)
@pytest.mark.postgresql
@pytest.mark.redis
def test_one_of_several_machines_serves_by_the_variables_of_all(
    migrated_postgresql_url: str, tmp_path: Path
) -> None:
    replaced = {
        "postgresql+asyncpg://stepgraph@db.internal/stepgraph": migrated_postgresql_url,
        "redis://redis.internal:6379": REDIS_URL,
        "STEPGRAPH_HOST=0.0.0.0": "STEPGRAPH_HOST=127.0.0.1",  # nobody else is to reach a test
        "--workers 4": "--workers 1",  # more are started for `configuration.md`
    }
    of_tokens = {
        "STEPGRAPH_JWT_ISSUER": ISSUER,
        "STEPGRAPH_JWT_AUDIENCE": AUDIENCE,
        "STEPGRAPH_JWT_SECRET": SECRET,
    }
    with TypedServer(SEVERAL.text, cwd=tmp_path, replaced=replaced, variables=of_tokens) as server:
        assert server.answer("/readyz").json() == {"status": "ready", "database": "ok", "doorbell": "ok"}
        assert server.answer("/graphql?query={__typename}").status_code == 401
