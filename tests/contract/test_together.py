"""Group commit: commands of one tree that come together are carried out together, each as if it came alone."""

import asyncio
from dataclasses import replace
from itertools import pairwise
from typing import Any

import pytest

from db.commands import step
from db.commands.guards import Guard, Once
from db.commands.outcome import Actor, Committed
from db.connect import database_for
from db.lanes import Lanes
from db.runtime.errors import IdempotencyConflict, InvalidTransition, NotFound
from db.session import Database
from db.store import Store
from tests.api import Api
from tests.contract.commands import ids_of, run_of
from tests.contract.tables import journal_of

WIDTH = 40


def fan(width: int) -> dict[str, Any]:
    """A parallel split into so many tasks, and their join."""
    tasks = [f"t{number}" for number in range(width)]
    return {
        "id": "fan",
        "name": "Fan",
        "steps": [
            {"id": "start", "type": "start", "name": "Start"},
            {"id": "split", "type": "gateway.parallel_split", "name": "Split"},
            *({"id": task, "type": "sys.task", "name": task} for task in tasks),
            {"id": "join", "type": "gateway.parallel_join", "name": "Join"},
            {"id": "end", "type": "end", "name": "End"},
        ],
        "stepTransitions": [
            {"id": "first", "fromStepId": "start", "toStepId": "split"},
            *({"id": f"to-{task}", "fromStepId": "split", "toStepId": task} for task in tasks),
            *({"id": f"of-{task}", "fromStepId": task, "toStepId": "join"} for task in tasks),
            {"id": "last", "fromStepId": "join", "toStepId": "end"},
        ],
    }


async def running(api: Api) -> tuple[str, dict[str, str]]:
    await api.publish(fan(WIDTH), key="fan")
    execution = await run_of(api, "fan")
    steps = ids_of(execution)
    return execution["id"], {name: id_ for name, id_ in steps.items() if name.startswith("t")}


async def assert_dense(database: Database, root_id: str, revision: int) -> None:
    rows = await journal_of(database, root_id)
    assert [row["revision"] for row in rows] == list(range(1, revision + 1))


async def complete(store: Store, tenant: str, ids: list[str], **options: Any) -> list[Any]:
    commands = (step.complete_step(store, Actor(tenant), id_, {}, **options) for id_ in ids)
    return await asyncio.gather(*commands, return_exceptions=True)


async def test_all_branches_completed_at_once_open_the_join_once(api: Api, tenant: str) -> None:
    root_id, tasks = await running(api)
    outcomes = await complete(api.store, tenant, list(tasks.values()))
    assert all(isinstance(outcome, Committed) for outcome in outcomes), outcomes
    # Every revision belongs to exactly one command, and together they are all.
    made = sorted((outcome.since, outcome.revision) for outcome in outcomes)
    assert all(before[1] == after[0] for before, after in pairwise(made))
    await assert_dense(api.store.database, root_id, made[-1][1])
    query = "query ($id: ID!) { workflowExecution(id: $id) { runtimeStatus treeRevision } }"
    execution = (await api.data(query, id=root_id))["workflowExecution"]
    assert execution == {"runtimeStatus": "COMPLETED", "treeRevision": made[-1][1]}


async def test_what_is_refused_among_others_changes_nothing(api: Api, tenant: str) -> None:
    root_id, tasks = await running(api)
    ids = [id_ for task in tasks.values() for id_ in (task, task)]
    outcomes = await complete(api.store, tenant, ids)
    for first, second in zip(outcomes[::2], outcomes[1::2], strict=True):
        assert {type(first), type(second)} == {Committed, InvalidTransition}
    revision = max(outcome.revision for outcome in outcomes if isinstance(outcome, Committed))
    await assert_dense(api.store.database, root_id, revision)


async def test_somebody_elses_command_in_the_same_line_is_told_not_found(api: Api, tenant: str) -> None:
    root_id, tasks = await running(api)
    ids = list(tasks.values())
    for id_ in ids:
        api.store.lanes.know(id_, root_id)
    mine, theirs = ids[::2], ids[1::2]
    found, missing = await asyncio.gather(
        complete(api.store, tenant, mine), complete(api.store, f"{tenant}-other", theirs)
    )
    assert {type(outcome) for outcome in found} == {Committed}
    assert {type(outcome) for outcome in missing} == {NotFound}
    tenants = {row["tenant"] for row in await journal_of(api.store.database, root_id)}
    assert tenants == {tenant}


async def test_the_same_key_at_the_same_time_is_done_once(api: Api, tenant: str) -> None:
    _, tasks = await running(api)
    first, second = list(tasks.values())[:2]
    guard = Guard(once=Once("key", "completeStep", "hash"))
    outcomes = await complete(api.store, tenant, [first] * 10, guard=guard)
    assert len({(outcome.since, outcome.revision) for outcome in outcomes}) == 1
    other = Guard(once=Once("key", "completeStep", "another hash"))
    (conflict,) = await complete(api.store, tenant, [second], guard=other)
    assert isinstance(conflict, IdempotencyConflict)


async def test_every_change_names_who_made_it(api: Api, tenant: str) -> None:
    root_id, tasks = await running(api)
    people = {id_: f"person {number}" for number, id_ in enumerate(tasks.values())}
    commands = (step.complete_step(api.store, Actor(tenant, who), id_, {}) for id_, who in people.items())
    await asyncio.gather(*commands)
    for row in await journal_of(api.store.database, root_id):
        if row["step_execution_id"] in people and row["kind"] == "STEP_COMPLETED":
            assert row["actor"] == people[row["step_execution_id"]]


@pytest.mark.postgresql
async def test_on_postgresql_those_who_wait_share_transactions(
    postgresql_url: str, tenant: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with database_for(postgresql_url) as database:
        api = Api(Store(database), tenant)
        _, tasks = await running(api)
        transact, count = database.transact, 0

        async def counted(script: Any) -> Any:
            nonlocal count
            count += 1
            return await transact(script)

        monkeypatch.setattr(database, "transact", counted)
        outcomes = await complete(api.store, tenant, list(tasks.values()))
        assert all(isinstance(outcome, Committed) for outcome in outcomes)
        # One has the lock, each of the others finds it taken once, and then they go together.
        assert count < WIDTH + WIDTH / 2


async def test_a_line_ends_when_nobody_waits(api: Api, tenant: str) -> None:
    lanes = Lanes()
    store = replace(api.store, lanes=lanes)
    _, tasks = await running(api)
    await complete(store, tenant, list(tasks.values()))
    assert lanes.busy_root(next(iter(tasks.values()))) is None
