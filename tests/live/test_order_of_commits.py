"""All trees in the order of commits, where PostgreSQL's transactions overlap (`live.md` J4, 5.8)."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import asyncpg
import pytest

from tests.databases import POSTGRESQL, connected
from tests.live.chaos.house import Setting
from tests.live.chaos.scenario import Plan, run
from tests.live.chaos.streams import POLL_CHANGES, ChangesStream, TreeStream
from tests.live.party import revisions_of
from tests.live.test_streams import TRANSPORTS, last_cursor, started

pytestmark = pytest.mark.postgresql

# A transaction waits between its writes and its commit, now and then and for a while.
DELAYS = """
  create function delay() returns trigger language plpgsql as $$
  begin
    if random() < 0.1 then perform pg_sleep(random() * 0.05); end if;
    return null;
  end $$;
  create constraint trigger delay after insert on journal deferrable initially deferred
    for each row execute function delay();
"""
AFTER = "select position from journal where position > $1 order by position"


@dataclass
class NaiveFollower:
    """Reads whatever has a higher number than the last row that it read."""

    read: set[int] = field(default_factory=set)
    missed: set[int] = field(default_factory=set)
    is_to_stop: bool = False

    @asynccontextmanager
    async def following(self, database: str) -> AsyncIterator[None]:
        """Follow, with every transaction delayed; at the end `missed` are the rows that it never read."""
        connection = await connected(database)
        try:
            await connection.execute(DELAYS)
            task = asyncio.create_task(self._follow(connection))
            yield
            self.is_to_stop = True
            await task
            rows = await connection.fetch(AFTER, 0)
            self.missed = {row["position"] for row in rows if row["position"] < max(self.read)} - self.read
        finally:
            await connection.close()

    async def _follow(self, connection: asyncpg.Connection) -> None:
        last = 0
        while not self.is_to_stop:
            for row in await connection.fetch(AFTER, last):
                last = row["position"]
                self.read.add(last)
            await asyncio.sleep(0.005)  # how often it polls


def test_with_sixteen_writers_whose_transactions_are_delayed_nobody_misses_a_change(tmp_path: Path) -> None:
    """But who follows by number beside it does."""
    naive = NaiveFollower()
    plan = Plan(rounds=0, writers=16, events_at_last=4_000, beside=naive.following)
    report = run(Setting("postgresql", "memory", processes=2), 1, tmp_path, plan)
    assert report.found == [], f"the logs are in {tmp_path}"
    assert report.counts["trees"] >= 16
    assert naive.missed


async def test_an_idle_write_in_another_database_delays_all_trees_at_once_and_no_tree_alone(
    migrated_postgresql_url: str, tmp_path: Path
) -> None:
    async with started(migrated_postgresql_url, tmp_path) as (made, tree):
        cursor = await last_cursor(made, tree.root_id)
        trees = [made.follow(TreeStream(tree.root_id), transport) for transport in TRANSPORTS]
        trees += [made.follow(ChangesStream(tree.root_id, cursor), each) for each in (*TRANSPORTS, "poll")]
        everything = [made.follow(ChangesStream(None, cursor), each) for each in (*TRANSPORTS, "poll")]
        async with an_idle_write():
            begun = await tree.revision()
            await tree.update({"note": "while somebody writes elsewhere"})
            await made.until(lambda: all(revisions_of(each) == [begun + 1] for each in trees))
            asked = await made.writer.ask(POLL_CHANGES, {"after": cursor})
            assert asked["changes"]["nodes"] == []
            assert [each.seen for each in everything] == [[]] * len(everything)
        await made.until(lambda: all(revisions_of(each) == [begun + 1] for each in everything))


@asynccontextmanager
async def an_idle_write() -> AsyncIterator[None]:
    """In another database of the same cluster, a transaction that has written and does nothing."""
    connection = await connected(POSTGRESQL)
    try:
        async with connection.transaction():
            await connection.execute("select pg_current_xact_id()")
            yield
    finally:
        await connection.close()
