"""SQLite: one file in WAL mode, one writer (`sqlite_writer.py`), several readers that do not wait for it."""

import asyncio
import sqlite3
from collections.abc import Generator, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

import aiosqlite
from sqlalchemy.engine import URL

from db.requests import Request
from db.session import AnswerTooLong, Database, PoolUse, Unavailable
from db.sqlite_errors import no_room, of_the_disk
from db.sqlite_writer import CACHED_STATEMENTS, SQLiteWriter, clock_text
from db.statements import Row, Statement

T = TypeVar("T")

_READERS = 4


class _Reader(sqlite3.Connection):
    """A connection that makes no text longer than this: it would be in this process's memory, more than once."""

    def __init__(self, *given: Any, **named: Any) -> None:
        super().__init__(*given, **named)
        self.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, 32 << 20)


class SQLiteDatabase(Database):
    """A SQLite file; its writes wait in one line, its reads do not wait for them."""

    kind = "sqlite"

    def __init__(self, url: URL) -> None:
        super().__init__()
        assert url.database is not None
        self._path = Path(url.database)
        self._writer = SQLiteWriter(self._path, self.evaluations.evaluate_many_blocking)
        self._idle: asyncio.Queue[aiosqlite.Connection] = asyncio.Queue()
        self._open: list[aiosqlite.Connection] = []
        self._waiting = 0

    async def open(self) -> None:
        try:
            await self._writer.open()
            for _ in range(_READERS):
                self._open.append(await self._reader())
        except (sqlite3.Error, OSError) as error:
            await self.close()
            if full := no_room(error):
                raise full from error
            raise Unavailable(f"The database file {self._path} cannot be opened: {error}") from error
        for connection in self._open:
            self._idle.put_nowait(connection)

    async def close(self) -> None:
        for connection in self._open:
            await connection.close()
        await self._writer.close()
        await asyncio.to_thread(self.evaluations.close)

    def pools(self) -> Sequence[PoolUse]:
        used = len(self._open) - self._idle.qsize()
        return [PoolUse("readers", len(self._open), used, _READERS, self._waiting), self._writer.use()]

    async def read(self, text: str, arguments: Sequence[Any]) -> str | None:
        try:
            found = await self._fetch(text, arguments)
        except sqlite3.DataError as error:
            raise AnswerTooLong(str(error)) from error
        return found[0][0] if found else None

    async def rows(self, statement: Statement, values: Mapping[str, Any]) -> list[Row]:
        compiled = statement.compiled(self.kind)
        return [compiled.row(raw) for raw in await self._fetch(compiled.text, compiled.arguments(values))]

    async def transact(self, script: Generator[Request, Any, T]) -> T:
        result: T = await self._writer.transact(script)
        return result

    async def _reader(self) -> aiosqlite.Connection:
        connection = await aiosqlite.connect(
            self._path, isolation_level=None, cached_statements=CACHED_STATEMENTS, factory=_Reader
        )
        await connection.execute("PRAGMA busy_timeout = 10000")
        await connection.execute("PRAGMA query_only = ON")
        await connection.create_function("clock_timestamp", 0, clock_text)
        return connection

    async def _fetch(self, text: str, arguments: Sequence[Any]) -> list[sqlite3.Row]:
        self._waiting += 1
        try:
            reader = await self._idle.get()
        finally:
            self._waiting -= 1
        try:
            return list(await reader.execute_fetchall(text, arguments))
        except asyncio.CancelledError:
            await reader.interrupt()  # or its thread would go on, and the next to borrow it would wait
            raise
        except sqlite3.OperationalError as error:
            raise (of_the_disk(error) or error) from error
        finally:
            self._idle.put_nowait(reader)
