"""A read that nobody waits for any more ends, and leaves its connection to others."""

import asyncio

from db.session import Database

ENDLESS = (
    "WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n) SELECT CAST(count(*) AS text) FROM n"
)
MORE_THAN_CONNECTIONS = 12


async def test_reads_that_are_cancelled_leave_their_connections(database: Database) -> None:
    endless = [asyncio.create_task(database.read(ENDLESS, [])) for _ in range(MORE_THAN_CONNECTIONS)]
    await asyncio.sleep(0.05)
    for read in endless:
        read.cancel()
    assert all(
        isinstance(each, asyncio.CancelledError)
        for each in await asyncio.gather(*endless, return_exceptions=True)
    )
    for _ in range(MORE_THAN_CONNECTIONS):
        assert await database.read("SELECT '1'", []) == "1"
