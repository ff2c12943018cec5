"""The moment before which things are old, by the database's clock."""

from datetime import datetime

from sqlalchemy import select

from db.commands.rows import clock
from db.runtime.durations import Duration, subtract
from db.session import Database
from db.statements import Statement

_NOW = Statement(select(clock))


async def moment_before_now(database: Database, duration: Duration) -> datetime:
    """That long ago; raises `ValueError` where that is before the year 1."""
    ((now,),) = await database.rows(_NOW, {})
    return subtract(now, duration)
