"""What is due next is read from the beginning of an index, however many attempts there are."""

import sqlite3
from collections.abc import Mapping
from typing import Any

import pytest

from db.commands.due import DUE, NEXT
from db.sqlite_writer import clock_text
from db.statements import Statement
from tests.databases import connected

INDEXES = ("step_execution_next_due", "step_execution_next_retry", "step_execution_lease")
HELD: Mapping[str, Any] = {"held": ["exec_1"]}


async def plan_of(url: str, statement: Statement) -> str:
    """How a database would find the answer, in its own words."""
    if url.startswith("sqlite"):
        compiled = statement.compiled("sqlite")
        database = sqlite3.connect(url.removeprefix("sqlite+aiosqlite:///"))
        database.create_function("clock_timestamp", 0, clock_text)
        found = database.execute(f"explain query plan {compiled.text}", compiled.arguments(HELD)).fetchall()
        database.close()
        return "\n".join(row[3] for row in found)
    compiled = statement.compiled("postgresql")
    connection = await connected(url)
    # A table that is nearly empty would rather be read as a whole; the plan must not depend on the values.
    await connection.execute("set enable_seqscan = off; set plan_cache_mode = force_generic_plan")
    rows = await connection.fetch(f"explain {compiled.text}", *compiled.arguments(HELD))
    await connection.close()
    return "\n".join(row[0] for row in rows)


@pytest.mark.parametrize("statement", [NEXT, DUE], ids=["next", "due"])
async def test_t2_the_next_moments_are_found_by_their_indexes(
    database_url: str, statement: Statement
) -> None:
    plan = await plan_of(database_url, statement)
    for index in INDEXES:
        assert index in plan, plan
