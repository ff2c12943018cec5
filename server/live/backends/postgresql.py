"""PostgreSQL's LISTEN and NOTIFY behind `broadcaster`'s backend interface, instead of the library's own.

The library's listens and publishes on one connection, which takes one call at a time, and never hears that it was
closed. To reconnect is `server/live/broadcast.py`'s.
"""

import asyncio
from collections import deque
from typing import Any

import asyncpg
from broadcaster import BroadcastBackend, Event
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError

from server.live.backends.addresses import require_address
from server.live.ring import LONGEST_MESSAGE

MOST_WAITING = 10_000
"""Notifications that wait to be taken; one more, and the connection is given up: who lost some compares positions."""

_CLOSE_SECONDS = 0.2
# A ring is worth no flush to the disk: NOTIFY commits one after another in the whole server.
_SETTINGS = {"application_name": "stepgraph-doorbell", "synchronous_commit": "off"}


class PostgreSQLBackend(BroadcastBackend):
    """Listens on one connection and publishes on another, so that neither waits for the other.

    `url` is `postgresql://USER@HOST/DATABASE`, or that of a database of ours, `postgresql+asyncpg://…`; a malformed one
    raises `ValueError`. A connection that ends, whichever it is, fails `next_published` at once; calls have no deadline
    of their own but opening a connection. Listening begins after `subscribe`.
    """

    def __init__(self, url: str, *, connect_seconds: float) -> None:
        self._dsn = dsn_of(url)
        self._connect_seconds = connect_seconds
        self._connections: list[Any] = []
        self._publishing = asyncio.Lock()
        self._waiting: deque[Event] = deque()
        self._loss: ConnectionError | None = None
        self._news = asyncio.Event()

    async def connect(self) -> None:
        for what in ("listening", "publishing"):
            connection = await asyncpg.connect(
                self._dsn, timeout=self._connect_seconds, server_settings=_SETTINGS
            )
            self._connections.append(connection)
            connection.add_termination_listener(
                lambda _, what=what: self._lose(f"the {what} connection was closed")
            )

    async def disconnect(self) -> None:
        connections, self._connections = self._connections, []
        try:
            await asyncio.gather(
                *(connection.close(timeout=_CLOSE_SECONDS) for connection in connections),
                return_exceptions=True,
            )
        finally:
            for connection in connections:
                connection.terminate()

    async def subscribe(self, group: str) -> None:
        """Returns when the server has confirmed: what is committed from then on is heard."""
        await self._connections[0].add_listener(group, self._hear)

    async def unsubscribe(self, group: str) -> None:
        await self._connections[0].remove_listener(group, self._hear)

    async def publish(self, channel: str, message: str) -> None:
        async with self._publishing:
            await self._connections[1].execute("select pg_notify($1, $2)", channel, message)

    async def next_published(self) -> Event:
        while self._loss is None and not self._waiting:
            self._news.clear()
            await self._news.wait()
        if self._loss is not None:
            raise self._loss
        return self._waiting.popleft()

    def _hear(self, _connection: Any, _pid: int, channel: str, payload: str) -> None:
        if len(self._waiting) >= MOST_WAITING:
            self._lose(f"more than {MOST_WAITING} notifications wait to be heard")
            return
        # Whoever may connect to the database may notify: up to 8,000 bytes, which are no message of ours.
        self._waiting.append(Event(channel, payload[: LONGEST_MESSAGE + 1]))
        self._news.set()

    def _lose(self, why: str) -> None:
        self._loss = self._loss or ConnectionError(why)
        self._waiting.clear()
        self._news.set()


def dsn_of(url: str) -> str:
    """The URL as asyncpg takes it. Raises `ValueError` for one that cannot work, without its password."""
    require_address(url)
    try:
        parsed = make_url(url)
    except (ArgumentError, ValueError):
        raise ValueError("broadcast URL: use postgresql://USER@HOST/DATABASE") from None
    if not parsed.database:
        raise ValueError(
            "broadcast URL: it names no database, and who notifies in another is not heard: "
            "use postgresql://USER@HOST/DATABASE"
        )
    return parsed.set(drivername="postgresql").render_as_string(hide_password=False)
