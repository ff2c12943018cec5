"""Brokers for the live tests: memory, and the machine's own."""

import socket
from urllib.parse import urlsplit

import pytest

from tests.live.brokers import INSTALL_REDIS, REDIS_URL


@pytest.fixture(
    params=[
        "memory",
        pytest.param("redis", marks=pytest.mark.redis),
        pytest.param("postgresql", marks=pytest.mark.postgresql),
    ]
)
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
