"""What pruning leaves of a journal (`live.md` J5)."""

import asyncio
import sqlite3

from sqlalchemy.engine import make_url

from tests.databases import execute

_POINT = """
    update journal_epoch set (pruned_xid, pruned_position) =
    (select xid, position from journal where root_id = '{root}' and revision = {until})
"""
_DELETE = "delete from journal where root_id = '{root}' and revision <= {until}"


async def prune(url: str, root_id: str, until: int) -> None:
    """Remove a tree's changes up to a revision, and record the cursor of the last of them."""
    statements = [text.format(root=root_id, until=until) for text in (_POINT, _DELETE)]
    await asyncio.to_thread(_run, url, statements)


def _run(url: str, statements: list[str]) -> None:
    if url.startswith("postgresql"):
        for statement in statements:
            execute(url, statement)
        return
    connection = sqlite3.connect(make_url(url).database or "")
    with connection:
        for statement in statements:
            connection.execute(statement)
    connection.close()
