"""A wrapper for any backend that makes its death audible (`live.md` B1).

`Broadcast` (`broadcaster` 0.3.1) runs a listener task whose failure nobody hears, and turns a `subscribe` that
fails or is cancelled into a `KeyError`. So the doorbell opens and closes the connection itself, and waits for
`raise_loss`.
"""

import asyncio
import logging
from collections.abc import Awaitable
from typing import NoReturn

from broadcaster import BroadcastBackend, Event

log = logging.getLogger(__name__)


class SupervisedBackend(BroadcastBackend):
    """One connection's life: made, lost once, then thrown away with its `Broadcast`."""

    def __init__(self, backend: BroadcastBackend, *, deadline_seconds: float) -> None:
        self._backend = backend
        self._deadline_seconds = deadline_seconds
        self._failed = asyncio.Event()
        self._failure: Exception | None = None

    async def raise_loss(self) -> NoReturn:
        """Wait until the connection is lost, then raise what lost it."""
        await self._failed.wait()
        raise self._failure or ConnectionError("the broker's connection was lost")

    async def open(self, channel: str) -> None:
        """Connect and subscribe. Raises what prevents it, or `TimeoutError`."""
        await self._in_time("connecting to the broker", self._backend.connect())
        await self._in_time("subscribing", self._backend.subscribe(channel))

    async def close(self) -> None:
        """Never raises: the connection may be broken, and is given up in any case."""
        try:
            await self._in_time("disconnecting", self._backend.disconnect())
        except Exception as error:
            log.debug("closing the broker's connection failed: %s", error)

    async def connect(self) -> None:
        """Done by `open`, like the next three: the library would lose their errors and cancellations."""

    async def subscribe(self, group: str) -> None:
        """Done by `open`."""

    async def unsubscribe(self, group: str) -> None:
        """Done by `close`."""

    async def disconnect(self) -> None:
        """Done by `close`."""

    async def publish(self, channel: str, message: str) -> None:
        await self._in_time("publishing", self._backend.publish(channel, message))

    async def next_published(self) -> Event:
        # The library's queue has no bound: its reader gets a turn after each message, so that it holds one.
        await asyncio.sleep(0)
        try:
            return await self._backend.next_published()
        except Exception as error:
            self._failure = error
            self._failed.set()
        # The library's listener task is ended by `Broadcast.disconnect`, never by an exception of its own.
        never: asyncio.Future[Event] = asyncio.get_running_loop().create_future()
        return await never

    async def _in_time(self, doing: str, what: Awaitable[None]) -> None:
        try:
            async with asyncio.timeout(self._deadline_seconds) as deadline:
                await what
        except TimeoutError:
            if not deadline.expired():
                raise
            raise TimeoutError(f"{doing} took longer than {self._deadline_seconds:g} s") from None
