"""Claims that wait for work are woken by what others commit, in this process and in another (`runtime.md` T3)."""

import asyncio
from typing import Any

import pytest

from db.commands.outcome import Actor
from db.commands.step import release_step
from db.store import Store
from server.live import waiting_claims
from tests.api import Api
from tests.contract.claims import ONE, let_pass
from tests.live.brokers import RedisServer
from tests.live.processes import Process, process, processes

CLAIM = """
  mutation ($input: ClaimStepsInput!) {
    claimSteps(input: $input) { ... on ClaimSuccess { claimed { claimToken step { id claim { worker } } } } }
  }
"""


@pytest.fixture(autouse=True)
def only_the_feed_wakes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(waiting_claims, "INTERVAL", 3600.0)


async def claim(api: Api, worker: str = "ann", **given: Any) -> list[Any]:
    data = await api.data(CLAIM, input={"worker": worker, "waitSeconds": 30, **given})
    claimed: list[Any] = data["claimSteps"]["claimed"]
    return claimed


async def wait(running: Process, *workers: str, **given: Any) -> list["asyncio.Task[list[Any]]"]:
    """Workers who wait by now, in this order."""
    tasks = []
    for number, worker in enumerate(workers, start=1):
        tasks.append(asyncio.create_task(claim(running.api, worker, **given)))
        while len(running.work) < number:  # noqa: ASYNC110  # nobody is told who stands in line
            await asyncio.sleep(0)
    return tasks


async def test_a_claim_that_waits_gets_the_step_that_begins_to(store: Store, tenant: str) -> None:
    async with process(store, tenant) as running:
        await running.api.publish(ONE, key="one")
        (waiting,) = await wait(running, "ann", stepIds=["task"])
        execution = await running.api.start("one")
        ((claimed),) = await waiting
        assert claimed["step"]["id"] in {each["id"] for each in execution["steps"]}
        assert claimed["step"]["claim"] == {"worker": "ann"}


async def test_what_is_released_goes_to_who_waits(store: Store, tenant: str) -> None:
    async with process(store, tenant) as running:
        await running.api.publish(ONE, key="one")
        await running.api.start("one")
        ((held),) = await claim(running.api)
        (waiting,) = await wait(running, "bob")
        released = await release_step(store, Actor(tenant), held["step"]["id"], held["claimToken"], None)
        await running.api.context.announcer.announce(released)
        assert [each["step"]["claim"]["worker"] for each in await waiting] == ["bob"]


async def test_a_lease_that_passes_is_found_though_nobody_marks_it(
    store: Store, tenant: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with process(store, tenant) as running:
        await running.api.publish(ONE, key="one")
        await running.api.start("one")
        ((held),) = await claim(running.api)
        monkeypatch.setattr(waiting_claims, "INTERVAL", 0.0)
        (waiting,) = await wait(running, "bob")
        await let_pass(store, held["step"]["id"])
        assert [each["step"]["claim"]["worker"] for each in await waiting] == ["bob"]


@pytest.mark.redis
async def test_those_who_wait_in_two_processes_share_what_comes(
    store: Store, tenant: str, redis_server: RedisServer
) -> None:
    async with processes(store, tenant, redis_server.url, redis_server.url) as (first, second):
        await first.api.publish(ONE, key="one")
        waiting = [*await wait(first, "ann", "bob"), *await wait(second, "carl", "dora")]
        for _ in range(4):
            await first.api.start("one")
        claimed = [each for claims in await asyncio.gather(*waiting) for each in claims]
        assert sorted(each["step"]["claim"]["worker"] for each in claimed) == ["ann", "bob", "carl", "dora"]
        assert len({each["step"]["id"] for each in claimed}) == 4


async def test_waiting_ends_when_the_process_is_about_to(store: Store, tenant: str) -> None:
    async with process(store, tenant) as running:
        waiting = await wait(running, "ann", "bob")
        running.work.close()
        assert await asyncio.gather(*waiting) == [[], []]
