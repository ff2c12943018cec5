"""From a URL to a database."""

from db.postgresql import PostgreSQLDatabase
from db.session import Database, parse_database_url
from db.sqlite import SQLiteDatabase


def database_for(url_text: str) -> Database:
    """The database that a URL names, not yet opened; raises `ValueError` for a URL that does not work here."""
    url = parse_database_url(url_text)
    return SQLiteDatabase(url) if url.drivername == "sqlite+aiosqlite" else PostgreSQLDatabase(url)
