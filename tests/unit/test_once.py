"""Work that several want is done once, and its results are kept within bounds."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from server.once import Once


class Work:
    """Makes texts when it is told to, and counts how often it began."""

    def __init__(self) -> None:
        self.begun = 0
        self.may_end = asyncio.Event()
        self.failure: Exception | None = None

    def of(self, text: str) -> Callable[[], Awaitable[str]]:
        async def do() -> str:
            self.begun += 1
            await self.may_end.wait()
            if self.failure:
                raise self.failure
            return text

        return do


async def begun(*tasks: "asyncio.Task[str]") -> None:
    for _ in range(5):
        await asyncio.sleep(0)


async def test_who_asks_meanwhile_and_who_asks_later_get_the_same_result() -> None:
    once, work = Once[str](room=10), Work()
    first, second = (asyncio.create_task(once.get("a", work.of("made"))) for _ in range(2))
    await begun(first, second)
    work.may_end.set()
    assert await first is await second
    assert await once.get("a", work.of("other")) == "made"
    assert work.begun == 1


async def test_who_is_cancelled_leaves_the_work_to_the_others() -> None:
    once, work = Once[str](room=10), Work()
    first, second = (asyncio.create_task(once.get("a", work.of("made"))) for _ in range(2))
    await begun(first, second)
    first.cancel()
    work.may_end.set()
    assert await second == "made"
    assert work.begun == 1


async def test_a_failure_is_told_to_all_who_wait_and_not_kept() -> None:
    once, work = Once[str](room=10), Work()
    work.failure = ValueError("no")
    tasks = [asyncio.create_task(once.get("a", work.of("made"))) for _ in range(2)]
    await begun(*tasks)
    work.may_end.set()
    for task in tasks:
        with pytest.raises(ValueError, match="no"):
            await task
    work.failure = None
    assert await once.get("a", work.of("made")) == "made"
    assert work.begun == 2


async def test_the_oldest_results_go_when_there_is_no_room_and_the_newest_stays_whatever_it_weighs() -> None:
    once, work = Once[str](room=4, weigh=len), Work()
    work.may_end.set()
    for key, text in (("a", "aa"), ("b", "bb"), ("c", "c" * 9)):
        await once.get(key, work.of(text))
    assert work.begun == 3
    assert await once.get("c", work.of("again")) == "c" * 9
    assert await once.get("b", work.of("b2")) == "b2"
    assert await once.get("c", work.of("c2")) == "c2"
    assert work.begun == 5


async def test_closing_stops_what_is_being_done() -> None:
    once, work = Once[str](room=4), Work()
    waiting = asyncio.create_task(once.get("a", work.of("made")))
    await begun(waiting)
    once.close()
    with pytest.raises(asyncio.CancelledError):
        await waiting
