"""Subscriptions over a real database and a real feed, in process; the doorbell is rung by hand, or by every command."""

from collections.abc import AsyncIterator, Mapping
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass, replace
from typing import Any

import orjson

from db.commands.outcome import Committed
from db.journal import JournalReader
from schema.subscription import PLACED, PLACES
from server.live.feed import Feed, FeedTiming
from server.live.ring import Ring
from server.operations.operations import Operations
from server.operations.payload import Payload
from server.operations.requests import GraphQLRequest
from server.operations.streams import Stream
from server.operations.subscriptions import Placed, Subscription, Subscriptions
from tests.api import SCHEMA, Api
from tests.live.hand_bell import HandBell

NEVER = 3600.0
BY_RINGS_ONLY = FeedTiming(sweep=NEVER, poll=NEVER, first_retry=0.001, longest_retry=0.01)
SWEEPING = FeedTiming(sweep=0.02, poll=NEVER, first_retry=0.001, longest_retry=0.01)


@dataclass
class Ringing:
    """An announcer that rings by hand, unless the ring is to be lost."""

    bell: HandBell
    is_lost: bool = False

    async def announce(self, committed: Committed) -> None:
        if committed.revision > committed.since and not self.is_lost:
            self.bell.ring(Ring(committed.root_id, committed.since, committed.revision))


class Reader:
    """One subscriber."""

    def __init__(self, stream: Stream | Subscription) -> None:
        self._stream = stream
        self.payloads: list[Payload] = []

    async def next(self) -> Any:
        """The only root field of the next event."""
        payload = await anext(self._stream)
        self.payloads.append(payload)
        answer = orjson.loads(payload.text)
        assert "errors" not in answer, answer
        return next(iter(answer["data"].values()))

    async def rest(self) -> list[Any]:
        """The events to the end."""
        events = []
        try:
            while True:
                events.append(await self.next())
        except StopAsyncIteration:
            return events


class Streaming:
    """Subscribes as one tenant."""

    def __init__(self, api: Api, feed: Feed, bell: HandBell) -> None:
        self.bell = bell
        self.announcer = Ringing(bell)
        api.context = replace(api.context, feed=feed, announcer=self.announcer)
        self.api = api
        self.feed = feed
        self._operations = Operations(SCHEMA)
        self.subscriptions = Subscriptions(self._operations, placed=Placed(PLACED, PLACES))

    @asynccontextmanager
    async def subscribe(
        self, document: str, variables: Mapping[str, Any] | None = None, last_event_id: str | None = None
    ) -> AsyncIterator[Reader]:
        """A subscriber, until the end of the block."""
        operation = self._operations.prepare(GraphQLRequest(document, variables=dict(variables or {})))
        context = replace(self.api.context, last_event_id=last_event_id)
        async with aclosing(self.subscriptions.open(operation, context)) as stream:
            yield Reader(stream)


@asynccontextmanager
async def streaming(api: Api, timing: FeedTiming = BY_RINGS_ONLY) -> AsyncIterator[Streaming]:
    """A feed over the API's database."""
    bell = HandBell()
    feed = Feed(bell, JournalReader(api.context.store.database), timing=timing)
    await feed.start()
    try:
        yield Streaming(api, feed, bell)
    finally:
        await feed.stop()
