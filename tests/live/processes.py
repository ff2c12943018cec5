"""A server process without its transports: API, feed, doorbell and subscriptions, in the test's own loop."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import replace
from typing import Any, Self

import orjson

from db.journal import JournalReader
from db.store import Store
from schema.subscription import PLACED, PLACES
from server.live.announcing import DoorbellAnnouncer
from server.live.broadcast import Doorbell
from server.live.feed import Feed, FeedTiming
from server.live.live_pages import TICK, LivePages
from server.live.waiting_claims import WaitingClaims
from server.operations.operations import Operations
from server.operations.requests import GraphQLRequest
from server.operations.streams import Stream
from server.operations.subscriptions import Placed, Subscriptions
from tests.api import SCHEMA, Api, Heard
from tests.folding import folded

LISTS = {
    "workflowExecutions": ("WorkflowExecution", "workflowExecution"),
    "workflowStepExecutions": ("WorkflowStepExecution", "step"),
}


class Process:
    """One server process; `api` gives commands and asks queries at it."""

    def __init__(
        self, store: Store, tenant: str, broker: str, timing: FeedTiming | None, tick: float
    ) -> None:
        self.doorbell = Doorbell(broker)
        self.feed = Feed(self.doorbell, JournalReader(store.database), timing=timing)
        self.lists = LivePages(self.feed, tick)
        self.work = WaitingClaims(self.feed)
        self.api = Api(store, tenant)
        self.api.context = replace(
            self.api.context,
            feed=self.feed,
            lists=self.lists,
            work=self.work,
            announcer=DoorbellAnnouncer(self.doorbell),
        )
        self._operations = Operations(SCHEMA)
        self.subscriptions = Subscriptions(self._operations, placed=Placed(PLACED, PLACES))

    @asynccontextmanager
    async def running(self) -> AsyncIterator[Self]:
        await self.doorbell.start()
        await self.feed.start()
        try:
            yield self
        finally:
            await self.feed.stop()
            await self.doorbell.stop()

    def announce_nothing(self) -> None:
        """From now on every ring is lost."""
        self.api.context = replace(self.api.context, announcer=Heard())

    @asynccontextmanager
    async def subscribed(self, text: str, **variables: Any) -> AsyncIterator[Stream]:
        """A subscriber of a list."""
        operation = self._operations.prepare(GraphQLRequest(text, variables=variables))
        stream = self.subscriptions.open(operation, self.api.context)
        assert isinstance(stream, Stream)
        try:
            yield stream
        finally:
            await stream.aclose()

    @asynccontextmanager
    async def watched(self, field: str, shown: str, **arguments: Any) -> AsyncIterator["WatchedList"]:
        """A list that is folded by a client who reads as fast as it can."""
        async with self.subscribed(subscription(field, shown), **arguments) as stream:
            watched = WatchedList(self.api, stream, field, shown, arguments)
            reading = asyncio.create_task(watched.keep_reading())
            try:
                yield watched
            finally:
                reading.cancel()
                await asyncio.wait([reading])


class WatchedList:
    """A client of a live list: what it has folded, and what the query says."""

    def __init__(self, api: Api, stream: Stream, field: str, shown: str, arguments: dict[str, Any]) -> None:
        self.events: list[list[dict[str, Any]]] = []
        self.page: list[dict[str, Any]] = []
        self._stream = stream
        self._ask = (api, field, shown, arguments)
        self._member = LISTS[field][1]
        self._field = field
        self._news = asyncio.Event()

    async def keep_reading(self) -> None:
        async for payload in self._stream:
            self.take(entries_of(payload.text, self._field))

    def take(self, entries: list[dict[str, Any]]) -> None:
        self.events.append(entries)
        self.page = folded(self.page, entries)
        self._news.set()

    @property
    def nodes(self) -> list[Any]:
        """What is on the folded page, as the query shows it."""
        return [entry[self._member] for entry in self.page]

    async def until_it_is_as_the_query_says(self) -> None:
        """Return when the events have made what the query answers now; while nobody writes."""
        (_, field, *_), answer = self._ask, await self.answer()
        try:
            async with asyncio.timeout(30):
                while not self.events or self.nodes != answer:
                    self._news.clear()
                    await self._news.wait()
        except TimeoutError:
            assert self.nodes == answer, f"{field} stands still at another page"
            raise

    async def answer(self) -> Any:
        """What the query of the same arguments answers."""
        api, field, shown, arguments = self._ask
        data = await api.data(_operation("query", field, f"nodes {{ {shown} }}"), **arguments)
        return data[field]["nodes"]


def subscription(field: str, shown: str) -> str:
    """The subscription to a list, which shows this of each row."""
    return _operation(
        "subscription", field, f"entries {{ kind id index revision {LISTS[field][1]} {{ {shown} }} }}"
    )


def _operation(kind: str, field: str, selection: str) -> str:
    type_ = LISTS[field][0]
    return (
        f"{kind} ($first: Int, $where: {type_}Where, $orderBy: [{type_}Order!]) {{"
        f" {field}(first: $first, where: $where, orderBy: $orderBy) {{ {selection} }} }}"
    )


def entries_of(payload: str, field: str) -> list[dict[str, Any]]:
    """The entries of an event."""
    answer = orjson.loads(payload)
    assert "errors" not in answer, answer
    entries: list[dict[str, Any]] = answer["data"][field]["entries"]
    return entries


@asynccontextmanager
async def process(
    store: Store,
    tenant: str,
    broker: str = "memory://",
    *,
    timing: FeedTiming | None = None,
    tick: float = TICK,
) -> AsyncIterator[Process]:
    """A process that runs."""
    async with Process(store, tenant, broker, timing, tick).running() as running:
        yield running


@asynccontextmanager
async def processes(store: Store, tenant: str, *brokers: str) -> AsyncIterator[list[Process]]:
    """One process for each of these."""
    async with AsyncExitStack() as stack:
        yield [await stack.enter_async_context(process(store, tenant, broker)) for broker in brokers]
