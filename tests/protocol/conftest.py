"""A served toy schema and clients of it."""

from collections.abc import AsyncIterator

import httpx
import pytest

from tests.protocol.raw_client import RawClient, ready_client
from tests.protocol.serving import Toy, served_toy


@pytest.fixture
async def toy() -> AsyncIterator[Toy]:
    """The toy schema over every transport, with the limits that `serve` has."""
    async with served_toy() as serving:
        yield serving


@pytest.fixture
async def http(toy: Toy) -> AsyncIterator[httpx.AsyncClient]:
    """An HTTP client of the server."""
    async with httpx.AsyncClient(base_url=toy.origin, trust_env=False) as client:
        yield client


@pytest.fixture
async def client(toy: Toy) -> AsyncIterator[RawClient]:
    """A WebSocket client whose connection is acknowledged."""
    async with ready_client(toy) as connected:
        yield connected
