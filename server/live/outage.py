"""What cannot be read at the moment, and when to try again. What is read is the caller's."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import TypeVar

from server.backoff import Backoff

T = TypeVar("T")

log = logging.getLogger(__name__)


class Outage:
    """What of the journal cannot be read, logged once when that begins and once when it is over.

    A tree that alone cannot be read keeps the retries going and stops nothing else. Whoever retries by itself does so
    after the delays of `new_backoff`; a read that takes longer than `patience` (seconds) has failed.
    """

    def __init__(self, new_backoff: Callable[[], Backoff], patience: float) -> None:
        self.new_backoff = new_backoff
        self._backoff = new_backoff()
        self._patience = patience
        self._failing: set[str] = set()
        self.retry_at: float | None = None

    def note(self, what: str, error: Exception, now: float) -> None:
        """`what` (a root id, or "" for the revisions of all) failed; `now` in the event loop's seconds."""
        if not self._failing:
            log.warning("the journal cannot be read, trying again: %s: %s", type(error).__name__, error)
        self._failing.add(what)
        if self.retry_at is None:
            self.retry_at = now + self._backoff.next_delay()

    async def persist(self, what: str, read: Callable[[], Awaitable[T]]) -> T:
        """What `read` reads, tried until it can be. What is not there (`LookupError`) will not be there later either."""
        backoff = self.new_backoff()
        while True:
            try:
                async with asyncio.timeout(self._patience):
                    result = await read()
            except LookupError:
                raise
            except Exception as error:
                self.note(what, error, asyncio.get_running_loop().time())
                await asyncio.sleep(backoff.next_delay())
            else:
                self.heal(what)
                return result

    def heal(self, what: str) -> None:
        if what in self._failing:
            self._failing.discard(what)
            if not self._failing:
                self._backoff.reset()
                self.retry_at = None
                log.info("the journal can be read again")
