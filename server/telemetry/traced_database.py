"""A database whose statements are spans, below whatever they were run for.

What is run for nobody, as the timer's looks and the feed's are, is no span: it would be a trace by itself.
"""

from collections.abc import Awaitable, Callable, Generator, Mapping, Sequence
from functools import lru_cache
from typing import Any, Final, TypeVar

from sqlalchemy import Table
from sqlalchemy.sql import visitors

from db.requests import Begin, Fetch, Request, Write, WriteRows
from db.session import Database, PoolUse
from db.statements import Row, Statement
from server.telemetry import spans
from server.telemetry.spans import Span

T = TypeVar("T")

PROJECTION: Final = "SELECT"
"""What a projection is called: of its text, which a client's selection has made, nothing is told."""

COMMIT: Final = "COMMIT"


class TracedDatabase(Database):
    """Another one, whose statements it tells of."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self.kind = database.kind
        self.evaluations = database.evaluations

    async def open(self) -> None:
        await self._database.open()

    async def close(self) -> None:
        await self._database.close()

    def pools(self) -> Sequence[PoolUse]:
        return self._database.pools()

    async def read(self, text: str, arguments: Sequence[Any]) -> str | None:
        with self._statement(PROJECTION):
            return await self._database.read(text, arguments)

    async def rows(self, statement: Statement, values: Mapping[str, Any]) -> list[Row]:
        with self._statement(summary_of(statement)):
            return await self._database.rows(statement, values)

    async def transact(self, script: Generator[Request, Any, T]) -> T:
        return await self._told(script, self._database.transact, is_transaction=True)

    async def attempt(self, script: Generator[Request, Any, T]) -> T:
        # SQLite has nothing but transactions.
        return await self._told(script, self._database.attempt, is_transaction=self.kind == "sqlite")

    async def consult(self, script: Generator[Request, Any, T]) -> T:
        return await self._told(script, self._database.consult, is_transaction=False)

    def _statement(self, summary: str) -> "_Running":
        return _Running(spans.current(), self.kind, summary)

    async def _told(
        self,
        script: Generator[Request, Any, T],
        run: Callable[[Generator[Request, Any, T]], Awaitable[T]],
        *,
        is_transaction: bool,
    ) -> T:
        """The script's result, its statements spans below the current one: it may run in another thread, where there is
        none."""
        above = spans.current()
        if not above.is_recorded:
            return await run(script)
        commit = _Commit(above, self.kind, is_due=is_transaction)
        try:
            return await run(_traced(script, above, self.kind, commit))
        except Exception as error:
            commit.span.failed(type(error).__qualname__)
            raise
        finally:
            commit.span.end()


class _Commit:
    """From where the script of a transaction has no more to ask until all is kept, beside others that share the commit."""

    __slots__ = ("_above", "_kind", "is_due", "span")

    def __init__(self, above: Span, kind: str, *, is_due: bool) -> None:
        self._above = above
        self._kind = kind
        self.is_due = is_due
        self.span: Span = spans.NO_SPAN

    def begin(self) -> None:
        """If there is one to come."""
        if self.is_due:
            self.span = self._above.child(COMMIT, "client", _attributes(self._kind, COMMIT))


def _traced(
    script: Generator[Request, Any, T], above: Span, kind: str, commit: _Commit
) -> Generator[Request, Any, T]:
    try:
        request = next(script)
        while True:
            if isinstance(request, Begin):
                commit.is_due = True
            try:
                with _Running(above, kind, _summary(request)):
                    answer = yield request
            except Exception as error:
                request = script.throw(error)
            else:
                request = script.send(answer)
    except StopIteration as end:
        commit.begin()
        result: T = end.value
        return result


class _Running:
    """A statement while it runs."""

    __slots__ = ("_above", "_kind", "_span", "_summary")

    def __init__(self, above: Span, kind: str, summary: str | None) -> None:
        self._above = above
        self._kind = kind
        self._summary = summary

    def __enter__(self) -> None:
        if self._summary is None:
            self._span = spans.NO_SPAN
            return
        self._span = self._above.child(self._summary, "client", _attributes(self._kind, self._summary))

    def __exit__(self, raised: type[BaseException] | None, *_: object) -> None:
        if raised is not None:
            # A script that its driver leaves is not told why.
            self._span.failed("_OTHER" if raised is GeneratorExit else raised.__qualname__)
        self._span.end()


def _attributes(kind: str, summary: str) -> dict[str, str]:
    return {
        "db.system.name": kind,
        "db.operation.name": summary.partition(" ")[0],
        "db.query.summary": summary,
    }


def _summary(request: Request) -> str | None:
    """The statement of a request in a few words; None where it is none."""
    match request:
        case Fetch(statement) | Write(statement):
            return summary_of(statement)
        case WriteRows(changes):
            words = (f"{type(change).__name__.upper()} {change.table.name}" for change, _ in changes)
            return "; ".join(dict.fromkeys(words))
    return None


@lru_cache(maxsize=512)
def summary_of(statement: Statement) -> str:
    """What it does and the tables that it names, such as `SELECT workflow_execution`."""
    clause: Any = statement.clause
    tables = dict.fromkeys(each.name for each in visitors.iterate(clause) if isinstance(each, Table))
    operation = "SELECT" if clause.is_select else clause.__visit_name__.upper()
    return " ".join([operation, *tables])
