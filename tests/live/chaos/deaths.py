"""Points at which a server kills itself: SIGKILL, so that nothing of it is ended in order."""

import os
import signal
from collections.abc import Callable, Generator
from functools import partial
from typing import Any, Final

from sqlalchemy import event
from sqlalchemy.engine import Engine

from db.commands import claiming, due
from db.commands.bulk import Bulk
from db.commands.outcome import Committed
from db.postgresql import PostgreSQLDatabase
from db.postgresql_pool import Lease
from db.requests import Write, WriteRows
from db.sqlite_writer import SQLiteWriter
from server.live.announcing import DoorbellAnnouncer
from tests.live.chaos.deeds import Deeds

Script = Generator[Any, Any, Any]

POINTS: Final = {
    "writing": 40,
    "before_commit": 12,
    "committed": 10,
    "rung": 10,
    "timer": 3,
    "claim": 2,
    "bulk": 3,
}
"""Each with how often it is passed at most before it is deadly: before a statement that writes, before a commit, between
that and the ring, between the ring and the answer; when the timer's writes are not yet committed; when a claim in one tree
is; when those of one tree of several are not. `migrating` is before a statement of a migration."""


class Deaths:
    """The process dies where it passes a point for the last time that it may."""

    def __init__(self, deeds: Deeds, dies_at: str, passes: int) -> None:
        self._deeds = deeds
        self._dies_at: str | None = dies_at
        self._passes = passes
        for number, point in ((signal.SIGUSR1, "committed"), (signal.SIGUSR2, "rung")):
            signal.signal(number, partial(self._arm, point))

    def at(self, point: str, **more: Any) -> None:
        """This point is passed, or not."""
        if self._dies_at != point:
            return
        if self._passes:
            self._passes -= 1
            return
        self._deeds.note(f"died {point}", **more)
        os.kill(os.getpid(), signal.SIGKILL)

    def _arm(self, point: str, *_: object) -> None:
        self._dies_at, self._passes = point, 0


def set_points(deaths: Deaths) -> None:
    """All of them."""
    _around_the_ring(deaths)
    _in_transactions(deaths)
    _after_generator(due, "write", partial(deaths.at, "timer"))
    _after_generator(Bulk, "_on_tree", partial(deaths.at, "bulk"))
    keep = claiming.Claiming.keep

    def kept(self: claiming.Claiming, outcome: Committed) -> None:
        deaths.at("claim")
        keep(self, outcome)

    claiming.Claiming.keep = kept  # type: ignore[method-assign]  # harmed on purpose
    event.listen(Engine, "before_cursor_execute", lambda *_: deaths.at("migrating"))


def _around_the_ring(deaths: Deaths) -> None:
    ring = DoorbellAnnouncer.announce

    async def announce(announcer: DoorbellAnnouncer, committed: Committed) -> None:
        is_new = committed.revision > committed.since
        where = {"root": committed.root_id, "revision": committed.revision}
        if is_new:
            deaths.at("committed", **where)
        await ring(announcer, committed)
        if is_new:
            deaths.at("rung", **where)

    DoorbellAnnouncer.announce = announce  # type: ignore[method-assign]  # harmed on purpose


def _in_transactions(deaths: Deaths) -> None:
    run, done = SQLiteWriter._run, SQLiteWriter._done
    execute, leave = PostgreSQLDatabase._execute, Lease.__aexit__

    def run_sqlite(self: SQLiteWriter, request: Any) -> Any:
        if isinstance(request, Write | WriteRows):
            deaths.at("writing")
        return run(self, request)

    def done_sqlite(self: SQLiteWriter, waiting: Any) -> Any:
        result = done(self, waiting)
        deaths.at("before_commit")
        return result

    async def execute_postgresql(self: PostgreSQLDatabase, connection: Any, request: Any) -> Any:
        if isinstance(request, Write | WriteRows):
            deaths.at("writing")
        return await execute(self, connection, request)

    async def leave_postgresql(self: Lease, type_: Any, raised: Any, traceback: Any) -> None:
        if self._transaction is not None and raised is None:
            deaths.at("before_commit")
        await leave(self, type_, raised, traceback)

    SQLiteWriter._run, SQLiteWriter._done = run_sqlite, done_sqlite  # type: ignore[method-assign]  # harmed on purpose
    PostgreSQLDatabase._execute = execute_postgresql  # type: ignore[method-assign]  # harmed on purpose
    Lease.__aexit__ = leave_postgresql  # type: ignore[method-assign]  # harmed on purpose


def _after_generator(owner: Any, name: str, then: Callable[[], None]) -> None:
    """Have something happen at the end of a script, in the transaction."""
    script = getattr(owner, name)

    def harmed(*given: Any) -> Script:
        result = yield from script(*given)
        then()
        return result

    setattr(owner, name, harmed)
