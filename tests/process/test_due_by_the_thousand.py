"""What comes by itself comes once, over several servers, while one dies and where clocks are wrong (`runtime.md` T2)."""

import asyncio
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from pathlib import Path
from signal import SIGKILL

import pytest

from db.connect import database_for
from db.migrate import migrate
from db.store import Store
from db.tables import DEFAULT_TENANT
from server.live.timers import AT_ONCE
from tests.contract.trees import Rows, read
from tests.process import timekeeping
from tests.process.clocks import WrongClock
from tests.process.due_work import (
    EACH,
    MARKS,
    assert_each_came_once,
    assert_none_was_early,
    begin,
    tended,
)
from tests.process.quiet import said_since_start
from tests.servers import ServerProcess

pytestmark = pytest.mark.redis

ALONE, FAMILIES, SIZE = 65, 6, 10
ALL = EACH * (ALONE + FAMILIES * SIZE)
SOME, FEW = 12, 6


@pytest.fixture
def options(served_database_url: str, request: pytest.FixtureRequest) -> tuple[str, ...]:
    """A migrated database, and a broker that servers on it share."""
    asyncio.run(migrate(served_database_url))
    is_postgresql = served_database_url.startswith("postgresql")
    broker = served_database_url if is_postgresql else request.getfixturevalue("redis_server").url
    return "--database", served_database_url, "--broadcast", broker


@contextmanager
def serving(
    options: Sequence[str], directory: Path, *clocks: WrongClock | None
) -> Iterator[list[ServerProcess]]:
    """A server by each of these clocks; None is the right one."""
    variables = [{} if clock is None else clock.variables for clock in clocks]
    servers = [
        ServerProcess(*options, cwd=directory, variables=each, program=timekeeping.__name__)
        for each in variables
    ]
    with ExitStack() as stack:
        for server in servers:
            stack.callback(server.stop)
        with ThreadPoolExecutor() as threads:
            list(threads.map(ServerProcess.start, servers))
        yield servers


async def rows_of(database_url: str) -> Rows:
    async with database_for(database_url) as database:
        return await read(Store(database), DEFAULT_TENANT)


def assert_had_no_complaints(*servers: ServerProcess) -> None:
    """A server that was stopped said nothing but what its timer did."""
    for server in servers:
        assert server.stop() == 0
        assert timekeeping.other_words(said_since_start(server.output)) == []


async def test_t2_a_thousand_come_once_each_while_one_of_two_servers_is_killed(
    served_database_url: str, options: tuple[str, ...], tmp_path: Path
) -> None:
    with serving(options, tmp_path, None, None) as (survivor, mortal):
        async with tended(survivor) as tender:
            await begin((survivor, mortal), ALONE, FAMILIES, SIZE)
            await tender.until(ALL // 2)
            mortal.stop(SIGKILL)
            before = tender.come()
            await tender.until(ALL)
            rows = await rows_of(served_database_url)
            await tender.hear_of_all(rows)
        assert_each_came_once(rows)
        assert_none_was_early(tender, rows)
        assert before < ALL
        assert_had_no_complaints(survivor)
    assert_both_did_some(rows, survivor, mortal)


def assert_both_did_some(rows: Rows, survivor: ServerProcess, mortal: ServerProcess) -> None:
    """No two say that they did the same, and all was done by one of them: what the one that was killed had begun it may
    have done without a word."""
    deeds = [timekeeping.deeds(server.output) for server in (survivor, mortal)]
    assert all(deeds)
    done = Counter(
        (root_id, revision)
        for each in deeds
        for root_id, since, until in each
        for revision in range(since + 1, until + 1)
    )
    assert set(done.values()) == {1}
    marked = {
        (row["root_id"], row["revision"])
        for journal in rows.journal.values()
        for row in journal
        if row["kind"] in MARKS
    }
    unsaid = {root_id for root_id, _ in marked - set(done)}
    assert len(unsaid) <= AT_ONCE


@pytest.mark.faketime
async def test_t2_two_servers_beside_a_right_one_are_an_hour_fast_and_an_hour_slow(
    served_database_url: str, options: tuple[str, ...], tmp_path: Path
) -> None:
    """Where the clock is PostgreSQL's the wrong ones do as well alone. With SQLite each goes by its own; some are early."""
    is_postgresql = served_database_url.startswith("postgresql")
    clocks = [WrongClock(tmp_path, offset) for offset in ("+1h", "-1h")]
    with serving(options, tmp_path, None, *clocks) as (right, fast, slow):
        async with tended(fast, slow) as tender:
            await begin((right, fast, slow), SOME)
            await tender.until(SOME * EACH // 2)
            if is_postgresql:
                assert_had_no_complaints(right)
            await tender.until(SOME * EACH)
            rows = await rows_of(served_database_url)
            await tender.hear_of_all(rows)
        assert_each_came_once(rows)
        if is_postgresql:
            assert_none_was_early(tender, rows)
        assert_had_no_complaints(right, fast, slow)


@pytest.mark.faketime
async def test_t2_the_clock_of_the_only_server_jumps(
    served_database_url: str, options: tuple[str, ...], tmp_path: Path
) -> None:
    is_postgresql = served_database_url.startswith("postgresql")
    clock, all_ = WrongClock(tmp_path, "+0"), FEW * EACH
    with serving(options, tmp_path, clock) as (server,):
        async with tended(server) as tender:
            first = await begin([server], FEW)
            await tender.until(all_ // 3)
            clock.set("-1h")
            # What it knows of is more than an hour away.
            await tender.until(all_, await begin([server], FEW))
            assert is_postgresql or tender.come(first) < all_
            clock.set("+1h")
            await tender.until(all_, first)
            rows = await rows_of(served_database_url)
            await tender.hear_of_all(rows)
        assert_each_came_once(rows)
        if is_postgresql:
            assert_none_was_early(tender, rows)
        assert_had_no_complaints(server)
        # At most it had begun to look when a jump came: it does not spin.
        assert timekeeping.in_vain(server.output) <= 2
