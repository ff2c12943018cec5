"""Compare and set, and doing a thing once (`runtime.md` I3, I4), through the API on both databases."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any
from uuid import uuid4

import asyncpg
import pytest
from sqlalchemy import bindparam, select, update

from db import tables
from db.commands.execution import update_workflow_context
from db.commands.guards import Guard, Once
from db.commands.outcome import Actor, Committed
from db.commands.step import complete_step, fail_step
from db.connect import database_for
from db.requests import Write
from db.runtime.errors import IdempotencyConflict, RevisionConflict
from db.session import Database
from db.statements import Statement
from db.store import Store
from db.tables import table_of
from tests.api import Api
from tests.contract.commands import ids_of, run_of
from tests.contract.graphs import CHILD, OFF, TASK, batch, graph
from tests.contract.lines import Line, in_line
from tests.contract.mutations import MUTATIONS, document, give, refuse, succeed
from tests.contract.samples import TWO
from tests.contract.tables import everything, written
from tests.contract.trees import Rows, create, outcome, publish, read

PAIRS = 200
KEY = "an idempotency key"
KEYS = table_of(tables.Idempotency)
_KEYS_OF = Statement(select(KEYS.c.key, KEYS.c.created_at).where(KEYS.c.tenant == bindparam("tenant")))
_SET_BACK = Statement(
    update(KEYS)
    .where(KEYS.c.tenant == bindparam("of_tenant"))
    .values(created_at=bindparam("new", type_=KEYS.c.created_at.type))
)
# `second` can be enabled as long as `first` waits.
STEPS = graph("steps", {"first": TASK, "second": {"type": TASK, **OFF}}, "start first second end")
PARENT = graph("parent", {"children": batch("child", "[1, 2]"), "after": TASK}, "start children after end")

Input = dict[str, Any]


def a_key() -> str:
    """A template's key that nobody has."""
    return f"key-{uuid4().hex}"


async def a_template(api: Api) -> Input:
    return {"id": (await api.publish(TWO, key=a_key()))["id"]}


async def of_a_template(api: Api) -> Input:
    return {"workflowTemplateId": (await a_template(api))["id"]}


async def a_version(api: Api, **given: Any) -> Input:
    answer = await succeed(api, "createWorkflowTemplate", name="V", key=a_key(), definition=TWO, **given)
    return {"id": answer["version"]["id"]}


async def a_published_version(api: Api) -> Input:
    return await a_version(api, publish=True)


async def a_runnable(api: Api) -> Input:
    return {"workflowTemplateVersionId": (await a_published_version(api))["id"]}


async def a_new_name(_: Api) -> Input:
    return {"name": "New", "key": a_key()}


async def an_execution(api: Api, *, start: bool = True) -> Input:
    raw = {**STEPS, "id": a_key()}
    await publish(api.store, api.context.viewer.tenant, raw)
    (id_,) = await create(api.store, api.context.viewer.tenant, raw["id"], start=start)
    return {"id": id_}


async def an_unstarted_execution(api: Api) -> Input:
    return await an_execution(api, start=False)


async def a_step(api: Api, step_id: str = "first") -> Input:
    execution = await an_execution(api)
    rows = await read(api.store, api.context.viewer.tenant, journal=False)
    return {"id": rows.step(execution["id"], step_id)["id"]}


async def a_disabled_step(api: Api) -> Input:
    return await a_step(api, "second")


async def a_failed_step(api: Api) -> Input:
    step = await a_step(api)
    await fail_step(api.store, Actor(api.context.viewer.tenant), step["id"], None, "It broke.")
    return step


# Mutation → what it is given to, and the rest of its input.
EVERY: dict[str, tuple[Callable[[Api], Awaitable[Input]], Input]] = {
    "createWorkflowTemplate": (a_new_name, {"publish": True}),
    "updateWorkflowTemplate": (a_template, {"name": "Changed"}),
    "createWorkflowTemplateVersion": (of_a_template, {"version": "2.0.0", "definition": TWO}),
    "updateWorkflowTemplateVersion": (a_version, {"versionNote": "New"}),
    "publishWorkflowTemplateVersion": (a_version, {}),
    "activateWorkflowTemplateVersion": (a_published_version, {}),
    "deprecateWorkflowTemplateVersion": (a_published_version, {}),
    "deleteWorkflowTemplateVersion": (a_version, {}),
    "createWorkflowExecution": (a_runnable, {"context": {"a": 1}}),
    "startWorkflowExecution": (an_unstarted_execution, {}),
    "cancelWorkflowExecution": (an_execution, {"reason": "why"}),
    "updateWorkflowContext": (an_execution, {"patch": {"a": {"b": 1}}}),
    "completeStep": (a_step, {"outputData": {"a": 1}}),
    "failStep": (a_step, {"message": "It broke."}),
    "retryStep": (a_failed_step, {"reason": "why"}),
    "disableStep": (a_step, {"reason": "why"}),
    "enableStep": (a_disabled_step, {"reason": "why"}),
    "setStepDueDate": (a_step, {"dueAt": "2100-01-01T00:00:00.000000Z"}),
}
# A change of the rest that makes it another input.
OTHERWISE: dict[str, Input] = {
    "createWorkflowTemplate": {"publish": False},
    "updateWorkflowTemplate": {"description": None},
    "createWorkflowTemplateVersion": {"versionNote": "Another"},
    "updateWorkflowTemplateVersion": {"definition": TWO},
    "createWorkflowExecution": {"context": {"a": 2}},
    "startWorkflowExecution": {"ifRevision": 1},
    "cancelWorkflowExecution": {"reason": "another"},
    "updateWorkflowContext": {"patch": {"a": {"b": 1.5}}},
    "completeStep": {"outputData": {"a": "1"}},
    "failStep": {"code": "BROKEN"},
    "retryStep": {"ifRevision": 1},
    "disableStep": {"reason": "another"},
    "enableStep": {"reason": ""},
    "setStepDueDate": {"dueAt": None},
}
ON_EXECUTIONS = ("startWorkflowExecution", "cancelWorkflowExecution", "updateWorkflowContext")
ON_STEPS = ("completeStep", "failStep", "retryStep", "disableStep", "enableStep", "setStepDueDate")


async def input_of(api: Api, mutation: str, **more: Any) -> Input:
    prepare, rest = EVERY[mutation]
    return {**await prepare(api), **rest, **more}


def test_i4_no_mutation_is_forgotten_here() -> None:
    assert EVERY.keys() == MUTATIONS.keys()


@pytest.mark.parametrize("mutation", EVERY)
async def test_i4_a_repeat_does_nothing_and_answers_the_same(api: Api, tenant: str, mutation: str) -> None:
    given = await input_of(api, mutation, idempotencyKey=KEY)
    first = await succeed(api, mutation, **given)
    before = await everything(api.store.database, tenant)
    assert await succeed(api, mutation, **given) == first
    assert await everything(api.store.database, tenant) == before


@pytest.mark.parametrize("mutation", EVERY)
async def test_i4_the_same_key_with_another_input_or_mutation_is_a_conflict(
    api: Api, tenant: str, mutation: str
) -> None:
    given = await input_of(api, mutation, idempotencyKey=KEY)
    others = [given | await EVERY[mutation][0](api)]
    if mutation in OTHERWISE:
        others.append(given | OTHERWISE[mutation])
    another = "enableStep" if mutation != "enableStep" else "disableStep"
    under_another = await input_of(api, another, idempotencyKey=KEY)
    await succeed(api, mutation, **given)
    before = await everything(api.store.database, tenant)
    for name, refused in [*((mutation, other) for other in others), (another, under_another)]:
        refusal = await refuse(api, name, **refused)
        assert (refusal["__typename"], refusal["key"]) == ("IdempotencyConflict", KEY)
        assert mutation in refusal["message"]
    assert await everything(api.store.database, tenant) == before


@pytest.mark.parametrize("mutation", EVERY)
async def test_i4_two_at_the_same_time_are_done_once(
    rivals: tuple[Store, Store], tenant: str, mutation: str
) -> None:
    first, second = (Api(store, tenant) for store in rivals)
    given = await input_of(first, mutation, idempotencyKey=KEY)
    answers = await asyncio.gather(*(give(api, mutation, **given) for api in (first, second) * 2))
    assert answers[0]["__typename"] in ("TransitionSuccess", "TemplateSuccess")
    assert all(answer == answers[0] for answer in answers)


async def test_i4_a_repeat_shows_objects_as_they_are_now(api: Api) -> None:
    await api.publish(TWO, key="two")
    execution = await run_of(api, "two")
    steps = ids_of(execution)
    given = {"id": steps["a"], "outputData": {"x": 1}, "idempotencyKey": KEY}
    first = await succeed(api, "completeStep", **given)
    last = await succeed(api, "completeStep", id=steps["b"])
    again = await succeed(api, "completeStep", **given)
    assert (again["revision"], again["changes"]) == (first["revision"], first["changes"])
    assert (again["changeCount"], again["step"]) == (first["changeCount"], first["step"])
    assert again["workflowExecution"] == last["workflowExecution"]
    assert again["workflowExecution"]["runtimeStatus"] == "COMPLETED"
    assert again["workflowExecution"]["treeRevision"] == last["revision"] > first["revision"]


async def test_i4_a_repeat_of_what_was_deleted_since_shows_what_is_left(api: Api) -> None:
    template = await of_a_template(api)
    given = {**template, "version": "2.0.0", "definition": TWO, "idempotencyKey": KEY}
    version = (await succeed(api, "createWorkflowTemplateVersion", **given))["version"]
    await succeed(api, "deleteWorkflowTemplateVersion", id=version["id"])
    again = await succeed(api, "createWorkflowTemplateVersion", **given)
    assert again["workflowTemplate"]["id"] == template["workflowTemplateId"]
    assert again["version"] is None


async def test_i4_only_what_succeeded_is_remembered(api: Api, tenant: str) -> None:
    await api.publish(TWO, key="two")
    steps = ids_of(await run_of(api, "two"))
    given = {"id": steps["b"], "idempotencyKey": KEY}
    assert (await refuse(api, "completeStep", **given))["__typename"] == "InvalidTransition"
    assert await keys_of(api.store.database, tenant) == []
    # Nor does it stand in the way of another command.
    await succeed(api, "completeStep", id=steps["a"], idempotencyKey=KEY)
    assert await keys_of(api.store.database, tenant) == [KEY]
    assert (await refuse(api, "completeStep", **given))["__typename"] == "IdempotencyConflict"
    await succeed(api, "completeStep", **given | {"idempotencyKey": "another"})


@pytest.mark.parametrize("mutation", EVERY)
async def test_i4_a_refused_command_is_not_remembered(api: Api, tenant: str, mutation: str) -> None:
    given = await input_of(api, mutation, idempotencyKey=KEY)
    refusal = await refuse(api, mutation, **given | REFUSED.get(mutation, {"id": "unknown"}))
    assert refusal["__typename"] in ("NotFound", "ValidationFailed")
    assert await keys_of(api.store.database, tenant) == []
    await succeed(api, mutation, **given)


REFUSED: dict[str, Input] = {
    "createWorkflowTemplate": {"name": " "},
    "createWorkflowTemplateVersion": {"version": "two"},
    "createWorkflowExecution": {"workflowTemplateVersionId": "unknown"},
}


async def test_i4_after_a_day_a_key_is_forgotten(api: Api, tenant: str) -> None:
    given = await input_of(api, "updateWorkflowContext", idempotencyKey=KEY)
    first = await succeed(api, "updateWorkflowContext", **given)
    await set_back(api.store.database, tenant, timedelta(hours=23, minutes=59))
    assert (await succeed(api, "updateWorkflowContext", **given))["revision"] == first["revision"]
    await set_back(api.store.database, tenant, timedelta(hours=24))
    other = await input_of(api, "updateWorkflowContext", idempotencyKey=KEY)
    await succeed(api, "updateWorkflowContext", **other)
    # From now on it stands for the other one.
    refusal = await refuse(api, "updateWorkflowContext", **given)
    assert refusal["__typename"] == "IdempotencyConflict"
    assert await keys_of(api.store.database, tenant) == [KEY]


async def test_i4_another_tenants_key_is_its_own(api: Api, tenant: str) -> None:
    other = api.as_tenant(f"{tenant}-other")
    await succeed(api, "completeStep", **await input_of(api, "completeStep", idempotencyKey=KEY))
    await succeed(other, "failStep", **await input_of(other, "failStep", idempotencyKey=KEY))
    assert await keys_of(api.store.database, tenant) == [KEY]
    assert await keys_of(api.store.database, f"{tenant}-other") == [KEY]


async def test_i4_without_a_key_nothing_is_remembered(api: Api, tenant: str) -> None:
    given = await input_of(api, "updateWorkflowContext", idempotencyKey=None)
    first = await succeed(api, "updateWorkflowContext", **given)
    assert (await succeed(api, "updateWorkflowContext", **given))["revision"] > first["revision"]
    assert await keys_of(api.store.database, tenant) == []


@pytest.mark.parametrize("key", ["x", "\U0001f511" * 200, "  ", "a'b\"c\\%_"])
async def test_i4_a_key_has_1_to_200_characters_of_any_kind(api: Api, tenant: str, key: str) -> None:
    given = await input_of(api, "updateWorkflowContext", idempotencyKey=key)
    first = await succeed(api, "updateWorkflowContext", **given)
    assert await succeed(api, "updateWorkflowContext", **given) == first
    assert await keys_of(api.store.database, tenant) == [key]


@pytest.mark.parametrize("key", ["", "x" * 201, "a\0b", "\ud800"])
async def test_i4_a_key_that_cannot_be_kept_is_refused(api: Api, tenant: str, key: str) -> None:
    given = await input_of(api, "completeStep", idempotencyKey=key)
    before = await everything(api.store.database, tenant)
    answer = await api.run(document("completeStep"), {"input": given})
    (error,) = answer["errors"]
    assert error["extensions"]["code"] == "BAD_USER_INPUT"
    assert await everything(api.store.database, tenant) == before


async def keys_of(database: Database, tenant: str) -> list[str]:
    return [row[0] for row in await database.rows(_KEYS_OF, {"tenant": tenant})]


async def set_back(database: Database, tenant: str, age: timedelta) -> None:
    """Let a tenant's only key be so old."""
    ((_, created_at),) = await database.rows(_KEYS_OF, {"tenant": tenant})
    row = {"of_tenant": tenant, "new": created_at - age}
    await database.transact(written(Write(_SET_BACK, [row])))


@pytest.mark.postgresql
async def test_i4_two_that_wait_in_one_line_are_done_once(
    postgresql_url: str, raw_postgresql: asyncpg.Connection, tenant: str
) -> None:
    """The second is decided in the same transaction, when what the first came to is not written yet."""
    async with database_for(postgresql_url) as database:
        store, actor = Store(database), Actor(tenant)
        await publish(store, tenant, STEPS)
        (root,) = await create(store, tenant, "steps")
        step = (await read(store, tenant)).step(root, "first")["id"]
        guard = Guard(once=Once(KEY, "completeStep", "hash"))
        commands = [(step, complete_step(store, actor, step, None, guard)) for _ in range(3)]
        (outcomes,) = await in_line(raw_postgresql, tenant, Line(store, root, commands))
        assert isinstance(outcomes[0], Committed), outcomes
        assert outcomes == [outcomes[0]] * 3


@pytest.mark.postgresql
async def test_i4_two_lines_that_want_each_others_keys_both_come_to_their_end(
    postgresql_url: str, raw_postgresql: asyncpg.Connection, tenant: str
) -> None:
    async with database_for(postgresql_url) as one, database_for(postgresql_url) as two:
        stores, actor = (Store(one), Store(two)), Actor(tenant)
        await publish(stores[0], tenant, STEPS)
        roots = await create(stores[0], tenant, "steps", 2)
        keys = [f"key {number}" for number in range(20)]
        lines = [
            Line(
                store,
                root,
                [
                    (root, update_workflow_context(store, actor, root, {}, Guard(once=Once(key, "m", root))))
                    for key in in_order
                ],
            )
            for store, root, in_order in zip(stores, roots, (keys, keys[::-1]), strict=True)
        ]
        first, second = await in_line(raw_postgresql, tenant, *lines)
        for outcomes in zip(first, reversed(second), strict=True):
            assert {type(each) for each in outcomes} == {Committed, IdempotencyConflict}


@pytest.mark.parametrize("mutation", [*ON_EXECUTIONS, *ON_STEPS])
async def test_i3_a_command_is_carried_out_only_at_the_revision_that_the_client_knew(
    api: Api, tenant: str, mutation: str
) -> None:
    given = await input_of(api, mutation)
    rows = await read(api.store, tenant)
    named = rows.attempts.get(given["id"]) or rows.executions[given["id"]]
    before = await everything(api.store.database, tenant)
    kind = "WorkflowStepExecution" if mutation in ON_STEPS else "WorkflowExecution"
    for wrong in (named["revision"] - 1, named["revision"] + 1, 0, -1):
        refusal = await refuse(api, mutation, **given, ifRevision=wrong)
        assert refusal.pop("message")
        assert refusal == {
            "__typename": "RevisionConflict",
            "expectedRevision": wrong,
            "currentRevision": named["revision"],
            "node": {"__typename": kind, "id": given["id"]},
        }
    assert await everything(api.store.database, tenant) == before
    await succeed(api, mutation, **given, ifRevision=named["revision"])


async def test_i3_a_repeat_is_not_measured_by_the_revision_that_it_itself_has_moved(api: Api) -> None:
    execution = await an_execution(api)
    query = "query ($id: ID!) { workflowExecution(id: $id) { revision } }"
    revision = (await api.data(query, id=execution["id"]))["workflowExecution"]["revision"]
    given = {**execution, "patch": {"a": 1}, "ifRevision": revision}
    first = await succeed(api, "updateWorkflowContext", **given, idempotencyKey=KEY)
    assert await succeed(api, "updateWorkflowContext", **given, idempotencyKey=KEY) == first
    assert (await refuse(api, "updateWorkflowContext", **given))["__typename"] == "RevisionConflict"


async def test_i3_of_two_that_go_by_the_same_revision_one_is_carried_out(
    rivals: tuple[Store, Store], tenant: str
) -> None:
    """Both would be allowed by the status alone."""
    await publish(rivals[0], tenant, STEPS)
    roots = await create(rivals[0], tenant, "steps", PAIRS)
    rows = await read(rivals[0], tenant)
    given = [
        outcome(
            update_workflow_context(
                store, Actor(tenant), root, {"n": 1}, Guard(if_revision=rows.executions[root]["revision"])
            )
        )
        for number, root in enumerate(roots)
        for store in rivals[:: 1 if number % 2 else -1]
    ]
    outcomes = await asyncio.gather(*given)
    for pair in zip(outcomes[::2], outcomes[1::2], strict=True):
        assert {type(each) for each in pair} == {Committed, RevisionConflict}


class Revisions:
    """Which revisions in a tree a command has moved."""

    def __init__(self, api: Api, tenant: str, root: str) -> None:
        self.api, self.tenant, self.root = api, tenant, root
        self.rows = Rows()

    async def look(self) -> Rows:
        self.rows = await read(self.api.store, self.tenant)
        return self.rows

    async def moved_by(self, mutation: str, id_: str) -> set[str]:
        """Give a command; the names of what has another revision now. All that moved is within the command's changes."""
        before = self._all()
        answer = await succeed(self.api, mutation, id=id_)
        await self.look()
        after = self._all()
        moved = {name for name in after if before.get(name) != after[name]}
        assert all(before["tree"] < after[name] <= answer["revision"] for name in moved)
        assert after["tree"] == answer["revision"]
        return moved

    def _all(self) -> dict[str, int]:
        found = {"tree": self.rows.executions[self.root]["tree_revision"]}
        for execution in self.rows.executions.values():
            name = "root" if execution["id"] == self.root else f"child {execution['child_index']}"
            found[name] = execution["revision"]
            for step_id, step in self.rows.current[execution["id"]].items():
                found[f"{name}: {step_id}"] = step["revision"]
        return found


async def test_i3_what_moves_which_revision(api: Api, tenant: str) -> None:
    """A step's moves with its row, an execution's with its own row and its steps', not its children's."""
    await publish(api.store, tenant, CHILD, PARENT)
    (root,) = await create(api.store, tenant, "parent")
    revisions = Revisions(api, tenant, root)
    rows = await revisions.look()
    first, second = (child["id"] for child in rows.children(root, "children"))
    task = rows.step(first, "task")["id"]
    assert await revisions.moved_by("updateWorkflowContext", root) == {"tree", "root"}
    assert await revisions.moved_by("updateWorkflowContext", first) == {"tree", "child 0"}
    after = rows.step(root, "after")["id"]
    assert await revisions.moved_by("disableStep", after) == {"tree", "root", "root: after"}
    assert await revisions.moved_by("enableStep", after) == {"tree", "root", "root: after"}
    assert await revisions.moved_by("failStep", task) == {"tree", "child 0", "child 0: task"}
    assert await revisions.moved_by("retryStep", task) == {"tree", "child 0", "child 0: task"}
    whole_child = {"child 0", "child 0: task", "child 0: end"}
    task = revisions.rows.step(first, "task")["id"]
    assert await revisions.moved_by("completeStep", task) == {"tree", *whole_child}
    # The last child ends its parent's step.
    above = {"root", "root: children", "root: after"}
    below = {"child 1", "child 1: task", "child 1: end"}
    task = rows.step(second, "task")["id"]
    assert await revisions.moved_by("completeStep", task) == {"tree", *below, *above}
    cancelled = {"tree", "root", "root: after"}
    assert await revisions.moved_by("cancelWorkflowExecution", root) == cancelled


async def test_i3_an_attempt_that_was_replaced_is_refused_whatever_its_revision(
    api: Api, tenant: str
) -> None:
    step = await a_failed_step(api)
    revision = (await read(api.store, tenant)).attempts[step["id"]]["revision"]
    await succeed(api, "retryStep", **step, ifRevision=revision)
    for given in (revision, revision + 1):
        refusal = await refuse(api, "completeStep", **step, ifRevision=given)
        assert (refusal["__typename"], refusal["current"]) == ("InvalidTransition", "FAILED")
