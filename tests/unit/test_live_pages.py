"""Live pages without a database: who shares, when a page is read, what is left when all have gone (`live.md` H6)."""

import asyncio
from collections.abc import Collection, Hashable
from contextlib import AsyncExitStack

import pytest

from db.session import Unavailable
from schema.streams.list_page import ListPage, ListRow
from server.live import live_pages
from server.live.live_pages import LivePage, LivePages
from tests.unit.told_feed import ToldFeed

NEVER = 3600.0
TENANT = "default"


class Reader:
    """A page that the test sets, by its rows' ids and marks; `matching` would come onto it."""

    tenant = TENANT

    def __init__(self, key: Hashable = "page", **rows: int) -> None:
        self.key = key
        self.rows = rows
        self.matching: set[str] = set()
        self.epoch = "first"
        self.reads = 0
        self.checks: list[set[str]] = []
        self.failure: Exception | None = None
        self.may_answer = asyncio.Event()
        self.may_answer.set()
        self._news = asyncio.Event()

    async def page(self) -> tuple[str, tuple[ListRow, ...]]:
        self.reads += 1
        self._news.set()
        found = tuple(ListRow(id_, mark, id_, None, mark) for id_, mark in self.rows.items())
        await self.may_answer.wait()
        if self.failure is not None:
            raise self.failure
        return self.epoch, found

    async def is_touched(self, rows: Collection[ListRow], changed: Collection[str]) -> bool:
        self.checks.append(set(changed))
        self._news.set()
        if self.failure is not None:
            raise self.failure
        return any(row.owner in changed for row in rows) or bool(self.matching & set(changed))

    async def until(self, *, reads: int = 0, checks: int = 0) -> None:
        async with asyncio.timeout(30):
            while self.reads < reads or len(self.checks) < checks:
                self._news.clear()
                await self._news.wait()


def marks(page: ListPage) -> dict[str, int]:
    return {row.id: row.mark for row in page.rows}


async def turned(live: LivePage, seen: ListPage) -> ListPage:
    async with asyncio.timeout(30):
        return await live.after(seen)


async def settle() -> None:
    """Let everything run that can run without new input."""
    for _ in range(20):
        await asyncio.sleep(0)


@pytest.fixture
def feed() -> ToldFeed:
    return ToldFeed(TENANT)


async def test_h6_a_page_is_read_again_when_a_row_of_it_changed_or_another_comes_to_match(
    feed: ToldFeed,
) -> None:
    pages, reader = LivePages(feed, tick=0), Reader(a=1)
    async with pages.open(reader) as live:
        first, _ = await live.now()
        feed.tell("stranger")
        await reader.until(checks=1)
        feed.tell("a")
        await reader.until(reads=2)
        reader.rows = {"b": 1, "a": 1}
        reader.matching = {"b"}
        feed.tell("b", "stranger")
        second = await turned(live, first)
        assert marks(second) == {"b": 1, "a": 1}
        assert (reader.reads, reader.checks) == (3, [{"stranger"}, {"a"}, {"b", "stranger"}])


async def test_h6_a_read_that_finds_nothing_new_wakes_nobody(feed: ToldFeed) -> None:
    pages, reader = LivePages(feed, tick=0), Reader(a=1)
    async with pages.open(reader) as live:
        first, _ = await live.now()
        waiting = asyncio.create_task(live.after(first))
        feed.tell("a")
        await reader.until(reads=2)
        await settle()
        assert not waiting.done()
        reader.rows = {"a": 2}
        feed.tell("a")
        assert marks(await waiting) == {"a": 2}


async def test_h6_when_anything_may_have_changed_the_page_is_read_and_not_asked_about(feed: ToldFeed) -> None:
    pages, reader = LivePages(feed, tick=0), Reader(a=1)
    async with pages.open(reader) as live:
        first, _ = await live.now()
        reader.rows = {}
        feed.followers.tell_any(TENANT)
        assert marks(await turned(live, first)) == {}
        assert reader.checks == []


async def test_h6_however_much_changes_within_a_tick_the_page_is_read_once(feed: ToldFeed) -> None:
    pages, reader = LivePages(feed, tick=NEVER), Reader(a=1)
    async with pages.open(reader) as live:
        await live.now()
        for _ in range(100):
            feed.tell("a")
            await settle()
        assert (reader.reads, reader.checks) == (1, [])


async def test_h6_two_hundred_who_look_at_one_page_cost_one_read_for_a_change(feed: ToldFeed) -> None:
    pages, readers = LivePages(feed, tick=0), [Reader(a=1) for _ in range(200)]
    async with AsyncExitStack() as stack:
        lives = [await stack.enter_async_context(pages.open(reader)) for reader in readers]
        firsts = await asyncio.gather(*(live.now() for live in lives))
        before = sum(reader.reads for reader in readers)
        readers[0].rows = {"a": 2}
        feed.tell("a")
        seen = await asyncio.gather(
            *(turned(live, first) for live, (first, _) in zip(lives, firsts, strict=True))
        )
        assert {id(page) for page in seen} == {id(seen[0])}
        assert (len(pages), before, sum(reader.reads for reader in readers)) == (1, 1, 2)


async def test_h2_who_comes_gets_a_page_that_was_read_after_it_came(feed: ToldFeed) -> None:
    pages, reader = LivePages(feed, tick=0), Reader(a=1)
    async with pages.open(reader) as live, pages.open(Reader()) as joined:
        _, one = await live.now()
        reader.may_answer.clear()
        early = asyncio.create_task(live.now())
        await reader.until(reads=2)
        late = asyncio.create_task(joined.now())
        await settle()
        reader.rows = {"a": 2}
        reader.may_answer.set()
        (page, two), (newer, three) = await early, await late
        assert (marks(page), marks(newer)) == ({"a": 1}, {"a": 2})
        assert one < two < three


async def test_h6_a_joiner_is_no_news_to_the_others(feed: ToldFeed) -> None:
    pages, reader = LivePages(feed, tick=0), Reader(a=1)
    async with pages.open(reader) as live, pages.open(Reader()) as joined:
        first, _ = await live.now()
        page, _ = await joined.now()
        assert page is first
        assert reader.reads == 2


async def test_h6_who_was_away_gets_the_page_as_it_is_and_no_page_in_between(feed: ToldFeed) -> None:
    pages, reader = LivePages(feed, tick=0), Reader(a=1)
    async with pages.open(reader) as live:
        first, _ = await live.now()
        page = first
        for mark in range(2, 10):
            reader.rows = {"a": mark}
            feed.tell("a")
            page = await turned(live, page)
        assert await turned(live, first) is page


async def test_h6_other_keys_are_other_pages(feed: ToldFeed) -> None:
    pages, one, two = LivePages(feed, tick=0), Reader("one", a=1), Reader("two", b=1)
    async with pages.open(one) as first, pages.open(two) as second:
        seen, _ = await first.now()
        await second.now()
        one.rows = {"a": 2}
        feed.tell("a")
        await turned(first, seen)
        await two.until(checks=1)
        assert (len(pages), one.reads, two.reads) == (2, 2, 1)


async def test_j5_another_history_is_another_page_though_its_rows_look_the_same(feed: ToldFeed) -> None:
    pages, reader = LivePages(feed, tick=0), Reader(a=1)
    async with pages.open(reader) as live:
        first, _ = await live.now()
        reader.epoch = "second"
        feed.followers.tell_any(TENANT)
        assert (await turned(live, first)).epoch == "second"


async def test_the_last_who_looks_takes_everything_along(feed: ToldFeed) -> None:
    pages, reader, tasks = LivePages(feed, tick=0), Reader(a=1), asyncio.all_tasks()
    async with pages.open(reader) as live:
        async with pages.open(Reader()) as other:
            await other.now()
        await live.now()
        assert (len(pages), bool(feed.followers)) == (1, True)
    assert (len(pages), bool(feed.followers), asyncio.all_tasks()) == (0, False, tasks)


async def test_leaving_while_the_page_is_read_leaves_nothing_behind(feed: ToldFeed) -> None:
    pages, reader, tasks = LivePages(feed, tick=0), Reader(a=1), asyncio.all_tasks()
    reader.may_answer.clear()
    async with pages.open(reader) as live:
        waiting = asyncio.create_task(live.now())
        await reader.until(reads=1)
        waiting.cancel()
        await asyncio.wait([waiting])
    assert (len(pages), bool(feed.followers), asyncio.all_tasks()) == (0, False, tasks)


async def test_a_database_that_is_away_only_delays(feed: ToldFeed, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live_pages, "FIRST_RETRY", 0.001)
    pages, reader = LivePages(feed, tick=0), Reader(a=1)
    async with pages.open(reader) as live:
        first, _ = await live.now()
        reader.rows, reader.failure = {"a": 2}, Unavailable("away")
        feed.tell("stranger")
        # The question was not answered, so that the page is read to be sure.
        await reader.until(checks=1, reads=4)
        reader.failure = None
        assert marks(await turned(live, first)) == {"a": 2}


async def test_what_fails_otherwise_fails_for_all_and_who_comes_then_begins_anew(feed: ToldFeed) -> None:
    pages, reader = LivePages(feed, tick=0), Reader(a=1)
    async with pages.open(reader) as live:
        first, _ = await live.now()
        reader.failure = RuntimeError("broken")
        feed.tell("a")
        with pytest.raises(RuntimeError, match="broken"):
            await turned(live, first)
        with pytest.raises(RuntimeError, match="broken"):
            await live.now()
        async with pages.open(Reader(a=3)) as again:
            page, _ = await again.now()
            assert marks(page) == {"a": 3}
        assert len(pages) == 0
    assert len(pages) == 0
