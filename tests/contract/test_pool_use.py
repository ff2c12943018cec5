"""How the connections are used, as `/metrics` tells it."""

import asyncio
from collections.abc import Callable

from db.session import Database, PoolUse
from tests.contract.test_stopped_reads import ENDLESS, MORE_THAN_CONNECTIONS


def use(database: Database, name: str) -> PoolUse:
    (found,) = [pool for pool in database.pools() if pool.name == name]
    return found


async def until(told: Callable[[], bool]) -> None:
    async with asyncio.timeout(60):
        while not told():  # noqa: ASYNC110  # nobody tells when a connection is made
            await asyncio.sleep(0.01)


async def test_a_pool_tells_what_is_at_work_and_who_waits(database: Database) -> None:
    limit = use(database, "readers").limit
    assert 1 < limit < MORE_THAN_CONNECTIONS
    reads = [asyncio.create_task(database.read(ENDLESS, [])) for _ in range(MORE_THAN_CONNECTIONS)]
    busy = PoolUse("readers", limit, limit, limit, MORE_THAN_CONNECTIONS - limit)
    try:
        await until(lambda: use(database, "readers") == busy)
        assert use(database, "writers").used == 0
    finally:
        for read in reads:
            read.cancel()
        await asyncio.gather(*reads, return_exceptions=True)
    assert await database.read("SELECT '1'", []) == "1"
    await until(lambda: (use(database, "readers").used, use(database, "readers").waiting) == (0, 0))
