"""PostgreSQL through asyncpg: a pool for reads and one for writes."""

import asyncio
from collections.abc import Generator, Mapping, Sequence
from typing import Any, TypeVar

import asyncpg
import orjson
from sqlalchemy.engine import URL

from db.postgresql_pool import Connections, Lease
from db.requests import Ask, Begin, Fetch, Request, Rest, Write, WriteRows
from db.row_changes import together, together_at
from db.session import Conflict, Database, PoolUse, StorageFull, Unavailable
from db.statements import Row, Statement

T = TypeVar("T")

# `jit`: a plan of a projection is worth milliseconds, compiling it hundreds (measured, `docs/decisions/0001`).
_READ_SETTINGS = {
    "jit": "off",
    "statement_timeout": "12s",
    "lock_timeout": "10s",
    "idle_in_transaction_session_timeout": "30s",
    "default_transaction_read_only": "on",
}
# Joins by hash and merge read whole tables to write a few rows whose ids are known: the planner takes the record sets of
# `row_changes.py` for a hundred rows each.
_WRITE_SETTINGS = {
    "jit": "off",
    "enable_hashjoin": "off",
    "enable_mergejoin": "off",
    "statement_timeout": "30s",
    "lock_timeout": "10s",
    "idle_in_transaction_session_timeout": "30s",
}
# What passes by itself: the server is away, is shutting down, or did not get to it in time.
_GONE = (
    OSError,
    asyncpg.PostgresConnectionError,
    asyncpg.InterfaceError,
    asyncpg.OperatorInterventionError,
    asyncpg.LockNotAvailableError,
    asyncpg.ObjectNotInPrerequisiteStateError,
    asyncpg.InternalClientError,
    asyncpg.TooManyConnectionsError,
    asyncpg.DiskFullError,
)


def _unavailable(error: Exception) -> Unavailable:
    if isinstance(error, asyncpg.DiskFullError):
        return StorageFull("The database has no room left.")
    return Unavailable("The database does not answer.")


async def _keep(_: Any) -> None:
    """Nothing to reset between two uses of a connection; asyncpg's own reset costs a round trip."""


class PostgreSQLDatabase(Database):
    """A PostgreSQL database; many processes may share it."""

    kind = "postgresql"

    def __init__(self, url: URL, *, readers: int = 10, writers: int = 10) -> None:
        super().__init__()
        self._dsn = url.set(drivername="postgresql").render_as_string(hide_password=False)
        self._place = url.render_as_string(hide_password=True)
        self._sizes = (readers, writers)
        self._readers: Connections
        self._writers: Connections

    async def open(self) -> None:
        try:
            self._readers = await self._pool(self._sizes[0], _READ_SETTINGS)
            self._writers = await self._pool(self._sizes[1], _WRITE_SETTINGS)
        except (OSError, asyncpg.PostgresError, TimeoutError) as error:
            raise Unavailable(f"The database {self._place} cannot be reached: {error}") from error

    async def _pool(self, size: int, settings: dict[str, str]) -> Connections:
        pool = await asyncpg.create_pool(
            self._dsn,
            min_size=0,  # one that is to be there always is missed with a traceback while the server is away
            max_size=size,
            timeout=10,
            server_settings={**settings, "timezone": "UTC", "application_name": "stepgraph"},
            statement_cache_size=512,
            # The limit of 15 KiB that it comes with is below an ordinary tree's text.
            max_cacheable_statement_size=256 << 10,
            reset=_keep,
        )
        connections = Connections(pool)
        # So that a server that is away is noticed now.
        await connections.give_back(await connections.take(), is_fit=True)
        return connections

    async def close(self) -> None:
        await self._readers.close()
        await self._writers.close()
        await asyncio.to_thread(self.evaluations.close)

    def pools(self) -> Sequence[PoolUse]:
        return [self._readers.use("readers"), self._writers.use("writers")]

    async def read(self, text: str, arguments: Sequence[Any]) -> str | None:
        try:
            async with Lease(self._readers) as lease:
                value: str | None = await (await lease.connection()).fetchval(text, *arguments)
        except _GONE as error:
            raise _unavailable(error) from error
        return value

    async def rows(self, statement: Statement, values: Mapping[str, Any]) -> list[Row]:
        compiled = statement.compiled(self.kind)
        try:
            async with Lease(self._readers) as lease:
                records = await (await lease.connection()).fetch(compiled.text, *compiled.arguments(values))
        except _GONE as error:
            raise _unavailable(error) from error
        return [compiled.row(record) for record in records]

    async def transact(self, script: Generator[Request, Any, T]) -> T:
        return await self._with_connection(script, begun=True)

    async def attempt(self, script: Generator[Request, Any, T]) -> T:
        return await self._with_connection(script, begun=False)

    async def _with_connection(self, script: Generator[Request, Any, T], *, begun: bool) -> T:
        try:
            async with Lease(self._writers) as lease:
                if begun:
                    await lease.begin()
                return await self._drive(lease, script)
        except _GONE as error:
            raise _unavailable(error) from error

    async def _drive(self, lease: Lease, script: Generator[Request, Any, T]) -> T:
        try:
            request = next(script)
            while True:
                try:
                    answer = await self._run(lease, request)
                except asyncpg.IntegrityConstraintViolationError as error:
                    request = script.throw(Conflict(str(error)))
                else:
                    request = script.send(answer)
        except StopIteration as end:
            result: T = end.value
            return result

    async def _run(self, lease: Lease, request: Request) -> Any:
        if isinstance(request, Begin):
            return await lease.begin()
        if isinstance(request, Rest | Ask):
            await lease.let_go()
            if isinstance(request, Ask):
                return await self.evaluations.evaluate_many(request.requests)
            return await asyncio.sleep(0)
        return await self._execute(await lease.connection(), request)

    async def _execute(self, connection: Any, request: Fetch | Write | WriteRows) -> Any:
        if isinstance(request, WriteRows):
            return await self._write_rows(connection, request)
        compiled = request.statement.compiled(self.kind)
        if isinstance(request, Fetch):
            records = await connection.fetch(compiled.text, *compiled.arguments(request.values))
            return [compiled.row(record) for record in records]
        if len(request.many) == 1:
            await connection.execute(compiled.text, *compiled.arguments(request.many[0]))
        else:
            await connection.executemany(
                compiled.text, [compiled.arguments(values) for values in request.many]
            )
        return None

    async def _write_rows(self, connection: Any, request: WriteRows) -> bool:
        """Whether they were written, by the rows that the last change tells of."""
        changes = tuple(change for change, _ in request.changes)
        rows = [orjson.dumps(many).decode() for _, many in request.changes]
        if request.only_at is None:
            await connection.execute(together(changes), *rows)
            return True
        told: str = await connection.execute(together_at(changes), *request.only_at, *rows)
        return not told.endswith(" 0")
