"""SQLite: one writer thread (BEGIN IMMEDIATE), several readers, one file in WAL mode."""

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Generator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeVar

import aiosqlite
from sqlalchemy.engine import URL

from db.runtime.moments import timestamp_text
from db.session import Conflict, Database, Unavailable
from db.statements import Fetch, Row, Statement, Write

T = TypeVar("T")

_READERS = 4
_CACHED_STATEMENTS = 512
# FULL: what was acknowledged survives a power cut too, not only the end of the process.
_PRAGMAS = ("journal_mode = WAL", "synchronous = FULL", "foreign_keys = ON", "busy_timeout = 10000")


class SQLiteDatabase(Database):
    """A SQLite file; its writes wait in one line, its reads do not wait for them."""

    kind = "sqlite"

    def __init__(self, url: URL) -> None:
        assert url.database is not None
        self._path = Path(url.database)
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="sqlite-writer")
        self._writer: sqlite3.Connection
        self._idle: asyncio.Queue[aiosqlite.Connection] = asyncio.Queue()
        self._open: list[aiosqlite.Connection] = []

    async def open(self) -> None:
        try:
            self._writer = await self._in_thread(self._connect)
            for _ in range(_READERS):
                self._open.append(await self._reader())
        except (sqlite3.Error, OSError) as error:
            await self.close()
            raise Unavailable(f"The database file {self._path} cannot be opened: {error}") from error
        for connection in self._open:
            self._idle.put_nowait(connection)

    async def close(self) -> None:
        for connection in self._open:
            await connection.close()
        if hasattr(self, "_writer"):
            await self._in_thread(self._writer.close)
        self._thread.shutdown()

    async def read(self, text: str, arguments: Sequence[Any]) -> str | None:
        async with self._borrowed() as reader:
            found = list(await reader.execute_fetchall(text, arguments))
        return found[0][0] if found else None

    async def rows(self, statement: Statement, values: Mapping[str, Any]) -> list[Row]:
        compiled = statement.compiled(self.kind)
        async with self._borrowed() as reader:
            found = await reader.execute_fetchall(compiled.text, compiled.arguments(values))
        return [compiled.row(raw) for raw in found]

    async def transact(self, script: Generator[Fetch | Write, list[Row], T]) -> T:
        result: T = await self._in_thread(self._transact, script)
        return result

    def _transact(self, script: Generator[Fetch | Write, list[Row], T]) -> T:
        try:
            self._writer.execute("BEGIN IMMEDIATE")
        except sqlite3.OperationalError as error:
            raise Unavailable(f"The database file is held by another process: {error}") from error
        try:
            result = self._drive(script)
            self._writer.execute("COMMIT")
        except BaseException:
            if self._writer.in_transaction:
                self._writer.execute("ROLLBACK")
            raise
        return result

    def _drive(self, script: Generator[Fetch | Write, list[Row], T]) -> T:
        try:
            request = next(script)
            while True:
                try:
                    answer = self._run(request)
                except sqlite3.IntegrityError as error:
                    request = script.throw(Conflict(str(error)))
                else:
                    request = script.send(answer)
        except StopIteration as end:
            result: T = end.value
            return result

    def _run(self, request: Fetch | Write) -> list[Row]:
        compiled = request.statement.compiled(self.kind)
        if isinstance(request, Fetch):
            found = self._writer.execute(compiled.text, compiled.arguments(request.values))
            return [compiled.row(raw) for raw in found.fetchall()]
        self._writer.executemany(compiled.text, (compiled.arguments(values) for values in request.many))
        return []

    def _connect(self) -> sqlite3.Connection:
        connection = sqlite3.connect(
            self._path, isolation_level=None, cached_statements=_CACHED_STATEMENTS, check_same_thread=True
        )
        for pragma in _PRAGMAS:
            connection.execute(f"PRAGMA {pragma}")
        # PostgreSQL's name for the time as of now, so that a statement that asks for it is the same on both.
        connection.create_function("clock_timestamp", 0, lambda: timestamp_text(datetime.now(UTC)))
        return connection

    async def _reader(self) -> aiosqlite.Connection:
        connection = await aiosqlite.connect(
            self._path, isolation_level=None, cached_statements=_CACHED_STATEMENTS
        )
        await connection.execute("PRAGMA busy_timeout = 10000")
        await connection.execute("PRAGMA query_only = ON")
        return connection

    @asynccontextmanager
    async def _borrowed(self) -> AsyncIterator[aiosqlite.Connection]:
        connection = await self._idle.get()
        try:
            yield connection
        finally:
            self._idle.put_nowait(connection)

    async def _in_thread(self, work: Any, *arguments: Any) -> Any:
        return await asyncio.get_running_loop().run_in_executor(self._thread, work, *arguments)
