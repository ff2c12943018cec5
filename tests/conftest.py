"""What every test may use: the databases that this machine has, the API over each of them, and brokers to harm.

Tests share one database of each kind and keep out of each other's way by tenant.
"""

import asyncio
import os
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from uuid import uuid4

import pytest

from db.connect import database_for
from db.migrate import migrate
from db.session import Database
from db.store import Store
from tests.api import Api
from tests.databases import empty_postgresql
from tests.databases import sqlite_url as url_of_file
from tests.docs.owners import blocks_of
from tests.docs.pages import blocks_read
from tests.live.brokers import RedisServer
from tests.live.postgresql_server import HarmableBroker, PostgreSQLServer
from tests.servers import ServerProcess

FAIL_ON_SKIP = os.environ.get("STEPGRAPH_FAIL_ON_SKIP") == "1"


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Iterator[None]:
    """Where everything is installed a skip hides a gap, so it fails."""
    report = yield
    # What was logged may have lone surrogates in it, which no process can tell another (pytest-xdist).
    report.sections = [
        (title, text.encode(errors="backslashreplace").decode()) for title, text in report.sections
    ]
    if FAIL_ON_SKIP and report.skipped and not hasattr(report, "wasxfail"):
        report.outcome = "failed"
        report.longrepr = f"skipped, and STEPGRAPH_FAIL_ON_SKIP=1 is set: {report.longrepr}"
    return report


def pytest_runtest_setup(item: pytest.Item) -> None:
    """What counts as read is what the test and its fixtures read."""
    blocks_read.difference_update(blocks_of(item))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Iterator[None]:
    """A test that says it runs blocks of the documentation has to look at them."""
    yield
    unread = blocks_of(item) - blocks_read
    assert not unread, f"not read: {', '.join(map(str, unread))}"


@pytest.fixture(scope="session")
def sqlite_url(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A migrated SQLite file."""
    url = f"sqlite+aiosqlite:///{tmp_path_factory.mktemp('sqlite') / 'test.db'}"
    asyncio.run(migrate(url))
    return url


@pytest.fixture(scope="session")
def postgresql_url() -> Iterator[str]:
    """A migrated PostgreSQL database, dropped at the end."""
    with empty_postgresql() as url:
        asyncio.run(migrate(url))
        yield url


@pytest.fixture
def empty_postgresql_url() -> Iterator[str]:
    """A PostgreSQL database without a table."""
    with empty_postgresql() as url:
        yield url


@pytest.fixture
def migrated_postgresql_url(empty_postgresql_url: str) -> str:
    """A PostgreSQL database that `serve` takes."""
    asyncio.run(migrate(empty_postgresql_url))
    return empty_postgresql_url


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgresql)])
def served_database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """A database of the test's own that `serve` takes, each kind in turn."""
    if request.param == "sqlite":
        return url_of_file(tmp_path / "served.db")
    url: str = request.getfixturevalue("migrated_postgresql_url")
    return url


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgresql)])
def database_url(request: pytest.FixtureRequest) -> str:
    """Each database in turn."""
    url: str = request.getfixturevalue(f"{request.param}_url")
    return url


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    """Each database in turn, open."""
    async with database_for(database_url) as opened:
        yield opened


@pytest.fixture
def store(database: Database) -> Store:
    """What commands run on."""
    return Store(database)


@pytest.fixture
def tenant() -> str:
    """A tenant that no other test has."""
    return f"tenant-{uuid4().hex[:12]}"


@pytest.fixture
def api(store: Store, tenant: str) -> Api:
    """The API over each database in turn, as a tenant of its own."""
    return Api(store, tenant)


@pytest.fixture
def live_server(tmp_path: Path) -> Iterator[ServerProcess]:
    """A server with the defaults: SQLite, the in-memory doorbell; and the demo templates, without executions."""
    with ServerProcess(
        "--demo", "--database", f"sqlite+aiosqlite:///{tmp_path / 'live.db'}", cwd=tmp_path
    ) as server:
        yield server


@pytest.fixture
def redis_server(tmp_path: Path) -> Iterator[RedisServer]:
    """A Redis server that the test may kill, freeze and pause. It is running."""
    server = RedisServer(tmp_path)
    server.start()
    yield server
    server.kill()


@pytest.fixture(scope="session")
def initialised_postgresql() -> Iterator[PostgreSQLServer]:
    """A PostgreSQL server of the tests' own; `postgresql_server` starts it."""
    server = PostgreSQLServer()
    yield server
    server.remove()


@pytest.fixture
def postgresql_server(initialised_postgresql: PostgreSQLServer) -> Iterator[PostgreSQLServer]:
    """A PostgreSQL server that the test may kill, freeze and stall. It is running."""
    initialised_postgresql.start()
    yield initialised_postgresql
    initialised_postgresql.thaw()


@pytest.fixture(
    params=[
        pytest.param("redis", marks=pytest.mark.redis),
        pytest.param("postgresql", marks=pytest.mark.postgresql),
    ]
)
def broker(request: pytest.FixtureRequest) -> HarmableBroker:
    """Each kind of server in turn, to be harmed. It is running."""
    server: HarmableBroker = request.getfixturevalue(f"{request.param}_server")
    return server
