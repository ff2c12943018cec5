"""What PostgreSQL ends by itself, for a reader and for a writer (`security.md` A4)."""

import pytest
from sqlalchemy.engine import make_url

from db.postgresql import PostgreSQLDatabase
from db.postgresql_pool import Connections, Lease

pytestmark = pytest.mark.postgresql

SETTINGS = ("statement_timeout", "lock_timeout", "idle_in_transaction_session_timeout")


async def test_a4_nothing_waits_or_idles_for_ever(postgresql_url: str) -> None:
    database = PostgreSQLDatabase(make_url(postgresql_url))
    await database.open()
    try:
        for connections, expected in (
            (database._readers, ("12s", "10s", "30s")),
            (database._writers, ("30s", "10s", "30s")),
        ):
            assert await shown(connections) == expected
    finally:
        await database.close()


async def shown(connections: Connections) -> tuple[str, ...]:
    async with Lease(connections) as lease:
        connection = await lease.connection()
        return tuple([await connection.fetchval(f"show {name}") for name in SETTINGS])
