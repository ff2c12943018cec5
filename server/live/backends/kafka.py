"""Kafka behind `broadcaster`'s backend interface, instead of the library's own.

The library's forgets every subscription when one ends, and takes a channel's name, which may hold a colon, for a
topic's, which may not. This one listens without a consumer group, from the topic's end. To reconnect is
`server/live/broadcast.py`'s; what aiokafka mends by itself in the meantime does no harm.
"""

import asyncio
import logging
from typing import Any
from urllib.parse import urlsplit

from broadcaster import BroadcastBackend, Event

from server.live.backends.addresses import require_address
from server.live.ring import LONGEST_MESSAGE

try:
    import aiokafka
except ImportError:  # it is nobody's who has no Kafka
    aiokafka = None

PARTITION = 0
"""One partition has one order; a doorbell fills no second one."""

_LONGEST_WAIT = 500  # milliseconds that a fetch waits for news
_FETCHED_BYTES = 64 << 10
# The doorbell tells when the broker is away, once; aiokafka would at every attempt.
logging.getLogger("aiokafka").setLevel(logging.CRITICAL)


class KafkaBackend(BroadcastBackend):
    """Listens and publishes on connections of their own.

    `url` is `kafka://HOST:PORT`, with more brokers of the cluster after commas; one that cannot work, or aiokafka
    missing, raises `ValueError`. Nothing fails at once when a connection is lost: the caller's heartbeat finds it.
    """

    def __init__(self, url: str, *, connect_seconds: float) -> None:
        self._servers = addresses_of(url)
        if aiokafka is None:
            raise ValueError(
                "broadcast URL: kafka:// needs a package that is not installed: run `python -m pip install aiokafka`"
            )
        self._milliseconds = int(connect_seconds * 1000)
        self._channels: dict[str, str] = {}
        self._producer: Any = None
        self._consumer: Any = None

    async def connect(self) -> None:
        common = {
            "bootstrap_servers": self._servers,
            "client_id": "stepgraph-doorbell",
            "request_timeout_ms": self._milliseconds,
        }
        self._producer = aiokafka.AIOKafkaProducer(acks=1, **common)
        self._consumer = aiokafka.AIOKafkaConsumer(
            group_id=None,
            auto_offset_reset="latest",
            fetch_max_wait_ms=min(_LONGEST_WAIT, self._milliseconds // 2),
            fetch_max_bytes=_FETCHED_BYTES,
            max_partition_fetch_bytes=_FETCHED_BYTES,
            **common,
        )
        await self._producer.start()
        await self._consumer.start()

    async def disconnect(self) -> None:
        """Goes on when it is cancelled: half closed, aiokafka would try to reach the broker for ever."""
        ends = []
        if self._producer is not None:
            ends.append(_ended(self._producer, self._producer.client))
        if self._consumer is not None:
            ends.append(_ended(self._consumer, self._consumer._client))
        await asyncio.shield(asyncio.gather(*ends, return_exceptions=True))

    async def subscribe(self, group: str) -> None:
        """Returns when the end of the topic is known: what is published from then on is heard.

        A topic that there is none of is made by asking for it, where the broker does that.
        """
        topic = topic_of(group)
        await self._producer.partitions_for(topic)
        partition = aiokafka.TopicPartition(topic, PARTITION)
        self._consumer.assign([partition])
        await self._consumer.seek_to_end(partition)
        await self._consumer.position(partition)
        self._channels[topic] = group

    async def unsubscribe(self, group: str) -> None:
        self._consumer.unsubscribe()

    async def publish(self, channel: str, message: str) -> None:
        await self._producer.send_and_wait(topic_of(channel), message.encode(), partition=PARTITION)

    async def next_published(self) -> Event:
        record = await self._consumer.getone()
        value = (record.value or b"")[: LONGEST_MESSAGE + 1]
        return Event(self._channels[record.topic], value.decode(errors="replace"))


async def _ended(user: Any, connections: Any) -> None:
    """A consumer whose broker is silent fails to stop (aiokafka 0.14), and leaves its connections open."""
    try:
        await user.stop()
    finally:
        await connections.close()


def topic_of(channel: str) -> str:
    """Kafka's names have letters, digits, `.`, `_` and `-` only."""
    return channel.replace(":", ".")


def addresses_of(url: str) -> list[str]:
    """`HOST:PORT` of each broker. Raises `ValueError` for a URL that cannot work, without its password."""
    parsed = urlsplit(url)
    if "@" in parsed.netloc or parsed.path.strip("/") or parsed.query or not parsed.netloc:
        raise ValueError("broadcast URL: use kafka://HOST:PORT, without credentials, path and options")
    addresses = parsed.netloc.split(",")
    for address in addresses:
        require_address(f"kafka://{address}")
    return addresses
