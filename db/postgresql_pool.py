"""Connections to PostgreSQL, lent to one piece of work after the other."""

import asyncio
from typing import Any, Final, Self

import asyncpg

from db.session import PoolUse

# What lies between here and the server may have dropped a connection that was silent for longer, and tell nobody.
TRUSTED_SECONDS: Final = 300


class Connections:
    """The connections of asyncpg's pool, which makes, replaces and ends them.

    To lend one and to take it back costs that pool a task and a timer, a tenth of what a command takes in all. So a
    connection whose work went well is kept at hand here; one whose work was broken off goes back to the pool, which waits
    until it is fit to be used.
    """

    def __init__(self, pool: asyncpg.Pool, *, trusted_seconds: float = TRUSTED_SECONDS) -> None:
        self._pool = pool
        self._trusted_seconds = trusted_seconds
        self._idle: list[tuple[Any, float]] = []
        self._waiting = 0
        self._is_closing = False

    async def take(self) -> Any:
        """A connection, waited for where all are lent."""
        while self._idle:
            connection, since = self._idle.pop()
            if _is_open(connection):
                if _now() - since <= self._trusted_seconds:
                    return connection
                connection.terminate()
            await self._pool.release(connection)
        self._waiting += 1
        try:
            return await self._pool.acquire()
        finally:
            self._waiting -= 1

    async def give_back(self, connection: Any, *, is_fit: bool) -> None:
        """Let others have it."""
        if is_fit and not self._waiting and not self._is_closing:
            self._idle.append((connection, _now()))
        else:
            await self._pool.release(connection)

    def use(self, name: str) -> PoolUse:
        """How they are used at the moment."""
        size = self._pool.get_size()
        at_hand = self._pool.get_idle_size() + len(self._idle)
        return PoolUse(name, size, size - at_hand, self._pool.get_max_size(), self._waiting)

    async def close(self) -> None:
        """Let running statements end and close every connection."""
        self._is_closing = True
        while self._idle:
            connection, _ = self._idle.pop()
            await self._pool.release(connection)
        await self._pool.close()


class Lease:
    """A connection for some work, as long as it needs one: a script lets it go while it rests or asks, unless it is in a
    transaction."""

    def __init__(self, connections: Connections) -> None:
        self._connections = connections
        self._connection: Any = None
        self._transaction: Any = None

    async def connection(self) -> Any:
        """The connection, waited for where there is none at hand."""
        if self._connection is None:
            self._connection = await self._connections.take()
        return self._connection

    async def begin(self) -> None:
        """Begin a transaction, which ends with the lease."""
        transaction = (await self.connection()).transaction()
        await transaction.start()
        self._transaction = transaction

    async def let_go(self) -> None:
        """Let others have the connection."""
        if self._connection is not None and self._transaction is None:
            await self._give_back(is_fit=True)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, _type: object, raised: BaseException | None, _traceback: object) -> None:
        if self._connection is None:
            return
        is_fit = False
        try:
            if self._transaction is not None:
                await (self._transaction.commit() if raised is None else self._transaction.rollback())
            is_fit = raised is None
        finally:
            await self._give_back(is_fit=is_fit)

    async def _give_back(self, *, is_fit: bool) -> None:
        connection, self._connection = self._connection, None
        await self._connections.give_back(connection, is_fit=is_fit)


def _is_open(connection: Any) -> bool:
    try:
        return not connection.is_closed()
    except asyncpg.InterfaceError:  # asyncpg took it back when it was closed
        return False


def _now() -> float:
    return asyncio.get_running_loop().time()
