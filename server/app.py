"""The assembly: from settings to a Starlette application whose parts start in order and end in reverse."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass

import strawberry
import uvicorn
from starlette.applications import Starlette
from starlette.requests import HTTPConnection

from db.connect import database_for
from db.journal import JournalReader
from db.migrate import migrate, missing_migrations
from db.session import Unavailable
from db.store import Store
from db.tables import DEFAULT_TENANT
from schema.context import Context, Viewer
from schema.projection.executor import Plans
from schema.schema import build_schema, plans_for
from server.announcing import DoorbellAnnouncer
from server.broadcast import Doorbell
from server.endpoint import GraphQLEndpoint
from server.feed import Feed
from server.health import Health, health_routes
from server.operations import Operations
from server.pages import graphiql_page, graphiql_routes
from server.settings import Settings
from server.subscriptions import Subscriptions
from server.uvicorn_websocket import UvicornWebSocket

# uvicorn waits for open responses before it ends the lifespan; the drain begins there.
GRACEFUL_SECONDS = 8


@dataclass(frozen=True, slots=True)
class Parts:
    """What a running process is made of."""

    settings: Settings
    schema: strawberry.Schema
    store: Store
    plans: Plans
    doorbell: Doorbell
    feed: Feed

    def context_for(self, _connection: HTTPConnection) -> Context:
        """An operation's surroundings. Nobody is authenticated: everyone acts as the default tenant."""
        return Context(
            viewer=Viewer(DEFAULT_TENANT),
            store=self.store,
            plans=self.plans,
            feed=self.feed,
            announcer=DoorbellAnnouncer(self.doorbell),
        )


def create_app(settings: Settings) -> Starlette:
    """The application, nothing of it started yet. Raises `ValueError` for a URL that cannot work."""
    schema = build_schema()
    database = database_for(settings.database)
    doorbell = Doorbell(settings.broadcast)
    feed = Feed(doorbell, JournalReader(database))
    parts = Parts(settings, schema, Store(database), plans_for(schema, database.kind), doorbell, feed)
    operations = Operations(schema)
    endpoint = GraphQLEndpoint(operations, Subscriptions(operations), parts.context_for, page=graphiql_page)
    routes = [*endpoint.routes(), *graphiql_routes(), *health_routes(Health(settings, database, doorbell))]

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        async with AsyncExitStack() as stack:
            await _start(parts, endpoint, stack)
            yield

    return Starlette(routes=routes, lifespan=lifespan)


async def _start(parts: Parts, endpoint: GraphQLEndpoint, stack: AsyncExitStack) -> None:
    """Database, doorbell, feed; subscribers end first, and the database is let go last."""
    await stack.enter_async_context(parts.store.database)
    await parts.doorbell.start()
    stack.push_async_callback(parts.doorbell.stop)
    await parts.feed.start()
    stack.push_async_callback(parts.feed.stop)
    stack.push_async_callback(endpoint.close)


async def prepare_database(settings: Settings) -> None:
    """Bring a SQLite file up to date; a shared PostgreSQL database is migrated by hand, so only checked."""
    if settings.database.startswith("sqlite"):
        await migrate(settings.database)
        return
    missing = await missing_migrations(settings.database)
    if missing:
        raise Unavailable(
            f"The database lacks {len(missing)} migration{'s' if len(missing) > 1 else ''}: run `stepgraph migrate` first."
        )


def uvicorn_config(app: Starlette) -> uvicorn.Config:
    """How uvicorn serves it; every value that differs from uvicorn's own has its reason in `docs/decisions`."""
    return uvicorn.Config(
        app,
        loop="uvloop",
        http="httptools",
        ws=UvicornWebSocket,
        ws_per_message_deflate=False,
        ws_max_size=64 << 10,
        ws_ping_interval=25,
        ws_ping_timeout=10,
        timeout_graceful_shutdown=GRACEFUL_SECONDS,
        log_level="warning",
        access_log=False,
        lifespan="on",
    )
