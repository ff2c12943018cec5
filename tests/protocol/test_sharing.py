"""Identical subscriptions run once, on whatever transport they come (`live.md` H3)."""

import asyncio

import httpx

from tests.protocol.raw_client import RawClient, ready_client
from tests.protocol.serving import Toy
from tests.protocol.test_sse import counted as counted_event
from tests.protocol.test_sse import events_of
from tests.protocol.test_websocket import COUNTER, completed, counted

JOINERS = 1_000


async def test_sockets_with_the_same_subscription_share_one_source_and_keep_their_own_ids(toy: Toy) -> None:
    async with ready_client(toy) as one, ready_client(toy) as two:
        await one.subscribe("a", COUNTER)
        assert await one.receive() == counted(0, "a")
        for operation_id in "bc":
            await two.subscribe(operation_id, COUNTER)
            assert await two.receive() == counted(0, operation_id)
        toy.world.change(1)
        assert await one.receive() == counted(1, "a")
        assert [await two.receive(), await two.receive()] == [counted(1, "b"), counted(1, "c")]
        assert (toy.world.sources, len(toy.subscriptions)) == (1, 1)
        await two.subscribe("other variables", COUNTER, variables={"size": 1})
        assert await two.receive() == counted(1, "other variables")
        assert (toy.world.sources, len(toy.subscriptions)) == (2, 2)


async def test_a_socket_and_an_event_stream_share_one_source(toy: Toy, http: httpx.AsyncClient) -> None:
    query = "subscription { counter { value } }"
    async with ready_client(toy) as client, events_of(http, query) as events:
        await client.subscribe("1", query)
        assert await client.receive() == counted(0)
        assert await events.next() == counted_event(0)
        toy.world.change(1)
        assert await client.receive() == counted(1)
        assert await events.next() == counted_event(1)
        assert toy.world.sources == 1


async def test_tenants_share_nothing(toy: Toy) -> None:
    async with ready_client(toy, {"tenant": "a"}) as one, ready_client(toy, {"tenant": "b"}) as two:
        for client in (one, two):
            await client.subscribe("1", COUNTER)
            assert await client.receive() == counted(0)
        assert toy.world.sources == 2


async def test_the_source_lives_until_the_last_subscriber_leaves(toy: Toy) -> None:
    async with ready_client(toy) as one:
        async with ready_client(toy) as two:
            for client in (one, two):
                await client.subscribe("1", COUNTER)
                assert await client.receive() == counted(0)
        while len(toy.endpoint.websocket) > 1:
            await one.roundtrip()
        assert toy.world.sources == 1
        toy.world.change(1)
        assert await one.receive() == counted(1)
    await toy.world.until(sources=0)


async def test_the_end_of_the_source_completes_everybody(toy: Toy) -> None:
    async with ready_client(toy) as one, ready_client(toy) as two:
        for client in (one, two):
            await client.subscribe("1", COUNTER)
            assert await client.receive() == counted(0)
        toy.world.end()
        for client in (one, two):
            assert [await client.receive(), await client.receive()] == [counted(0), completed()]


async def test_a_thousand_joiners_cost_a_handful_of_reads(toy: Toy, client: RawClient) -> None:
    await client.subscribe("first", COUNTER)
    assert await client.receive() == counted(0, "first")
    reads = toy.world.reads
    crowd = [_joiner(toy, number) for number in range(JOINERS // 100)]
    assert await asyncio.gather(*crowd) == [100] * (JOINERS // 100)
    assert toy.world.reads - reads < JOINERS / 20
    assert toy.world.sources == 1
    # Who was there before was told nothing twice.
    await client.roundtrip()


async def _joiner(toy: Toy, number: int) -> int:
    """Joins a hundred times over one socket; how many got their state."""
    async with ready_client(toy) as client:
        for operation_id in range(100):
            await client.subscribe(f"{number}-{operation_id}", COUNTER)
        messages = [await client.receive() for _ in range(100)]
        assert {message["type"] for message in messages} == {"next"}
        return len({message["id"] for message in messages})
