"""The doorbell through Kafka, as far as Kafka's protocol says (`live.md` B1, B2).

What every broker is harmed with is `test_doorbell_faults.py`.
"""

import asyncio
import tracemalloc

import pytest

from server.live.backends import kafka
from server.live.broadcast import Doorbell
from server.live.ring import Ring
from tests.live.ears import DEGRADED, FAST, OK, new_ring, rings_flow, started
from tests.live.kafka_broker import KafkaBroker
from tests.live.proxy import SilentProxy


async def test_what_was_published_before_it_listened_is_not_heard(kafka_broker: KafkaBroker) -> None:
    old, new = new_ring(), new_ring()
    kafka_broker.publish(old.text.encode())
    doorbell = Doorbell(kafka_broker.url)
    async with started(doorbell) as ear:
        await doorbell.ring(new)
        await ear.hears(new)
        assert ear.rings == [new]


async def test_b1_a_broker_that_stands_still_is_noticed_and_found_again(kafka_broker: KafkaBroker) -> None:
    doorbell = Doorbell(kafka_broker.url, timing=FAST)
    async with started(doorbell) as ear:
        kafka_broker.freeze()
        await ear.is_told(OK, DEGRADED)
        kafka_broker.thaw()
        await rings_flow(doorbell, ear)


async def test_b1_a_silent_partition_is_noticed_and_heals(kafka_broker: KafkaBroker) -> None:
    proxy = SilentProxy(kafka_broker.url)
    async with proxy.running():
        kafka_broker.advertised_port = int(proxy.url.rpartition(":")[2])
        doorbell = Doorbell(proxy.url, timing=FAST)
        async with started(doorbell) as ear:
            proxy.swallow(to_broker=True, from_broker=True)
            await ear.is_told(OK, DEGRADED)
            proxy.swallow(to_broker=False, from_broker=False)
            await rings_flow(doorbell, ear)


async def test_a_malformed_message_is_counted_and_ignored(kafka_broker: KafkaBroker) -> None:
    malformed = [None, b"", b"\xff\xfe", b"{}", b"ring x 5 3", b"ring " + b"x" * 100_000 + b" 1 2", b"beat 1"]
    doorbell = Doorbell(kafka_broker.url)
    async with started(doorbell) as ear:
        kafka_broker.publish(*malformed, b"ring exec_1 3 4")
        await ear.hears(Ring("exec_1", 3, 4))
        assert doorbell.health.malformed == len(malformed)
        assert ear.statuses == [OK]


async def test_a_flood_that_others_publish_fills_no_memory(kafka_broker: KafkaBroker) -> None:
    """64 KiB are fetched at a time, and no more before they are heard."""
    doorbell = Doorbell(kafka_broker.url)
    async with started(doorbell) as ear:
        kafka_broker.publish(*(b"%d" % n + b"x" * 7_900 for n in range(5_000)))
        tracemalloc.start()
        try:
            await rings_flow(doorbell, ear)
            _, peak = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
        assert max(kafka_broker.fetched) <= 64 << 10
        assert peak < 4 << 20


async def test_stopping_leaves_no_task_and_no_connection(kafka_broker: KafkaBroker) -> None:
    before = asyncio.all_tasks()
    doorbell = Doorbell(kafka_broker.url)
    for _ in range(2):
        async with started(doorbell):
            assert doorbell.health.status is OK
        if left := asyncio.all_tasks() - before:
            await asyncio.wait(left, timeout=30)
        assert asyncio.all_tasks() == before
        async with asyncio.timeout(30):
            # The broker tells nobody when it has noticed that a client has left.
            while kafka_broker.connections():  # noqa: ASYNC110
                await asyncio.sleep(0.01)  # the broker itself is asked


async def test_what_is_left_of_a_broken_connection_ends_by_itself(kafka_broker: KafkaBroker) -> None:
    """Closing it hangs until aiokafka's own deadlines pass, and the doorbell does not wait for that."""
    before = asyncio.all_tasks()
    doorbell = Doorbell(kafka_broker.url, timing=FAST)
    async with started(doorbell) as ear:
        kafka_broker.freeze()
        await ear.is_told(OK, DEGRADED)
    if left := asyncio.all_tasks() - before:
        await asyncio.wait(left, timeout=30)
    assert asyncio.all_tasks() == before


def test_without_the_library_the_refusal_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kafka, "aiokafka", None)
    with pytest.raises(ValueError, match="run `python -m pip install aiokafka`") as refusal:
        Doorbell("kafka://broker:9092")
    assert str(refusal.value).startswith("broadcast URL: ")


@pytest.mark.parametrize(
    "url", ["kafka://", "kafka://me:hunter2@broker", "kafka://broker/topic", "kafka://broker?acks=0"]
)
def test_what_a_kafka_url_may_not_have_is_refused(url: str) -> None:
    with pytest.raises(ValueError, match="use kafka://HOST:PORT") as refusal:
        Doorbell(url)
    assert "hunter2" not in str(refusal.value)


def test_a_kafka_url_may_name_several_brokers() -> None:
    assert kafka.addresses_of("kafka://one:9092,two,[::1]:9093") == ["one:9092", "two", "[::1]:9093"]
    with pytest.raises(ValueError, match="host and port cannot be read"):
        kafka.addresses_of("kafka://one:9092,two:port")
