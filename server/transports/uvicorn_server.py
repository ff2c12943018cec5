"""uvicorn's server, where its way to begin and to end is not ours (`security.md` O2). What ends is the caller's."""

import asyncio
import socket
from collections.abc import Awaitable, Callable
from signal import SIGINT
from types import FrameType

import uvicorn

# uvicorn's time for open responses, less what the drain took; an int, and 0 would be endless.
_LEAST_SECONDS = 1
# Before that is over, who still sends a request or takes no response is dropped: uvicorn would log it as a fault.
_LAST_SECONDS = 0.5
# uvicorn looks as often whether it is to end.
_TICK = 0.1


class UvicornServer(uvicorn.Server):
    """Calls `on_started` once connections are taken, and `on_told_to_end` when it is.

    `delay` seconds after that it awaits `drain`, and only then stops to take connections.
    """

    def __init__(
        self,
        config: uvicorn.Config,
        *,
        on_started: Callable[[], None],
        on_told_to_end: Callable[[], None],
        delay: float,
        drain: Callable[[], Awaitable[None]],
    ) -> None:
        super().__init__(config)
        self._on_started = on_started
        self._on_told_to_end = on_told_to_end
        self._delay = delay
        self._drain = drain

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self._on_started()

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Who is told to end and does so has not failed: uvicorn would raise the signal at itself once more."""
        self.force_exit = self.should_exit and sig == SIGINT
        self.should_exit = True

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """The drain goes first: uvicorn waits for open event streams and never ends them."""
        self._on_told_to_end()
        await self._serve_on()
        clock = asyncio.get_running_loop().time
        begun = clock()
        await self._drain()
        if patience := self.config.timeout_graceful_shutdown:
            left = max(patience - int(clock() - begun), _LEAST_SECONDS)
            self.config.timeout_graceful_shutdown = left
            asyncio.get_running_loop().call_later(left - _LAST_SECONDS, self._drop_connections)
        await super().shutdown(sockets)

    async def _serve_on(self) -> None:
        """For the delay, unless a second Ctrl+C cuts it short."""
        clock = asyncio.get_running_loop().time
        until = clock() + self._delay
        while clock() < until and not self.force_exit:  # noqa: ASYNC110 – a handler of signals sets it
            await asyncio.sleep(_TICK)

    def _drop_connections(self) -> None:
        for connection in list(self.server_state.connections):
            connection.transport.abort()
