"""An operation's time, and what is still running when it has ended."""

import asyncio

import pytest

from schema.allowance import Allowance


async def test_what_entered_and_still_runs_at_the_end_is_cancelled() -> None:
    allowance, begun = Allowance(), asyncio.Event()

    async def for_ever() -> None:
        allowance.enter()
        begun.set()
        await asyncio.Event().wait()

    task = asyncio.create_task(for_ever())
    await allowance.within(60, begun.wait())
    assert task.cancelled()


async def test_what_waits_at_the_end_is_cancelled_too() -> None:
    allowance, begun = Allowance(), asyncio.Event()

    async def waiting() -> None:
        allowance.enter()
        with allowance.uncounted():
            begun.set()
            await asyncio.Event().wait()

    task = asyncio.create_task(waiting())
    await allowance.within(60, begun.wait())
    assert task.cancelled()


async def test_the_operations_own_task_is_not() -> None:
    allowance = Allowance()

    async def entering() -> str:
        allowance.enter()
        return "done"

    assert await allowance.within(60, entering()) == "done"
    await asyncio.sleep(0)


async def test_without_a_limit_waiting_is_just_waiting() -> None:
    with Allowance().uncounted():
        await asyncio.sleep(0)


async def test_the_limit_is_told_as_a_timeout() -> None:
    with pytest.raises(TimeoutError):
        await Allowance().within(0, asyncio.Event().wait())


def test_half_of_the_time_is_spent_when_it_has_passed_by_the_clock() -> None:
    now = 100.0
    allowance = Allowance(lambda: now)
    assert not allowance.is_half_spent, "nobody said how much there is"
    allowance.begin(10)
    now = 104.9
    assert not allowance.is_half_spent
    now = 105.0
    assert allowance.is_half_spent
