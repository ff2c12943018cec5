"""Clients that follow one server in a test, and the waiting for what they see."""

import asyncio
import random
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

from tests.live.chaos.clients import PATIENCE, Following
from tests.live.chaos.log import Log
from tests.live.chaos.streams import JSON, Stream
from tests.live.chaos.writers import Writer

SECONDS = 60  # after which what has not come never comes


class Party:
    """Clients and a writer of the servers at these ports."""

    def __init__(self, ports: Sequence[int], log: Log) -> None:
        self.clients: list[Following] = []
        self._ports = ports
        self._log = log
        self._news = asyncio.Event()
        self._tasks: list[asyncio.Task[None]] = []
        self.writer = Writer("writer", ports, random.Random(1), log)  # noqa: S311 – repeatable

    def follow(self, stream: Stream, transport: str, patience: float = PATIENCE) -> Following:
        """A client, which follows at once, and comes again after so many seconds without a byte."""
        name = f"{len(self.clients)}-{transport}"
        chance = random.Random(len(self.clients))  # noqa: S311 – repeatable
        client = Following(name, stream, transport, self._ports, chance, self._log, self._news, patience)
        self.clients.append(client)
        self._tasks.append(asyncio.create_task(client.run()))
        return client

    async def until(self, told: Callable[[], object]) -> None:
        """Return when what the clients saw fulfils this; fails where a client is refused or it never does."""
        async with asyncio.timeout(SECONDS):
            while not told():
                assert [client.fault for client in self.clients if client.fault] == []
                self._news.clear()
                await self._news.wait()

    async def end(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)


@asynccontextmanager
async def party(directory: Path, *ports: int) -> AsyncIterator[Party]:
    """Clients of these servers, gone at the end."""
    with Log(directory / "operations.jsonl") as log:
        made = Party(ports, log)
        async with made.writer:
            try:
                yield made
            finally:
                await made.end()


def changes_of(client: Following) -> list[JSON]:
    """The changes that a client saw, in the order it saw them."""
    return [record for record in client.seen if record["saw"] == "change"]


def revisions_of(client: Following) -> list[int]:
    """Their revisions."""
    return [change["revision"] for change in changes_of(client)]
