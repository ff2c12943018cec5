"""Brokers for the live tests: memory, the machine's own, and those that may be harmed."""

import socket
from collections.abc import Iterator
from urllib.parse import urlsplit

import pytest

from tests.live.brokers import INSTALL_REDIS, REDIS_URL
from tests.live.kafka_broker import KafkaBroker
from tests.live.postgresql_server import HarmableBroker

AnyBroker = HarmableBroker | KafkaBroker


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


@pytest.fixture
def kafka_broker() -> Iterator[KafkaBroker]:
    """A broker that the test may kill and freeze. It is running."""
    broker = KafkaBroker()
    broker.start()
    yield broker
    broker.kill()


@pytest.fixture(
    params=[
        pytest.param("redis", marks=pytest.mark.redis),
        pytest.param("postgresql", marks=pytest.mark.postgresql),
        "kafka",
    ]
)
def any_broker(request: pytest.FixtureRequest) -> AnyBroker:
    """Each kind of broker in turn, to be killed and started again. It is running."""
    name = "kafka_broker" if request.param == "kafka" else f"{request.param}_server"
    broker: AnyBroker = request.getfixturevalue(name)
    return broker
