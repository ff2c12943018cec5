"""Waiting until somebody waits for a lock: the signal on which a race is arranged."""

import asyncpg


async def blocked(connection: asyncpg.Connection) -> None:
    """Return once another connection to PostgreSQL waits for a lock that this one holds."""
    waits = "select exists (select from pg_stat_activity where $1 = any(pg_blocking_pids(pid)))"
    while not await connection.fetchval(waits, connection.get_server_pid()):
        pass
