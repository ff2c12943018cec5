"""Work that leaves room for the others."""

import asyncio
from collections.abc import Generator
from typing import Any, TypeVar

from db.requests import Request
from db.session import Database

T = TypeVar("T")


async def gently(database: Database, script: Generator[Request, Any, T]) -> T:
    """Run a script in a transaction, then leave the database to others for as long as that took."""
    clock = asyncio.get_running_loop().time
    begun = clock()
    result = await database.transact(script)
    # SQLite has one writer, and a process that waits for it only looks now and then whether it is free.
    await asyncio.sleep(clock() - begun)
    return result
