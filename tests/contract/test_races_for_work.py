"""Many workers at one queue, and heartbeats that meet the end of their lease (`runtime.md` T3)."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Awaitable
from contextlib import asynccontextmanager
from typing import Any

import asyncpg
import pytest

from db.commands.candidates import Wanted
from db.commands.claiming import claim_steps, heartbeat_step
from db.commands.outcome import Actor
from db.commands.step import complete_step
from db.runtime.claims import ClaimTerms
from db.runtime.errors import ClaimLost
from db.store import Store
from tests.contract.claims import claimed, ids, let_pass, oldest, waiting
from tests.contract.graphs import TASK, batch, graph
from tests.contract.locks import blocked
from tests.contract.tables import STEPS, row_by_id
from tests.contract.trees import assert_whole, create, outcome, publish, read

WORKERS = 50
Rivals = tuple[Store, Store]
CROWD = graph("crowd", {"all": batch("child", "[1..120]")}, "start all end")


async def work(store: Store, tenant: str, worker: str) -> list[str]:
    """Claim and complete one step after another until nothing is left."""
    done = []
    while found := await claimed(store, tenant, worker):
        ((claim),) = found
        await complete_step(store, Actor(tenant), claim["claimed_id"], None, token=claim["claim_token"])
        done.append(claim["claimed_id"])
    return done


async def all_at_work(rivals: Rivals, tenant: str) -> list[str]:
    """What all workers have completed, half of them through each store."""
    workers = (work(rivals[number % 2], tenant, f"worker-{number}") for number in range(WORKERS))
    return [step for steps in await asyncio.gather(*workers) for step in steps]


async def test_each_of_many_trees_steps_is_handed_to_one_worker(rivals: Rivals, tenant: str) -> None:
    await waiting(rivals[0], tenant, "one", 0)
    await create(rivals[0], tenant, "one", 200)
    steps = await oldest(rivals[0], tenant)
    assert Counter(await all_at_work(rivals, tenant)) == Counter(steps)
    rows = await read(rivals[0], tenant)
    assert {each["runtime_status"] for each in rows.executions.values()} == {"Completed"}
    assert_whole(rows)


async def test_each_step_of_one_great_tree_is_handed_to_one_worker(rivals: Rivals, tenant: str) -> None:
    await publish(rivals[0], tenant, graph("child", {"task": TASK}, "start task end"), CROWD)
    (root,) = await create(rivals[0], tenant, "crowd")
    waits = [each["id"] for each in (await read(rivals[0], tenant)).attempts.values() if each["type"] == TASK]
    assert Counter(await all_at_work(rivals, tenant)) == Counter(waits)
    rows = await read(rivals[0], tenant)
    assert rows.executions[root]["runtime_status"] == "Completed"
    assert len(rows.kinds(root, "STEP_CLAIMED")) == len(waits) == 120
    assert_whole(rows)


async def test_of_many_who_want_the_same_step_one_gets_it(rivals: Rivals, tenant: str) -> None:
    (step,) = await waiting(rivals[0], tenant, "one", 1)
    claims = (ids(rivals[number % 2], tenant, worker=f"worker-{number}") for number in range(WORKERS))
    assert sorted(await asyncio.gather(*claims)) == [[]] * (WORKERS - 1) + [[step]]
    assert_whole(await read(rivals[0], tenant))


async def test_of_many_who_want_a_step_whose_lease_has_passed_one_gets_it(
    rivals: Rivals, tenant: str
) -> None:
    (step,) = await waiting(rivals[0], tenant, "one", 1)
    await claimed(rivals[0], tenant, "stopped")
    await let_pass(rivals[0], step)
    claims = (ids(rivals[number % 2], tenant, worker=f"worker-{number}") for number in range(WORKERS))
    assert sorted(await asyncio.gather(*claims)) == [[]] * (WORKERS - 1) + [[step]]
    assert_whole(await read(rivals[0], tenant))


@pytest.mark.postgresql
@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
async def test_a_tree_at_which_somebody_is_is_passed_by_and_waited_for_where_there_is_no_other(
    rivals: Rivals, tenant: str, raw_postgresql: asyncpg.Connection
) -> None:
    first, second = await waiting(rivals[0], tenant, "one", 2)
    root = (await row_by_id(rivals[0].database, STEPS, first))["root_id"]
    async with raw_postgresql.transaction():
        await raw_postgresql.execute("select from workflow_execution where id = $1 for update", root)
        assert await ids(rivals[0], tenant) == [second]
        late = asyncio.create_task(ids(rivals[0], tenant))
        await blocked(raw_postgresql)
    assert await late == [first]


@asynccontextmanager
async def heartbeat_under_way(connection: asyncpg.Connection, step: str) -> AsyncIterator[None]:
    """A heartbeat that has extended the lease and has not committed yet."""
    async with connection.transaction():
        await connection.execute(
            "update step_execution set lease_expires_at = clock_timestamp() + interval '1 hour' where id = $1",
            step,
        )
        yield


@pytest.mark.postgresql
@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
@pytest.mark.parametrize("how", ["claim", "complete"])
async def test_a_heartbeat_that_was_admitted_is_not_lost_to_who_took_its_lease_for_passed(
    rivals: Rivals, tenant: str, raw_postgresql: asyncpg.Connection, how: str
) -> None:
    """It has extended the lease and not committed yet, while another finds that the lease has passed."""
    store = rivals[0]
    (step,) = await waiting(store, tenant, "one", 1)
    (claim,) = await claimed(store, tenant)
    await let_pass(store, step)
    async with heartbeat_under_way(raw_postgresql, step):
        if how == "claim":
            rival: Awaitable[Any] = claim_steps(store, Actor(tenant), Wanted(), 1, ClaimTerms("bob", 60))
        else:
            rival = complete_step(store, Actor(tenant), step, None)
        other = asyncio.create_task(outcome(rival))
        await blocked(raw_postgresql)
    came = await other
    assert isinstance(came, ClaimLost) if how == "complete" else came.claimed == []
    await complete_step(store, Actor(tenant), step, None, token=claim["claim_token"])


@pytest.mark.postgresql
@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
async def test_a_heartbeat_that_waits_for_who_ends_its_claim_is_told_so(
    rivals: Rivals, tenant: str, raw_postgresql: asyncpg.Connection
) -> None:
    store = rivals[0]
    (step,) = await waiting(store, tenant, "one", 1)
    (claim,) = await claimed(store, tenant)
    async with raw_postgresql.transaction():
        await raw_postgresql.execute(
            "update step_execution set claim_worker = 'bob', claim_token = 'other' where id = $1", step
        )
        beat = asyncio.create_task(
            outcome(heartbeat_step(store, Actor(tenant), step, claim["claim_token"], 60))
        )
        await blocked(raw_postgresql)
    came = await beat
    assert isinstance(came, ClaimLost)
    assert came.claim is not None
    assert came.claim.worker == "bob"


@pytest.mark.postgresql
@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
async def test_a_completion_waits_for_a_heartbeat_of_its_own_claim(
    rivals: Rivals, tenant: str, raw_postgresql: asyncpg.Connection
) -> None:
    store = rivals[0]
    (step,) = await waiting(store, tenant, "one", 1)
    (claim,) = await claimed(store, tenant)
    async with heartbeat_under_way(raw_postgresql, step):
        completion = complete_step(store, Actor(tenant), step, None, token=claim["claim_token"])
        done = asyncio.create_task(completion)
        await blocked(raw_postgresql)
    await done
    assert (await row_by_id(store.database, STEPS, step))["status"] == "Completed"
    assert_whole(await read(store, tenant))
