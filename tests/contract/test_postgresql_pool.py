"""Connections to PostgreSQL that are lent again and again, and what happens to one that was broken off."""

import asyncio
from collections.abc import AsyncIterator

import asyncpg
import pytest

from db.postgresql_pool import Connections, Lease

pytestmark = pytest.mark.postgresql


async def pool_of_one(url: str) -> asyncpg.Pool:
    return await asyncpg.create_pool(url.replace("+asyncpg", ""), min_size=1, max_size=1)


@pytest.fixture
async def one(postgresql_url: str) -> AsyncIterator[Connections]:
    """The only connection of a pool."""
    connections = Connections(await pool_of_one(postgresql_url))
    yield connections
    await connections.close()


async def answer(connections: Connections, statement: str) -> int:
    async with Lease(connections) as lease:
        value: int = await (await lease.connection()).fetchval(statement)
    return value


async def test_a_connection_is_lent_again(one: Connections) -> None:
    assert await answer(one, "select pg_backend_pid()") == await answer(one, "select pg_backend_pid()")


async def test_who_waits_gets_the_connection_that_comes_back(one: Connections) -> None:
    async with Lease(one) as lease:
        mine = await (await lease.connection()).fetchval("select pg_backend_pid()")
        waiting = asyncio.create_task(answer(one, "select pg_backend_pid()"))
        await asyncio.sleep(0)
    assert await waiting == mine


@pytest.mark.parametrize("is_lent", [False, True])
async def test_a_connection_that_the_server_ends_is_replaced(
    one: Connections, raw_postgresql: asyncpg.Connection, is_lent: bool
) -> None:
    ended = asyncio.Event()
    async with Lease(one) as lease:
        connection = await lease.connection()
        connection.add_termination_listener(lambda _: ended.set())
        pid = connection.get_server_pid()
        if is_lent:
            await raw_postgresql.execute("select pg_terminate_backend($1)", pid)
            await ended.wait()
    if not is_lent:
        await raw_postgresql.execute("select pg_terminate_backend($1)", pid)
        await ended.wait()
    assert await answer(one, "select pg_backend_pid()") != pid


async def test_a_connection_that_was_silent_for_long_is_replaced(postgresql_url: str) -> None:
    connections = Connections(await pool_of_one(postgresql_url), trusted_seconds=-1)
    first = await answer(connections, "select pg_backend_pid()")
    assert await answer(connections, "select pg_backend_pid()") != first
    await connections.close()


async def test_a_statement_that_was_broken_off_is_not_waited_for(
    one: Connections, raw_postgresql: asyncpg.Connection
) -> None:
    pid = await answer(one, "select pg_backend_pid()")
    running = asyncio.create_task(answer(one, "select 1 from pg_sleep(600)"))
    sleeps = "select exists (select from pg_stat_activity where pid = $1 and wait_event = 'PgSleep')"
    while not await raw_postgresql.fetchval(sleeps, pid):
        pass
    running.cancel()
    assert await asyncio.wait_for(answer(one, "select 1"), 60) == 1
    assert running.cancelled()


async def test_a_transaction_is_undone_with_what_raised(one: Connections) -> None:
    async def fail() -> None:
        async with Lease(one) as lease:
            await lease.begin()
            await (await lease.connection()).execute("create table undone ()")
            raise LookupError

    with pytest.raises(LookupError):
        await fail()
    assert await answer(one, "select count(*) from pg_class where relname = 'undone'") == 0


async def test_a_transaction_keeps_its_connection_and_other_work_lets_it_go(one: Connections) -> None:
    async with Lease(one) as lease:
        await lease.connection()
        await lease.let_go()
        assert await answer(one, "select 1") == 1
        await lease.begin()
        await lease.let_go()
        held = await (await lease.connection()).fetchval("select pg_current_xact_id()")
        assert await (await lease.connection()).fetchval("select pg_current_xact_id()") == held
