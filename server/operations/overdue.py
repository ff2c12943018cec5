"""Mutations that take longer than an operation may: the client is told, and they go on.

A command that has begun is never cut off by the clock: its transaction may be about to commit, and an error would then
tell the client that nothing was done.
"""

import asyncio
import logging
from collections.abc import Awaitable
from typing import Any, TypeVar

from schema.allowance import Allowance

T = TypeVar("T")

logger = logging.getLogger(__name__)


class OperationOverdue(Exception):
    """An operation takes longer than it may; the message says what that means for the client."""


class OverdueMutations:
    """The mutations of one process, each for as long as it runs."""

    def __init__(self) -> None:
        self._running: set[asyncio.Future[Any]] = set()

    async def in_time(self, mutation: Awaitable[T], allowance: Allowance, seconds: float) -> T:
        """The mutation's result. Raises `OperationOverdue` after so many seconds that count, and lets it run."""
        running = asyncio.ensure_future(mutation)
        self._running.add(running)
        running.add_done_callback(self._running.discard)
        if await allowance.is_enough(seconds, running):
            return running.result()
        running.add_done_callback(_log)
        raise OperationOverdue(
            f"The mutation takes longer than {seconds:g} s. It goes on, and what comes of it is not known yet: "
            "send it again with the same idempotencyKey, or read what it was to change."
        )

    async def wait(self) -> None:
        """Return when none is running."""
        while self._running:
            await asyncio.wait(self._running)


def _log(ended: asyncio.Future[Any]) -> None:
    """Nobody waits for it any more, so what it raised would be lost."""
    if not ended.cancelled() and (cause := ended.exception()):
        logger.error("A mutation that was overdue has failed", exc_info=cause)
