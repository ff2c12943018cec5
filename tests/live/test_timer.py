"""The timer: it sleeps until the next moment, is woken by rings, and is stopped by nothing (`runtime.md` T1, T2, S4)."""

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Mapping
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from db.commands import due as due_commands
from db.commands.outcome import Actor, Committed
from db.commands.step import set_step_due_date
from db.connect import database_for
from db.migrate import migrate
from db.runtime.effects import Decision
from db.runtime.flow import Flow
from db.session import Database, Unavailable
from db.statements import Row, Statement
from db.store import Store
from db.tables import DEFAULT_TENANT
from server.live import holds, timers
from server.live.broadcast import DoorbellStatus
from server.live.ring import Ring
from server.live.timers import Timer, TimerTiming
from server.telemetry.traced_database import TracedDatabase
from tests.contract.graphs import CHILD, TASK, batch, graph
from tests.contract.trees import create, publish, read
from tests.live.hand_bell import HandBell
from tests.recorded_spans import attributes, recorded

NEVER = 3600.0
BY_RINGS_ONLY = TimerTiming(
    longest=NEVER, unheard=NEVER, apart=0.0, read=NEVER, write=NEVER, first_retry=0.001, longest_retry=0.01
)
PAST = datetime(2020, 1, 1, tzinfo=UTC)
ACTOR = Actor(DEFAULT_TENANT)
DATED = graph("child", {"task": {"type": TASK, "dueIn": "PT0.001S"}}, "start task end")
PARENT = graph("parent", {"children": batch("child")}, "start children end")


class Ears:
    """An announcer that remembers, and tells when there is more; what is announced may ring a bell."""

    def __init__(self) -> None:
        self.committed: list[Committed] = []
        self._news = asyncio.Event()

    async def announce(self, committed: Committed) -> None:
        self.committed.append(committed)
        self._news.set()

    async def hear(self, *roots: str) -> None:
        """Return when each of these trees has been announced."""
        await self.until(lambda: set(roots) <= {each.root_id for each in self.committed})

    async def until(self, told: Callable[[], bool]) -> None:
        """Return when what was announced fulfils this."""
        while not told():
            self._news.clear()
            await self._news.wait()


class House:
    """A timer over a database of the test's own."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.bell = HandBell()
        self.ears = Ears()

    def timer(self, timing: TimerTiming = BY_RINGS_ONLY) -> Timer:
        return Timer(self.store, self.ears, self.bell, timing=timing)

    @asynccontextmanager
    async def running(self, timing: TimerTiming = BY_RINGS_ONLY) -> AsyncIterator[Timer]:
        timer = self.timer(timing)
        await timer.start()
        try:
            yield timer
        finally:
            await timer.stop()

    def ring(self) -> None:
        """Somebody has committed something, whatever it is."""
        self.bell.ring(Ring("exec_somebody", 1, 2))

    async def grow(self, count: int) -> list[str]:
        """Trees of one task, which nobody expects to be done."""
        return await create(self.store, DEFAULT_TENANT, "child", count)

    async def expect(self, root: str, moment: datetime = PAST) -> None:
        """Have a tree's task be due at a moment; nobody is told."""
        rows = await read(self.store, DEFAULT_TENANT, journal=False)
        await set_step_due_date(self.store, ACTOR, rows.step(root, "task")["id"], moment)

    async def overdue(self) -> list[str]:
        """The trees of which something was marked, once for each time."""
        rows = await read(self.store, DEFAULT_TENANT)
        return sorted(root for root in rows.journal for _ in rows.kinds(root, "STEP_OVERDUE"))


@pytest.fixture
async def house(served_database_url: str) -> AsyncIterator[House]:
    await migrate(served_database_url)
    async with database_for(served_database_url) as database:
        store = Store(database)
        await publish(store, DEFAULT_TENANT, CHILD)
        yield House(store)


async def test_t2_what_was_missed_is_done_at_once(house: House) -> None:
    roots = await house.grow(3)
    for root in roots:
        await house.expect(root)
    async with house.running():
        await house.ears.hear(*roots)
    assert await house.overdue() == sorted(roots)


async def test_what_it_does_in_a_tree_is_a_trace_and_its_looks_are_none(house: House) -> None:
    roots = await house.grow(2)
    for root in roots:
        await house.expect(root)
    house.store = Store(TracedDatabase(house.store.database))
    with recorded() as kept:
        async with house.running():
            await house.ears.hear(*roots)
        tops = [span for span in kept.all if span.parent is None]
        assert {span.name for span in tops} == {"timer"}
        assert sorted(map(attributes, tops), key=str) == [
            {"stepgraph.timer.root_id": root, "stepgraph.timer.outcome": "done"} for root in sorted(roots)
        ]
        assert all(any(below.name.endswith("INSERT journal") for below in kept.below(each)) for each in tops)


async def test_t2_it_sleeps_until_the_moment_and_not_longer(house: House) -> None:
    """Nothing wakes it, and it does not look by itself."""
    soon, late = await house.grow(2)
    now = datetime.now(UTC)
    await house.expect(soon, now + timedelta(seconds=1))
    await house.expect(late, now + timedelta(hours=1))
    async with house.running():
        await house.ears.hear(soon)
    assert datetime.now(UTC) - now >= timedelta(seconds=1)
    assert await house.overdue() == [soon]


async def test_t2_a_ring_wakes_it(house: House) -> None:
    first, second = await house.grow(2)
    await house.expect(first)
    async with house.running():
        await house.ears.hear(first)
        await house.expect(second)
        house.ring()
        await house.ears.hear(second)


async def test_t2_a_ring_that_is_lost_and_a_clock_that_jumps_are_noticed(house: House) -> None:
    """To move what is due into the past is what a jump of the clock does."""
    (root,) = await house.grow(1)
    await house.expect(root, datetime.now(UTC) + timedelta(hours=1))
    async with house.running(TimerTiming(longest=0.01)):
        await house.expect(root)
        await house.ears.hear(root)


async def test_b2_while_the_doorbell_is_degraded_it_looks_more_often(house: House) -> None:
    (root,) = await house.grow(1)
    async with house.running(TimerTiming(longest=NEVER, unheard=0.01)):
        house.bell.turn(DoorbellStatus.DEGRADED)
        await house.expect(root)
        await house.ears.hear(root)


async def test_t2_many_rings_are_one_look(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    looks = 0
    ask = due_commands.seconds_until_due

    async def counted(*given: Any) -> float | None:
        nonlocal looks
        looks += 1
        return await ask(*given)

    monkeypatch.setattr("server.live.timers.seconds_until_due", counted)
    first, second = await house.grow(2)
    await house.expect(first)
    async with house.running():
        await house.ears.hear(first)
        await house.expect(second)
        before = looks
        for _ in range(10_000):
            house.ring()
        await house.ears.hear(second)
        assert looks <= before + 2, "one may have begun before the rings"


async def test_t2_more_than_is_found_at_a_time_is_done_all_the_same(house: House) -> None:
    more = due_commands.MOST_FOUND + 10
    await publish(house.store, "other", DATED, PARENT)
    (root,) = await create(house.store, "other", "parent", context={"items": list(range(more))})
    async with house.running():
        await house.ears.until(
            lambda: sum(each.revision - each.since for each in house.ears.committed) == more
        )
    assert len((await read(house.store, "other")).kinds(root, "STEP_OVERDUE")) == more


async def test_t2_what_is_left_alone_has_its_turn_though_the_database_takes_its_time(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its time comes after the database was asked for everything else, and before that has answered."""
    monkeypatch.setattr(holds, "FIRST_BROKEN", 0.01)
    seconds_until_due, come_due = timers.seconds_until_due, due_commands.due.come_due
    failures, often = 0, asyncio.Event()

    async def slow(database: Database, held: Collection[str]) -> float | None:
        answer = await seconds_until_due(database, held)
        await asyncio.sleep(2 * (timer._holds.seconds(asyncio.get_running_loop().time()) or 0))
        return answer

    def breaking(flow: Flow, execution_id: str) -> Decision[None]:
        nonlocal failures
        yield from come_due(flow, execution_id)
        failures += 1
        if failures == 4:
            often.set()
        raise ZeroDivisionError("a bug")

    monkeypatch.setattr(timers, "seconds_until_due", slow)
    monkeypatch.setattr(due_commands.due, "come_due", breaking)
    (root,) = await house.grow(1)
    await house.expect(root)
    async with house.running() as timer:
        await often.wait()


async def test_t2_what_cannot_be_done_stops_nothing_else(
    house: House, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """A child in which a bug strikes: its sibling and other trees have their turn, and so has it once the bug is gone."""
    monkeypatch.setattr(holds, "FIRST_BROKEN", 0.01)
    await publish(house.store, "other", DATED, PARENT)
    (parent,) = await create(house.store, "other", "parent", context={"items": [1, 2]})
    broken, fine = (await read(house.store, "other", journal=False)).children(parent, "children")
    (other,) = await house.grow(1)
    await house.expect(other)
    is_broken = True
    failures, often = 0, asyncio.Event()
    come_due = due_commands.due.come_due

    def breaking(flow: Flow, execution_id: str) -> Decision[None]:
        nonlocal failures
        yield from come_due(flow, execution_id)
        if is_broken and execution_id == broken["id"]:
            failures += 1
            if failures == 6:
                often.set()
            raise ZeroDivisionError("a bug")

    monkeypatch.setattr(due_commands.due, "come_due", breaking)
    caplog.set_level(logging.INFO)
    async with house.running():
        await house.ears.hear(parent, other)
        await often.wait()
        kinds = (await read(house.store, "other")).kinds(parent, "STEP_OVERDUE")
        assert [row["execution_id"] for row in kinds] == [fine["id"]]
        is_broken = False
        house.ears.committed.clear()
        await house.ears.hear(parent)
    kinds = (await read(house.store, "other")).kinds(parent, "STEP_OVERDUE")
    assert [row["execution_id"] for row in kinds] == [fine["id"], broken["id"]]
    told = [record for record in caplog.records if record.name.startswith("server.")]
    assert [(record.levelname, parent in record.getMessage()) for record in told] == [
        ("ERROR", True),
        ("INFO", True),
    ]
    assert told[0].exc_info is not None


class Fickle:
    """A database that is away for a while."""

    def __init__(self, database: Any) -> None:
        self._database = database
        self.is_away = False
        self.refused = 0
        self.often = asyncio.Event()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._database, name)

    async def rows(self, statement: Statement, values: Mapping[str, Any]) -> list[Row]:
        return await self._asked(lambda: self._database.rows(statement, values))

    async def transact(self, script: Any) -> Any:
        return await self._asked(lambda: self._database.transact(script))

    async def _asked(self, ask: Callable[[], Awaitable[Any]]) -> Any:
        if self.is_away:
            self.refused += 1
            if self.refused == 5:
                self.often.set()
            raise Unavailable("The database does not answer.")
        return await ask()


async def test_t2_when_the_database_is_back_it_goes_on_by_itself(
    house: House, caplog: pytest.LogCaptureFixture
) -> None:
    (root,) = await house.grow(1)
    await house.expect(root)
    fickle = Fickle(house.store.database)
    fickle.is_away = True
    whole = house.store
    house.store = Store(fickle)  # type: ignore[arg-type]  # a stand-in
    caplog.set_level(logging.INFO)
    async with house.running():
        await fickle.often.wait()
        fickle.is_away = False
        await house.ears.hear(root)
    house.store = whole
    assert await house.overdue() == [root]
    told = [record.getMessage() for record in caplog.records if record.name == "server.live.timers"]
    assert told == [
        "the timer waits, trying again: Unavailable: The database does not answer.",
        "the timer goes on",
    ]


async def test_t2_two_servers_share_what_is_due_and_one_that_is_cut_off_loses_nothing(
    house: House, served_database_url: str
) -> None:
    roots = await house.grow(40)
    for root in roots:
        await house.expect(root)
    async with database_for(served_database_url) as second:
        other = House(Store(second))
        other.ears = house.ears
        cut_off = other.timer()
        async with house.running():
            await cut_off.start()
            await house.ears.until(lambda: len(house.ears.committed) >= 5)
            task: asyncio.Task[None] | None = cut_off._task
            assert task is not None
            task.cancel()
            while await is_missing(house, roots):
                house.ring()
    assert await house.overdue() == sorted(roots)


async def is_missing(house: House, roots: Collection[str]) -> bool:
    """Whether some of the trees were not marked. A commit whose server was cut off is announced by nobody."""
    return len(await house.overdue()) < len(roots)


async def test_o2_once_it_is_stopped_nothing_happens_any_more(house: House) -> None:
    (root,) = await house.grow(1)
    async with house.running():
        pass
    await house.expect(root)
    house.ring()
    assert await house.overdue() == []
    assert [task.get_name() for task in asyncio.all_tasks() if task.get_name().startswith("timer")] == []
