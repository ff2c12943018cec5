"""What an operation is given, and what the schema needs of the server, as Protocols."""

import asyncio
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from strawberry.types import Info

from db.commands.outcome import Actor, Committed
from db.session import Database
from db.store import Store
from schema.allowance import Allowance
from schema.projection.executor import Plans


@dataclass(frozen=True, slots=True)
class Viewer:
    """Who asks. `actor` stands in the journal; `scopes` say what the viewer may do, until `expires_at` (UTC)."""

    tenant: str
    actor: str | None = None
    scopes: frozenset[str] = frozenset()
    expires_at: datetime | None = None


class Watch(Protocol):
    """Hears of changes to an execution or a tree."""

    async def changed(self) -> None:
        """Return once something was committed since the last return; many changes are one."""


class Feed(Protocol):
    """The one reader of the journal in this process (`live.md` H1)."""

    def watch(self, *, root_id: str, execution_id: str | None = None) -> AbstractAsyncContextManager[Watch]:
        """Attach to an execution, or with None to the whole tree; what is read after that misses nothing (H2)."""


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
    announcer: Announcer
    # Set when the run of a subscription should read again though nothing changed: somebody joined it.
    refresh: asyncio.Event = field(default_factory=asyncio.Event)
    allowance: Allowance = field(default_factory=Allowance)

    @property
    def reader(self) -> Database:
        """Where the projection's statements run."""
        return self.store.database

    @property
    def tenant(self) -> str:
        """Whose rows are seen."""
        return self.viewer.tenant

    @property
    def actor(self) -> Actor:
        """On whose behalf commands are given."""
        return Actor(self.viewer.tenant, self.viewer.actor)


OperationInfo = Info[Context, None]
