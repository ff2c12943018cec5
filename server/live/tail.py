"""The end of a tenant's journal, over all trees in the order of J4: who watches it, and how far it was read.

Source: `live.md` J4, B2, B3, H1. Beside `changes` of all trees it serves the sweep of who follows all trees.
"""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import NoReturn, Protocol

from db.journal import Cursor, JournalPage
from server.backoff import Backoff
from server.live.followers import Followers
from server.live.outage import Outage
from server.live.watches import Watch
from server.once import Once
from server.waiting import happens

FIRST_LOOK, LONGEST_LOOK = 0.01, 1.0  # seconds until what is committed but not settled is looked for again
_KEPT_PAGES = 4


class TailReader(Protocol):
    """What a tail needs of `db.journal.JournalReader`; may raise anything, and is then asked again."""

    async def settled(self, tenant: str, /) -> Cursor:
        """Where the tenant's settled changes end."""

    async def page(self, tenant: str, after: Cursor, /) -> JournalPage:
        """The next page of the tenant's settled changes."""


class Tail:
    """One tenant's. Runs while somebody holds it; `interval` tells the seconds between two sweeps."""

    def __init__(
        self,
        tenant: str,
        journal: TailReader,
        followers: Followers,
        outage: Outage,
        interval: Callable[[], float],
    ) -> None:
        self._pages: Once[JournalPage] = Once(_KEPT_PAGES)
        self._position: Cursor | None = None
        self._epoch = ""
        self._deletions: int | None = None
        self._tenant = tenant
        self._journal = journal
        self._followers = followers
        self._outage = outage
        self._interval = interval
        self._retry = outage.new_backoff()
        self._looks = Backoff(FIRST_LOOK, LONGEST_LOOK)
        self._watches: set[Watch] = set()
        self._holders = 0
        self._placed = asyncio.Event()
        self._nudge = asyncio.Event()
        self._task: asyncio.Task[NoReturn] | None = None

    @asynccontextmanager
    async def held(self) -> AsyncIterator[None]:
        """Keep it running. Entering waits until its end is known, or could not be read."""
        self._holders += 1
        if self._task is None:
            self._task = asyncio.create_task(self._keep_reading(), name="feed tail")
        try:
            await self._placed.wait()
            yield
        finally:
            self._holders -= 1
            if not self._holders:
                self._task.cancel()
                self._task = None
                # Who comes later has nothing to do with what was committed meanwhile.
                self._position = self._deletions = None
                self._placed = asyncio.Event()

    @asynccontextmanager
    async def watch(self) -> AsyncIterator[Watch]:
        """A watch that wakes when there is more; read after entering (H2)."""
        watch = Watch()
        self._watches.add(watch)
        try:
            async with self.held():
                yield watch
        finally:
            self._watches.discard(watch)

    async def page(self, after: Cursor, epoch: str) -> JournalPage:
        """The next page after a cursor of a history: read once for all who are there, and waited for in an outage."""
        return await self._pages.get(
            (after, epoch, self._position, self._epoch),
            lambda: self._outage.persist(
                f"a page of all of {self._tenant}", lambda: self._journal.page(self._tenant, after)
            ),
        )

    def close(self) -> None:
        """Stop what is being read."""
        self._pages.close()

    def ring(self) -> None:
        """Something was committed, be it this tenant's or not."""
        if self._watches:
            self.nudge()

    def nudge(self) -> None:
        """Look at once."""
        self._looks.reset()
        self._nudge.set()

    async def _keep_reading(self) -> NoReturn:
        clock = asyncio.get_running_loop().time
        while True:
            try:
                seconds = await self._read()
            except Exception as error:
                self._outage.note(f"the tail of {self._tenant}", error, clock())
                self._placed.set()
                seconds = self._retry.next_delay()
            else:
                self._outage.heal(f"the tail of {self._tenant}")
                self._retry.reset()
            await happens(self._nudge, within=seconds)
            self._nudge.clear()

    async def _read(self) -> float:
        """Read on; returns the seconds until the next look."""
        if self._position is None:
            self._place(await self._journal.settled(self._tenant))
        assert self._position is not None
        page = await self._journal.page(self._tenant, self._position)
        if self._epoch not in ("", page.epoch):
            # Another history: where its changes end has nothing to do with where we were.
            self._place(await self._journal.settled(self._tenant))
        elif page.execution_ids:
            self._position = page.end
            self._followers.tell(self._tenant, page.execution_ids)
            self._wake()
        if self._deletions not in (None, page.deletions):
            # Of what was deleted no change tells.
            self._followers.tell_any(self._tenant)
        self._epoch, self._deletions = page.epoch, page.deletions
        return self._pause(page)

    def _place(self, position: Cursor) -> None:
        """Whoever waits may have missed what lies before it."""
        late = self._placed.is_set()
        self._position = position
        self._placed.set()
        if late:
            self._followers.tell_any(self._tenant)
            self._wake()

    def _pause(self, page: JournalPage) -> float:
        if not page.is_all:
            if page.execution_ids:
                return 0.0
            if self._watches:
                return min(self._looks.next_delay(), self._interval())
        return self._interval()

    def _wake(self) -> None:
        for watch in self._watches:
            watch.wake()


class Tails:
    """The tails of all tenants that somebody watches or follows."""

    def __init__(
        self, journal: TailReader, followers: Followers, outage: Outage, interval: Callable[[], float]
    ) -> None:
        self._tails: dict[str, Tail] = {}
        self._journal = journal
        self._followers = followers
        self._outage = outage
        self._interval = interval

    def of(self, tenant: str) -> Tail:
        """A tenant's; it does not run until somebody holds it."""
        tail = self._tails.get(tenant)
        if tail is None:
            tail = self._tails[tenant] = Tail(
                tenant, self._journal, self._followers, self._outage, self._interval
            )
        return tail

    def ring(self) -> None:
        """Something was committed."""
        for tail in self._tails.values():
            tail.ring()

    def nudge(self) -> None:
        """Look at once."""
        for tail in self._tails.values():
            tail.nudge()

    def close(self) -> None:
        """Stop what is being read."""
        for tail in self._tails.values():
            tail.close()
