"""Commands that meet: exactly one wins, the other is told as data (`runtime.md` I3, F3; `live.md` J1)."""

import asyncio

import asyncpg
import pytest

from db.commands import version
from db.commands.execution import NewExecution, cancel_workflow_execution, create_workflow_execution
from db.commands.outcome import Actor, Committed, TemplateChanged
from db.commands.step import complete_step, fail_step
from db.commands.template import NewTemplate, create_workflow_template
from db.commands.version import NewVersion, create_version, deprecate_version
from db.connect import database_for
from db.definitions import Definitions
from db.ids import IdKind, new_id
from db.runtime.errors import InvalidTransition, NotFound, ValidationFailed
from db.session import Database
from db.store import Store
from tests.api import Api
from tests.contract.commands import ids_of, run_of
from tests.contract.locks import blocked
from tests.contract.samples import ONE
from tests.contract.tables import EXECUTIONS, STEPS, everything, journal_of, row_by_id
from tests.contract.trees import outcome

Rivals = tuple[Store, Store]


async def complete(store: Store, actor: Actor, _: str, step_id: str) -> Committed:
    return await complete_step(store, actor, step_id, {})


async def fail(store: Store, actor: Actor, _: str, step_id: str) -> Committed:
    return await fail_step(store, actor, step_id, None, "It broke.")


async def cancel(store: Store, actor: Actor, execution_id: str, _: str) -> Committed:
    return await cancel_workflow_execution(store, actor, execution_id, None)


async def waiting(store: Store, actor: Actor, count: int) -> list[tuple[str, str]]:
    """Executions with the one step that they wait for."""
    api = Api(store, actor.tenant)
    await api.publish(ONE, key="one")
    executions = [await run_of(api, "one") for _ in range(count)]
    return [(execution["id"], ids_of(execution)["a"]) for execution in executions]


async def test_j1_many_commands_on_one_tree_leave_one_dense_journal(rivals: Rivals, tenant: str) -> None:
    first, second = rivals
    actor = Actor(tenant)
    ((execution_id, step_id),) = await waiting(first, actor, 1)
    commands = [
        outcome(command(store, actor, execution_id, step_id))
        for command in (complete, fail, cancel)
        for store in (first, second) * 10
    ]
    outcomes = await asyncio.gather(*commands)
    (winner,) = [each for each in outcomes if isinstance(each, Committed)]
    assert len([each for each in outcomes if isinstance(each, InvalidTransition)]) == len(commands) - 1
    journal = await journal_of(first.database, execution_id)
    assert [row["revision"] for row in journal] == list(range(1, winner.revision + 1))


async def test_d5_of_many_templates_with_one_key_one_is_created(rivals: Rivals, tenant: str) -> None:
    new = NewTemplate(name="Same", publish=True, activate=True)
    stores = rivals * 10
    outcomes = await asyncio.gather(
        *(outcome(create_workflow_template(store, Actor(tenant), new)) for store in stores)
    )
    (created,) = [each for each in outcomes if isinstance(each, TemplateChanged)]
    refusals = [each for each in outcomes if isinstance(each, ValidationFailed)]
    assert [[issue.code for issue in each.issues] for each in refusals] == [["KEY_TAKEN"]] * (len(stores) - 1)
    rows = await everything(rivals[0].database, tenant)
    assert [row["id"] for row in rows["workflow_template"]] == [created.template_id]
    assert [row["id"] for row in rows["workflow_template_version"]] == [created.version_id]


async def test_d5_of_many_versions_with_one_number_one_is_created(rivals: Rivals, tenant: str) -> None:
    actor = Actor(tenant)
    template = await create_workflow_template(rivals[0], actor, NewTemplate(name="Same"))
    new = NewVersion(template.template_id, "2.0.0", ONE)
    outcomes = await asyncio.gather(*(outcome(create_version(store, actor, new)) for store in rivals * 10))
    assert len([each for each in outcomes if isinstance(each, TemplateChanged)]) == 1
    refusals = [each for each in outcomes if isinstance(each, ValidationFailed)]
    assert [[issue.code for issue in each.issues] for each in refusals] == [["VERSION_TAKEN"]] * 19


async def published(store: Store, tenant: str, number: int, *, activate: bool) -> tuple[str, str]:
    """A published version and its template's key."""
    key = f"race-{number}"
    new = NewTemplate(name="Race", key=key, publish=True, activate=activate)
    created = await create_workflow_template(store, Actor(tenant), new)
    assert created.version_id
    return created.version_id, key


async def test_d4_deleting_a_version_races_with_starting_it(rivals: Rivals, tenant: str) -> None:
    first, second = rivals
    actor = Actor(tenant)
    versions = [await published(first, tenant, number, activate=False) for number in range(40)]
    commands = [
        outcome(each)
        for version_id, _ in versions
        for each in (
            version.delete_version(first, actor, version_id),
            create_workflow_execution(second, actor, NewExecution(workflow_template_version_id=version_id)),
        )
    ]
    outcomes = await asyncio.gather(*commands)
    rows = await everything(first.database, tenant)
    left = {row["id"] for row in rows["workflow_template_version"]}
    run = {row["version_id"] for row in rows["workflow_execution"]}
    assert run == left
    for (version_id, _), deleted, created in zip(versions, outcomes[::2], outcomes[1::2], strict=True):
        if version_id in left:
            assert isinstance(deleted, InvalidTransition)
            assert isinstance(created, Committed)
        else:
            assert isinstance(deleted, TemplateChanged)
            assert isinstance(created, NotFound)


async def test_d2_activating_and_deprecating_race_to_a_state_of_the_rules(
    rivals: Rivals, tenant: str
) -> None:
    first, second = rivals
    actor = Actor(tenant)
    versions = [await published(first, tenant, number, activate=False) for number in range(20)]
    await asyncio.gather(
        *(
            outcome(each)
            for version_id, _ in versions
            for each in (
                version.activate_version(first, actor, version_id),
                deprecate_version(second, actor, version_id),
            )
        )
    )
    rows = await everything(first.database, tenant)
    assert {row["status"] for row in rows["workflow_template_version"]} == {"DEPRECATED"}
    assert {row["active_version_id"] for row in rows["workflow_template"]} == {None}


@pytest.mark.postgresql
async def test_s2_the_time_is_read_when_the_root_is_locked(
    postgresql_url: str, raw_postgresql: asyncpg.Connection, tenant: str
) -> None:
    async with database_for(postgresql_url) as database:
        store, actor = Store(database), Actor(tenant)
        ((execution_id, step_id),) = await waiting(store, actor, 1)
        async with raw_postgresql.transaction():
            await raw_postgresql.execute(
                "update workflow_execution set tree_changed_at = clock_timestamp() + interval '1 day' where id = $1",
                execution_id,
            )
            command = asyncio.create_task(complete(store, actor, execution_id, step_id))
            await blocked(raw_postgresql)
        await command
        changed_at = (await row_by_id(database, EXECUTIONS, execution_id))["tree_changed_at"]
        completed_at = (await row_by_id(database, STEPS, step_id))["completed_at"]
        assert completed_at == changed_at
        earlier = await raw_postgresql.fetchval("select $1::timestamptz > clock_timestamp()", completed_at)
        assert earlier


@pytest.mark.postgresql
@pytest.mark.parametrize("by", ["id", "key"])
async def test_d4_a_version_deleted_while_an_execution_of_it_is_written_is_told_as_data(
    postgresql_url: str, raw_postgresql: asyncpg.Connection, tenant: str, by: str
) -> None:
    async with database_for(postgresql_url) as database:
        store, actor = Store(database), Actor(tenant)
        version_id, key = await published(store, tenant, 0, activate=by == "key")
        new = (
            NewExecution(workflow_template_version_id=version_id)
            if by == "id"
            else NewExecution(workflow_template_key=key)
        )
        async with raw_postgresql.transaction():
            for table in ("step_transition", "step_definition", "step_group"):
                await raw_postgresql.execute(f"delete from {table} where version_id = $1", version_id)
            await raw_postgresql.execute("delete from workflow_template_version where id = $1", version_id)
            command = asyncio.create_task(outcome(create_workflow_execution(store, actor, new)))
            await blocked(raw_postgresql)
        refusal = await command
        if by == "id":
            assert isinstance(refusal, NotFound)
            assert refusal.id == version_id
        else:
            assert isinstance(refusal, ValidationFailed)
            assert [issue.code for issue in refusal.issues] == ["NO_ACTIVE_VERSION"]
        assert not (await everything(database, tenant))["workflow_execution"]


async def test_d4_a_definition_that_was_deleted_before_it_was_read_is_not_found(database: Database) -> None:
    gone = new_id(IdKind.TEMPLATE_VERSION)
    with pytest.raises(NotFound):
        await database.transact(Definitions().load(gone))
