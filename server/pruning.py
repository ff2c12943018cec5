"""What `stepgraph prune` does: takes out what is old, and says what that was."""

import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

from db.connect import database_for
from db.migrate import require_migrated
from db.retention.cut import moment_before_now
from db.retention.history import trim_history
from db.retention.trees import delete_trees
from db.runtime.durations import Duration
from db.runtime.moments import timestamp_text
from db.session import Unavailable, parse_database_url

SECONDS_BETWEEN_LINES: Final = 5.0


class Progress:
    """Says now and then how far it is, for runs that take long."""

    def __init__(self, say: Callable[[str], None], things: str) -> None:
        self._say = say
        self._things = things
        self._number = 0
        self._due = time.monotonic() + SECONDS_BETWEEN_LINES

    def add(self, number: int) -> None:
        """So many more."""
        self._number += number
        if time.monotonic() >= self._due:
            self._due = time.monotonic() + SECONDS_BETWEEN_LINES
            self._say(f"{self._number:,} {self._things} so far")


async def prune(
    database_url: str, age: Duration, say: Callable[[str], None], *, executions: bool, is_trial: bool
) -> str:
    """Take out the history, or the ended trees, that is older; returns what was done, in a sentence.

    `say` is told how far it is. Raises `Unavailable`, and `ValueError` for an age that reaches before the year 1.
    """
    _require_file(database_url)
    await require_migrated(database_url)
    would = "Would have " if is_trial else ""
    async with database_for(database_url) as database:
        before = await moment_before_now(database, age)
        moment = timestamp_text(before)
        if executions:
            trees = Progress(say, "trees")
            number = await delete_trees(database, before, trees.add, is_trial=is_trial)
            return _sentence(f"{would}deleted {_count(number, 'tree')} last changed before {moment}.")
        changes = Progress(say, "changes")
        number = await trim_history(database, before, changes.add, is_trial=is_trial)
        return _sentence(f"{would}removed {_count(number, 'change')} from before {moment}.")


def _require_file(url: str) -> None:
    """Not made by this: a misspelt name would otherwise be a new file in which there is nothing old."""
    parsed = parse_database_url(url)
    if parsed.drivername.startswith("sqlite") and not Path(parsed.database or "").is_file():
        raise Unavailable(f"There is no database file {parsed.database}.")


def _count(number: int, thing: str) -> str:
    return f"{number:,} {thing}{'' if number == 1 else 's'}"


def _sentence(text: str) -> str:
    return text[0].upper() + text[1:]
