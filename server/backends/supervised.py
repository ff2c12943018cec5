"""A wrapper for any backend that makes its death audible (`live.md` B1).

`Broadcast` runs a listener task whose failure nobody hears, and a failed `subscribe` comes out of it as a
`KeyError` (`broadcaster` 0.3.1). Here every failure of the wrapped backend ends in one place: `raise_loss`.
"""

import asyncio
import logging
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

    async def connect(self) -> None:
        try:
            async with asyncio.timeout(self._deadline_seconds):
                await self._backend.connect()
        except Exception as error:
            self._lose(error, "connecting to the broker")

    async def subscribe(self, group: str) -> None:
        if self._failed.is_set():
            return
        try:
            async with asyncio.timeout(self._deadline_seconds):
                await self._backend.subscribe(group)
        except Exception as error:
            self._lose(error, "subscribing")

    async def unsubscribe(self, group: str) -> None:
        """Nothing: the connection is closed right after, and on a lost one the command would hang."""

    async def publish(self, channel: str, message: str) -> None:
        try:
            async with asyncio.timeout(self._deadline_seconds):
                await self._backend.publish(channel, message)
        except TimeoutError as error:
            raise _named(error, "publishing", self._deadline_seconds) from None

    async def next_published(self) -> Event:
        # The library's queue has no bound: its reader gets a turn after each message, so that it holds one.
        await asyncio.sleep(0)
        if not self._failed.is_set():
            try:
                return await self._backend.next_published()
            except Exception as error:
                self._lose(error, "listening")
        # The library's listener task is ended by `Broadcast.disconnect`, never by an exception of its own.
        never: asyncio.Future[Event] = asyncio.get_running_loop().create_future()
        return await never

    async def disconnect(self) -> None:
        try:
            async with asyncio.timeout(self._deadline_seconds):
                await self._backend.disconnect()
        except Exception as error:
            log.debug("closing the broker's connection failed: %s", error)

    def _lose(self, error: Exception, doing: str) -> None:
        if self._failure is None:
            self._failure = _named(error, doing, self._deadline_seconds)
            self._failed.set()


def _named(error: Exception, doing: str, seconds: float) -> Exception:
    """`error`, or for a deadline, which has no text of its own, one that says what took too long."""
    if isinstance(error, TimeoutError) and not str(error):
        return TimeoutError(f"{doing} took longer than {seconds:g} s")
    return error
