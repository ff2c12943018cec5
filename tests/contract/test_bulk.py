"""`cancelWorkflowExecutions` and `retrySteps`: what they match, and a transaction a tree with what came of each match."""

from datetime import UTC, datetime

import pytest

from db.commands.outcome import Actor
from db.commands.step import complete_step
from db.runtime.statuses import ExecutionStatus, StepStatus
from tests.api import Api
from tests.contract.bulk import (
    ONE,
    PARENT,
    cancel,
    concerned,
    counts,
    document,
    fail,
    failed,
    made,
    retry,
    rows,
    statuses,
    tenant_of,
)
from tests.contract.graphs import CHILD, PARALLEL, TASK, graph, single
from tests.contract.trees import assert_whole, create, publish

FAN = graph(
    "fan",
    {"split": PARALLEL, "left": TASK, "right": TASK, "join": "gateway.parallel_join"},
    "start split left join end",
    "split right join",
)
ABANDONING = graph("abandoning", {"child": single("child", onParentClose="ABANDON")}, "start child end")
GRAND = graph("grand", {"parent": single("parent", onParentClose="ABANDON")}, "start parent end")
BESIDE = graph(
    "beside",
    {"both": PARALLEL, "child": single("child"), "task": TASK, "join": "gateway.parallel_join"},
    "start both child join end",
    "both task join",
)
KEY = "an idempotency key"


# What matches, and in which order.


async def test_the_oldest_come_first_and_a_client_that_calls_again_comes_to_the_end(api: Api) -> None:
    ids = await made(api, "one", 5, ONE)
    first = await cancel(api, limit=2, reason="A recall")
    assert (counts(first), concerned(first)) == ((5, 2, 3), ids[:2])
    (change, *_) = first["results"][0]["changes"]
    assert (change["kind"], change["reason"]) == ("EXECUTION_CANCELLED", "A recall")
    second = await cancel(api, limit=2)
    assert (counts(second), concerned(second)) == ((3, 2, 1), ids[2:4])
    third = await cancel(api, limit=2)
    assert (counts(third), concerned(third)) == ((1, 1, 0), ids[4:])
    assert counts(await cancel(api)) == (0, 0, 0)
    seen = await rows(api)
    assert set(statuses(seen).values()) == {ExecutionStatus.CANCELLED}
    assert_whole(seen)


async def test_steps_come_by_when_they_were_started(api: Api) -> None:
    ids = await failed(api, 3)
    before = await rows(api)
    answer = await retry(api, limit=2)
    assert counts(answer) == (3, 2, 1)
    assert concerned(answer) == [before.step(id_, "task")["id"] for id_ in ids[:2]]
    seen = await rows(api)
    assert [seen.step(id_, "task")["attempt"] for id_ in ids] == [2, 2, 1]
    assert statuses(seen)[ids[0]] is ExecutionStatus.IN_PROGRESS
    assert_whole(seen)


async def test_only_what_the_command_can_act_on_matches(api: Api) -> None:
    running, over, broken = await made(api, "one", 3, ONE)
    (waiting,) = await create(api.store, tenant_of(api), "one", start=False)
    seen = await rows(api)
    await complete_step(api.store, Actor(tenant_of(api)), seen.step(over, "task")["id"], None)
    await fail(api, broken, "task")
    assert counts(await cancel(api, {"runtimeStatus": {"in": ["COMPLETED", "FAILED", "NOT_STARTED"]}})) == (
        0,
        0,
        0,
    )
    assert counts(await retry(api, {"status": {"eq": "IN_PROGRESS"}})) == (0, 0, 0)
    retried = await retry(api)
    assert retried["results"][0]["workflowExecution"]["id"] == broken
    cancelled = await cancel(api)
    assert (counts(cancelled), concerned(cancelled)) == ((2, 2, 0), [running, broken])
    assert statuses(await rows(api))[waiting] is ExecutionStatus.NOT_STARTED
    # The attempt that failed was replaced; the step of the cancelled execution is not in progress any more.
    assert counts(await retry(api)) == (0, 0, 0)


async def test_the_filter_is_the_lists_own(api: Api) -> None:
    ids = await made(api, "one", 2, ONE)
    where = {
        "or": [{"id": {"in": [ids[1]]}}, {"name": {"startsWith": "Nothing"}}],
        "not": {"step": {"status": {"eq": "FAILED"}}},
        "workflowTemplateKey": {"eq": "one"},
        "context": [{"path": "a.b", "exists": False}],
    }
    answer = await cancel(api, where)
    assert (counts(answer), concerned(answer)) == ((1, 1, 0), [ids[1]])
    await fail(api, ids[0], "task")
    elsewhere = {"stepId": {"eq": "task"}, "workflowExecution": {"id": {"eq": ids[1]}}}
    assert counts(await retry(api, elsewhere)) == (0, 0, 0)
    here = {"stepId": {"eq": "task"}, "workflowExecution": {"id": {"eq": ids[0]}}}
    assert counts(await retry(api, here)) == (1, 1, 0)


async def test_another_tenants_never_match(api: Api) -> None:
    (mine,) = await failed(api, 1)
    other = api.as_tenant(f"{tenant_of(api)}-other")
    assert counts(await cancel(other)) == counts(await retry(other)) == (0, 0, 0)
    where = {"id": {"eq": mine}}
    assert counts(await cancel(other, where)) == (0, 0, 0)
    assert counts(await retry(api)) == (1, 1, 0)


# Trees.


async def test_what_went_with_its_parent_is_told_and_no_error_of_the_whole(api: Api) -> None:
    ids = await made(api, "parent", 2, CHILD, PARENT)
    answer = await cancel(api)
    assert counts(answer) == (8, 2, 0)
    seen = await rows(api)
    assert set(statuses(seen).values()) == {ExecutionStatus.CANCELLED}
    kinds = [each["__typename"] for each in answer["results"]]
    assert kinds == ["TransitionSuccess", *["InvalidTransition"] * 3] * 2
    for root, of_tree in zip(ids, (answer["results"][:4], answer["results"][4:]), strict=True):
        children = {each["id"] for each in seen.children(root, "children")}
        assert {each["node"]["id"] for each in of_tree[1:]} == children
        for each in of_tree[1:]:
            assert (each["current"], each["wanted"], each["allowed"]) == ("CANCELLED", "CANCELLED", [])
    assert_whole(seen)


async def test_matches_of_one_tree_are_one_transaction(api: Api) -> None:
    (fan,) = await made(api, "fan", 1, FAN)
    (one,) = await made(api, "one", 1, ONE)
    for id_, steps in ((fan, ("left", "right")), (one, ("task",))):
        await fail(api, id_, *steps)
    api.announcer.committed.clear()
    answer = await retry(api)
    assert counts(answer) == (3, 3, 0)
    rung = [(each.root_id, each.since, each.revision) for each in api.announcer.committed]
    assert [root for root, *_ in rung] == [fan, one]
    seen = await rows(api)
    assert [revision for *_, revision in rung] == [
        seen.executions[each]["tree_revision"] for each in (fan, one)
    ]
    left, right, _ = answer["results"]
    # The second goes on where the first ended; the ring tells of both.
    assert left["revision"] + right["changeCount"] == right["revision"] == rung[0][2]
    assert rung[0][1] == left["revision"] - left["changeCount"]
    assert {row["at"] for row in seen.journal[fan][-right["changeCount"] - left["changeCount"] :]} == {
        seen.executions[fan]["tree_changed_at"]
    }
    assert_whole(seen)


async def test_a_retry_that_ends_anothers_chance_leaves_that_one_refused(api: Api) -> None:
    """Retrying the parent's step replaces the failed child, whose own step then goes on in nobody's name (C5)."""
    (root,) = await made(api, "parent", 1, CHILD, PARENT)
    seen = await rows(api)
    for child in seen.children(root, "children"):
        await fail(api, child["id"], "task")
    answer = await retry(api)
    # The parent's step was started first.
    assert counts(answer) == (4, 1, 0)
    assert [each["__typename"] for each in answer["results"]] == [
        "TransitionSuccess",
        *["InvalidTransition"] * 3,
    ]
    seen = await rows(api)
    assert seen.step(root, "children")["attempt"] == 2
    assert_whole(seen)


async def test_what_nobody_waits_for_is_no_match_of_a_retry(api: Api) -> None:
    """C5: an execution above is cancelled, directly or further up, and its children were abandoned."""
    await publish(api.store, tenant_of(api), CHILD, PARENT, ABANDONING, GRAND)
    (near,) = await create(api.store, tenant_of(api), "abandoning")
    (far,) = await create(api.store, tenant_of(api), "grand")
    seen = await rows(api)
    (child,) = seen.children(near, "child")
    (parent,) = seen.children(far, "parent")
    below = seen.children(parent["id"], "children")
    await fail(api, child["id"], "task")
    await fail(api, below[0]["id"], "task")
    # The first failed with its child; the second waits for the parent, which waits for the other children.
    assert counts(await cancel(api, {"id": {"in": [far]}})) == (1, 1, 0)
    assert counts(await retry(api, {"workflowExecution": {"id": {"eq": below[0]["id"]}}})) == (0, 0, 0)
    within = {"workflowExecution": {"rootWorkflowExecutionId": {"eq": near}}}
    assert counts(await retry(api, within)) == (1, 1, 0)
    assert_whole(await rows(api))


async def test_what_failed_below_an_execution_that_was_cancelled_is_no_match_of_a_retry(api: Api) -> None:
    """C5: the step above has failed with its child, and stays failed where its execution is cancelled."""
    await publish(api.store, tenant_of(api), CHILD, BESIDE)
    (root,) = await create(api.store, tenant_of(api), "beside")
    (child,) = (await rows(api)).children(root, "child")
    await fail(api, child["id"], "task")
    assert counts(await retry(api, dryRun=True)) == (2, 0, 2)
    assert counts(await cancel(api)) == (1, 1, 0)
    seen = await rows(api)
    assert seen.step(root, "child")["status"] is seen.step(child["id"], "task")["status"] is StepStatus.FAILED
    assert counts(await retry(api)) == (0, 0, 0)


# What is refused, and what only counts.


@pytest.mark.parametrize("limit", [0, -1, 501])
async def test_a_limit_out_of_bounds_is_named(api: Api, limit: int) -> None:
    for mutation in ("cancelWorkflowExecutions", "retrySteps"):
        answer = await api.run(document(mutation), {"input": {"where": {}, "limit": limit}})
        (error,) = answer["errors"]
        assert error["message"] == f"limit is {limit}; it must be from 1 to 500."
        assert error["extensions"] == {"code": "BAD_USER_INPUT"}


async def test_the_longest_filters_that_the_list_takes_are_taken(api: Api) -> None:
    """SQLite's parser has a small stack, and what the command asks of a match comes on top of the filter."""
    (id_,) = await failed(api, 1)
    path = {"context": [{"path": "a.b", "eq": 1}, {"path": "c", "exists": True}]}
    execution = {"not": {"or": [{"runtimeStatus": {"eq": "COMPLETED"}}, {**path, "isRoot": False}]}}
    steps = {"and": [{"or": [{"not": {"status": {"eq": "COMPLETED"}}}]}], "workflowExecution": execution}
    assert counts(await retry(api, steps)) == (1, 1, 0)
    key = {"workflowTemplateKey": {"in": ["one"]}, "step": {"not": {"isOverdue": True}}}
    answer = await cancel(
        api, {"and": [{"or": [{"not": path}]}, key], "step": {"workflowExecution": {"isRoot": True}}}
    )
    assert concerned(answer) == [id_]


async def test_what_is_null_is_as_if_it_were_absent(api: Api) -> None:
    await made(api, "one", 2, ONE)
    given = {"limit": None, "dryRun": None, "idempotencyKey": None, "reason": None}
    assert counts(await cancel(api, {"id": None}, **given)) == (2, 2, 0)


async def test_a_filter_that_the_list_refuses_is_refused_before_anything_is_done(api: Api) -> None:
    ids = await made(api, "one", 1, ONE)
    where = {"id": {"in": ids}, "context": [{"path": "a..b", "exists": True}]}
    for options in ({}, {"dryRun": True}, {"idempotencyKey": KEY}):
        answer = await api.run(document("cancelWorkflowExecutions"), {"input": {"where": where, **options}})
        (error,) = answer["errors"]
        assert error["extensions"] == {"code": "BAD_USER_INPUT"}
        assert "where.context[0].path" in error["message"]
    assert statuses(await rows(api))[ids[0]] is ExecutionStatus.IN_PROGRESS


async def test_a_dry_run_counts_and_changes_nothing(api: Api) -> None:
    await failed(api, 3)
    await made(api, "one", 2)
    before = await rows(api)
    assert await cancel(api, dryRun=True, limit=1) == {
        "__typename": "BulkSuccess",
        "matched": 2,
        "done": 0,
        "remaining": 2,
        "results": [],
    }
    assert counts(await retry(api, dryRun=True, idempotencyKey=KEY)) == (3, 0, 3)
    assert await rows(api) == before
    # The key was not used up.
    assert counts(await retry(api, idempotencyKey=KEY)) == (3, 3, 0)


async def test_a_loop_over_steps_that_fail_at_once_ends_by_a_filter(api: Api) -> None:
    """A split whose expression throws fails again; its new attempt is later than the loop."""
    broken = graph(
        "broken",
        {"split": "gateway.exclusive_split", "one": TASK, "other": TASK},
        "start split one end",
        "split other",
        split_one={"condition": {"src": "$error('No.')"}},
        split_other={"isDefault": True},
    )
    broken["steps"].append({"id": "join", "name": "Join", "type": TASK})
    broken["stepTransitions"] = [each for each in broken["stepTransitions"] if each["id"] != "one_end"] + [
        {"id": "one_join", "fromStepId": "one", "toStepId": "join"},
        {"id": "other_join", "fromStepId": "other", "toStepId": "join"},
        {"id": "join_end", "fromStepId": "join", "toStepId": "end"},
    ]
    await made(api, "broken", 2, broken)
    until = datetime.now(UTC).isoformat()
    answer = await retry(api, {"failedAt": {"lte": until}}, limit=1)
    assert counts(answer) == (2, 1, 1)
    assert counts(await retry(api, {"failedAt": {"lte": until}}, limit=1)) == (1, 1, 0)
    assert counts(await retry(api, dryRun=True)) == (2, 0, 2)
    seen = await rows(api)
    assert {steps["split"]["status"] for steps in seen.current.values()} == {StepStatus.FAILED}


# Statements.


async def test_the_statements_of_an_answer_do_not_grow_with_it(api: Api) -> None:
    """Find, count what remains, show what was done, show the nodes of what was refused."""
    await made(api, "parent", 6, CHILD, PARENT)
    api.database.statements.clear()
    assert counts(await cancel(api)) == (24, 6, 0)
    assert len(api.database.statements) == 4
