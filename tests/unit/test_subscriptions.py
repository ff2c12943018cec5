"""Shared runs without any transport (`live.md` H2, H3, H4)."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import dataclass, field
from datetime import datetime

import pytest
import strawberry
from graphql import GraphQLError
from strawberry.types import Info

from schema.allowance import Allowance
from server.operations.operations import OperationRefused, Operations
from server.operations.payload import Payload, SubscriptionFailed
from server.operations.requests import GraphQLRequest
from server.operations.subscriptions import Refresh, Subscription, Subscriptions


@dataclass(frozen=True)
class Viewer:
    tenant: str = "default"
    scopes: frozenset[str] = frozenset()
    trust: None = None


class Source:
    """A state that tests set, and every step of whoever reads it."""

    def __init__(self) -> None:
        self.state = 0
        self.reads = 0
        self.opened = 0
        self.closed = 0
        self.changed = asyncio.Event()
        self.reading = asyncio.Event()
        self.may_read = asyncio.Event()
        self.may_read.set()
        self.at_end = asyncio.Event()
        self.failure: Exception | None = None
        self.is_over = False

    def set(self, state: int) -> None:
        self.state = state
        self.changed.set()


@dataclass(frozen=True)
class Context:
    source: Source
    viewer: Viewer = field(default_factory=Viewer)
    allowance: Allowance = field(default_factory=Allowance)
    refresh: asyncio.Event = field(default_factory=asyncio.Event)


@strawberry.type
class Query:
    nothing: int | None = None


@strawberry.type
class Streams:
    @strawberry.subscription
    async def state(
        self, info: Info[Context, None], since: datetime | None = None, size: float = 0
    ) -> AsyncGenerator[int, None]:
        source, refresh = info.context.source, info.context.refresh
        source.opened += 1
        try:
            while True:
                state, is_over = source.state, source.is_over
                source.reads += 1
                source.reading.set()
                await source.may_read.wait()
                if source.failure:
                    raise source.failure
                yield state
                if is_over:
                    return
                await _either(source.changed, refresh)
                source.changed.clear()
                refresh.clear()
        finally:
            source.closed += 1
            source.at_end.set()


async def _either(*events: asyncio.Event) -> None:
    waiting = [asyncio.ensure_future(event.wait()) for event in events]
    await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
    for waiter in waiting:
        waiter.cancel()


class Stage:
    """Runs over one source."""

    def __init__(self) -> None:
        self.source = Source()
        self.operations = Operations(strawberry.Schema(query=Query, subscription=Streams))
        self.runs = Subscriptions(self.operations)

    def open(
        self,
        query: str = "subscription { state }",
        *,
        viewer: Viewer | None = None,
        **variables: object,
    ) -> Subscription:
        operation = self.operations.prepare(GraphQLRequest(query, variables=variables))
        opened = self.runs.open(operation, Context(self.source, viewer or Viewer()))
        assert isinstance(opened, Subscription)
        return opened


@pytest.fixture
async def stage() -> Stage:
    return Stage()


def payload(state: int) -> Payload:
    return Payload(f'{{"data":{{"state":{state}}}}}'.encode())


def is_waiting(subscription: Subscription) -> asyncio.Task[Payload]:
    return asyncio.ensure_future(anext(subscription))


async def settle() -> None:
    """Let everything run that can run without new input."""
    for _ in range(20):
        await asyncio.sleep(0)


async def test_h3_equal_subscriptions_share_one_source_and_one_payload(stage: Stage) -> None:
    one, two = stage.open(), stage.open()
    first, second = await anext(one), await anext(two)
    assert first == payload(0)
    assert first is second
    assert (stage.source.opened, stage.source.reads, len(stage.runs)) == (1, 1, 1)


@pytest.mark.parametrize(
    "other",
    [
        {"query": "subscription {  state }"},
        {"viewer": Viewer(tenant="other")},
        {"viewer": Viewer(scopes=frozenset({"executions:read"}))},
        {"query": "subscription($size: Float) { state(size: $size) }", "size": 1},
    ],
)
async def test_h3_what_differs_in_any_way_shares_nothing(stage: Stage, other: dict[str, object]) -> None:
    stage.open()
    stage.open(**other)  # type: ignore[arg-type]
    assert len(stage.runs) == 2


async def test_h3_variables_are_compared_after_coercion(stage: Stage) -> None:
    query = "subscription($since: DateTime, $size: Float = 1) { state(since: $since, size: $size) }"
    stage.open(query, since="2030-01-01T00:00:00Z", size=1)
    stage.open(query, since="2030-01-01T00:00:00+00:00")
    assert len(stage.runs) == 1
    stage.open(query, since="2030-01-01T00:00:01Z")
    assert len(stage.runs) == 2


async def test_h2_a_joiner_gets_a_state_that_was_read_after_it_came(stage: Stage) -> None:
    first = stage.open()
    assert await anext(first) == payload(0)
    stage.source.may_read.clear()
    stage.source.reading.clear()
    stage.source.changed.set()
    await stage.source.reading.wait()
    # The read under way began before the joiner came, so what it finds is not for the joiner.
    joiner = is_waiting(stage.open())
    stage.source.state = 1
    stage.source.may_read.set()
    assert await joiner == payload(1)


async def test_h2_a_read_for_a_joiner_is_no_event_for_the_others(stage: Stage) -> None:
    first = stage.open()
    await anext(first)
    waiting = is_waiting(first)
    joiner = stage.open()
    assert await anext(joiner) == payload(0)
    await settle()
    assert not waiting.done()
    stage.source.set(1)
    assert await waiting == payload(1)


async def test_h2_a_read_for_a_joiner_that_finds_news_is_an_event_for_all(stage: Stage) -> None:
    first = stage.open()
    await anext(first)
    stage.source.state = 1
    joiner = stage.open()
    assert [await anext(joiner), await anext(first)] == [payload(1)] * 2


async def test_h7_a_change_that_the_selection_does_not_show_is_an_event(stage: Stage) -> None:
    first = stage.open()
    await anext(first)
    stage.source.set(0)
    assert await anext(first) == payload(0)


async def test_h4_a_slow_reader_holds_the_newest_state_only(stage: Stage) -> None:
    slow, quick = stage.open(), stage.open()
    for state in range(10):
        stage.source.set(state)
        while await anext(quick) != payload(state):
            pass
    assert await anext(slow) == payload(9)
    waiting = is_waiting(slow)
    await settle()
    assert not waiting.done()
    waiting.cancel()


async def test_h3_a_thousand_joiners_at_once_cost_one_read_more(stage: Stage) -> None:
    first = stage.open()
    await anext(first)
    joiners = [stage.open() for _ in range(1_000)]
    assert [await anext(joiner) for joiner in joiners] == [payload(0)] * 1_000
    assert stage.source.reads == 2


async def test_h3_joiners_that_come_one_after_the_other_are_answered_together(stage: Stage) -> None:
    await anext(stage.open())
    waiting = []
    for _ in range(100):
        waiting.append(is_waiting(stage.open()))
        await settle()
    assert await asyncio.gather(*waiting) == [payload(0)] * 100
    assert stage.source.reads < 50


async def test_the_last_to_leave_ends_the_source(stage: Stage) -> None:
    one, two = stage.open(), stage.open()
    await anext(one)
    await one.aclose()
    await settle()
    assert (stage.source.closed, len(stage.runs)) == (0, 1)
    await two.aclose()
    assert len(stage.runs) == 0
    await stage.source.at_end.wait()


async def test_leaving_before_the_source_has_begun_leaves_nothing_behind(stage: Stage) -> None:
    await stage.open().aclose()
    await settle()
    assert (len(stage.runs), stage.source.opened) == (0, stage.source.closed)


async def test_leaving_twice_is_leaving_once(stage: Stage) -> None:
    one, two = stage.open(), stage.open()
    await one.aclose()
    await one.aclose()
    assert await anext(two) == payload(0)


async def test_who_comes_after_the_last_has_left_starts_anew(stage: Stage) -> None:
    async with aclosing(stage.open()) as one:
        await anext(one)
    assert await anext(stage.open()) == payload(0)
    assert stage.source.opened == 2


async def test_the_end_of_the_source_comes_after_its_last_state(stage: Stage) -> None:
    stage.source.is_over = True
    assert [each async for each in stage.open()] == [payload(0)]
    assert len(stage.runs) == 0


async def test_h2_who_joins_during_the_last_read_gets_a_state_all_the_same(stage: Stage) -> None:
    stage.source.is_over = True
    stage.source.may_read.clear()
    first = stage.open()
    await stage.source.reading.wait()
    late = stage.open()
    stage.source.state = 1
    stage.source.may_read.set()
    assert [each async for each in first] == [payload(0)]
    assert [each async for each in late] == [payload(1)]
    assert (stage.source.opened, len(stage.runs)) == (2, 0)


async def test_a_source_that_fails_fails_for_everybody_masked_and_logged_once(
    stage: Stage, caplog: pytest.LogCaptureFixture
) -> None:
    stage.source.failure = RuntimeError("the password is swordfish")
    errors = []
    for subscription in [stage.open(), stage.open()]:
        with pytest.raises(SubscriptionFailed) as failed:
            await anext(subscription)
        errors.append(failed.value.errors)
    assert errors[0] == errors[1]
    assert errors[0][0]["message"] == "Internal server error"
    assert len(caplog.records) == 1
    assert len(stage.runs) == 0


async def test_a_source_that_refuses_says_so_and_nothing_is_logged(
    stage: Stage, caplog: pytest.LogCaptureFixture
) -> None:
    stage.source.failure = GraphQLError("There is none.", extensions={"code": "NOT_FOUND"})
    with pytest.raises(SubscriptionFailed) as failed:
        await anext(stage.open())
    assert failed.value.errors == [{"message": "There is none.", "extensions": {"code": "NOT_FOUND"}}]
    assert not caplog.records


async def test_variables_that_do_not_fit_are_refused_at_once(stage: Stage) -> None:
    with pytest.raises(OperationRefused):
        stage.open("subscription($size: Float!) { state(size: $size) }", size="x")
    assert len(stage.runs) == 0


async def test_a_subscriber_that_is_cancelled_while_it_waits_loses_nothing(stage: Stage) -> None:
    subscription = stage.open()
    await anext(subscription)
    waiting = is_waiting(subscription)
    await settle()
    waiting.cancel()
    stage.source.set(1)
    assert await anext(subscription) == payload(1)


async def test_closing_all_runs_waits_until_their_sources_have_let_go(stage: Stage) -> None:
    await anext(stage.open())
    await stage.runs.close()
    assert (stage.source.closed, len(stage.runs)) == (1, 0)


async def test_closing_all_runs_ends_who_still_waits(stage: Stage) -> None:
    subscription = stage.open()
    await anext(subscription)
    waiting = is_waiting(subscription)
    await settle()
    await stage.runs.close()
    with pytest.raises(StopAsyncIteration):
        await waiting


async def test_asking_again_within_the_interval_waits_for_its_end_unless_news_has_answered() -> None:
    refresh = Refresh()
    refresh.ask()
    assert refresh.is_set()
    refresh.clear()
    assert refresh.answered == refresh.ask() - 1
    assert not refresh.is_set()
    await refresh.wait()
    refresh.clear()
    assert refresh.answered == refresh.asked == 2
    refresh.stop()
