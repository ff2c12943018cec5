"""Two server processes on one PostgreSQL database: what one does is seen live on the other (`live.md` 2)."""

import asyncio
from pathlib import Path

import pytest

from server.live.broadcast import Doorbell
from server.live.ring import Ring
from tests.live.ears import started
from tests.live.postgresql_server import HarmableBroker
from tests.process.clients import LIVE, Watch, http_client
from tests.process.pairs import Pair, pair_of_servers
from tests.process.quiet import said_since_start
from tests.process.workflows import WATCH, complete, create, read_state, state_of
from tests.servers import ServerProcess

pytestmark = pytest.mark.postgresql


async def see_it_live(acting: ServerProcess, watching: ServerProcess, watch: Watch) -> Ring:
    """Run an execution on one process and see its states on the other, to `complete`.

    Returns the ring for the change between the two states.
    """
    execution = await create(acting)
    async with asyncio.timeout(60), watch(watching, WATCH, id=execution.id) as payloads:
        seen = [state_of(await anext(payloads))]
        await complete(acting, execution.steps["verify"], {"verified": True})
        seen += [state_of(payload) async for payload in payloads]
    assert [(status, steps["verify"]) for status, steps, _ in seen] == [
        ("IN_PROGRESS", "IN_PROGRESS"),
        ("COMPLETED", "COMPLETED"),
    ]
    assert seen[-1] == await read_state(watching, execution.id)
    return Ring(execution.id, seen[0][2], seen[1][2])


async def see_it_both_ways(pair: Pair) -> None:
    """Each process acts once, each transport watches once."""
    one, other = pair
    await see_it_live(one, other, LIVE["websocket"])
    await see_it_live(other, one, LIVE["events"])


async def has_status(server: ServerProcess, status: str) -> None:
    """Return when `/readyz` says so."""
    async with asyncio.timeout(60), http_client(server) as client:
        while (await client.get("/readyz")).json()["status"] != status:
            pass


async def test_what_one_does_is_seen_on_the_other_while_the_broker_works_is_away_and_is_back(
    migrated_postgresql_url: str, broker: HarmableBroker, tmp_path: Path
) -> None:
    """`live.md` B2: mutations succeed, subscriptions go on by polling; then the doorbell is back by itself."""
    with pair_of_servers(migrated_postgresql_url, broker.url, tmp_path) as pair:
        async with started(Doorbell(broker.url)) as ear:
            await ear.hears(await see_it_live(pair[0], pair[1], LIVE["websocket"]))
        await see_it_live(pair[1], pair[0], LIVE["events"])
        broker.kill()
        for server in pair:
            await has_status(server, "degraded")
        await see_it_both_ways(pair)
        broker.start()
        for server in pair:
            await has_status(server, "ready")
        async with started(Doorbell(broker.url)) as ear:
            await ear.hears(await see_it_live(pair[0], pair[1], LIVE["websocket"]))
        await see_it_live(pair[1], pair[0], LIVE["events"])
        for server in pair:
            assert server.stop() == 0
            (line,) = said_since_start(server.output)
            assert "the broker is away, subscriptions go on by polling" in line


async def test_a_stream_that_was_opened_before_the_broker_died_goes_on(
    migrated_postgresql_url: str, broker: HarmableBroker, tmp_path: Path
) -> None:
    """`live.md` B2, and 5.1: the broker is killed while somebody watches."""
    with pair_of_servers(migrated_postgresql_url, broker.url, tmp_path) as (acting, watching):
        execution = await create(acting)
        async with (
            asyncio.timeout(60),
            LIVE["websocket"](watching, WATCH, id=execution.id) as socket,
            LIVE["events"](watching, WATCH, id=execution.id) as events,
        ):
            for payloads in (socket, events):
                assert state_of(await anext(payloads))[0] == "IN_PROGRESS"
            broker.kill()
            await complete(acting, execution.steps["verify"], {"verified": True})
            for payloads in (socket, events):
                assert [state_of(payload)[0] async for payload in payloads] == ["COMPLETED"]


async def test_b3_with_a_doorbell_that_no_other_process_hears_the_sweep_finds_it(
    migrated_postgresql_url: str, tmp_path: Path
) -> None:
    with pair_of_servers(migrated_postgresql_url, "memory://", tmp_path) as pair:
        for server in pair:
            await has_status(server, "ready")
        await see_it_both_ways(pair)
        for server in pair:
            assert server.stop() == 0
            assert said_since_start(server.output) == []
