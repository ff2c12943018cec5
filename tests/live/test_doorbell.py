"""The doorbell survives its broker (`live.md` B1, B2)."""

import asyncio
import logging
from collections.abc import Iterator

import pytest
from broadcaster import Event

from server.live.broadcast import WAITING_RINGS, Doorbell
from server.live.ring import CHANNEL, Beat
from tests.live.brokers import UnreliableBroker
from tests.live.ears import DEGRADED, FAST, OK, PATIENT, new_ring, rings_flow, started


async def test_a_ring_is_heard_by_the_process_that_rang(broker_url: str) -> None:
    doorbell = Doorbell(broker_url)
    async with started(doorbell) as ear:
        for ring in (new_ring(), new_ring()):
            await doorbell.ring(ring)
            await ear.hears(ring)
        assert doorbell.health.status is OK
        assert doorbell.health.error is None
        # A ring may be heard before its broker has acknowledged it, but after the one before it was.
        assert doorbell.health.published in (1, 2)
        assert ear.statuses == [OK]


@pytest.mark.parametrize(
    ("url", "message"),
    [
        (
            "amqp://broker",
            "the scheme 'amqp' is not one of memory://, redis://, rediss://, postgresql://, .*, kafka://",
        ),
        (
            "nonsense",
            "the scheme '' is not one of memory://, redis://, rediss://, postgresql://, .*, kafka://",
        ),
        ("redis://127.0.0.1:notaport", "host and port cannot be read"),
        ("redis://127.0.0.1:99999", "host and port cannot be read"),
        ("redis://[::1", "host and port cannot be read"),
        ("redis://127.0.0.1?colour=red", "colour"),
        ("redis://127.0.0.1?db=x", "Invalid value for 'db'"),
        ("postgresql://127.0.0.1:notaport/x", "host and port cannot be read"),
        ("postgresql://127.0.0.1", "it names no database"),
        ("postgresql+psycopg://127.0.0.1/x", "'postgresql\\+psycopg' is not one of"),
    ],
)
def test_a_url_that_cannot_work_is_refused_in_one_line_at_once(url: str, message: str) -> None:
    with pytest.raises(ValueError, match=message) as refusal:
        Doorbell(url)
    assert str(refusal.value).startswith("broadcast URL: ")
    assert "\n" not in str(refusal.value)


@pytest.mark.parametrize(
    "url",
    [
        "amqp://me:hunter2@broker",
        "me:hunter2@broker",
        "redis://me:hunter2/@broker",
        "redis:hunter2",
        "postgresql://me:hunter2/@broker/x",
        "postgresql://me:hunter2@broker",
    ],
)
def test_the_refusal_of_a_url_does_not_show_its_password(url: str) -> None:
    with pytest.raises(ValueError, match="broadcast URL") as refusal:
        Doorbell(url)
    assert "hunter2" not in str(refusal.value)


@pytest.mark.parametrize(
    "url",
    [
        "redis://[::1]:6379/3",
        "rediss://me:hunter%2F2@broker?socket_keepalive=yes",
        "postgresql://me:hunter%2F2@[::1]:5432/x?sslmode=require",
        "postgresql+asyncpg://me@broker/x",
    ],
)
def test_urls_may_have_tls_credentials_a_database_and_options(url: str) -> None:
    assert Doorbell(url).health.status is DEGRADED


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
