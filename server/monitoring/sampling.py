"""How the parts of this process stand, looked at every two seconds and whenever `/metrics` is asked.

Not only when it is asked: another process may be, and tells what this one has written down.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from typing import Final, NoReturn

from db.session import Database
from server.live.broadcast import Doorbell, DoorbellHealth, DoorbellStatus
from server.live.feed import Feed
from server.live.waiting_claims import WaitingClaims
from server.operations.subscriptions import Subscriptions
from server.telemetry import metrics
from server.transports.endpoint import GraphQLEndpoint

INTERVAL: Final = 2.0  # seconds


@dataclass(slots=True)
class Sampler:
    """Writes down how these stand. `fields` are the root fields that can be subscribed to."""

    endpoint: GraphQLEndpoint
    subscriptions: Subscriptions
    fields: tuple[str, ...]
    feed: Feed
    work: WaitingClaims
    doorbell: Doorbell
    database: Database
    _rung: DoorbellHealth = field(init=False)

    def __post_init__(self) -> None:
        self._rung = self.doorbell.health

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Look every two seconds."""
        task = asyncio.create_task(self._keep_sampling(), name="sampler")
        try:
            yield
        finally:
            task.cancel()
            await asyncio.wait([task])

    def sample(self) -> None:
        """Look once. Costs a few microseconds, and one more for every different subscription."""
        metrics.SOCKETS.set(len(self.endpoint.websocket))
        metrics.EVENT_STREAMS.set(len(self.endpoint.streams))
        metrics.WAITING_CLAIMS.set(len(self.work))
        metrics.FEED_TREES.set(self.feed.watched_trees)
        self._sample_subscriptions()
        self._sample_doorbell()
        for pool in self.database.pools():
            metrics.POOL_SIZE.labels(pool.name).set(pool.open)
            metrics.POOL_USED.labels(pool.name).set(pool.used)
            metrics.POOL_LIMIT.labels(pool.name).set(pool.limit)
            metrics.POOL_WAITING.labels(pool.name).set(pool.waiting)

    def _sample_subscriptions(self) -> None:
        self.subscriptions.count()
        subscribers = self.subscriptions.subscribers()
        for name in self.fields:
            now = subscribers.get(name, [])
            metrics.SUBSCRIBERS.labels(name).set(sum(now))
            metrics.SHARED_SUBSCRIPTIONS.labels(name).set(len(now))

    def _sample_doorbell(self) -> None:
        before, now = self._rung, self.doorbell.health
        self._rung = now
        metrics.DOORBELL_UP.set(now.status is DoorbellStatus.OK)
        metrics.DOORBELL_OUTAGES.inc(now.outages - before.outages)
        for outcome in ("published", "dropped", "heard", "malformed"):
            more = getattr(now, outcome) - getattr(before, outcome)
            metrics.DOORBELL_RINGS.labels(outcome).inc(more)

    async def _keep_sampling(self) -> NoReturn:
        clock: Callable[[], float] = asyncio.get_running_loop().time
        while True:
            self.sample()
            due = clock() + INTERVAL
            await asyncio.sleep(INTERVAL)
            metrics.LOOP_LAG_SECONDS.observe(max(clock() - due, 0.0))
