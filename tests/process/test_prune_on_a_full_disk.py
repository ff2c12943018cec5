"""`stepgraph prune` where there is no room: it says so in one line, leaves no tree by half, and goes on when there is.

SQLite writes more before it can use anything again, so its disk is a small one, which is full. PostgreSQL only marks
what it removes: there a trigger raises the error of a full disk in the midst of a tree.
"""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from db.commands.execution import cancel_workflow_execution
from db.commands.outcome import Actor
from db.connect import database_for
from db.migrate import migrate
from db.store import Store
from tests.contract.graphs import TASK, graph
from tests.contract.trees import assert_whole, create, publish, read
from tests.databases import execute, sqlite_url
from tests.process.commands import invoke
from tests.process.small_disk import small_disk
from tests.servers import Ended

ONE = graph("one", {"only": TASK}, "start only end")
TENANT = "default"
TREES = 40
DONE_BEFORE = 3
WITHOUT_ROOM = " What is removed stays removed; make room and run it again to go on.\n"

FILL = f"""
  create function no_room() returns trigger language plpgsql as $$
  begin
    if (select deletions from journal_epoch) >= {DONE_BEFORE} then
      raise exception 'could not extend file "base/1/2"' using errcode = 'disk_full';
    end if;
    return old;
  end $$;
  create trigger no_room before delete on step_execution for each row execute function no_room();
"""
MAKE_ROOM = "drop trigger no_room on step_execution"


async def ended_trees(url: str) -> None:
    """A database in which all is old soon."""
    await migrate(url)
    async with database_for(url) as database:
        store = Store(database)
        await publish(store, TENANT, ONE)
        for _ in range(TREES):
            (root_id,) = await create(store, TENANT, "one")
            await cancel_workflow_execution(store, Actor(TENANT), root_id, "x" * 1_000)


async def left(url: str) -> int:
    """How many trees there are, each of them whole."""
    async with database_for(url) as database:
        rows = await read(Store(database), TENANT)
    assert_whole(rows)
    return len(rows.executions)


def prune(url: str) -> Ended:
    return invoke("prune", "--before", "PT0.001S", "--executions", "--database", url)


def test_a_sqlite_file_on_a_full_disk(tmp_path: Path) -> None:
    with small_disk(tmp_path / "disk", megabytes=8) as disk:
        url = sqlite_url(disk.directory / "small.db")
        asyncio.run(ended_trees(url))
        disk.fill()
        ended = prune(url)
        disk.make_room()
        assert (ended.code, ended.output) == (1, "")
        assert ended.errors.startswith("There is no room for the database file: ")
        assert ended.errors.endswith(WITHOUT_ROOM)
        assert ended.errors.count("\n") == 1
        assert asyncio.run(left(url)) == TREES
        assert prune(url).output.startswith(f"Deleted {TREES} trees ")
        assert asyncio.run(left(url)) == 0


@pytest.mark.postgresql
def test_a_postgresql_database_that_has_no_room(empty_postgresql_url: str) -> None:
    asyncio.run(ended_trees(empty_postgresql_url))
    with without_room(empty_postgresql_url):
        assert prune(empty_postgresql_url) == Ended(1, "", f"The database has no room left.{WITHOUT_ROOM}")
        assert asyncio.run(left(empty_postgresql_url)) == TREES - DONE_BEFORE
    assert prune(empty_postgresql_url).output.startswith(f"Deleted {TREES - DONE_BEFORE} trees ")
    assert asyncio.run(left(empty_postgresql_url)) == 0


@contextmanager
def without_room(url: str) -> Iterator[None]:
    plain = url.replace("+asyncpg", "")
    execute(plain, FILL)
    yield
    execute(plain, MAKE_ROOM)
