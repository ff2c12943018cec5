"""`stepgraph new-epoch`: what it says, and which databases it refuses (`live.md` J5). What it does to clients is
`tests/live/test_restore.py`'s."""

import asyncio
import re
from pathlib import Path

import pytest

from db.connect import database_for
from db.journal import JournalReader
from db.migrate import migrate
from tests.databases import sqlite_url
from tests.process.commands import invoke
from tests.servers import Ended, run_command


async def epoch_of(url: str) -> str:
    async with database_for(url) as database:
        return (await JournalReader(database).tree_revisions(["exec_00000000000000000000000000"])).epoch


def test_it_says_the_new_epoch_and_every_time_another(served_database_url: str, tmp_path: Path) -> None:
    asyncio.run(migrate(served_database_url))
    option = ("--database", served_database_url)
    ended = run_command("new-epoch", *option, cwd=tmp_path)
    found = re.fullmatch(
        r"The history is ([0-9a-f]{32}) from now on; subscribers begin again from the state\.\n", ended.output
    )
    assert found, ended
    assert (ended.code, ended.errors) == (0, "")
    assert asyncio.run(epoch_of(served_database_url)) == found[1]
    assert invoke("new-epoch", *option).code == 0
    assert asyncio.run(epoch_of(served_database_url)) != found[1]


def test_a_file_that_is_not_there_is_not_made(tmp_path: Path) -> None:
    path = tmp_path / "misspelt.db"
    ended = invoke("new-epoch", "--database", sqlite_url(path))
    assert ended == Ended(1, "", f"There is no SQLite file {path}.\n")
    assert list(tmp_path.iterdir()) == []


def test_a_file_that_lacks_migrations_is_refused_with_what_to_run(tmp_path: Path) -> None:
    path = tmp_path / "older.db"
    path.touch()
    assert_lacks_migrations(invoke("new-epoch", "--database", sqlite_url(path)))


@pytest.mark.postgresql
def test_a_postgresql_database_that_lacks_migrations_likewise(empty_postgresql_url: str) -> None:
    assert_lacks_migrations(invoke("new-epoch", "--database", empty_postgresql_url))


def assert_lacks_migrations(ended: Ended) -> None:
    """One line, and exit code 1."""
    assert (ended.code, ended.output, ended.errors.count("\n")) == (1, "", 1)
    assert ended.errors.endswith("migrations: run `stepgraph migrate` first.\n")
