"""The timer: one per process, it lets happen what comes by itself when its time has come (`runtime.md` section 8).

Due dates that pass, retries whose backoff is over; and it forgets idempotency keys that are old. It sleeps until the next
moment by the database's clock, whatever this process's clock says, but never for long: a clock may jump and a ring may get
lost. A commit may have brought an earlier moment, so a ring wakes it. Several processes on one database do the same beside
each other; that each thing happens once is `db/commands/due.py`'s.
"""

import asyncio
import logging
import random
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from typing import TypeVar

from db.commands.due import DueTree, due_trees, handle_due, seconds_until_due
from db.commands.expired_keys import MOST_FORGOTTEN, forget_expired_keys
from db.commands.outcome import Committed
from db.session import Unavailable
from db.store import Store
from schema.context import Announcer
from server.backoff import Backoff
from server.live.broadcast import DoorbellStatus
from server.live.feed import Bell
from server.live.holds import Holds
from server.live.ring import Ring
from server.telemetry import spans
from server.telemetry.metrics import TIMER_LAG_SECONDS, TIMER_LOOKED, TIMER_TREES
from server.waiting import happens

T = TypeVar("T")

log = logging.getLogger(__name__)

AT_ONCE = 4
"""Trees whose turn it is at a time: the other connections are the commands'."""


@dataclass(frozen=True, slots=True)
class TimerTiming:
    """Seconds. It sleeps `longest` at most, or `unheard` while the doorbell is degraded: so much later than its moment
    something may happen that was set meanwhile. Rings wake it once in `apart`. Old keys are looked for every `forget`. A
    read takes `read` at most, what is due in a tree `write`.
    """

    longest: float = 5.0
    unheard: float = 1.0
    apart: float = 0.05
    forget: float = 600.0
    read: float = 10.0
    write: float = 30.0
    first_retry: float = 0.1
    longest_retry: float = 5.0


class Timer:
    """Start it after, and stop it before the doorbell and the database."""

    def __init__(
        self, store: Store, announcer: Announcer, doorbell: Bell, *, timing: TimerTiming | None = None
    ) -> None:
        self._store = store
        self._announcer = announcer
        self._doorbell = doorbell
        self._timing = timing or TimerTiming()
        self._holds = Holds()
        self._backoff = Backoff(self._timing.first_retry, self._timing.longest_retry)
        self._nudge = asyncio.Event()
        self._is_ending = False
        self._forget_at = 0.0
        self._task: asyncio.Task[None] | None = None
        doorbell.listen(self._hear, self._turn)

    async def start(self) -> None:
        """Begin with what came due while nobody was there."""
        self._is_ending = False
        self._task = asyncio.create_task(self._keep_time(), name="timer")

    async def stop(self) -> None:
        """What has begun is ended, nothing more is begun."""
        if self._task is None:
            return
        self._is_ending = True
        self._nudge.set()
        try:
            await asyncio.wait([self._task])
        finally:
            self._task.cancel()  # where nobody waited for its end
            self._task = None

    def _hear(self, _ring: Ring) -> None:
        self._nudge.set()

    def _turn(self, _status: DoorbellStatus) -> None:
        self._nudge.set()

    async def _keep_time(self) -> None:
        while not self._is_ending:
            self._nudge.clear()
            seconds = await self._look()
            if seconds > 0 and await happens(self._nudge, within=seconds):
                # Whoever commits much must not make it look as often.
                await asyncio.sleep(self._timing.apart)

    async def _look(self) -> float:
        """Do what is due, as much as is found at a time; returns the seconds until the next look."""
        try:
            await self._forget()
            seconds = await self._until_due()
            if seconds <= 0:
                await self._handle_all(
                    await self._read(lambda: due_trees(self._store.database, self._holds.held(_now())))
                )
        except Exception as error:
            return self._fail(error)
        self._heal()
        TIMER_LOOKED.set_to_current_time()
        return max(seconds, 0.0)

    async def _until_due(self) -> float:
        """How long until there is something to do: 0 or less if there is."""
        working = self._doorbell.health.status is DoorbellStatus.OK
        sleep = self._timing.longest if working else self._timing.unheard
        # What is left alone when the database is asked must count, though its time may have come when that has answered.
        asked_at = _now()
        held, tried_again = self._holds.held(asked_at), self._holds.seconds(asked_at)
        due = await self._read(lambda: seconds_until_due(self._store.database, held))
        if due is not None and due <= 0:
            TIMER_LAG_SECONDS.observe(-due)
        return min(
            sleep, self._forget_at - _now(), *(each for each in (due, tried_again) if each is not None)
        )

    async def _handle_all(self, trees: list[DueTree]) -> None:
        """Some at a time. Other processes have found the same, so each takes them in an order of its own."""
        random.shuffle(trees)
        rest = iter(trees)

        async def work() -> None:
            for tree in rest:
                if self._is_ending:
                    return
                await self._handle(tree)

        ends = await asyncio.gather(*(work() for _ in range(AT_ONCE)), return_exceptions=True)
        for error in ends:
            if error is not None:
                raise error

    async def _handle(self, tree: DueTree) -> None:
        with spans.linked_span("timer", {"stepgraph.timer.root_id": tree.root_id}, to=None) as span:
            outcomes = await self._outcomes(tree)
            failure = next((each for each in outcomes if isinstance(each, Exception)), None)
            if failure is not None:
                outcome = "failed"
                self._holds.broken(tree.root_id, failure, _now())
                span.failed(type(failure).__qualname__)
            elif any(each is not None for each in outcomes):
                outcome = "done"
                self._holds.release(tree.root_id)
            else:
                outcome = "busy"
                self._holds.busy(tree.root_id, _now())
            span.set({"stepgraph.timer.outcome": outcome})
        TIMER_TREES.labels(outcome).inc()

    async def _outcomes(self, tree: DueTree) -> list[Committed | Exception | None]:
        """What came of it: None where nothing changed. What fails together is tried one by one, so that an execution in
        which it cannot be done spoils nothing for the others."""
        try:
            committed = await self._write(tree)
        except Unavailable:
            raise
        except Exception as error:
            if len(tree.execution_ids) == 1:
                return [error]
            parts = [replace(tree, execution_ids=(each,)) for each in tree.execution_ids]
            return [outcome for part in parts for outcome in await self._outcomes(part)]
        if committed is None or committed.revision == committed.since:
            return [None]
        await self._announcer.announce(committed)
        return [committed]

    async def _write(self, tree: DueTree) -> Committed | None:
        async with asyncio.timeout(self._timing.write):
            return await handle_due(self._store, tree, wait=self._holds.is_patient(tree.root_id))

    async def _read(self, read: Callable[[], Awaitable[T]]) -> T:
        async with asyncio.timeout(self._timing.read):
            return await read()

    async def _forget(self) -> None:
        """Forget old keys when it is time to: at the start, and then every few minutes."""
        if _now() >= self._forget_at:
            forgotten = await self._read(lambda: forget_expired_keys(self._store.database))
            if forgotten < MOST_FORGOTTEN:
                self._forget_at = _now() + self._timing.forget

    def _fail(self, error: Exception) -> float:
        if not self._backoff.failures:
            log.warning("the timer waits, trying again: %s: %s", type(error).__name__, error)
        return self._backoff.next_delay()

    def _heal(self) -> None:
        if self._backoff.failures:
            log.info("the timer goes on")
            self._backoff.reset()


def _now() -> float:
    return asyncio.get_running_loop().time()
