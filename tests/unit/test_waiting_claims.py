"""Waiting for work without a database: who looks and when, and what ends it (`runtime.md` T3)."""

import asyncio

import pytest

from db.session import Unavailable
from schema.context import never
from server.live import waiting_claims
from server.live.waiting_claims import WaitingClaims
from tests.unit.told_feed import ToldFeed

LONG = 3600.0
TENANT = "tenant"


class Queue:
    """So much work, and those who wait for it."""

    def __init__(self) -> None:
        self.feed = ToldFeed(TENANT)
        self.waiting = WaitingClaims(self.feed)  # type: ignore[arg-type]  # all that it needs of a feed
        self.work: list[str] = []
        self.looks: list[str] = []
        self.looked = asyncio.Event()
        self.failure: Exception | None = None
        self.may_answer = asyncio.Event()
        self.may_answer.set()

    def worker(self, name: str, key: str = "all", seconds: float = LONG) -> "asyncio.Task[str | None]":
        """Somebody who waits for work."""
        return asyncio.create_task(self.waiting.wait(key, TENANT, lambda: self.look(name), seconds, never))

    async def look(self, name: str) -> str | None:
        self.looks.append(name)
        self.looked.set()
        await self.may_answer.wait()
        if self.failure is not None:
            raise self.failure
        return self.work.pop(0) if self.work else None

    async def seen(self, count: int) -> None:
        """Return once they have looked so often."""
        while len(self.looks) < count:
            self.looked.clear()
            await self.looked.wait()

    def add(self, *work: str) -> None:
        self.work += work
        self.feed.tell("execution")


@pytest.fixture
def queue(monkeypatch: pytest.MonkeyPatch) -> Queue:
    """One that nobody looks at but for a change."""
    monkeypatch.setattr(waiting_claims, "INTERVAL", LONG)
    return Queue()


async def test_who_waits_looks_once_it_is_attached_and_then_after_a_change(queue: Queue) -> None:
    ann = queue.worker("ann")
    await queue.seen(1)
    queue.add("a")
    assert await ann == "a"
    assert queue.looks == ["ann", "ann"]
    assert len(queue.waiting) == 0


async def test_however_many_wait_one_of_them_looks(queue: Queue) -> None:
    workers = [queue.worker(str(number)) for number in range(100)]
    await queue.seen(1)
    queue.add()
    await queue.seen(2)
    assert queue.looks == ["0", "0"]
    queue.waiting.close()
    assert await asyncio.gather(*workers) == [None] * 100


async def test_who_gets_something_lets_the_next_one_look_in_the_order_in_which_they_came(
    queue: Queue,
) -> None:
    workers = [queue.worker(name) for name in "abcde"]
    await queue.seen(1)
    queue.add("1", "2", "3")
    assert [await worker for worker in workers[:3]] == ["1", "2", "3"]
    await queue.seen(5)
    assert queue.looks == ["a", "a", "b", "c", "d"]
    queue.add("4", "5")
    assert [await worker for worker in workers[3:]] == ["4", "5"]


async def test_those_who_want_something_else_look_by_themselves(queue: Queue) -> None:
    workers = [queue.worker("ann", "forms"), queue.worker("bob", "tasks")]
    await queue.seen(2)
    assert sorted(queue.looks) == ["ann", "bob"]
    queue.add("a", "b")
    assert sorted(filter(None, await asyncio.gather(*workers))) == ["a", "b"]


async def test_waiting_ends_with_nothing_when_its_time_is_over(queue: Queue) -> None:
    assert await queue.worker("ann", seconds=0.001) is None
    assert len(queue.waiting) == 0


async def test_waiting_ends_when_the_process_is_about_to(queue: Queue) -> None:
    ann = queue.worker("ann")
    await queue.seen(1)
    queue.waiting.close()
    assert await ann is None
    assert await queue.worker("bob") is None


async def test_a_client_that_has_left_is_handed_nothing(queue: Queue) -> None:
    gone = asyncio.Event()

    async def left() -> None:
        await gone.wait()

    ann = asyncio.create_task(queue.waiting.wait("all", TENANT, lambda: queue.look("ann"), LONG, left))
    await queue.seen(1)
    bob = queue.worker("bob")
    gone.set()
    assert await ann is None
    queue.add("a")
    assert await bob == "a"


async def test_what_is_being_claimed_at_the_end_is_answered(queue: Queue) -> None:
    queue.work.append("a")
    queue.may_answer.clear()
    ann = queue.worker("ann")
    await queue.seen(1)
    queue.waiting.close()
    for _ in range(10):
        await asyncio.sleep(0)  # until it has heard of it
    assert not ann.done()
    queue.may_answer.set()
    assert await ann == "a"


async def test_who_fails_is_told_and_the_next_one_looks(queue: Queue) -> None:
    queue.failure = Unavailable("The database does not answer.")
    queue.may_answer.clear()
    ann, bob = queue.worker("ann"), queue.worker("bob")
    await queue.seen(1)
    queue.may_answer.set()
    with pytest.raises(Unavailable):
        await ann
    with pytest.raises(Unavailable):
        await bob
    queue.failure = None
    queue.work.append("a")
    assert await queue.worker("carl") == "a"
