"""The doorbell survives what befalls real brokers (`live.md` B1, B2)."""

import asyncio
import re
import tracemalloc

import pytest

from server.live.backends.postgresql import MOST_WAITING, PostgreSQLBackend
from server.live.broadcast import Doorbell
from server.live.ring import CHANNEL, Ring
from tests.live.brokers import RedisServer, Which
from tests.live.conftest import AnyBroker
from tests.live.ears import DEGRADED, FAST, OK, PATIENT, new_ring, rings_flow, started
from tests.live.postgresql_server import HarmableBroker, PostgreSQLServer
from tests.live.proxy import SilentProxy


async def test_a_ring_is_heard_by_every_process(any_broker: AnyBroker) -> None:
    mine, other = Doorbell(any_broker.url), Doorbell(any_broker.url)
    async with started(mine) as my_ear, started(other) as other_ear:
        ring, answer = new_ring(), new_ring()
        await mine.ring(ring)
        await other_ear.hears(ring)
        await other.ring(answer)
        await my_ear.hears(answer)
        assert (mine.health.heard, mine.health.malformed) == (2, 0), "heartbeats of others are no rings"


@pytest.mark.redis
async def test_ok_is_told_when_the_one_subscription_stands(redis_server: RedisServer) -> None:
    doorbell = Doorbell(redis_server.url)
    async with started(doorbell):
        assert await redis_server.command("PUBSUB", "CHANNELS") == [CHANNEL.encode()]


async def test_b2_a_broker_that_is_away_at_start_is_found_when_it_comes(any_broker: AnyBroker) -> None:
    any_broker.kill()
    doorbell = Doorbell(any_broker.url, timing=FAST)
    async with started(doorbell) as ear:
        assert doorbell.health.status is DEGRADED
        assert re.search("(?i)connect|Unable to bootstrap", doorbell.health.error or "")
        await doorbell.ring(new_ring())
        assert doorbell.health.dropped == 1
        any_broker.start()
        await rings_flow(doorbell, ear)
        assert doorbell.health.outages == 1


async def test_b1_killed_and_restarted(any_broker: AnyBroker) -> None:
    mine, other = Doorbell(any_broker.url, timing=FAST), Doorbell(any_broker.url, timing=FAST)
    async with started(mine) as my_ear, started(other) as other_ear:
        for _ in range(2):
            any_broker.kill()
            await my_ear.is_told(OK, DEGRADED)
            await other_ear.is_told(OK, DEGRADED)
            any_broker.start()
            await my_ear.is_told(DEGRADED, OK)
            await other_ear.is_told(DEGRADED, OK)
            await rings_flow(mine, my_ear)
            await rings_flow(other, other_ear)
            await other_ear.hears(my_ear.rings[-1])


async def test_b2_with_its_usual_timing_it_is_back_within_5_seconds(any_broker: AnyBroker) -> None:
    doorbell = Doorbell(any_broker.url)
    async with started(doorbell) as ear:
        any_broker.kill()
        await ear.is_told(OK, DEGRADED)
        any_broker.start()
        async with asyncio.timeout(5):
            await ear.is_told(DEGRADED, OK)


async def test_b1_a_listening_connection_that_is_ended_is_noticed_at_once(broker: HarmableBroker) -> None:
    """`CLIENT KILL`, `pg_terminate_backend`: no heartbeat is due for an hour."""
    doorbell = Doorbell(broker.url, timing=PATIENT)
    async with started(doorbell) as ear:
        for outage in (1, 2, 3):
            await broker.cut("listening")
            await ear.is_told(DEGRADED, OK)
            await ear.until(lambda outage=outage: doorbell.health.outages == outage)
            await rings_flow(doorbell, ear)


@pytest.mark.redis
async def test_b1_client_kill_of_the_publishing_connection_loses_no_ring(redis_server: RedisServer) -> None:
    doorbell = Doorbell(redis_server.url, timing=PATIENT)
    async with started(doorbell) as ear:
        await redis_server.cut("publishing")
        ring = new_ring()
        await doorbell.ring(ring)
        await ear.hears(ring)
        assert doorbell.health.outages == 0


@pytest.mark.postgresql
async def test_b1_a_terminated_publishing_connection_is_noticed_before_the_next_ring(
    postgresql_server: PostgreSQLServer,
) -> None:
    doorbell = Doorbell(postgresql_server.url, timing=PATIENT)
    async with started(doorbell) as ear:
        await postgresql_server.cut("publishing")
        await ear.is_told(OK, DEGRADED, OK)
        assert doorbell.health.error == "ConnectionError: the publishing connection was closed"
        ring = new_ring()
        await doorbell.ring(ring)
        await ear.hears(ring)


@pytest.mark.redis
@pytest.mark.parametrize("mode", ["ALL", "WRITE"])
async def test_b1_client_pause(redis_server: RedisServer, mode: str) -> None:
    doorbell = Doorbell(redis_server.url, timing=FAST)
    async with started(doorbell) as ear:
        await redis_server.command("CLIENT", "PAUSE", 2000, mode)
        await ear.is_told(OK, DEGRADED)
        await rings_flow(doorbell, ear)


@pytest.mark.postgresql
@pytest.mark.parametrize("which", ["listening", "publishing"])
async def test_b1_a_stalled_connection_is_replaced_while_it_still_hangs(
    postgresql_server: PostgreSQLServer, which: Which
) -> None:
    doorbell = Doorbell(postgresql_server.url, timing=FAST)
    async with started(doorbell) as ear:
        await postgresql_server.stall(which)
        await ear.is_told(OK, DEGRADED)
        await rings_flow(doorbell, ear)


async def test_b1_a_broker_that_stands_still_is_noticed_and_found_again(broker: HarmableBroker) -> None:
    doorbell = Doorbell(broker.url, timing=FAST)
    async with started(doorbell) as ear:
        broker.freeze()
        await ear.is_told(OK, DEGRADED)
        assert "0.7 s" in (doorbell.health.error or "")
        broker.thaw()
        await rings_flow(doorbell, ear)


@pytest.mark.parametrize(
    ("to_broker", "from_broker"), [(True, True), (True, False), (False, True)], ids=["both", "to", "from"]
)
async def test_b1_a_silent_partition_is_noticed_and_heals(
    broker: HarmableBroker, to_broker: bool, from_broker: bool
) -> None:
    proxy = SilentProxy(broker.url)
    async with proxy.running():
        doorbell = Doorbell(proxy.url, timing=FAST)
        async with started(doorbell) as ear:
            await rings_flow(doorbell, ear)
            proxy.swallow(to_broker=to_broker, from_broker=from_broker)
            await ear.is_told(OK, DEGRADED)
            assert "0.7 s" in (doorbell.health.error or "")
            proxy.swallow(to_broker=False, from_broker=False)
            await rings_flow(doorbell, ear)


async def test_b2_after_a_silent_partition_it_is_back_within_5_seconds(broker: HarmableBroker) -> None:
    """With its usual timing, and at the worst moment: when an attempt to connect has just begun."""
    proxy = SilentProxy(broker.url)
    async with proxy.running():
        doorbell = Doorbell(proxy.url)
        async with started(doorbell) as ear:
            proxy.swallow(to_broker=True, from_broker=True)
            await ear.is_told(OK, DEGRADED)
            await proxy.swallows_more()
            proxy.swallow(to_broker=False, from_broker=False)
            async with asyncio.timeout(5):
                await ear.is_told(DEGRADED, OK)


MALFORMED = ["{}", "ring x 5 3", "ring " + "x" * 7_000 + " 1 2", "beat 1"]


async def test_a_malformed_message_is_counted_and_ignored(broker: HarmableBroker) -> None:
    # PostgreSQL takes text of fewer than 8,000 bytes.
    malformed = [b"", b"\xff\xfe", b"x" * 100_000] if isinstance(broker, RedisServer) else [""]
    doorbell = Doorbell(broker.url)
    async with started(doorbell) as ear:
        await broker.publish(*malformed, *MALFORMED)
        await broker.publish("ring exec_1 3 4")
        await ear.hears(Ring("exec_1", 3, 4))
        assert doorbell.health.malformed == len(malformed) + len(MALFORMED)
        assert ear.statuses == [OK]


async def test_a_flood_that_others_publish_fills_no_memory(broker: HarmableBroker) -> None:
    """Heard, or the connection given up: never 80 MB of it kept."""
    doorbell = Doorbell(broker.url)
    async with started(doorbell) as ear:
        tracemalloc.start()
        try:
            await broker.flood(10_000, 7_900)
            await rings_flow(doorbell, ear)
            _, peak = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
        assert peak < 12 << 20


@pytest.mark.postgresql
async def test_notifications_that_nobody_takes_are_bounded_and_then_a_loss(
    postgresql_server: PostgreSQLServer,
) -> None:
    backend = PostgreSQLBackend(postgresql_server.url, connect_seconds=10)
    await backend.connect()
    try:
        await backend.subscribe(CHANNEL)
        await postgresql_server.flood(MOST_WAITING + 1, 10)
        await backend.unsubscribe(CHANNEL)  # answered after all that was notified before
        with pytest.raises(ConnectionError, match=f"more than {MOST_WAITING} notifications"):
            await backend.next_published()
    finally:
        await backend.disconnect()


async def test_stopping_leaves_no_task_and_no_connection(broker: HarmableBroker) -> None:
    before = asyncio.all_tasks()
    doorbell = Doorbell(broker.url)
    for _ in range(2):
        async with started(doorbell):
            assert doorbell.health.status is OK
            assert await broker.connections() == 2
        assert doorbell.health.status is DEGRADED
        if left := asyncio.all_tasks() - before:
            await asyncio.wait(left, timeout=30)
        assert asyncio.all_tasks() == before
        async with asyncio.timeout(30):
            # The server tells nobody when it has noticed that a client has left.
            while await broker.connections():  # noqa: ASYNC110
                await asyncio.sleep(0.01)  # the broker itself is asked
