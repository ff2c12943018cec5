"""The doorbell survives its broker (`live.md` B1, B2)."""

import asyncio
import logging
import uuid
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager

import pytest
from broadcaster import Event

from server.broadcast import WAITING_RINGS, Doorbell, DoorbellStatus, DoorbellTiming
from server.ring import CHANNEL, Beat, Ring
from tests.live.brokers import RedisServer, UnreliableBroker
from tests.live.ears import Ear

OK, DEGRADED = DoorbellStatus.OK, DoorbellStatus.DEGRADED
FAST = DoorbellTiming(heartbeat=0.05, deadline=0.7, first_retry=0.01, longest_retry=0.1)
PATIENT = DoorbellTiming(heartbeat=3600, deadline=20, first_retry=0.01, longest_retry=0.1)


@asynccontextmanager
async def started(doorbell: Doorbell) -> AsyncIterator[Ear]:
    ear = Ear(doorbell)
    await doorbell.start()
    try:
        yield ear
    finally:
        await doorbell.stop()


def new_ring() -> Ring:
    """Of a tree that no other test knows: brokers are shared."""
    return Ring(f"exec_{uuid.uuid4().hex}", 2, 5)


async def rings_flow(doorbell: Doorbell, ear: Ear) -> None:
    """A ring gets through; whether the very first does is not promised when a connection has just died."""
    async with asyncio.timeout(30):
        while True:
            await ear.until(lambda: doorbell.health.status is OK)
            ring = new_ring()
            await doorbell.ring(ring)
            outages = doorbell.health.outages
            await ear.until(
                lambda ring=ring, outages=outages: (
                    ring in ear.rings
                    or doorbell.health.outages > outages
                    or doorbell.health.status is DEGRADED
                )
            )
            if ring in ear.rings:
                return


async def test_a_ring_is_heard_by_the_process_that_rang(broker_url: str) -> None:
    doorbell = Doorbell(broker_url)
    async with started(doorbell) as ear:
        ring = new_ring()
        await doorbell.ring(ring)
        await ear.hears(ring)
        assert doorbell.health.status is OK
        assert doorbell.health.error is None
        assert doorbell.health.published == 1
        assert ear.statuses == [OK]


@pytest.mark.redis
async def test_a_ring_is_heard_by_every_process(redis_server: RedisServer) -> None:
    mine, other = Doorbell(redis_server.url), Doorbell(redis_server.url)
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


@pytest.mark.parametrize(
    ("url", "message"),
    [
        ("kafka://broker", "the scheme 'kafka' is not one of memory://, redis://, rediss://"),
        ("nonsense", "the scheme '' is not one of memory://, redis://, rediss://"),
        ("redis://127.0.0.1:notaport", "host and port cannot be read"),
        ("redis://127.0.0.1:99999", "host and port cannot be read"),
        ("redis://[::1", "host and port cannot be read"),
        ("redis://127.0.0.1?colour=red", "colour"),
        ("redis://127.0.0.1?db=x", "Invalid value for 'db'"),
    ],
)
def test_a_url_that_cannot_work_is_refused_in_one_line_at_once(url: str, message: str) -> None:
    with pytest.raises(ValueError, match=message) as refusal:
        Doorbell(url)
    assert str(refusal.value).startswith("broadcast URL: ")
    assert "\n" not in str(refusal.value)


@pytest.mark.parametrize(
    "url", ["amqp://me:hunter2@broker", "me:hunter2@broker", "redis://me:hunter2/@broker", "redis:hunter2"]
)
def test_the_refusal_of_a_url_does_not_show_its_password(url: str) -> None:
    with pytest.raises(ValueError, match="broadcast URL") as refusal:
        Doorbell(url)
    assert "hunter2" not in str(refusal.value)


@pytest.mark.parametrize(
    "url", ["redis://[::1]:6379/3", "rediss://me:hunter%2F2@broker?socket_keepalive=yes"]
)
def test_redis_urls_may_have_tls_credentials_a_database_and_options(url: str) -> None:
    assert Doorbell(url).health.status is DEGRADED


@pytest.mark.redis
async def test_b2_a_broker_that_is_away_at_start_is_found_when_it_comes(redis_server: RedisServer) -> None:
    redis_server.kill()
    doorbell = Doorbell(redis_server.url, timing=FAST)
    async with started(doorbell) as ear:
        assert doorbell.health.status is DEGRADED
        assert "Connect" in (doorbell.health.error or "")
        await doorbell.ring(new_ring())
        assert doorbell.health.dropped == 1
        redis_server.start()
        await rings_flow(doorbell, ear)
        assert doorbell.health.outages == 1


@pytest.mark.redis
async def test_b1_killed_and_restarted(redis_server: RedisServer) -> None:
    mine, other = Doorbell(redis_server.url, timing=FAST), Doorbell(redis_server.url, timing=FAST)
    async with started(mine) as my_ear, started(other) as other_ear:
        for _ in range(2):
            redis_server.kill()
            await my_ear.is_told(OK, DEGRADED)
            await other_ear.is_told(OK, DEGRADED)
            redis_server.start()
            await my_ear.is_told(DEGRADED, OK)
            await other_ear.is_told(DEGRADED, OK)
            await rings_flow(mine, my_ear)
            await rings_flow(other, other_ear)
            await other_ear.hears(my_ear.rings[-1])


@pytest.mark.redis
async def test_b2_with_its_usual_timing_it_is_back_within_5_seconds(redis_server: RedisServer) -> None:
    doorbell = Doorbell(redis_server.url)
    async with started(doorbell) as ear:
        redis_server.kill()
        await ear.is_told(OK, DEGRADED)
        redis_server.start()
        async with asyncio.timeout(5):
            await ear.is_told(DEGRADED, OK)


@pytest.mark.redis
async def test_b1_client_kill_of_the_listening_connection(redis_server: RedisServer) -> None:
    doorbell = Doorbell(redis_server.url, timing=PATIENT)
    async with started(doorbell) as ear:
        for outage in (1, 2, 3):
            assert await redis_server.command("CLIENT", "KILL", "TYPE", "pubsub") == 1
            await ear.is_told(DEGRADED, OK)
            await ear.until(lambda outage=outage: doorbell.health.outages == outage)
            await rings_flow(doorbell, ear)


@pytest.mark.redis
async def test_b1_client_kill_of_the_publishing_connection_loses_no_ring(redis_server: RedisServer) -> None:
    doorbell = Doorbell(redis_server.url, timing=PATIENT)
    async with started(doorbell) as ear:
        await redis_server.command("CLIENT", "KILL", "TYPE", "normal")
        ring = new_ring()
        await doorbell.ring(ring)
        await ear.hears(ring)
        assert doorbell.health.outages == 0


@pytest.mark.redis
@pytest.mark.parametrize("mode", ["ALL", "WRITE"])
async def test_b1_client_pause(redis_server: RedisServer, mode: str) -> None:
    doorbell = Doorbell(redis_server.url, timing=FAST)
    async with started(doorbell) as ear:
        await redis_server.command("CLIENT", "PAUSE", 2000, mode)
        await ear.is_told(OK, DEGRADED)
        await rings_flow(doorbell, ear)


@pytest.mark.redis
async def test_b1_a_silent_partition_is_noticed_and_heals(redis_server: RedisServer) -> None:
    doorbell = Doorbell(redis_server.url, timing=FAST)
    async with started(doorbell) as ear:
        redis_server.freeze()
        await ear.is_told(OK, DEGRADED)
        assert "0.7 s" in (doorbell.health.error or "")
        redis_server.thaw()
        await rings_flow(doorbell, ear)


@pytest.mark.redis
async def test_a_malformed_message_is_counted_and_ignored(redis_server: RedisServer) -> None:
    doorbell = Doorbell(redis_server.url)
    malformed = [b"", b"\xff\xfe", b"{}", b"ring x 5 3", b"ring " + b"x" * 100_000 + b" 1 2", b"beat 1"]
    async with started(doorbell) as ear:
        for message in malformed:
            await redis_server.command("PUBLISH", CHANNEL, message)
        await redis_server.command("PUBLISH", CHANNEL, "ring exec_1 3 4")
        await ear.hears(Ring("exec_1", 3, 4))
        assert doorbell.health.malformed == len(malformed)
        assert ear.statuses == [OK]


@pytest.mark.parametrize("fault", ["connect", "subscribe", "publish", "next_published"])
@pytest.mark.parametrize("how", ["failing", "hanging"])
async def test_b1_whatever_fails_or_hangs_is_degraded_until_it_works(fault: str, how: str) -> None:
    broker = UnreliableBroker()
    getattr(broker, how).add(fault)
    doorbell = Doorbell(make_backend=broker.make_backend, timing=FAST)
    async with started(doorbell) as ear:
        assert doorbell.health.status is DEGRADED
        assert doorbell.health.error
        getattr(broker, how).clear()
        await rings_flow(doorbell, ear)


async def test_b1_a_connection_lost_while_listening_is_replaced() -> None:
    broker = UnreliableBroker()
    doorbell = Doorbell(make_backend=broker.make_backend, timing=PATIENT)
    async with started(doorbell) as ear:
        for _ in range(5):
            broker.cut()
            await ear.is_told(DEGRADED, OK)
            await rings_flow(doorbell, ear)
            assert doorbell.health.error == "ConnectionResetError: cut"
            assert len(broker.backends) == 1


async def test_b1_a_listener_that_stalls_later_is_noticed() -> None:
    broker = UnreliableBroker()
    doorbell = Doorbell(make_backend=broker.make_backend, timing=FAST)
    async with started(doorbell) as ear:
        broker.hanging.add("next_published")
        await ear.is_told(OK, DEGRADED)
        broker.hanging.clear()
        await rings_flow(doorbell, ear)


async def test_b1_what_others_publish_does_not_hide_that_its_own_messages_are_swallowed() -> None:
    broker = UnreliableBroker()
    doorbell = Doorbell(make_backend=broker.make_backend, timing=FAST)
    async with started(doorbell) as ear:
        broker.swallows = True
        while doorbell.health.status is OK:
            broker.deliver(CHANNEL, Beat("0a1b2c", 1).text)
            broker.deliver(CHANNEL, new_ring().text)
            await asyncio.sleep(0.01)
        assert doorbell.health.error == "TimeoutError: the broker did not return a heartbeat within 0.7 s"
        broker.swallows = False
        await rings_flow(doorbell, ear)


async def test_b1_the_end_of_a_broken_connection_may_hang_or_fail_too() -> None:
    broker = UnreliableBroker()
    doorbell = Doorbell(make_backend=broker.make_backend, timing=FAST)
    async with started(doorbell) as ear:
        for faults in (broker.failing, broker.hanging):
            faults.add("disconnect")
            broker.cut()
            await ear.is_told(DEGRADED, OK)
            faults.clear()
        await rings_flow(doorbell, ear)


async def test_ringing_never_waits_and_is_bounded_while_the_broker_stalls() -> None:
    broker = UnreliableBroker()
    doorbell = Doorbell(make_backend=broker.make_backend, timing=PATIENT)
    async with started(doorbell):
        broker.hanging.add("publish")
        await doorbell.ring(new_ring())
        await broker.called("publish", 2)  # the first heartbeat, then this ring
        for _ in range(WAITING_RINGS + 7):
            with pytest.raises(StopIteration):  # it ran to its end without giving way once
                doorbell.ring(new_ring()).send(None)
        assert doorbell.health.dropped == 7


async def test_rings_that_could_not_be_published_are_counted_as_dropped() -> None:
    broker = UnreliableBroker()
    doorbell = Doorbell(make_backend=broker.make_backend, timing=PATIENT)
    async with started(doorbell) as ear:
        broker.failing.add("publish")
        for _ in range(3):
            await doorbell.ring(new_ring())
        await ear.is_told(OK, DEGRADED)
        await doorbell.ring(new_ring())
        assert (doorbell.health.dropped, doorbell.health.published) == (4, 0)


async def test_an_outage_is_logged_once_when_it_begins_and_once_when_it_is_over(
    caplog: pytest.LogCaptureFixture,
) -> None:
    broker = UnreliableBroker()
    doorbell = Doorbell(make_backend=broker.make_backend, timing=PATIENT)
    async with started(doorbell) as ear:
        caplog.clear()
        with caplog.at_level(logging.INFO):
            broker.failing.add("connect")
            broker.cut()
            await broker.called("connect", 6)
            broker.failing.clear()
            await ear.is_told(DEGRADED, OK)
        assert [record.levelname for record in caplog.records] == ["WARNING", "INFO"]
        assert doorbell.health.outages == 1


async def test_b1_a_flood_of_messages_is_heard_one_by_one_and_fills_no_queue() -> None:
    broker = UnreliableBroker()
    doorbell = Doorbell(make_backend=broker.make_backend, timing=PATIENT)
    waiting: list[int] = []

    def flood() -> Iterator[Event]:
        for sent in range(5_000):
            waiting.append(sent - doorbell.health.heard)
            yield Event(CHANNEL, new_ring().text)

    async with started(doorbell) as ear:
        broker.flood = flood()
        broker.deliver(CHANNEL, "the first of the flood, for it is being waited for")
        await ear.until(lambda: doorbell.health.heard == 5_000)
        assert max(waiting) <= 2


@pytest.mark.parametrize("fault", ["connect", "subscribe", "publish", "next_published"])
async def test_it_can_be_stopped_at_any_moment_of_connecting(fault: str) -> None:
    before = asyncio.all_tasks()
    broker = UnreliableBroker()
    broker.hanging.add(fault)
    doorbell = Doorbell(make_backend=broker.make_backend, timing=PATIENT)
    starting = asyncio.create_task(doorbell.start())
    await broker.called(fault, 1)
    async with asyncio.timeout(10):
        await doorbell.stop()
        await starting
        if left := asyncio.all_tasks() - before:
            await asyncio.wait(left)


@pytest.mark.parametrize("turns", range(12))
async def test_it_can_be_stopped_while_its_connection_fails(turns: int) -> None:
    broker = UnreliableBroker()
    doorbell = Doorbell(make_backend=broker.make_backend, timing=PATIENT)
    await doorbell.start()
    broker.cut()
    for _ in range(turns):
        await asyncio.sleep(0)
    async with asyncio.timeout(10):
        await doorbell.stop()


@pytest.mark.redis
async def test_stopping_leaves_no_task_and_no_connection(redis_server: RedisServer) -> None:
    before = asyncio.all_tasks()
    doorbell = Doorbell(redis_server.url)
    for _ in range(2):
        async with started(doorbell):
            assert doorbell.health.status is OK
            assert b"stepgraph-doorbell" in await redis_server.command("CLIENT", "LIST")
        assert doorbell.health.status is DEGRADED
        if left := asyncio.all_tasks() - before:
            await asyncio.wait(left, timeout=30)
        assert asyncio.all_tasks() == before
        async with asyncio.timeout(30):
            # The server tells nobody when it has noticed that a client has left.
            while b"stepgraph-doorbell" in await redis_server.command("CLIENT", "LIST"):  # noqa: ASYNC110
                await asyncio.sleep(0.01)
