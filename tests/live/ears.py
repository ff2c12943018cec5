"""Doorbells under test, and what listens to them."""

import asyncio
import uuid
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from server.live.broadcast import Doorbell, DoorbellStatus, DoorbellTiming
from server.live.ring import Ring

OK, DEGRADED = DoorbellStatus.OK, DoorbellStatus.DEGRADED
FAST = DoorbellTiming(heartbeat=0.05, deadline=0.7, first_retry=0.01, longest_retry=0.1)
PATIENT = DoorbellTiming(heartbeat=3600, deadline=20, first_retry=0.01, longest_retry=0.1)


class Ear:
    """Hears all that a doorbell tells, and waits for it."""

    def __init__(self, doorbell: Doorbell) -> None:
        self.rings: list[Ring] = []
        self.statuses: list[DoorbellStatus] = []
        self._news = asyncio.Event()
        doorbell.listen(self._ring, self._status)

    def _ring(self, ring: Ring) -> None:
        self.rings.append(ring)
        self._news.set()

    def _status(self, status: DoorbellStatus) -> None:
        self.statuses.append(status)
        self._news.set()

    async def until(self, told: Callable[[], bool]) -> None:
        async with asyncio.timeout(30):
            while not told():
                self._news.clear()
                await self._news.wait()

    async def hears(self, ring: Ring) -> None:
        await self.until(lambda: ring in self.rings)

    async def is_told(self, *statuses: DoorbellStatus) -> None:
        await self.until(lambda: self.statuses[-len(statuses) :] == list(statuses))


@asynccontextmanager
async def started(doorbell: Doorbell) -> AsyncIterator[Ear]:
    """A doorbell that runs, and an ear at it."""
    ear = Ear(doorbell)
    await doorbell.start()
    try:
        yield ear
    finally:
        await doorbell.stop()


def new_ring() -> Ring:
    """Of a tree that no other test knows: brokers are shared."""
    return Ring(f"exec_{uuid.uuid4().hex}", 2, 5)


async def rings_flow(doorbell: Doorbell, ear: Ear) -> None:
    """A ring gets through; whether the very first does is not promised when a connection has just died."""
    async with asyncio.timeout(30):
        while True:
            await ear.until(lambda: doorbell.health.status is OK)
            ring = new_ring()
            await doorbell.ring(ring)
            outages = doorbell.health.outages
            await ear.until(
                lambda ring=ring, outages=outages: (
                    ring in ear.rings
                    or doorbell.health.outages > outages
                    or doorbell.health.status is DEGRADED
                )
            )
            if ring in ear.rings:
                return
