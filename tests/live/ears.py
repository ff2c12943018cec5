"""What listens to a doorbell in the tests."""

import asyncio
from collections.abc import Callable

from server.broadcast import Doorbell, DoorbellStatus
from server.ring import Ring


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
