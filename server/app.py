"""The assembly: from settings to a Starlette application whose parts start in order and end in reverse."""

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from functools import partial
from typing import Final

import strawberry
import uvicorn
from graphql import NoSchemaIntrospectionCustomRule
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import HTTPConnection

from db.connect import database_for
from db.journal import JournalReader
from db.migrate import migrate, require_migrated
from db.store import Store
from schema.context import Context
from schema.projection.executor import Plans
from schema.schema import build_schema, plans_for
from schema.subscription import PLACED, PLACES
from server.live.announcing import DoorbellAnnouncer
from server.live.broadcast import Doorbell
from server.live.feed import Feed
from server.live.live_pages import LivePages
from server.live.timers import Timer
from server.live.waiting_claims import WaitingClaims
from server.monitoring.health import Health, health_routes
from server.monitoring.measuring import (
    MeasuredOperations,
    MeasuredSubscriptions,
    Tally,
    measure_commands,
    subscription_fields,
    trusted_names,
)
from server.monitoring.metrics_page import metrics_routes
from server.monitoring.sampling import Sampler
from server.monitoring.tracing import traced, traces_of
from server.monitoring.watched_requests import WatchedRequests
from server.operations.document_directory import known_documents
from server.operations.documents import StoredDocuments, sha256_of
from server.operations.operations import Left
from server.operations.subscriptions import Placed
from server.pages import CONSOLE, GRAPHIQL, page_of, page_routes
from server.settings import Settings
from server.telemetry.log import is_json
from server.transports.endpoint import GraphQLEndpoint
from server.transports.uvicorn_http import UvicornHTTP
from server.transports.uvicorn_websocket import UvicornWebSocket
from server.trust.authenticating import Authentication, authentication_of, trusts_loopback
from server.trust.authorising import authorise
from server.trust.hosts import admitting
from server.trust.origins import Origins
from server.types.version import TEMPLATE, VERSION
from server.watching.documents import WATCHING

log = logging.getLogger(__name__)

# Together under 10 seconds, after which supervisors kill: for requests with the drain in it, then for each part.
GRACEFUL_SECONDS = 7
DRAIN_SECONDS = 4
CLOSE_SECONDS = 0.5

# Clients connect again when their socket is closed: not all at once, and nobody waits for a few.
SOCKETS_PER_SECOND = 500
SPREAD_SECONDS = 3

# What `stepgraph watch` and `stepgraph types` send.
OWN_DOCUMENTS: Final = {sha256_of(text): text for text in (*WATCHING, TEMPLATE, VERSION)}


@dataclass(frozen=True, slots=True)
class Parts:
    """What a running process is made of."""

    settings: Settings
    schema: strawberry.Schema
    store: Store
    plans: Plans
    doorbell: Doorbell
    feed: Feed
    lists: LivePages
    work: WaitingClaims
    timer: Timer
    authentication: Authentication
    closing: asyncio.Event = field(default_factory=asyncio.Event)

    def context_for(self, connection: HTTPConnection, left: Left) -> Context:
        """An operation's surroundings."""
        return Context(
            viewer=connection.state.viewer,
            store=self.store,
            plans=self.plans,
            feed=self.feed,
            lists=self.lists,
            announcer=DoorbellAnnouncer(self.doorbell),
            work=self.work,
            left=left,
            closing=self.closing,
            last_event_id=connection.headers.get("last-event-id"),
        )


@dataclass(frozen=True, slots=True)
class Application:
    """What is served at `asgi` while it is `running`, and how that ends."""

    asgi: Starlette
    parts: Parts
    endpoint: GraphQLEndpoint
    health: Health
    sampler: Sampler

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Start every part. Raises `Unavailable` where the database cannot be opened."""
        async with AsyncExitStack() as stack:
            await stack.enter_async_context(traces_of(self.parts.settings))
            await _start(self.parts, self.endpoint, stack)
            await stack.enter_async_context(self.sampler.running())
            yield

    def retire(self) -> None:
        """Not ready from now on, though all goes on, for whoever has not noticed yet."""
        self.health.is_draining = True

    async def drain(self) -> None:
        """Streams and sockets end, what they still run may end too (`security.md` O2)."""
        self.parts.closing.set()
        self.parts.work.close()
        over = min(len(self.endpoint.websocket) / SOCKETS_PER_SECOND, SPREAD_SECONDS)
        await _within(DRAIN_SECONDS, partial(self.endpoint.close, over=over))


def create_app(settings: Settings) -> Application:
    """The application, nothing of it started yet. Raises `ValueError` for settings, or documents, that cannot work."""
    authentication = authentication_of(settings)
    schema = build_schema()
    measure_commands(schema)
    database = traced(settings, database_for(settings.database))
    doorbell = Doorbell(settings.broadcast)
    feed = Feed(doorbell, JournalReader(database))
    plans = plans_for(schema, database.kind)
    store = Store(database)
    timer = Timer(store, DoorbellAnnouncer(doorbell), doorbell)
    work = WaitingClaims(feed)
    tally = Tally(trusted_names())
    lists = LivePages(feed)
    parts = Parts(settings, schema, store, plans, doorbell, feed, lists, work, timer, authentication)
    documents = StoredDocuments(known_documents(settings.documents_dir) | OWN_DOCUMENTS, settings.documents)
    operations = MeasuredOperations(
        schema,
        tally=tally,
        rules=() if settings.introspection else (NoSchemaIntrospectionCustomRule,),
        hide_suggestions=not (settings.suggestions and settings.introspection),
        documents=documents,
        authorise=authorise,
    )
    subscriptions = MeasuredSubscriptions(operations, tally=tally, placed=Placed(PLACED, PLACES))
    endpoint = GraphQLEndpoint(
        operations,
        subscriptions,
        parts.context_for,
        authenticate=authentication.authenticate,
        page=page_of(GRAPHIQL) if settings.graphiql else None,
        origins=Origins(settings.origins),
    )
    health = Health(settings, database, doorbell)
    sampler = Sampler(endpoint, subscriptions, subscription_fields(schema), feed, work, doorbell, database)
    pages = page_routes(CONSOLE if settings.console else None, GRAPHIQL if settings.graphiql else None)
    numbers = metrics_routes(sampler) if settings.metrics else []
    routes = [*endpoint.routes(), *pages, *health_routes(health), *numbers]
    middleware = [Middleware(WatchedRequests)]
    if settings.allowed_hosts or trusts_loopback(settings):
        middleware.append(admitting(settings.host, settings.allowed_hosts))
    app = Starlette(routes=routes, middleware=middleware)
    return Application(app, parts, endpoint, health, sampler)


async def _start(parts: Parts, endpoint: GraphQLEndpoint, stack: AsyncExitStack) -> None:
    """Database, doorbell, feed, timer, the keys of tokens; subscribers end first, and the database is let go last."""
    await parts.store.database.open()
    stack.push_async_callback(_within, CLOSE_SECONDS, parts.store.database.close)
    await parts.doorbell.start()
    stack.push_async_callback(_within, CLOSE_SECONDS, parts.doorbell.stop)
    await parts.feed.start()
    stack.push_async_callback(parts.feed.stop)
    await parts.timer.start()
    stack.push_async_callback(_within, CLOSE_SECONDS, parts.timer.stop)
    await stack.enter_async_context(parts.authentication.running())
    stack.callback(parts.work.close)
    stack.push_async_callback(_within, CLOSE_SECONDS, endpoint.close)


async def _within(seconds: float, end: Callable[[], Awaitable[None]]) -> None:
    """What hangs, such as a statement that waits for another process's lock, must not keep this one from ending."""
    try:
        async with asyncio.timeout(seconds):
            await end()
    except TimeoutError:
        log.warning("what still ran after %g s is left to itself", seconds)


async def prepare_database(settings: Settings) -> None:
    """Bring a SQLite file up to date; a shared PostgreSQL database is migrated by hand, so only checked."""
    if settings.database.startswith("sqlite"):
        await migrate(settings.database)
        return
    await require_migrated(settings.database)


def uvicorn_config(app: Starlette) -> uvicorn.Config:
    """How uvicorn serves it; every value that differs from uvicorn's own has its reason in `docs/decisions`."""
    return uvicorn.Config(
        app,
        loop="uvloop",
        http=UvicornHTTP,
        ws=UvicornWebSocket,
        ws_per_message_deflate=False,
        ws_max_size=64 << 10,
        ws_ping_interval=25,
        ws_ping_timeout=10,
        timeout_graceful_shutdown=GRACEFUL_SECONDS,
        log_level="warning",
        access_log=False,
        log_config=None if is_json() else uvicorn.config.LOGGING_CONFIG,
        lifespan="off",  # `Application.running` instead: what cannot start says so in one line
    )
