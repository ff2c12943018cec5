"""What counts as old: moments between the changes of a tree."""

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Table, bindparam, select

from db.session import Database
from db.statements import Statement
from tests.contract.tables import EXECUTIONS, JOURNAL, STEPS, journal_of
from tests.contract.trees import LINKS


async def moment_after(database: Database, root_id: str, until: int) -> datetime:
    """A moment that lies after a revision of a tree, the last one of a command, and not after the next."""
    journal = {row["revision"]: row["at"] for row in await journal_of(database, root_id)}
    at: datetime = journal.get(until + 1) or journal[until] + timedelta(microseconds=1)
    return at


async def rows_of_tree(database: Database, root_id: str) -> dict[str, int]:
    """How many rows of each table a tree has."""
    below = select(STEPS.c.id).where(STEPS.c.root_id == bindparam("root"))
    conditions: dict[Table, Any] = {
        EXECUTIONS: EXECUTIONS.c.root_id == bindparam("root"),
        STEPS: STEPS.c.root_id == bindparam("root"),
        LINKS: LINKS.c.step_execution_id.in_(below),
        JOURNAL: JOURNAL.c.root_id == bindparam("root"),
    }
    statements = {table: Statement(select(*table.columns).where(c)) for table, c in conditions.items()}
    return {
        table.name: len(await database.rows(statement, {"root": root_id}))
        for table, statement in statements.items()
    }
