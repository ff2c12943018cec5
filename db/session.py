"""Connections and transactions. One script of a transaction runs on both databases: no twins.

Reads are single statements outside any transaction; a write is one transaction per script. Nothing here knows what is
read or written.
"""

import asyncio
from abc import ABC, abstractmethod
from collections.abc import Generator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Self, TypeVar

from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError

from db.evaluation.driver import Evaluations
from db.requests import Ask, Fetch, Request, Rest
from db.statements import DatabaseKind, Row, Statement

T = TypeVar("T")

ACCEPTED_URLS: Final = "sqlite+aiosqlite:///FILE or postgresql+asyncpg://USER@HOST/DATABASE"


class Unavailable(Exception):  # says what is, not whose fault it is
    """The database cannot be reached or does not answer."""


class StorageFull(Unavailable):
    """The database has no room for what is to be written: nothing of it was. It may have later."""


class AnswerTooLong(Exception):  # a fact about the answer
    """A statement's answer is longer than the database makes one."""


class Conflict(Exception):  # a fact about the rows, which the script turns into its answer
    """A row that a script wrote breaks a unique or foreign key; thrown into the script where it wrote."""


@dataclass(frozen=True, slots=True)
class PoolUse:
    """How a pool of connections is used: how many are `open`, how many of them at work, how many there may be, and how
    many pieces of work wait for one."""

    name: str
    open: int
    used: int
    limit: int
    waiting: int


class Database(ABC):
    """One database: reads beside each other, writes one transaction per script."""

    kind: DatabaseKind

    def __init__(self) -> None:
        self.evaluations = Evaluations()

    @abstractmethod
    async def open(self) -> None:
        """Connect; raises `Unavailable` with one sentence."""

    @abstractmethod
    async def close(self) -> None:
        """Let running statements end and close every connection."""

    @abstractmethod
    def pools(self) -> Sequence[PoolUse]:
        """How its connections are used at the moment, while it is open."""

    @abstractmethod
    async def read(self, text: str, arguments: Sequence[Any]) -> str | None:
        """The first column of the first row of a projection's statement: JSON text, or None without a row."""

    @abstractmethod
    async def rows(self, statement: Statement, values: Mapping[str, Any]) -> list[Row]:
        """The rows of one reading statement."""

    @abstractmethod
    async def transact(self, script: Generator[Request, Any, T]) -> T:
        """Run a script in one transaction: committed when it returns, undone when it raises."""

    async def attempt(self, script: Generator[Request, Any, T]) -> T:
        """Run a script whose statements may each be by themselves, until it asks for a transaction."""
        return await self.transact(script)

    async def consult(self, script: Generator[Request, Any, T]) -> T:
        """Run a script that writes nothing: beside all others, each of its reads as of its own moment."""
        try:
            request = next(script)
            while True:
                if isinstance(request, Fetch):
                    answer: Any = await self.rows(request.statement, request.values)
                elif isinstance(request, Rest):
                    await asyncio.sleep(0)
                    answer = None
                elif isinstance(request, Ask):
                    answer = await self.evaluations.evaluate_many(request.requests)
                else:
                    raise AssertionError("a script that is consulted writes nothing")
                request = script.send(answer)
        except StopIteration as end:
            result: T = end.value
            return result

    async def __aenter__(self) -> Self:
        await self.open()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()


def parse_database_url(text: str) -> URL:
    """A database URL that this house can open; raises `ValueError` with one sentence that names the accepted forms."""
    try:
        url = make_url(text)
    except (ArgumentError, ValueError):  # the latter for a port that is no number
        url = None
    if url is None or url.drivername not in ("sqlite+aiosqlite", "postgresql+asyncpg"):
        raise ValueError(f"{text!r} is not a database URL that works here: use {ACCEPTED_URLS}.")
    if url.drivername == "sqlite+aiosqlite" and url.database in (None, "", ":memory:"):
        raise ValueError(f"{text!r} names no file: use {ACCEPTED_URLS}.")
    return url
