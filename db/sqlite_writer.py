"""The one writer of a SQLite file: a thread that takes all scripts that wait into one transaction.

A commit costs a flush to the disk, whatever was written; so scripts that wait for it share the next one. Each has a
savepoint of its own: one that raises leaves nothing behind, and nothing is answered before the commit.
"""

import asyncio
import sqlite3
import time
from collections import deque
from collections.abc import Callable, Generator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from db.requests import Ask, Begin, Fetch, Request, Rest, WriteRows
from db.row_changes import each_of
from db.runtime.expressions import EvaluationRequest, Outcome
from db.runtime.moments import timestamp_text
from db.session import Conflict, PoolUse, Unavailable
from db.sqlite_errors import of_the_disk
from db.statements import Statement

CACHED_STATEMENTS = 512
MOST_TOGETHER = 100
# FULL: what was acknowledged survives a power cut too, not only the end of the process.
_PRAGMAS = ("synchronous = FULL", "foreign_keys = ON", "busy_timeout = 10000")
# How long a new file is waited for that others are making.
WAL_SECONDS = 30

Script = Generator[Request, Any, Any]
Evaluate = Callable[[Sequence[EvaluationRequest]], list[Outcome]]


@dataclass(frozen=True, slots=True)
class Waiting:
    """A script and who waits for it."""

    script: Script
    answer: asyncio.Future[Any]


@dataclass(frozen=True, slots=True)
class Done:
    """What a script came to, told once the transaction has committed."""

    answer: asyncio.Future[Any]
    result: Any = None
    error: Exception | None = None


class SQLiteWriter:
    """Runs scripts one after another on one connection, which lives in one thread."""

    def __init__(self, path: Path, evaluate: Evaluate) -> None:
        self._path = path
        self._evaluate = evaluate
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="sqlite-writer")
        self._waiting: deque[Waiting] = deque()
        self._connection: sqlite3.Connection | None = None
        self._is_writing = False

    async def open(self) -> None:
        """Connect; raises `sqlite3.Error`."""
        self._connection = await self._in_thread(self._connect)

    async def close(self) -> None:
        """Let what waits be done, then disconnect."""
        if self._connection is not None:
            await self._in_thread(self._connection.close)
        self._thread.shutdown()

    def use(self) -> PoolUse:
        """How its one connection is used at the moment; scripts wait for the next commit."""
        return PoolUse(
            "writers", int(self._connection is not None), int(self._is_writing), 1, len(self._waiting)
        )

    async def transact(self, script: Script) -> Any:
        """Run a script in a transaction; returns what it returns once that is on the disk."""
        loop = asyncio.get_running_loop()
        waiting = Waiting(script, loop.create_future())
        self._waiting.append(waiting)
        loop.run_in_executor(self._thread, self._take, loop)
        return await waiting.answer

    def _take(self, loop: asyncio.AbstractEventLoop) -> None:
        """Do what waits, all of it that fits; the turns of those taken along find nothing to do."""
        taken: list[Waiting] = []
        while self._waiting and len(taken) < MOST_TOGETHER:
            taken.append(self._waiting.popleft())
        if taken:
            self._is_writing = True
            done = self._together(taken)
            self._is_writing = False
            loop.call_soon_threadsafe(_answer, done)

    def _together(self, taken: list[Waiting]) -> list[Done]:
        assert self._connection is not None
        try:
            self._connection.execute("BEGIN IMMEDIATE")
            done = [self._done(each) for each in taken]
            self._connection.execute("COMMIT")
        except sqlite3.Error as error:
            self._undo()
            gone = of_the_disk(error) or Unavailable(f"The database file cannot be written: {error}")
            return [Done(each.answer, error=gone) for each in taken]
        return done

    def _undo(self) -> None:
        assert self._connection is not None
        if self._connection.in_transaction:
            # Where even that fails the next transaction cannot begin, and it is tried again.
            with suppress(sqlite3.Error):
                self._connection.execute("ROLLBACK")

    def _done(self, waiting: Waiting) -> Done:
        assert self._connection is not None
        self._connection.execute("SAVEPOINT script")
        try:
            result = self._drive(waiting.script)
        except Exception as error:
            if isinstance(error, sqlite3.Error) and not self._connection.in_transaction:
                raise  # SQLite has undone everybody's, as it may where the disk is full
            self._connection.execute("ROLLBACK TO script")
            self._connection.execute("RELEASE script")
            return Done(waiting.answer, error=of_the_disk(error) or error)
        self._connection.execute("RELEASE script")
        return Done(waiting.answer, result)

    def _drive(self, script: Script) -> Any:
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
            return end.value

    def _run(self, request: Request) -> Any:
        assert self._connection is not None
        if isinstance(request, Begin | Rest):
            return None  # it is in a transaction, and its thread holds up nobody
        if isinstance(request, Ask):
            return self._evaluate(request.requests)
        if isinstance(request, Fetch):
            compiled = request.statement.compiled("sqlite")
            found = self._connection.execute(compiled.text, compiled.arguments(request.values))
            return [compiled.row(raw) for raw in found.fetchall()]
        if isinstance(request, WriteRows):
            # A tree stands still while this one writer reads and writes: `only_at` holds.
            for change, many in request.changes:
                self._write(each_of(change), many)
            return True
        self._write(request.statement, request.many)
        return None

    def _write(self, statement: Statement, many: Sequence[Mapping[str, Any]]) -> None:
        assert self._connection is not None
        compiled = statement.compiled("sqlite")
        self._connection.executemany(compiled.text, (compiled.arguments(values) for values in many))

    def _connect(self) -> sqlite3.Connection:
        connection = sqlite3.connect(self._path, isolation_level=None, cached_statements=CACHED_STATEMENTS)
        for pragma in _PRAGMAS:
            connection.execute(f"PRAGMA {pragma}")
        _turn_on_wal(connection)
        connection.create_function("clock_timestamp", 0, clock_text)
        connection.create_function("clock_timestamp", 1, clock_text)
        return connection

    async def _in_thread(self, work: Callable[[], Any]) -> Any:
        return await asyncio.get_running_loop().run_in_executor(self._thread, work)


def _turn_on_wal(connection: sqlite3.Connection) -> None:
    """Have the file's readers and its writer not wait for each other.

    For this change SQLite does not wait for whoever writes, as it does elsewhere: another server that migrates a new file.
    """
    until = time.monotonic() + WAL_SECONDS
    while True:
        try:
            connection.execute("PRAGMA journal_mode = WAL")
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode != sqlite3.SQLITE_BUSY or time.monotonic() > until:
                raise
            connection.execute("BEGIN IMMEDIATE")  # this waits
            connection.execute("COMMIT")
        else:
            return


def clock_text(seconds: int = 0) -> str:
    """The time now, for PostgreSQL's `clock_timestamp()`, so that a statement that asks for it is the same on both.

    Or so many seconds later, which `db/elements.py` asks for.
    """
    return timestamp_text(datetime.now(UTC) + timedelta(seconds=seconds))


def _answer(done: list[Done]) -> None:
    for each in done:
        if each.answer.cancelled():
            continue
        if each.error is not None:
            each.answer.set_exception(each.error)
        else:
            each.answer.set_result(each.result)
