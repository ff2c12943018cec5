"""Subscriptions whose subscribers each stand at a place of their own; equal events are made once (`live.md` H3, H4).

A stream asks its source for the next event when its reader has taken the last one: what a slow reader misses waits in the
journal, not here. Sources are the schema's (`schema/streams/`).
"""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Hashable, Iterator
from typing import Any, Final, Self

import orjson
from graphql import ExecutionResult, GraphQLError

from db.journal import NoSuchTree
from db.session import Unavailable
from schema.projection.journal import NoLongerKept
from schema.streams.event import Event
from schema.streams.places import not_found
from server.backoff import Backoff
from server.once import Once
from server.operations.operations import OperationRefused, outcome_of
from server.operations.payload import Payload, SubscriptionFailed
from server.operations.responses import ErrorCode, encode_outcome, format_errors, internal_error
from server.operations.subscription_source import Source
from server.telemetry.metrics import DELIVERIES, PAYLOADS

ROOM: Final = 1 << 20
"""Bytes of payloads that are kept for those who come to the same event a little later."""

FIRST_RETRY, LONGEST_RETRY = 0.1, 5.0  # seconds, while the database is away

Made = list[Payload]


class Crowd:
    """Everybody who has subscribed to the same thing, wherever each stands: what was made for one serves all."""

    def __init__(self, field: str, on_empty: Callable[[], None]) -> None:
        self.field = field
        self._made: Once[Made] = Once(ROOM, lambda made: sum(len(each.data) for each in made) + 1)
        self._streams = 0
        self._given = 0
        self._on_empty = on_empty

    @property
    def size(self) -> int:
        """How many there are."""
        return self._streams

    def join(self, open_source: Callable[[], Awaitable[Source]]) -> "Stream":
        """A new subscriber, whose source is opened when it is first read."""
        self._streams += 1
        return Stream(self, open_source)

    def leave(self) -> None:
        """The last to leave takes everything with it."""
        self._streams -= 1
        if not self._streams:
            self.count()
            self._made.close()
            self._on_empty()

    async def payloads(self, source: Source, event: Event) -> Made:
        """What the selection makes of an event. Raises `SubscriptionFailed`."""
        made = await self._made.get(event.key, lambda: self._make(source, event))
        self._given += len(made)
        return made

    def count(self) -> None:
        """Tell what was given since the last time: a number that each reader only adds to, since they are many."""
        DELIVERIES.labels(self.field).inc(self._given)
        self._given = 0

    async def _make(self, source: Source, event: Event) -> Made:
        made = await _make(source, event)
        PAYLOADS.labels(self.field).inc(len(made))
        return made


class Stream:
    """One subscriber's: an iterator of payloads; raises `SubscriptionFailed` or `OperationRefused`, and is to be closed."""

    def __init__(self, crowd: Crowd, open_source: Callable[[], Awaitable[Source]]) -> None:
        self._crowd = crowd
        self._open_source = open_source
        self._source: Source | None = None
        self._ready: deque[Payload] = deque()
        self._is_closed = False

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> Payload:
        if self._source is None:
            self._source = await self._open_source()
        while not self._ready:
            self._ready.extend(await self._next(self._source))
        return self._ready.popleft()

    async def aclose(self) -> None:
        """End the source, and leave."""
        if self._is_closed:
            return
        self._is_closed = True
        try:
            if self._source is not None:
                await self._source.events.aclose()
        finally:
            self._crowd.leave()

    async def _next(self, source: Source) -> Made:
        try:
            event = await anext(source.events)
            while True:
                try:
                    return await self._crowd.payloads(source, event)
                except NoLongerKept as gone:
                    # The source knows from where it can go on.
                    event = await source.events.athrow(gone)
        except StopAsyncIteration:
            raise
        except GraphQLError as failure:
            raise SubscriptionFailed(format_errors([failure], ErrorCode.BAD_USER_INPUT)) from None
        except NoSuchTree as gone:
            raise SubscriptionFailed(
                format_errors([not_found(gone.root_id)], ErrorCode.BAD_USER_INPUT)
            ) from None
        except (OperationRefused, SubscriptionFailed):
            raise
        except Exception as cause:  # the edge: nothing leaves unmasked
            raise SubscriptionFailed([internal_error(cause)]) from None


async def _make(source: Source, event: Event) -> Made:
    """Waits while the database is away: an event that could not be shown must not be passed over."""
    backoff = Backoff(FIRST_RETRY, LONGEST_RETRY)
    result = await source.result(event.rows)
    while _is_away(result):
        await asyncio.sleep(backoff.next_delay())
        result = await source.result(event.rows)
    for error in result.errors or ():
        if isinstance(error.original_error, NoLongerKept):
            raise error.original_error
    outcome = outcome_of(result)
    if outcome.errors:
        raise SubscriptionFailed(outcome.errors)
    listing = event.rows.listing
    if listing is None or listing.cursor is None:
        return [Payload.of(encode_outcome(outcome), event.id)]
    ((name, listed),) = (result.data or {}).items()
    return [
        Payload(f'{{"data":{{"{name}":{each["text"]}}}}}'.encode(), each["id"])
        for each in orjson.loads(orjson.dumps(listed))
    ]


def _is_away(result: ExecutionResult) -> bool:
    return any(isinstance(error.original_error, Unavailable) for error in result.errors or ())


class Crowds:
    """The crowds of one process."""

    def __init__(self) -> None:
        self._crowds: dict[Hashable, Crowd] = {}

    def __len__(self) -> int:
        """How many different subscriptions there are."""
        return len(self._crowds)

    def __iter__(self) -> Iterator[Crowd]:
        return iter(self._crowds.values())

    def join(self, field: str, key: Hashable, open_source: Callable[[], Awaitable[Source]]) -> Stream:
        """Subscribe; who has the same key has asked for the same, whatever the place."""
        crowd = self._crowds.get(key)
        if crowd is None:
            crowd = self._crowds[key] = Crowd(field, lambda: self._forget(key))
        return crowd.join(open_source)

    def _forget(self, key: Any) -> None:
        self._crowds.pop(key, None)
