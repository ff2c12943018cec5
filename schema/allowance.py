"""How long an operation may take. What it waits for somebody else to do is not counted (`security.md` A4)."""

import asyncio
from collections.abc import Awaitable, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

T = TypeVar("T")


class Allowance:
    """The time of one operation, whose fields may wait beside each other."""

    def __init__(self) -> None:
        self._limit: asyncio.Timeout | None = None
        self._tasks: set[asyncio.Task[object]] = set()
        self._waiting = 0
        self._left = 0.0

    async def within(self, seconds: float, work: Awaitable[T]) -> T:
        """What the work comes to. Raises `TimeoutError` after so many seconds that count.

        What entered and still runs at the end is cancelled. That are the siblings of a field that failed where the schema
        says never null: graphql-core answers without them.
        """
        try:
            async with asyncio.timeout(seconds) as self._limit:
                return await work
        finally:
            self._limit = None
            if left := self._tasks - {asyncio.current_task()}:
                for task in left:
                    task.cancel()
                await asyncio.gather(*left, return_exceptions=True)

    async def is_enough(self, seconds: float, running: asyncio.Future[Any]) -> bool:
        """Whether something ends within so many seconds that count; it goes on where it does not."""
        try:
            async with asyncio.timeout(seconds) as self._limit:
                await asyncio.wait((running,))
        except TimeoutError:
            return running.done()
        finally:
            self._limit = None
        return True

    def enter(self) -> None:
        """Say that the current task works for the operation, and may be cancelled when that has ended."""
        task = asyncio.current_task()
        if task is not None and task not in self._tasks:
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    @contextmanager
    def uncounted(self) -> Iterator[None]:
        """While a field waits; the time goes on when none does any more."""
        limit = self._limit
        if limit is None:
            yield
            return
        self._stop(limit)
        try:
            yield
        finally:
            self._go_on(limit)

    def _stop(self, limit: asyncio.Timeout) -> None:
        self._waiting += 1
        when = limit.when()
        if when is not None:
            self._left = when - asyncio.get_running_loop().time()
            limit.reschedule(None)

    def _go_on(self, limit: asyncio.Timeout) -> None:
        self._waiting -= 1
        if not self._waiting and limit is self._limit and not limit.expired():
            limit.reschedule(asyncio.get_running_loop().time() + self._left)
