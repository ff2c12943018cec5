"""All of a tenant's trees at once: who follows them, and who watches the end of the journal (`live.md` J4, B3, H1)."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

from db.journal import Cursor
from server.live.broadcast import DoorbellStatus
from server.live.feed import Feed, FeedTiming
from server.live.followers import MOST_IDS, Follower
from server.live.ring import Ring
from tests.live.hand_bell import HandBell
from tests.live.journals import MemoryJournal
from tests.live.streaming import BY_RINGS_ONLY, SWEEPING


class House:
    def __init__(self, timing: FeedTiming) -> None:
        self.bell = HandBell()
        self.journal = MemoryJournal()
        self.feed = Feed(self.bell, self.journal, timing=timing)


@asynccontextmanager
async def house(timing: FeedTiming = BY_RINGS_ONLY) -> AsyncIterator[House]:
    home = House(timing)
    await home.feed.start()
    try:
        async with asyncio.timeout(30):
            yield home
    finally:
        await home.feed.stop()


async def told(follower: Follower, *ids: str) -> None:
    """Return when the follower has heard of all of these, and of no others."""
    heard: set[str] = set()
    while heard < set(ids):
        changed = await follower.changed()
        assert changed is not None
        heard |= changed
    assert heard == set(ids)


async def test_who_follows_hears_of_trees_that_nobody_watches_as_soon_as_they_ring() -> None:
    async with house() as home, home.feed.follow("default") as follower:
        home.bell.ring(home.journal.commit("a", "a", "child"))
        await told(follower, "a", "child")
        home.bell.ring(home.journal.commit("b"))
        await told(follower, "b")
        assert home.feed.watched_trees == 0


async def test_a_tree_that_is_watched_is_read_once_for_both() -> None:
    async with (
        house() as home,
        home.feed.follow("default") as follower,
        home.feed.watch(root_id="a") as watch,
    ):
        home.bell.ring(home.journal.commit("a", "a", "child"))
        await told(follower, "a", "child")
        await watch.changed()
        assert home.journal.page_reads == [("a", 0)]


async def test_who_comes_to_a_tree_that_was_only_followed_does_not_believe_the_ring() -> None:
    async with house() as home, home.feed.follow("default") as follower, AsyncExitStack() as stack:
        home.journal.open.clear()
        home.bell.ring(Ring("a", 100, 101))
        entering = asyncio.create_task(stack.enter_async_context(home.feed.watch(root_id="a")))
        await asyncio.sleep(0)
        home.journal.open.set()
        watch = await entering
        home.bell.ring(home.journal.commit("a"))
        await watch.changed()
        await told(follower, "a")


async def test_b3_who_follows_hears_of_a_lost_ring_by_the_sweep() -> None:
    async with house(SWEEPING) as home, home.feed.follow("default") as follower:
        home.journal.commit("a", "a", "child")
        await told(follower, "a", "child")


async def test_b2_it_looks_at_once_when_the_doorbell_breaks() -> None:
    async with house() as home, home.feed.follow("default") as follower:
        home.journal.commit("a")
        home.bell.turn(DoorbellStatus.DEGRADED)
        await told(follower, "a")


async def test_tenants_hear_nothing_of_one_another() -> None:
    async with (
        house(SWEEPING) as home,
        home.feed.follow("default") as mine,
        home.feed.follow("other") as theirs,
    ):
        home.bell.ring(home.journal.commit("a", tenant="other"))
        home.bell.ring(home.journal.commit("b"))
        await told(mine, "b")
        await told(theirs, "a")


async def test_more_ids_than_are_kept_are_any() -> None:
    follower = Follower()
    follower.tell([str(number) for number in range(MOST_IDS)])
    follower.tell(["one more"])
    assert await follower.changed() is None
    follower.tell(["a"])
    assert await follower.changed() == {"a"}


async def test_who_watches_all_is_woken_by_what_is_settled_and_not_before() -> None:
    async with house() as home, home.feed.watch_all("default") as watch:
        home.journal.unsettled = 2
        home.bell.ring(home.journal.commit("a", "a", "b"))
        await watch.changed()
        page = await home.feed.journal_page("default", Cursor(0, 0), "first")
        assert (page.end, page.is_all) == (Cursor(0, 1), False)
        home.journal.unsettled = 99
        await watch.changed()
        page = await home.feed.journal_page("default", Cursor(0, 1), "first")
        assert (page.end, page.is_all) == (Cursor(0, 2), True)


async def test_a_page_is_read_once_for_all_who_watch() -> None:
    async with house() as home, home.feed.watch_all("default") as one, home.feed.watch_all("default") as two:
        home.bell.ring(home.journal.commit("a"))
        await one.changed()
        await two.changed()
        before = len(home.journal.journal_reads)
        pages = [await home.feed.journal_page("default", Cursor(0, 0), "first") for _ in range(9)]
        assert len({id(page) for page in pages}) == 1
        assert len(home.journal.journal_reads) == before + 1


async def test_what_was_committed_while_nobody_was_there_is_not_read_again() -> None:
    async with house() as home:
        async with home.feed.watch_all("default"):
            pass
        home.journal.commit("a")
        async with home.feed.watch_all("default") as watch:
            home.bell.ring(home.journal.commit("b"))
            await watch.changed()
            assert home.journal.journal_reads[-1] == ("default", Cursor(0, 1))


async def test_an_outage_delays_and_loses_nothing() -> None:
    async with (
        house() as home,
        home.feed.watch_all("default") as watch,
        home.feed.follow("default") as follower,
    ):
        home.journal.away = True
        home.bell.ring(home.journal.commit("a"))
        await home.journal.asked(2)
        home.journal.away = False
        await watch.changed()
        await told(follower, "a")


async def test_another_history_may_have_changed_anything() -> None:
    async with (
        house(SWEEPING) as home,
        home.feed.watch_all("default") as watch,
        home.feed.follow("default") as follower,
    ):
        home.journal.history = "second"
        await watch.changed()
        assert await follower.changed() is None


async def test_a_ring_that_tells_nothing_new_of_a_watched_tree_keeps_nothing_of_it() -> None:
    async with house() as home, home.feed.follow("default"):
        async with home.feed.watch(root_id="a") as watch:
            ring = home.journal.commit("a")
            home.bell.ring(ring)
            await watch.changed()
            home.bell.ring(ring)
        assert home.feed.watched_trees == 0


async def test_a_ring_that_was_false_keeps_nothing_though_reading_failed() -> None:
    async with house(SWEEPING) as home, home.feed.follow("default"):
        home.journal.commit("a")
        home.journal.unreadable.add("a")
        home.bell.ring(Ring("a", 1, 9))
        assert home.feed.watched_trees == 1
        async with asyncio.timeout(20):
            while home.feed.watched_trees:  # noqa: ASYNC110 – nothing tells that a tree is forgotten
                await asyncio.sleep(0.001)
