"""How long an operation may take. What it waits for somebody else to do is not counted (`security.md` A4)."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager


class Allowance:
    """The time of one operation, whose fields may wait beside each other."""

    def __init__(self) -> None:
        self._limit: asyncio.Timeout | None = None
        self._waiting = 0
        self._left = 0.0

    @asynccontextmanager
    async def limited(self, seconds: float) -> AsyncIterator[None]:
        """Raises `TimeoutError` after so many seconds that count."""
        async with asyncio.timeout(seconds) as self._limit:
            yield

    @contextmanager
    def uncounted(self) -> Iterator[None]:
        """While a field waits; the time goes on when none does any more."""
        if self._limit is None:
            yield
            return
        self._stop(self._limit)
        try:
            yield
        finally:
            self._go_on(self._limit)

    def _stop(self, limit: asyncio.Timeout) -> None:
        self._waiting += 1
        when = limit.when()
        if when is not None:
            self._left = when - asyncio.get_running_loop().time()
            limit.reschedule(None)

    def _go_on(self, limit: asyncio.Timeout) -> None:
        self._waiting -= 1
        if not self._waiting and not limit.expired():
            limit.reschedule(asyncio.get_running_loop().time() + self._left)
