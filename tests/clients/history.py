"""Pruning a served database (`live.md` J5)."""

from db.connect import database_for
from db.retention.history import trim_history
from tests.contract.old import moment_after
from tests.schema.settling import settled


async def prune(url: str, root_id: str, until: int) -> None:
    """Have history begin after a revision of a tree, the last one of a command."""
    async with database_for(url) as database:
        await settled(database)
        assert await trim_history(database, await moment_after(database, root_id, until), lambda _: None) > 0
