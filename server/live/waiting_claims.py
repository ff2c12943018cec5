"""Who waits for work: one line in this process for each filter, woken by the feed (`runtime.md` T3).

However many wait, one of a line looks at a time. Who gets something lets the next one look; while there is nothing the
first one waits for all of them. A lease that passes is marked by the timer, which is a change like any other.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Hashable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import Final, NoReturn, TypeVar

from schema.context import Feed

T = TypeVar("T")
Attempt = Callable[[], Awaitable[T | None]]

# Changes that come one upon another are one reason to look.
TICK: Final = 0.01
# A doorbell that is away, and a timer that is, cost this much.
INTERVAL: Final = 5.0


@dataclass(slots=True)
class Line:
    """Those who want the same; whose turn it is goes round in the order in which they came."""

    turn: asyncio.Lock = field(default_factory=asyncio.Lock)
    # Cleared by who looks, before it does.
    may_be_work: asyncio.Event = field(default_factory=asyncio.Event)
    members: int = 0
    follower: asyncio.Task[NoReturn] | None = None


@dataclass(slots=True)
class Place:
    """One who stands in a line. What it has begun to claim it is not kept from."""

    is_attempting: bool = False
    is_over: bool = False


class WaitingClaims:
    """The lines of one process."""

    def __init__(self, feed: Feed) -> None:
        self._feed = feed
        self._lines: dict[Hashable, Line] = {}
        self._closing = asyncio.Event()

    def __len__(self) -> int:
        """How many wait."""
        return sum(line.members for line in self._lines.values())

    def close(self) -> None:
        """Let everybody go with nothing, and nobody wait any more."""
        self._closing.set()

    async def wait(
        self,
        key: Hashable,
        tenant: str,
        attempt: Attempt[T],
        seconds: float,
        left: Callable[[], Awaitable[None]],
    ) -> T | None:
        """What an attempt comes to, as `schema.context.Work` says."""
        async with self._standing_in(key, tenant) as line:
            place = Place()
            search = asyncio.ensure_future(_search(line, place, attempt))
            ends = (asyncio.ensure_future(left()), asyncio.ensure_future(self._closing.wait()))
            try:
                await asyncio.wait((search, *ends), timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
            finally:
                place.is_over = True
                for each in ends if place.is_attempting else (*ends, search):
                    each.cancel()
            with suppress(asyncio.CancelledError):
                return await search
            return None

    @asynccontextmanager
    async def _standing_in(self, key: Hashable, tenant: str) -> AsyncIterator[Line]:
        line = self._lines.get(key)
        if line is None:
            line = self._lines[key] = Line()
            line.follower = asyncio.create_task(self._follow(line, tenant), name="waiting claims")
        line.members += 1
        try:
            yield line
        finally:
            line.members -= 1
            if not line.members and line.follower is not None:
                del self._lines[key]
                line.follower.cancel()

    async def _follow(self, line: Line, tenant: str) -> NoReturn:
        """Tell a line that there may be work: at first, for what came before it was there, and after every change."""
        async with self._feed.follow(tenant) as follower:
            while True:
                line.may_be_work.set()
                with suppress(TimeoutError):
                    async with asyncio.timeout(INTERVAL):
                        await follower.changed()
                await asyncio.sleep(
                    TICK
                )  # under steady traffic the line looks a hundred times a second at most


async def _search(line: Line, place: Place, attempt: Attempt[T]) -> T | None:
    """Look whenever there may be something and it is this one's turn, until there was."""
    async with line.turn:
        while not place.is_over:
            await line.may_be_work.wait()
            line.may_be_work.clear()
            place.is_attempting = True
            found = None
            try:
                found = await attempt()
            except Exception:
                line.may_be_work.set()
                raise
            finally:
                place.is_attempting = False
            if found is not None:
                line.may_be_work.set()  # there may be more of it
                return found
    return None
