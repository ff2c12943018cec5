"""`cancelWorkflowExecutions` and `retrySteps`: once under a key (I4), beside others, within the time of an operation."""

import asyncio
from itertools import count
from typing import Any

import asyncpg
import pytest

from db.commands.outcome import Actor
from db.commands.step import complete_step
from db.connect import database_for
from db.runtime.statuses import ExecutionStatus
from db.store import Store
from tests.api import Api
from tests.contract.bulk import (
    ONE,
    PARENT,
    ROOTS,
    broken_after,
    cancel,
    cancel_by_clock,
    concerned,
    counts,
    document,
    failed,
    made,
    retry,
    rows,
    statuses,
    tenant_of,
)
from tests.contract.graphs import CHILD
from tests.contract.locks import blocked
from tests.contract.trees import assert_whole, publish

KEY = "an idempotency key"


async def test_a_repeat_answers_what_the_first_did_and_does_nothing(api: Api) -> None:
    await made(api, "parent", 2, CHILD, PARENT)
    first = await cancel(api, ROOTS, limit=1, idempotencyKey=KEY)
    assert counts(first) == (2, 1, 1)
    before = await rows(api)
    again = await cancel(api, ROOTS, limit=1, idempotencyKey=KEY)
    assert again == first
    assert await rows(api) == before
    # What remains is counted anew.
    assert counts(await cancel(api, ROOTS, limit=1)) == (1, 1, 0)
    assert counts(await cancel(api, ROOTS, limit=1, idempotencyKey=KEY)) == (2, 1, 0)


async def test_the_key_with_another_input_is_an_issue(api: Api) -> None:
    await made(api, "one", 3, ONE)
    await cancel(api, ROOTS, limit=1, idempotencyKey=KEY)
    others: list[Any] = [{"where": {}}, {"limit": 2}, {"reason": "Another"}]
    for other in others:
        given = {"where": ROOTS, "limit": 1, **other}
        answer = await cancel(api, **given, idempotencyKey=KEY)
        assert answer["__typename"] == "ValidationFailed"
        assert answer["issues"] == [
            {"code": "IDEMPOTENCY_CONFLICT", "severity": "ERROR", "path": "/idempotencyKey"}
        ]
    assert (await retry(api, idempotencyKey=KEY))["__typename"] == "ValidationFailed"
    assert counts(await cancel(api, dryRun=True)) == (2, 0, 2)


async def test_what_did_nothing_is_not_kept(api: Api) -> None:
    await publish(api.store, tenant_of(api), ONE)
    assert counts(await cancel(api, idempotencyKey=KEY)) == (0, 0, 0)
    await made(api, "one", 1)
    assert counts(await cancel(api, idempotencyKey=KEY)) == (1, 1, 0)


async def test_a_call_that_broke_off_is_told_as_far_as_it_came(api: Api) -> None:
    """The key is looked up by one transaction, then there is one for each tree: it breaks in the third of five."""
    ids = await made(api, "one", 5, ONE)
    broken = broken_after(api, transactions=1 + 2)
    answer = await broken.run(
        document("cancelWorkflowExecutions"), {"input": {"where": {}, "idempotencyKey": KEY}}
    )
    assert answer["errors"]
    # What was committed was told to everybody.
    assert [each.root_id for each in broken.announcer.committed] == ids[:2]
    again = await cancel(api, idempotencyKey=KEY)
    assert (counts(again), concerned(again)) == ((5, 2, 3), ids[:2])
    assert [each["changeCount"] for each in again["results"]] == [2, 2]
    rest = await cancel(api)
    assert (counts(rest), concerned(rest)) == ((3, 3, 0), ids[2:])
    assert_whole(await rows(api))


async def test_the_same_key_at_the_same_time_is_done_once(api: Api) -> None:
    """Whoever comes second tells what the first has done so far, and has done nothing itself."""
    await failed(api, 12)
    answers = await asyncio.gather(*(retry(api, limit=10, idempotencyKey=KEY) for _ in range(4)))
    again = await retry(api, limit=10, idempotencyKey=KEY)
    assert counts(again) == (12, 10, 2)
    for answer in answers:
        assert answer["done"] <= 10
        assert answer["results"] == again["results"][: len(answer["results"])]
    seen = await rows(api)
    assert sorted(step["task"]["attempt"] for step in seen.current.values()) == [1, 1, *[2] * 10]
    assert_whole(seen)


async def test_two_servers_with_one_key_do_it_once(rivals: tuple[Store, Store], tenant: str) -> None:
    first, second = (Api(store, tenant) for store in rivals)
    await made(first, "parent", 8, CHILD, PARENT)
    answers = await asyncio.gather(*(cancel(api, ROOTS, idempotencyKey=KEY) for api in (first, second) * 2))
    whole = await cancel(first, ROOTS, idempotencyKey=KEY)
    assert counts(whole) == (8, 8, 0)
    assert max(answer["done"] for answer in answers) == 8
    for answer in answers:
        assert answer["results"] == whole["results"][: len(answer["results"])]
    assert_whole(await rows(first))


@pytest.mark.postgresql
async def test_a_tree_that_somebody_holds_is_waited_for_and_no_other_is(
    postgresql_url: str, raw_postgresql: asyncpg.Connection, tenant: str
) -> None:
    """While it waits for the second tree, the first is done and the third is anybody's."""
    async with database_for(postgresql_url) as database:
        api = Api(Store(database), tenant)
        first, second, third = await made(api, "one", 3, ONE)
        async with raw_postgresql.transaction():
            await raw_postgresql.execute("select from workflow_execution where id = $1 for update", second)
            calling = asyncio.create_task(cancel(api))
            await blocked(raw_postgresql)
            assert statuses(await rows(api))[first] is ExecutionStatus.CANCELLED
            task = (await rows(api)).step(third, "task")["id"]
            await complete_step(api.store, Actor(tenant), task, None)
        answer = await calling
        assert counts(answer) == (3, 2, 0)
        assert [each["__typename"] for each in answer["results"]][2] == "InvalidTransition"


async def test_two_calls_at_the_same_time_do_each_thing_once(api: Api) -> None:
    await made(api, "one", 12, ONE)
    one, two = await asyncio.gather(cancel(api), cancel(api))
    assert one["done"] + two["done"] == 12
    seen = await rows(api)
    assert set(statuses(seen).values()) == {ExecutionStatus.CANCELLED}
    assert_whole(seen)


# Time.


async def test_it_ends_early_when_half_of_the_operations_time_has_gone(api: Api) -> None:
    """The clock is looked at to begin with and after each tree, and goes ten seconds with every look."""
    ids = await made(api, "one", 6, ONE)
    clock = count(0, 10)
    answer = await cancel_by_clock(api, lambda: next(clock), limit=20, idempotencyKey=KEY)
    assert (counts(answer), concerned(answer)) == ((6, 3, 3), ids[:3])
    assert counts(await cancel(api, limit=20, idempotencyKey=KEY)) == (6, 3, 3)
    # Where there is no time left at all there is progress all the same.
    clock = count(0, 60)
    assert counts(await cancel_by_clock(api, lambda: next(clock), limit=20)) == (3, 1, 2)
