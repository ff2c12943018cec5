"""What SQLite's errors say of the file and of the disk under it."""

import sqlite3
from typing import Final

from db.session import StorageFull, Unavailable

# The second is the index of the WAL, which grows beside the file.
_FULL: Final = (sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR_SHMSIZE)


def no_room(error: object) -> StorageFull | None:
    """The same, where the disk is full; None for any other error."""
    if getattr(error, "sqlite_errorcode", None) in _FULL:
        return StorageFull(f"There is no room for the database file: {error}.")
    return None


def of_the_disk(error: Exception) -> Unavailable | None:
    """The same, where the disk is full or fails; None for any other error."""
    code = getattr(error, "sqlite_errorcode", None)
    if code is not None and code not in _FULL and code & 0xFF == sqlite3.SQLITE_IOERR:
        return Unavailable(f"The database file cannot be read or written: {error}")
    return no_room(error)
