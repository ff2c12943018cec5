"""Several processes may open one new SQLite file at the same time."""

import sqlite3
from collections.abc import Callable
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from db.connect import database_for
from tests.databases import sqlite_url


class Patient(sqlite3.Connection):
    """Somebody else is done as soon as this one waits for the file."""

    def __init__(self, *given: Any, end: Callable[[], Any], **named: Any) -> None:
        super().__init__(*given, **named)
        self._end = end

    def execute(self, sql: str, *given: Any) -> sqlite3.Cursor:
        if sql == "BEGIN IMMEDIATE":
            self._end()
        return super().execute(sql, *given)


async def test_a_new_file_is_opened_once_who_makes_it_is_done(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As when another server migrates it: meanwhile the change to WAL fails at once."""
    path = tmp_path / "new.db"
    connect = sqlite3.connect
    with closing(connect(path, isolation_level=None, check_same_thread=False)) as maker:
        maker.execute("BEGIN IMMEDIATE")
        maker.execute("CREATE TABLE made (x)")

        def end() -> None:
            if maker.in_transaction:
                maker.execute("COMMIT")

        def connected(*given: Any, **named: Any) -> sqlite3.Connection:
            named.setdefault("factory", partial(Patient, end=end))
            return connect(*given, **named)

        monkeypatch.setattr("db.sqlite_writer.sqlite3.connect", connected)
        async with database_for(sqlite_url(path)):
            assert not maker.in_transaction
    with closing(connect(path)) as after:
        assert after.execute("PRAGMA journal_mode").fetchone() == ("wal",)
