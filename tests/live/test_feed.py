"""The feed: one reader per process, woken by rings, healed by the sweep (`live.md` B2, B3, H)."""

import asyncio
import logging
import random
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

import pytest

from db.runtime.changes import ChangeKind
from server.live.broadcast import Doorbell, DoorbellStatus, DoorbellTiming
from server.live.feed import Feed, FeedTiming
from server.live.ring import Ring
from server.live.watches import Watch
from tests.live.brokers import RedisServer, UnreliableBroker
from tests.live.ears import Ear
from tests.live.hand_bell import HandBell
from tests.live.journals import MemoryJournal

NEVER = 3600.0
BY_RINGS_ONLY = FeedTiming(sweep=NEVER, poll=NEVER, read=NEVER, first_retry=0.001, longest_retry=0.01)
SWEEPING = FeedTiming(sweep=0.01, poll=NEVER, read=NEVER, first_retry=0.001, longest_retry=0.01)


class House:
    """A feed with its journal and its doorbell."""

    def __init__(self, timing: FeedTiming, page_size: int) -> None:
        self.bell = HandBell()
        self.journal = MemoryJournal()
        # With one reader trees are read in the order of their rings, so that one read proves those before it.
        self.feed = Feed(self.bell, self.journal, timing=timing, page_size=page_size, readers=1)

    async def settle(self) -> None:
        """Return when every ring until now has had its effect."""
        async with self.feed.watch(root_id="last-in-the-queue") as watch:
            self.bell.ring(self.journal.commit("last-in-the-queue"))
            await changed(watch)


@asynccontextmanager
async def house(timing: FeedTiming = BY_RINGS_ONLY, page_size: int = 500) -> AsyncIterator[House]:
    home = House(timing, page_size)
    await home.feed.start()
    try:
        yield home
    finally:
        await home.feed.stop()


async def changed(watch: Watch) -> None:
    async with asyncio.timeout(30):
        await watch.changed()


async def is_woken(watch: Watch) -> bool:
    """Whether `changed` returns at once; takes the wake with it."""
    try:
        async with asyncio.timeout(0):
            await watch.changed()
    except TimeoutError:
        return False
    return True


def reads_of(home: House, root_id: str) -> list[int]:
    return [after for root, after in home.journal.page_reads if root == root_id]


async def test_h1_a_thousand_watches_of_one_tree_are_woken_by_one_read_and_need_no_task() -> None:
    async with house() as home, AsyncExitStack() as stack:
        tasks = asyncio.all_tasks()
        watches = [await stack.enter_async_context(home.feed.watch(root_id="a")) for _ in range(1_000)]
        assert home.journal.revision_reads == [["a"]]
        assert asyncio.all_tasks() == tasks
        home.bell.ring(home.journal.commit("a", "a", "child"))
        for watch in watches:
            await changed(watch)
        assert home.journal.page_reads == [("a", 0)]


async def test_h7_an_executions_watch_is_woken_by_its_own_changes_and_its_steps_only() -> None:
    async with house() as home, AsyncExitStack() as stack:
        tree, one, two = [
            await stack.enter_async_context(home.feed.watch(root_id="a", execution_id=execution_id))
            for execution_id in (None, "one", "two")
        ]
        home.bell.ring(home.journal.commit("a", "one"))
        await changed(tree)
        assert (await is_woken(one), await is_woken(two)) == (True, False)
        home.bell.ring(home.journal.commit("a", "two", step="step of two"))
        await changed(tree)
        assert (await is_woken(one), await is_woken(two)) == (False, True)


async def test_h1_one_tree_does_not_wake_another() -> None:
    async with house() as home, home.feed.watch(root_id="a") as a, home.feed.watch(root_id="b") as b:
        home.bell.ring(home.journal.commit("a"))
        await changed(a)
        assert not await is_woken(b)


async def test_h4_changes_are_conflated_to_one_wake() -> None:
    async with house() as home, home.feed.watch(root_id="a") as watch:
        for _ in range(100):
            home.bell.ring(home.journal.commit("a"))
            await home.settle()
        assert await is_woken(watch)
        assert not await is_woken(watch)


async def test_h7_a_wake_tells_whether_an_execution_may_have_ended() -> None:
    """Only then need a stream look whether its own has; FAILED is no end, for it may be reopened."""
    async with house() as home, home.feed.watch(root_id="a") as watch:
        told = []
        for kinds in (
            (ChangeKind.STEP_COMPLETED,),
            (ChangeKind.STEP_COMPLETED, ChangeKind.EXECUTION_FAILED),
            (ChangeKind.EXECUTION_COMPLETED,),
            (ChangeKind.STEP_STARTED,),
            (ChangeKind.EXECUTION_CANCELLED, ChangeKind.STEP_DISABLED),
        ):
            for kind in kinds:
                home.bell.ring(home.journal.commit("a", kind=kind))
                await home.settle()
            told.append(await watch.changed())
        assert told == [False, False, True, False, True]


async def test_h7_where_rows_are_missing_anything_may_have_ended() -> None:
    async with house() as home, home.feed.watch(root_id="a") as watch:
        home.journal.commit("a", "a", "a", "a")
        del home.journal.trees["a"][:2]
        home.bell.ring(Ring("a", 0, 3))
        assert await watch.changed()


async def test_a_cancelled_wait_takes_no_wake_with_it() -> None:
    async with house() as home, home.feed.watch(root_id="a") as watch:
        waiting = asyncio.create_task(watch.changed())
        await asyncio.sleep(0)
        home.bell.ring(home.journal.commit("a"))
        waiting.cancel()
        await asyncio.wait([waiting])
        await changed(watch)


@pytest.mark.parametrize("order", [(2, 1, 0), (2, 0, 1, 2, 2, 0), (2, 2, 2)])
async def test_doubled_late_and_reordered_rings_cost_nothing(order: tuple[int, ...]) -> None:
    async with house() as home, home.feed.watch(root_id="a") as watch:
        rings = [home.journal.commit("a") for _ in range(3)]
        for number in order:
            home.bell.ring(rings[number])
        await changed(watch)
        await home.settle()
        for number in order:
            home.bell.ring(rings[number])
        await home.settle()
        assert reads_of(home, "a") == [0]
        assert not await is_woken(watch)


async def test_a_ring_heard_twice_while_its_row_is_being_read_is_read_once() -> None:
    async with house() as home, home.feed.watch(root_id="a") as watch:
        ring = home.journal.commit("a")
        home.journal.open.clear()
        home.bell.ring(ring)
        await home.journal.asked(2)
        home.bell.ring(ring)
        home.journal.open.set()
        await changed(watch)
        await home.settle()
        assert reads_of(home, "a") == [0]


async def test_h1_a_ring_heard_while_the_rows_before_it_are_being_read_is_not_lost() -> None:
    async with house() as home, home.feed.watch(root_id="a", execution_id="late") as watch:
        home.journal.open.clear()
        home.bell.ring(home.journal.commit("a", "early"))
        await home.journal.asked(2)
        home.bell.ring(home.journal.commit("a", "late"))
        home.journal.open.set()
        await changed(watch)


async def test_h1_a_gap_is_seen_and_filled_at_once() -> None:
    async with house() as home, home.feed.watch(root_id="a", execution_id="one") as watch:
        home.journal.commit("a", "one")
        home.bell.ring(home.journal.commit("a", "two"))
        await changed(watch)
        assert reads_of(home, "a") == [0]


async def test_h1_a_long_gap_is_read_in_pages() -> None:
    async with house(page_size=10) as home, home.feed.watch(root_id="a", execution_id="last") as watch:
        home.journal.commit("a", *["one"] * 24)
        home.bell.ring(home.journal.commit("a", "last"))
        await changed(watch)
        assert reads_of(home, "a") == [0, 10, 20]


async def test_a_ring_for_a_tree_that_nobody_watches_reads_nothing() -> None:
    async with house() as home:
        home.bell.ring(home.journal.commit("a"))
        await home.settle()
        assert reads_of(home, "a") == []


async def test_a_ring_that_claims_more_than_was_committed_is_not_believed() -> None:
    async with house() as home, home.feed.watch(root_id="a") as watch:
        home.bell.ring(Ring("a", 0, 10**17))
        await home.settle()
        assert reads_of(home, "a") == [0]
        assert not await is_woken(watch)
        home.bell.ring(home.journal.commit("a"))
        await changed(watch)


@pytest.mark.parametrize("known_to_the_position", [False, True])
async def test_h2_a_change_rung_between_attaching_and_reading_the_position_wakes(
    known_to_the_position: bool,
) -> None:
    async with house() as home, AsyncExitStack() as stack:
        home.journal.answers_late = known_to_the_position
        home.journal.open.clear()
        first = asyncio.create_task(stack.enter_async_context(home.feed.watch(root_id="a")))
        await home.journal.asked(1)
        second = asyncio.create_task(stack.enter_async_context(home.feed.watch(root_id="a")))
        await asyncio.sleep(0)
        home.bell.ring(home.journal.commit("a"))
        assert not first.done()
        assert not second.done(), "its snapshot could be older than the position"
        home.journal.open.set()
        await changed(await first)
        await changed(await second)


async def test_h2_a_change_after_entering_wakes_also_who_joined_a_watched_tree() -> None:
    async with house() as home, home.feed.watch(root_id="a"):
        home.bell.ring(home.journal.commit("a"))
        await home.settle()
        async with home.feed.watch(root_id="a") as late:
            assert not await is_woken(late)
            home.bell.ring(home.journal.commit("a"))
            await changed(late)
        assert home.journal.revision_reads.count(["a"]) == 1


async def test_h2_entering_that_is_given_up_leaves_nothing_and_hinders_nobody() -> None:
    async with house() as home, AsyncExitStack() as stack:
        home.journal.open.clear()
        first = asyncio.create_task(stack.enter_async_context(home.feed.watch(root_id="a")))
        await home.journal.asked(1)
        second = asyncio.create_task(stack.enter_async_context(home.feed.watch(root_id="a")))
        first.cancel()
        await asyncio.wait([first])
        home.journal.open.set()
        await second
        assert home.feed.watched_trees == 1


async def test_memory_is_freed_when_the_last_watch_of_a_tree_leaves() -> None:
    async with house() as home:
        for number in range(50):
            async with home.feed.watch(root_id=f"tree-{number}"):
                async with home.feed.watch(root_id=f"tree-{number}", execution_id="one"):
                    assert home.feed.watched_trees == 1
                assert home.feed.watched_trees == 1
        assert home.feed.watched_trees == 0


async def test_a_watch_that_leaves_while_its_tree_is_being_read_is_missed_by_nobody() -> None:
    async with house() as home, AsyncExitStack() as stack:
        async with home.feed.watch(root_id="a"):
            home.journal.open.clear()
            home.bell.ring(home.journal.commit("a"))
            await home.journal.asked(2)
        entering = asyncio.create_task(stack.enter_async_context(home.feed.watch(root_id="a")))
        await home.journal.asked(3)
        home.journal.open.set()
        again = await entering
        home.bell.ring(home.journal.commit("a"))
        await changed(again)


async def test_b3_the_sweep_finds_a_change_whose_ring_was_lost() -> None:
    async with house(SWEEPING) as home, home.feed.watch(root_id="a", execution_id="one") as watch:
        home.journal.commit("a", "one")
        await changed(watch)


async def test_b3_an_idle_sweep_reads_revisions_and_no_rows() -> None:
    async with house(SWEEPING) as home, home.feed.watch(root_id="a"), home.feed.watch(root_id="b"):
        await home.journal.asked(6)
        assert home.journal.revision_reads[-1] == ["a", "b"]
        assert home.journal.page_reads == []


async def test_b3_the_sweep_asks_for_many_trees_in_few_queries() -> None:
    async with house() as home, AsyncExitStack() as stack:
        entering = [stack.enter_async_context(home.feed.watch(root_id=f"{n}")) for n in range(1_200)]
        await asyncio.gather(*entering)
        home.bell.turn(DoorbellStatus.OK)
        await home.journal.asked(6)
        assert [len(ids) for ids in home.journal.revision_reads] == [500, 500, 200] * 2


async def test_b2_while_the_doorbell_is_degraded_it_polls() -> None:
    timing = FeedTiming(sweep=NEVER, poll=0.01, read=NEVER)
    async with house(timing) as home, home.feed.watch(root_id="a") as watch:
        home.bell.turn(DoorbellStatus.DEGRADED)
        for _ in range(3):
            home.journal.commit("a")
            await changed(watch)


@pytest.mark.parametrize("status", DoorbellStatus)
async def test_b2_it_sweeps_at_once_when_the_doorbell_breaks_and_when_it_is_back(
    status: DoorbellStatus,
) -> None:
    async with house() as home, home.feed.watch(root_id="a") as watch:
        home.journal.commit("a")
        home.bell.turn(status)
        await changed(watch)


async def test_an_unreadable_journal_is_tried_again_and_its_outage_logged_once(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async with house() as home, home.feed.watch(root_id="a") as watch:
        with caplog.at_level(logging.INFO):
            home.journal.away = True
            home.bell.ring(home.journal.commit("a"))
            await home.journal.asked(8)
            home.journal.away = False
            await changed(watch)
            await home.settle()
        assert [record.levelname for record in caplog.records] == ["WARNING", "INFO"]
        assert "ConnectionRefusedError: the database is away" in caplog.text


async def test_a_watch_can_begin_while_the_journal_is_away_and_is_woken_when_it_is_back() -> None:
    async with house() as home:
        home.journal.away = True
        async with home.feed.watch(root_id="a", execution_id="one") as watch:
            home.journal.commit("a", "one")
            await home.journal.asked(3)
            home.journal.away = False
            await changed(watch)


async def test_a_tree_that_cannot_be_read_hinders_no_other_and_is_read_when_it_can_be() -> None:
    async with house() as home, home.feed.watch(root_id="a") as a, home.feed.watch(root_id="b") as b:
        home.journal.unreadable.add("a")
        home.bell.ring(home.journal.commit("a"))
        for _ in range(3):
            home.bell.ring(home.journal.commit("b"))
            await changed(b)
        home.journal.unreadable.clear()
        await changed(a)


async def test_a_query_that_hangs_is_given_up_and_asked_again() -> None:
    timing = FeedTiming(sweep=NEVER, poll=NEVER, read=0.05, first_retry=0.001, longest_retry=0.01)
    async with house(timing) as home, home.feed.watch(root_id="a") as watch:
        home.journal.open.clear()
        home.bell.ring(home.journal.commit("a"))
        await home.journal.asked(4)
        home.journal.open.set()
        await changed(watch)


@pytest.mark.parametrize("kept", [0, 1])
async def test_where_rows_were_pruned_everybody_is_woken(kept: int) -> None:
    async with house() as home, home.feed.watch(root_id="a", execution_id="one") as watch:
        home.journal.commit("a", "one", "one")
        ring = home.journal.commit("a", "two")
        revision = home.journal.revision("a")
        home.journal.trees["a"] = home.journal.trees["a"][-1:] if kept else []
        home.journal.revision = lambda root_id: revision  # the tree's row keeps its revision
        home.bell.ring(ring)
        home.bell.turn(DoorbellStatus.OK)
        await changed(watch)


async def test_a_database_put_back_to_an_older_state_wakes_everybody_and_is_followed() -> None:
    async with house() as home:
        home.journal.commit("a", "one", "one", "one")
        async with home.feed.watch(root_id="a", execution_id="one") as watch:
            del home.journal.trees["a"][1:]
            home.bell.turn(DoorbellStatus.OK)
            await changed(watch)
            home.bell.ring(home.journal.commit("a", "one"))
            await changed(watch)


async def test_stopping_leaves_no_task() -> None:
    before = asyncio.all_tasks()
    async with house() as home, home.feed.watch(root_id="a"):
        assert len(asyncio.all_tasks()) > len(before)
    assert asyncio.all_tasks() == before


async def follow(home: House, root_id: str, execution_id: str | None, seen: list[int]) -> None:
    """A subscriber as the schema has it: attach, then read, then read again after every wake (H2)."""
    async with home.feed.watch(root_id=root_id, execution_id=execution_id) as watch:
        while True:
            entries = home.journal.trees.get(root_id, [])
            seen.append(sum(execution_id in (None, entry.execution_id) for entry in list(entries)))
            await watch.changed()


@pytest.mark.parametrize("seed", range(20))
async def test_no_subscriber_misses_a_change_whatever_happens_to_rings_and_reads(seed: int) -> None:
    """Rings lost, doubled, late and reordered, the journal failing, subscribers coming and going."""
    chance = random.Random(seed)  # noqa: S311 – a repeatable shuffle
    async with house(SWEEPING, page_size=3) as home:
        late: list[Ring] = []
        followers: dict[asyncio.Task[None], tuple[str, str | None, list[int]]] = {}
        for _ in range(300):
            root_id, execution_id = chance.choice("ab"), chance.choice([None, "one", "two"])
            if chance.random() < 0.2:
                seen: list[int] = []
                task = asyncio.create_task(follow(home, root_id, execution_id, seen))
                followers[task] = (root_id, execution_id, seen)
            if followers and chance.random() < 0.1:
                task = chance.choice(list(followers))
                del followers[task]
                task.cancel()
                await asyncio.wait([task])
            late += [home.journal.commit(root_id, chance.choice(["one", "two"]))] * chance.randint(0, 2)
            chance.shuffle(late)
            while late and chance.random() < 0.5:
                home.bell.ring(late.pop())
            home.journal.away = chance.random() < 0.2
            for _ in range(chance.randint(0, 5)):
                await asyncio.sleep(0)
        home.journal.away = False
        assert followers
        async with asyncio.timeout(30):
            for root_id, execution_id, seen in followers.values():
                entries = home.journal.trees[root_id]
                total = sum(execution_id in (None, entry.execution_id) for entry in entries)
                while not seen or seen[-1] < total:  # noqa: ASYNC110 – a signal would be the thing under test
                    await asyncio.sleep(0.001)
        for task in followers:
            task.cancel()
        await asyncio.wait(followers)
        assert home.feed.watched_trees == 0


async def test_a_commit_is_seen_live_through_the_doorbell(broker_url: str) -> None:
    doorbell, journal = Doorbell(broker_url), MemoryJournal()
    feed = Feed(doorbell, journal, timing=BY_RINGS_ONLY)
    await doorbell.start()
    await feed.start()
    root_id = f"exec_{random.getrandbits(128):032x}"
    async with feed.watch(root_id=root_id) as watch:
        await doorbell.ring(journal.commit(root_id))
        await changed(watch)
    await feed.stop()
    await doorbell.stop()


@pytest.mark.redis
async def test_b2_two_processes_see_each_other_live_while_the_broker_dies_and_comes_back(
    redis_server: RedisServer,
) -> None:
    fast = DoorbellTiming(heartbeat=0.05, deadline=0.7, first_retry=0.01, longest_retry=0.1)
    timing = FeedTiming(sweep=NEVER, poll=0.02)
    journal = MemoryJournal()
    doorbells = [Doorbell(redis_server.url, timing=fast) for _ in range(2)]
    ears = [Ear(doorbell) for doorbell in doorbells]
    mine, other = [Feed(doorbell, journal, timing=timing) for doorbell in doorbells]
    for part in (*doorbells, mine, other):
        await part.start()
    async with mine.watch(root_id="a") as my_watch, other.watch(root_id="a") as other_watch:
        for breaks, repairs in (
            (redis_server.kill, redis_server.start),
            (redis_server.freeze, redis_server.thaw),
        ):
            for happens in (breaks, repairs):
                happens()
                await doorbells[0].ring(journal.commit("a"))
                await changed(my_watch)
                await changed(other_watch)
            for ear in ears:
                await ear.is_told(DoorbellStatus.DEGRADED, DoorbellStatus.OK)
            await doorbells[0].ring(journal.commit("a"))
            await changed(my_watch)
            await changed(other_watch)
    for part in (mine, other, *doorbells):
        await part.stop()


async def test_b3_a_commit_whose_publish_was_suppressed_is_found_with_a_healthy_broker() -> None:
    broker = UnreliableBroker()
    doorbell, journal = Doorbell(make_backend=broker.make_backend), MemoryJournal()
    feed = Feed(doorbell, journal, timing=SWEEPING)
    await doorbell.start()
    await feed.start()
    async with feed.watch(root_id="a") as watch:
        journal.commit("a")
        await changed(watch)
        assert doorbell.health.status is DoorbellStatus.OK
        assert doorbell.health.heard == 0
    await feed.stop()
    await doorbell.stop()
