"""Work that several want is done once (`live.md` H3): who asks while it is being done waits for the same result."""

import asyncio
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Hashable
from typing import Generic, TypeVar

T = TypeVar("T")


class Once(Generic[T]):
    """Results by key; of those that are there the oldest go when together they weigh more than `room`.

    The newest stays, whatever it weighs. A failure is told to everybody who waits for it and not kept.
    """

    def __init__(self, room: int, weigh: Callable[[T], int] = lambda _: 1) -> None:
        self._room = room
        self._weigh = weigh
        self._tasks: dict[Hashable, asyncio.Task[T]] = {}
        self._results: OrderedDict[Hashable, T] = OrderedDict()

    async def get(self, key: Hashable, do: Callable[[], Awaitable[T]]) -> T:
        """The result for `key`: what is kept, or what is being done, or what `do` makes of it now.

        Who is cancelled leaves the work to those who wait with it.
        """
        if key in self._results:
            return self._results[key]
        task = self._tasks.get(key)
        if task is None:
            task = self._tasks[key] = asyncio.create_task(self._done(key, do))
            task.add_done_callback(_heard)
        return await asyncio.shield(task)

    def close(self) -> None:
        """Stop what is being done."""
        for task in self._tasks.values():
            task.cancel()

    async def _done(self, key: Hashable, do: Callable[[], Awaitable[T]]) -> T:
        try:
            result = await do()
        finally:
            del self._tasks[key]
        self._results[key] = result
        self._room -= self._weigh(result)
        while self._room < 0 and len(self._results) > 1:
            _, dropped = self._results.popitem(last=False)
            self._room += self._weigh(dropped)
        return result


def _heard(task: asyncio.Task[T]) -> None:
    """Where nobody waits any more, asyncio would report a failure as one that nobody has heard of."""
    if not task.cancelled():
        task.exception()
