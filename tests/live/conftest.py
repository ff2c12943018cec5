"""Brokers for the live tests: memory, the machine's own, and servers that a test may harm."""

import os
import socket
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from tests.live.brokers import INSTALL_REDIS, RedisServer
from tests.live.postgresql_server import PostgreSQLServer

BROKERS = [
    pytest.param("redis", marks=pytest.mark.redis),
    pytest.param("postgresql", marks=pytest.mark.postgresql),
]
REDIS_URL = os.environ.get("STEPGRAPH_TEST_REDIS", "redis://127.0.0.1:6379")


HarmableBroker = RedisServer | PostgreSQLServer


@pytest.fixture(params=["memory", *BROKERS])
def broker_url(request: pytest.FixtureRequest) -> str:
    """Every broker there is. They are shared: only publish to them, and only about ids of your own."""
    if request.param == "memory":
        return "memory://"
    if request.param == "postgresql":
        url: str = request.getfixturevalue("postgresql_url")
        return url
    address = urlsplit(REDIS_URL)
    try:
        socket.create_connection((address.hostname or "127.0.0.1", address.port or 6379), timeout=2).close()
    except OSError as error:
        pytest.skip(f"{INSTALL_REDIS} (or set STEPGRAPH_TEST_REDIS; {REDIS_URL}: {error})")
    return REDIS_URL


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


@pytest.fixture(params=BROKERS)
def broker(request: pytest.FixtureRequest) -> HarmableBroker:
    """Each kind of server in turn, to be harmed. It is running."""
    server: HarmableBroker = request.getfixturevalue(f"{request.param}_server")
    return server
