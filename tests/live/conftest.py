"""Brokers for the live tests: memory, the machine's Redis, and a Redis server of a test's own."""

import os
import socket
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from tests.live.brokers import INSTALL_REDIS, RedisServer

REDIS_URL = os.environ.get("STEPGRAPH_TEST_REDIS", "redis://127.0.0.1:6379")


@pytest.fixture(params=["memory", pytest.param("redis", marks=pytest.mark.redis)])
def broker_url(request: pytest.FixtureRequest) -> str:
    """Every broker there is. Redis is shared: only publish to it, and only about ids of your own."""
    if request.param == "memory":
        return "memory://"
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
