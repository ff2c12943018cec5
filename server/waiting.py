"""Waiting for something, and not for ever."""

import asyncio


async def happens(event: asyncio.Event, within: float) -> bool:
    """Whether `event` is set within so many seconds."""
    try:
        async with asyncio.timeout(max(within, 0)):
            await event.wait()
    except TimeoutError:
        return False
    return True
