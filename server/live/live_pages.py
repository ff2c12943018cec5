"""Live pages: each is read once for all who look at it, when a change may touch it (`live.md` H6).

Kept of a page is what `ListPage` holds, and it is freed with the last who looks. What a page is and what the difference
of two is are the schema's (`schema/streams/`).
"""

import asyncio
from collections.abc import AsyncIterator, Collection, Hashable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from itertools import count
from typing import Final, NoReturn, Protocol

from db.session import Unavailable
from schema.context import Follower, PageReader
from schema.streams.list_page import ListPage, ListRow
from server.backoff import Backoff

TICK: Final = 0.025
"""Seconds between two reads of a page, and between two events."""

FIRST_RETRY, LONGEST_RETRY = 0.1, 5.0  # seconds, while the database is away

_numbers = count(1)


class Following(Protocol):
    """What live pages need of the feed."""

    def follow(self, tenant: str) -> AbstractAsyncContextManager[Follower]:
        """Attach to all executions of a tenant."""


class LivePage:
    """One page of one list, for all who look at it."""

    def __init__(self, reader: PageReader, feed: Following, tick: float) -> None:
        self.lookers = 0
        self.failure: Exception | None = None
        self._reader = reader
        self._feed = feed
        self._tick = tick
        self._page: ListPage | None = None
        self._begun = self._done = 0
        self._asked = asyncio.Event()
        self._turned = asyncio.Event()
        self._task = asyncio.create_task(self._keep(), name="live page")

    async def now(self) -> tuple[ListPage, int]:
        """The page, read after this was called (H2), and the number of that read. Raises what reading it raised."""
        begun = self._begun
        self._asked.set()
        while self._page is None or self._done <= begun:
            await self._turn()
        return self._page, self._done

    async def after(self, seen: ListPage) -> ListPage:
        """The page once it differs from one that was seen. Raises what reading it raised."""
        while self._page is None or self._page.number == seen.number:
            await self._turn()
        return self._page

    async def stop(self) -> None:
        """Let go of the feed and of the database."""
        self._task.cancel()
        await asyncio.wait([self._task])

    async def _turn(self) -> None:
        if self.failure is not None:
            raise self.failure
        await self._turned.wait()

    async def _keep(self) -> None:
        try:
            async with self._feed.follow(self._reader.tenant) as follower:
                await self._keep_reading(follower)
        except Exception as failure:
            self.failure = failure
            self._turned.set()

    async def _keep_reading(self, follower: Follower) -> NoReturn:
        while True:
            if await self._is_due(follower):
                await self._read()
            await asyncio.sleep(self._tick)

    async def _is_due(self, follower: Follower) -> bool:
        """Wait for changes, or for somebody who came; whether the page is to be read."""
        changed = asyncio.ensure_future(follower.changed())
        asked = asyncio.ensure_future(self._asked.wait())
        try:
            await asyncio.wait((changed, asked), return_when=asyncio.FIRST_COMPLETED)
        finally:
            # What is told and was not taken stays with the follower.
            changed.cancel()
            asked.cancel()
        return self._asked.is_set() or await self._is_touched(changed.result())

    async def _is_touched(self, changed: Collection[str] | None) -> bool:
        if changed is None or self._page is None:
            return True
        try:
            return await self._reader.is_touched(self._page.rows, changed)
        except Unavailable:
            return True

    async def _read(self) -> None:
        self._asked.clear()
        self._begun = next(_numbers)
        epoch, rows = await self._persist()
        self._done = self._begun
        if self._page is None or (self._page.epoch, self._page.rows) != (epoch, rows):
            self._page = ListPage(self._done, epoch, rows)
        turned, self._turned = self._turned, asyncio.Event()
        turned.set()

    async def _persist(self) -> tuple[str, tuple[ListRow, ...]]:
        backoff = Backoff(FIRST_RETRY, LONGEST_RETRY)
        while True:
            try:
                return await self._reader.page()
            except Unavailable:
                await asyncio.sleep(backoff.next_delay())


class LivePages:
    """The live pages of one process."""

    def __init__(self, feed: Following, tick: float = TICK) -> None:
        self._feed = feed
        self._tick = tick
        self._pages: dict[Hashable, LivePage] = {}

    def __len__(self) -> int:
        """How many different pages are looked at."""
        return len(self._pages)

    @asynccontextmanager
    async def open(self, reader: PageReader) -> AsyncIterator[LivePage]:
        """Look at a page; readers of equal keys read the same one."""
        page = self._pages.get(reader.key)
        if page is None or page.failure is not None:
            page = self._pages[reader.key] = LivePage(reader, self._feed, self._tick)
        page.lookers += 1
        try:
            yield page
        finally:
            page.lookers -= 1
            if not page.lookers:
                if self._pages.get(reader.key) is page:
                    del self._pages[reader.key]
                await page.stop()
