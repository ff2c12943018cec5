"""The doorbell: tells every process that a tree has changed, and survives its broker (`live.md` B1–B3).

It owns `broadcaster`: one `Broadcast` per connection, supervised. What a ring means to subscribers is
`server/live/feed.py`; how a broker is spoken to is `server/live/backends/`.
"""

import asyncio
import logging
import secrets
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from enum import StrEnum
from functools import partial
from typing import Any, NoReturn

from broadcaster import Broadcast, BroadcastBackend
from broadcaster._backends.memory import MemoryBackend

from server.backoff import Backoff
from server.live.backends.supervised import SupervisedBackend
from server.live.ring import CHANNEL, Beat, Ring, parse_message

log = logging.getLogger(__name__)

WAITING_RINGS = 1_000
"""Trees whose ring may wait to be published; a ring of one more tree is dropped and counted."""


class DoorbellStatus(StrEnum):
    OK = "ok"
    DEGRADED = "degraded"


@dataclass(frozen=True, slots=True)
class DoorbellHealth:
    """`status` holds since `since` (UTC); `error` is the last failure's text. The rest are counts."""

    status: DoorbellStatus
    since: datetime
    error: str | None = None
    outages: int = 0
    published: int = 0
    dropped: int = 0
    heard: int = 0
    malformed: int = 0


@dataclass(frozen=True, slots=True)
class DoorbellTiming:
    """Seconds. A broker that answers no heartbeat is noticed after `heartbeat` + `deadline` at the latest, and found
    again after `deadline` + `longest_retry`: an attempt to connect may have begun just before it was back.
    """

    heartbeat: float = 2.0
    deadline: float = 3.0
    first_retry: float = 0.1
    longest_retry: float = 1.0


BackendClass = Callable[..., BroadcastBackend]


# A broker's library is loaded where that broker is: it is a tenth of the time that a start takes.


def _redis() -> BackendClass:
    from server.live.backends.redis import RedisBackend  # noqa: PLC0415

    return RedisBackend


def _postgresql() -> BackendClass:
    from server.live.backends.postgresql import PostgreSQLBackend  # noqa: PLC0415

    return PostgreSQLBackend


def _kafka() -> BackendClass:
    from server.live.backends.kafka import KafkaBackend  # noqa: PLC0415

    return KafkaBackend


_BACKENDS: dict[str, Callable[[], BackendClass]] = {
    "redis": _redis,
    "rediss": _redis,
    "postgresql": _postgresql,
    "postgresql+asyncpg": _postgresql,
    "kafka": _kafka,
}


def backend_maker(url: str, timing: DoorbellTiming) -> Callable[[], BroadcastBackend]:
    """What makes a new backend for each connection to `url`. `ValueError` for a URL that cannot work."""
    scheme, mark, _ = url.partition("://")
    scheme = scheme if mark else ""
    if scheme == "memory":
        return lambda: MemoryBackend(url)
    if scheme not in _BACKENDS:
        known = ", ".join(f"{each}://" for each in ("memory", *_BACKENDS))
        raise ValueError(f"broadcast URL: the scheme {scheme!r} is not one of {known}")
    make = partial(_BACKENDS[scheme](), url, connect_seconds=timing.deadline)
    make()  # so that a malformed URL fails now
    return make


class Doorbell:
    """Rings and hears rings, whatever the broker does; `health` says whether it works.

    It is OK while its own heartbeats come back through the broker, which proves both connections and the
    subscription at once, so that a killed, paused, stopped or silently cut off broker is noticed alike.
    """

    def __init__(
        self,
        url: str = "memory://",
        *,
        timing: DoorbellTiming | None = None,
        make_backend: Callable[[], BroadcastBackend] | None = None,
    ) -> None:
        self._timing = timing or DoorbellTiming()
        self._make_backend = make_backend or backend_maker(url, self._timing)
        self._backoff = Backoff(self._timing.first_retry, self._timing.longest_retry)
        self._health = DoorbellHealth(DoorbellStatus.DEGRADED, datetime.now(UTC), "not connected yet")
        self._rings = WaitingRings(WAITING_RINGS)
        self._beat = Beat(secrets.token_hex(8), 0)
        self._beat_heard = asyncio.Event()
        self._first_outcome = asyncio.Event()
        self._supervisor: asyncio.Task[NoReturn] | None = None
        self._on_ring: list[Callable[[Ring], None]] = []
        self._on_status: list[Callable[[DoorbellStatus], None]] = []

    @property
    def health(self) -> DoorbellHealth:
        return self._health

    def listen(self, on_ring: Callable[[Ring], None], on_status: Callable[[DoorbellStatus], None]) -> None:
        """Call `on_ring` for every ring heard, and `on_status` at every change of status.

        OK is told after the subscription stands: rings of before may be lost, those of after are heard.
        Callbacks run in the event loop and must neither block nor raise.
        """
        self._on_ring.append(on_ring)
        self._on_status.append(on_status)

    async def start(self) -> None:
        """Returns when the first connection stands or has failed; never fails for the broker's sake (B2)."""
        self._first_outcome.clear()
        self._supervisor = asyncio.create_task(self._supervise(), name="doorbell")
        await self._first_outcome.wait()

    async def stop(self) -> None:
        if self._supervisor is not None:
            self._supervisor.cancel()
            await asyncio.wait([self._supervisor])
            self._supervisor = None
        self._change_status(DoorbellStatus.DEGRADED, "stopped")

    async def ring(self, ring: Ring) -> None:
        """Call after the commit. Never raises and never waits for the broker.

        While the broker is away, or the rings of `WAITING_RINGS` other trees wait, the ring is dropped and
        counted: the sweep finds the change (B3).
        """
        if self._health.status is DoorbellStatus.DEGRADED or not self._rings.add(ring):
            self._count(dropped=1)

    async def _supervise(self) -> NoReturn:
        while True:
            try:
                await self._run_connection()
            except Exception as error:
                self._degrade(error)
            await asyncio.sleep(self._backoff.next_delay())

    async def _run_connection(self) -> NoReturn:
        """Connect, subscribe and work until anything of it fails; always ends by raising."""
        backend = SupervisedBackend(self._make_backend(), deadline_seconds=self._timing.deadline)
        try:
            await backend.open(CHANNEL)
            async with Broadcast(backend=backend) as broadcast, broadcast.subscribe(CHANNEL) as subscriber:
                await first_failure(
                    backend.raise_loss(),
                    self._hear(subscriber),
                    self._publish(broadcast),
                    self._keep_beating(broadcast),
                )
        finally:
            await backend.close()
        raise ConnectionError("the broker's connection ended")

    async def _hear(self, subscriber: Any) -> NoReturn:  # `broadcaster` does not export its Subscriber
        while True:
            event = await subscriber.get()
            try:
                message = parse_message(event.message)
            except ValueError as error:
                self._count(malformed=1)
                log.debug("ignored: %s", error)
                continue
            if isinstance(message, Ring):
                self._count(heard=1)
                for call in self._on_ring:
                    call(message)
            elif message == self._beat:
                self._beat_heard.set()

    async def _publish(self, broadcast: Broadcast) -> NoReturn:
        while True:
            ring = await self._rings.take()
            try:
                await broadcast.publish(CHANNEL, ring.text)
            except BaseException:
                self._count(dropped=1)
                raise
            self._count(published=1)

    async def _keep_beating(self, broadcast: Broadcast) -> NoReturn:
        while True:
            self._beat = Beat(self._beat.process, self._beat.number + 1)
            self._beat_heard.clear()
            await broadcast.publish(CHANNEL, self._beat.text)
            try:
                async with asyncio.timeout(self._timing.deadline):
                    await self._beat_heard.wait()
            except TimeoutError:
                silence = f"the broker did not return a heartbeat within {self._timing.deadline:g} s"
                raise TimeoutError(silence) from None
            self._recover()
            await asyncio.sleep(self._timing.heartbeat)

    def _recover(self) -> None:
        self._backoff.reset()
        if self._health.status is DoorbellStatus.DEGRADED:
            log.info("doorbell: the broker answers")
            self._change_status(DoorbellStatus.OK, self._health.error if self._health.outages else None)

    def _degrade(self, error: Exception) -> None:
        text = f"{type(error).__name__}: {error}"
        if self._health.status is DoorbellStatus.OK or not self._first_outcome.is_set():
            log.warning("doorbell: the broker is away, subscriptions go on by polling: %s", text)
            self._count(outages=1)
        self._count(dropped=self._rings.clear())
        self._change_status(DoorbellStatus.DEGRADED, text)

    def _change_status(self, status: DoorbellStatus, error: str | None) -> None:
        changed = status is not self._health.status
        since = datetime.now(UTC) if changed else self._health.since
        self._health = replace(self._health, status=status, since=since, error=error)
        self._first_outcome.set()
        if changed:
            for call in self._on_status:
                call(status)

    def _count(self, **more: int) -> None:
        self._health = replace(
            self._health, **{name: getattr(self._health, name) + number for name, number in more.items()}
        )


class WaitingRings:
    """Rings not yet published, one per tree: a busy tree's rings merge, so that memory stays bounded."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._rings: dict[str, Ring] = {}
        self._some = asyncio.Event()

    def add(self, ring: Ring) -> bool:
        """False when `ring` found no room."""
        waiting = self._rings.get(ring.root_id)
        if waiting is None and len(self._rings) >= self._most:
            return False
        self._rings[ring.root_id] = ring if waiting is None else waiting.merged(ring)
        self._some.set()
        return True

    async def take(self) -> Ring:
        """The ring that has waited longest; waits for one."""
        while not self._rings:
            self._some.clear()
            await self._some.wait()
        return self._rings.pop(next(iter(self._rings)))

    def clear(self) -> int:
        """Drop all; returns how many."""
        dropped = len(self._rings)
        self._rings.clear()
        return dropped


async def first_failure(*coroutines: Coroutine[Any, Any, NoReturn]) -> None:
    """Run all until one raises, end the others, and raise it.

    Not `asyncio.TaskGroup`: in Python 3.11 a cancellation is lost in one that fails at the same moment.
    """
    tasks = [asyncio.create_task(coroutine) for coroutine in coroutines]
    try:
        ended, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks)
    for task in ended:
        task.result()
