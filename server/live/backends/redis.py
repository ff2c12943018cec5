"""Redis Pub/Sub behind `broadcaster`'s backend interface, instead of the library's own.

The library's listener leaves before the first subscription with redis-py ≥ 8, and redis-py itself reconnects
in silence. This one hears what it subscribed to or raises; to reconnect is `server/live/broadcast.py`'s.
"""

from typing import Any

from broadcaster import BroadcastBackend, Event
from redis import asyncio as redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff

from server.live.backends.addresses import require_address


class RedisBackend(BroadcastBackend):
    """Listens on one connection and publishes on another, so that neither waits for the other.

    `url` is `redis://` or `rediss://` with redis-py's query options; a malformed one raises `ValueError`.
    No call has a deadline of its own but opening a connection: the caller's deadlines end them. Listening
    begins after `subscribe`.
    """

    def __init__(self, url: str, *, connect_seconds: float) -> None:
        require_address(url)
        try:
            # RESP2 spares the handshake of RESP3's push notifications, which this needs nothing of.
            pool = redis.ConnectionPool.from_url(
                url,
                protocol=2,
                retry=Retry(NoBackoff(), 0),
                socket_connect_timeout=connect_seconds,
                socket_timeout=None,
                client_name="stepgraph-doorbell",
            )
            # Opens nothing, but refuses options that it does not know.
            pool.make_connection()  # type: ignore[no-untyped-call]  # redis-py has no types here
        except (TypeError, ValueError, redis.RedisError) as error:
            raise ValueError(f"broadcast URL: {error}") from error
        self._client = redis.Redis.from_pool(pool)
        self._pubsub = self._client.pubsub()

    async def connect(self) -> None:
        await self._pubsub.connect()  # type: ignore[no-untyped-call]  # redis-py has no types here

    async def disconnect(self) -> None:
        await self._pubsub.aclose()  # type: ignore[no-untyped-call]  # redis-py has no types here
        await self._client.aclose()

    async def subscribe(self, group: str) -> None:
        """Returns when the server has confirmed: what is published from then on is heard."""
        await self._pubsub.subscribe(group)
        while (await self._next_message())["type"] != "subscribe":
            pass

    async def unsubscribe(self, group: str) -> None:
        await self._pubsub.unsubscribe(group)

    async def publish(self, channel: str, message: str) -> None:
        await self._client.publish(channel, message)

    async def next_published(self) -> Event:
        while (message := await self._next_message())["type"] != "message":
            pass
        return Event(message["channel"].decode(), message["data"].decode(errors="replace"))

    async def _next_message(self) -> dict[str, Any]:
        message: dict[str, Any] | None = None
        while message is None:
            message = await self._pubsub.get_message(timeout=None)
        return message
