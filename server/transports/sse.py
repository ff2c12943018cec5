"""GraphQL over server-sent events, one operation per response (`live.md` W1).

https://github.com/graphql/graphql-over-http/blob/main/rfcs/GraphQLOverSSE.md, distinct connections mode. What is
asked is read by `server/transports/http.py`.
"""

import asyncio
import contextlib
from collections.abc import AsyncGenerator
from dataclasses import dataclass
from typing import Any, Final

from starlette.types import Receive, Scope, Send

from server.operations.operations import Viewer
from server.operations.payload import Payload
from server.operations.responses import EVENT_STREAM
from server.transports.uvicorn_http import drop
from server.trust.authentication import seconds_left

COMPLETE: Final = b"event: complete\ndata:\n\n"
COMMENT: Final = b":\n\n"

HEADERS: Final = [
    (b"content-type", f"{EVENT_STREAM}; charset=utf-8".encode()),
    (b"cache-control", b"no-store"),
    (b"x-accel-buffering", b"no"),  # nginx would keep events back
]


@dataclass(frozen=True, slots=True)
class EventStreamLimits:
    """Times in seconds."""

    keepalive: float = 15.0
    # A reader that takes nothing for so long is dropped, and sooner where the stream ends anyway.
    stall_timeout: float = 30.0
    close_timeout: float = 1.0


class EventStreams:
    """The open streams of one process, to end them all."""

    def __init__(self, limits: EventStreamLimits | None = None) -> None:
        self._limits = limits or EventStreamLimits()
        self._ends: set[asyncio.Future[None]] = set()
        self._is_closing = False

    def __len__(self) -> int:
        """How many streams are open."""
        return len(self._ends)

    def respond(self, payloads: AsyncGenerator[Payload, None], viewer: Viewer | None = None) -> "EventStream":
        """The response that streams these payloads, each one event, as long as the viewer is known."""
        return EventStream(self, payloads, self._limits, viewer)

    def register(self) -> asyncio.Future[None]:
        """A future that is done when its stream is to end."""
        end = asyncio.get_running_loop().create_future()
        if self._is_closing:
            _set(end)
        self._ends.add(end)
        end.add_done_callback(self._ends.discard)
        return end

    def close_all(self) -> None:
        """End every stream, now and later, without `complete`: clients connect again."""
        self._is_closing = True
        for end in self._ends:
            _set(end)


class EventStream:
    """An ASGI response. Ends with its payloads, its client, its viewer's token or the trust in it, or all streams.

    A token ends it as a drain does, without `complete`: clients connect again, with a new one or to be told 401. An
    event with an error would be the last for them.
    """

    def __init__(
        self,
        streams: EventStreams,
        payloads: AsyncGenerator[Payload, None],
        limits: EventStreamLimits,
        viewer: Viewer | None,
    ) -> None:
        self._streams = streams
        self._payloads = payloads
        self._limits = limits
        self._viewer = viewer
        self._upcoming: asyncio.Task[Payload | None] | None = None
        self._sending: asyncio.Timeout | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        end = self._streams.register()
        end.add_done_callback(self._hurry)
        trust = contextlib.ExitStack()
        if self._viewer is not None and self._viewer.trust is not None:
            trust.enter_context(self._viewer.trust.told(lambda: _set(end)))
        client = asyncio.create_task(_until_disconnected(receive, end))
        try:
            await self._write(send, end)
        except TimeoutError:
            if drop(scope):
                await client
        finally:
            trust.close()
            await _stop(client, self._upcoming)
            await self._payloads.aclose()
            end.cancel()

    async def _write(self, send: Send, end: asyncio.Future[None]) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": HEADERS})
        await self._send(send, COMMENT)  # browsers report the stream open when bytes come
        while (event := await self._next(end)) is not None:
            await self._send(send, event)
            if event is COMPLETE:
                break
        await self._send(send, b"", more_body=False)

    async def _next(self, end: asyncio.Future[None]) -> bytes | None:
        """The next event, or a comment where none comes for long; None at the end of the stream."""
        if self._upcoming is None:
            self._upcoming = asyncio.create_task(_following(self._payloads))
        await asyncio.wait(
            (self._upcoming, end),
            timeout=self._at_most(self._limits.keepalive),
            return_when=asyncio.FIRST_COMPLETED,
        )
        if end.done() or seconds_left(self._viewer) <= 0:
            return None
        if not self._upcoming.done():
            return COMMENT
        payload, self._upcoming = self._upcoming.result(), None
        return COMPLETE if payload is None else _event(payload)

    async def _send(self, send: Send, event: bytes, *, more_body: bool = True) -> None:
        """Raises `TimeoutError` where the reader takes nothing."""
        patience = self._limits.stall_timeout if more_body else self._limits.close_timeout
        try:
            async with asyncio.timeout(self._at_most(patience)) as self._sending:
                await send({"type": "http.response.body", "body": event, "more_body": more_body})
        finally:
            self._sending = None

    def _hurry(self, _end: asyncio.Future[None]) -> None:
        """The stream is to end though something is being sent."""
        if self._sending is not None and not self._sending.expired():
            self._sending.reschedule(asyncio.get_running_loop().time() + self._limits.close_timeout)

    def _at_most(self, seconds: float) -> float:
        """So long, unless the token expires before."""
        return max(min(seconds, seconds_left(self._viewer)), 0)


def _event(payload: Payload) -> bytes:
    place = b"" if payload.id is None else f"id: {payload.id}\n".encode()
    return b"event: next\n%bdata: %b\n\n" % (place, payload.data)


async def _following(payloads: AsyncGenerator[Payload, None]) -> Payload | None:
    return await anext(payloads, None)


async def _until_disconnected(receive: Receive, end: asyncio.Future[None]) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
    _set(end)


def _set(end: asyncio.Future[None]) -> None:
    if not end.done():
        end.set_result(None)


async def _stop(*tasks: asyncio.Task[Any] | None) -> None:
    for task in tasks:
        if task is not None:
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task
