"""What an operation is given, and what the schema needs of the server, as Protocols."""

import asyncio
from collections.abc import Awaitable, Callable, Collection, Hashable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol, TypeVar

from strawberry.types import Info

from db.commands.outcome import Actor, Committed
from db.journal import Cursor, JournalPage, JournalReader, TreePage
from db.session import Database
from db.store import Store
from schema.allowance import Allowance
from schema.projection.executor import Plans
from schema.streams.list_page import ListPage, ListRow
from schema.trust import Trust

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Viewer:
    """Who asks. `actor` stands in the journal; `scopes` say what the viewer may do, until `expires_at` (UTC).

    `trust` is that in the key which signed the token; None where nobody is asked for one.
    """

    tenant: str
    actor: str | None = None
    scopes: frozenset[str] = frozenset()
    expires_at: datetime | None = None
    trust: Trust | None = None


class Watch(Protocol):
    """Hears of changes to an execution or a tree."""

    async def changed(self) -> bool:
        """Return once something was committed since the last return; many changes are one.

        True unless it is known that no execution has ended with it.
        """


class Follower(Protocol):
    """Hears which of a tenant's executions change."""

    async def changed(self) -> Collection[str] | None:
        """The ids of those that changed since the last return, when there are some; None: it may be any."""


class Feed(Protocol):
    """The one reader of the journal in this process (`live.md` H1)."""

    def watch(self, *, root_id: str, execution_id: str | None = None) -> AbstractAsyncContextManager[Watch]:
        """Attach to an execution, or with None to the whole tree; what is read after that misses nothing (H2)."""

    async def tree_page(self, root_id: str, after: int, epoch: str) -> TreePage:
        """How a tree that is watched stands, and where the next page of its changes ends; read once for all."""

    def watch_all(self, tenant: str) -> AbstractAsyncContextManager[Watch]:
        """Attach to all trees of a tenant: hears of settled changes (J4)."""

    async def journal_page(self, tenant: str, after: Cursor, epoch: str) -> JournalPage:
        """Where the next page of a tenant's settled changes ends; read once for all."""

    def follow(self, tenant: str) -> AbstractAsyncContextManager[Follower]:
        """Attach to all executions of a tenant: hears which of them change, settled or not."""


class PageReader(Protocol):
    """Reads the first page of one list of a tenant's; readers of equal keys read the same."""

    @property
    def key(self) -> Hashable:
        """Names the list, its filter, order and size, the tenant, and what makes a row differ."""

    @property
    def tenant(self) -> str:
        """Whose rows are seen."""

    async def page(self) -> tuple[str, tuple[ListRow, ...]]:
        """The epoch, and the rows now."""

    async def is_touched(self, rows: Collection[ListRow], changed: Collection[str], /) -> bool:
        """Whether a change of these executions may change the page, which has these rows."""


class LivePage(Protocol):
    """A list's first page, which somebody keeps right."""

    async def now(self) -> tuple[ListPage, int]:
        """The page, read after this was called (H2), and the number of that read."""

    async def after(self, seen: ListPage) -> ListPage:
        """The page once it differs from one that was seen, twenty-five milliseconds after the last at the earliest."""


class LivePages(Protocol):
    """The live pages of this process (`live.md` H6)."""

    def open(self, reader: PageReader) -> AbstractAsyncContextManager[LivePage]:
        """Look at a page, which is read once for all who do."""


class Work(Protocol):
    """Those in this process who wait for steps that can be claimed."""

    async def wait(
        self,
        key: Hashable,
        tenant: str,
        attempt: Callable[[], Awaitable[T | None]],
        seconds: float,
        left: Callable[[], Awaitable[None]],
    ) -> T | None:
        """What an attempt comes to once there may be something to get; None after so many seconds.

        Those whose keys are equal want the same and are let in one after another. Ends early, with None, once `left`
        returns or the process is about to end.
        """


async def never() -> None:
    """Do not return."""
    await asyncio.get_running_loop().create_future()


class Announcer(Protocol):
    """Tells every server process that a tree has changed."""

    async def announce(self, committed: Committed) -> None:
        """Ring the doorbell; never fails and never waits for a broker that is away."""


@dataclass(frozen=True, slots=True)
class Context:
    """One operation's surroundings."""

    viewer: Viewer
    store: Store
    plans: Plans
    feed: Feed
    lists: LivePages
    announcer: Announcer
    work: Work
    # Returns once the client does not wait for the answer any more.
    left: Callable[[], Awaitable[None]] = never
    # Set once this process is to end: whoever waits for something is let go.
    closing: asyncio.Event = field(default_factory=asyncio.Event)
    # Set when the run of a subscription should read again though nothing changed: somebody joined it.
    refresh: asyncio.Event = field(default_factory=asyncio.Event)
    # The `id` of the last event that a client of server-sent events has seen.
    last_event_id: str | None = None
    allowance: Allowance = field(default_factory=Allowance)

    @property
    def reader(self) -> Database:
        """Where the projection's statements run."""
        return self.store.database

    @property
    def journal(self) -> JournalReader:
        """What was committed, read at once and for this operation alone; else it is the feed's."""
        return JournalReader(self.store.database)

    @property
    def tenant(self) -> str:
        """Whose rows are seen."""
        return self.viewer.tenant

    @property
    def actor(self) -> Actor:
        """On whose behalf commands are given."""
        return Actor(self.viewer.tenant, self.viewer.actor)


OperationInfo = Info[Context, None]
