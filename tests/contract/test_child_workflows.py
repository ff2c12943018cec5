"""Sub-workflows as the database keeps them: what ties them, results, cascades, retries (`runtime.md` C1–C3, C5, S5)."""

import pytest

from db.commands.step import complete_step, disable_step, retry_step
from db.runtime.errors import InvalidTransition
from db.runtime.statuses import ExecutionStatus, StepStatus
from db.store import Store
from tests.api import Api
from tests.contract.graphs import CHILD, EXCLUSIVE, JSON, TASK, batch, expression, graph, single
from tests.contract.mutations import succeed
from tests.contract.one_tree import MIDDLE, PARENT, TOP, grown
from tests.contract.trees import drive_to_the_end, outcome

ABANDON: JSON = {"onParentClose": "ABANDON"}


async def test_c1_children_are_tied_to_their_parent_and_its_step_in_the_order_of_their_items(
    store: Store, tenant: str
) -> None:
    tree = await grown(store, tenant, CHILD, PARENT, context={"items": ["a", "b", {"c": None}]})
    children = tree.rows.children(tree.root, "children")
    assert [(each["child_index"], each["item"]) for each in children] == [
        (0, "a"),
        (1, "b"),
        (2, {"c": None}),
    ]
    assert [each["context"] for each in children] == [{"item": "a"}, {"item": "b"}, {"item": {"c": None}}]
    assert {each["name"] for each in children} == {"Child"}
    root = tree.execution()
    for each in children:
        assert (each["parent_id"], each["root_id"], each["depth"]) == (tree.root, tree.root, 1)
        assert each["parent_step_id"] == tree.step("children")["id"]
        assert each["correlation_id"] == root["correlation_id"]
        assert each["path"] == f"{tree.root}/{each['id']}/"


async def test_c2_the_step_ends_with_its_last_child(store: Store, tenant: str) -> None:
    tree = await grown(store, tenant, CHILD, PARENT)
    for index in (2, 0, 1):
        assert tree.step("children")["status"] is StepStatus.IN_PROGRESS
        given = {"n": index}
        await complete_step(store, tree.actor, tree.step("task", index)["id"], given)
        await tree.look()
    assert tree.execution()["runtime_status"] is ExecutionStatus.COMPLETED
    assert tree.step("children")["output_data"] == {
        "children": [
            {
                "id": tree.execution(index)["id"],
                "index": index,
                "name": "Child",
                "runtimeStatus": "Completed",
                "context": {"item": index + 1},
                "outputs": {"task": {"n": index}},
            }
            for index in range(3)
        ]
    }


async def test_c2_an_empty_batch_completes_at_once(store: Store, tenant: str) -> None:
    tree = await grown(store, tenant, CHILD, PARENT, context={"items": []})
    assert tree.step("children")["output_data"] == {"children": []}
    assert tree.execution()["runtime_status"] is ExecutionStatus.COMPLETED


@pytest.mark.parametrize("end", ["fail", "cancel"])
async def test_c2_the_step_fails_once_all_children_have_ended(store: Store, tenant: str, end: str) -> None:
    tree = await grown(store, tenant, CHILD, PARENT)
    if end == "fail":
        await tree.fail("task", 1)
    else:
        await tree.cancel(1)
    await tree.complete("task", 0)
    assert tree.step("children")["status"] is StepStatus.IN_PROGRESS
    await tree.complete("task", 2)
    step = tree.step("children")
    assert (step["status"], step["failure_code"]) == (StepStatus.FAILED, "CHILD_FAILED")
    assert tree.execution(1)["id"] in step["failure_message"]
    assert tree.execution()["runtime_status"] is ExecutionStatus.FAILED


@pytest.mark.parametrize("what", ["updateWorkflowContext", "disableStep"])
async def test_c2_a_command_on_a_child_that_has_ended_does_not_end_it_again(
    api: Api, tenant: str, what: str
) -> None:
    """What a parent's step waits for is counted; a Failed child still takes commands."""
    child = graph("child", {"task": TASK, "later": TASK}, "start task later end")
    tree = await grown(api.store, tenant, child, PARENT)
    await tree.fail("task", 0)
    named = tree.execution(0) if what == "updateWorkflowContext" else tree.step("later", 0)
    await succeed(api, what, id=named["id"])
    await tree.look()
    assert tree.step("children")["open_children"] == 2


async def test_c2_a_result_holds_the_outputs_of_current_attempts_only(store: Store, tenant: str) -> None:
    """The command that completes the child makes attempts that have no output: both steps are disabled in the loop."""

    def once(step_id: str) -> JSON:
        return {"enabledWhen": expression(f"__steps__.{step_id}.attempt = 1")}

    child = graph(
        "child",
        {
            "task": {"type": TASK, "activationPolicy": once("task")},
            "last": {"type": TASK, "activationPolicy": once("last")},
            "split": EXCLUSIVE,
        },
        "start task last split task",
        "split end",
        split_task={"condition": expression("__steps__.last.attempt = 1")},
        split_end={"isDefault": True},
    )
    tree = await grown(store, tenant, child, PARENT, context={"items": [1]})
    for step_id in ("task", "last"):
        await complete_step(store, tree.actor, tree.step(step_id, 0)["id"], {"old": 1})
        await tree.look()
    assert [tree.step(each, 0)["attempt"] for each in ("task", "last")] == [2, 2]
    assert tree.step("children")["output_data"]["children"][0]["outputs"] == {}


async def test_c3_cancelling_goes_from_the_top_down_and_tells_all_of_it(api: Api, tenant: str) -> None:
    tree = await grown(api.store, tenant, CHILD, MIDDLE, TOP)
    await tree.complete("task", 0, 0)
    await tree.fail("task", 0, 1)
    answer = await succeed(api, "cancelWorkflowExecution", id=tree.root, reason="no more")
    await tree.look()
    assert tree.execution()["runtime_status"] is ExecutionStatus.CANCELLED
    # The first middle one had failed by itself; it and what had ended in it stay as they were.
    assert tree.statuses() == ["FAILED", "CANCELLED"]
    assert tree.statuses(0) == ["COMPLETED", "FAILED"]
    assert tree.statuses(1) == ["CANCELLED", "CANCELLED"]
    ids = {"root": tree.root, "middle": tree.execution(1)["id"]}
    ids |= {f"child {index}": tree.execution(1, index)["id"] for index in (0, 1)}
    names = {id_: name for name, id_ in ids.items()}
    told = [(names[each["workflowExecutionId"]], each["kind"], each["reason"]) for each in answer["changes"]]
    assert told == [
        ("root", "EXECUTION_CANCELLED", "no more"),
        ("root", "STEP_DISABLED", None),
        ("root", "STEP_DISABLED", None),
        ("middle", "EXECUTION_CANCELLED", "no more"),
        ("middle", "STEP_DISABLED", None),
        ("child 0", "EXECUTION_CANCELLED", "no more"),
        ("child 0", "STEP_DISABLED", None),
        ("child 1", "EXECUTION_CANCELLED", "no more"),
        ("child 1", "STEP_DISABLED", None),
    ]
    assert answer["changeCount"] == len(told)
    assert answer["workflowExecution"]["id"] == tree.root


async def test_c3_a_child_in_the_middle_is_cancelled_with_what_is_below_it(store: Store, tenant: str) -> None:
    tree = await grown(store, tenant, CHILD, MIDDLE, TOP)
    await tree.cancel(0)
    assert tree.statuses() == ["CANCELLED", "IN_PROGRESS"]
    assert tree.statuses(0) == ["CANCELLED", "CANCELLED"]
    assert tree.step("middle")["open_children"] == 1
    await drive_to_the_end((store,), tenant)


async def test_c3_an_abandoned_child_goes_on_by_itself(store: Store, tenant: str) -> None:
    parent = graph("leaving", {"children": batch("child", "[1, 2]", **ABANDON)}, "start children end")
    tree = await grown(store, tenant, CHILD, parent)
    await tree.cancel()
    assert tree.statuses() == ["IN_PROGRESS", "IN_PROGRESS"]
    assert tree.step("children")["disabled_by"] == "CANCEL"
    await tree.complete("task", 0)
    await tree.fail("task", 1)
    assert tree.statuses() == ["COMPLETED", "FAILED"]
    assert tree.execution()["runtime_status"] is ExecutionStatus.CANCELLED


async def test_c3_what_is_below_an_abandoned_child_stays_with_it(store: Store, tenant: str) -> None:
    parent = graph("leaving", {"middle": single("middle", **ABANDON)}, "start middle end")
    tree = await grown(store, tenant, CHILD, MIDDLE, parent)
    await tree.cancel()
    assert tree.statuses() == ["IN_PROGRESS"]
    assert tree.statuses(0) == ["IN_PROGRESS", "IN_PROGRESS"]
    await tree.cancel(0)
    assert tree.statuses(0) == ["CANCELLED", "CANCELLED"]


async def test_c3_a_child_that_an_earlier_attempt_has_abandoned_is_not_cancelled_with_the_parent(
    store: Store, tenant: str
) -> None:
    """The loop has come to the step again: the child belongs to an attempt that is not current any more."""
    loop = graph(
        "looping",
        {"child": single("child", **ABANDON), "work": TASK, "again": EXCLUSIVE},
        "start child work again child",
        "again end",
        again_child={"condition": expression("__steps__.child.attempt < 2")},
        again_end={"isDefault": True},
    )
    tree = await grown(store, tenant, CHILD, loop)
    abandoned = tree.execution(0)["id"]
    await tree.disable("child")
    await tree.complete("work")
    assert tree.step("child")["attempt"] == 2
    running = tree.rows.children(tree.root, "child")
    assert [each["runtime_status"].name for each in running] == ["IN_PROGRESS"]
    await tree.cancel()
    # Both attempts say ABANDON.
    assert {tree.rows.executions[each]["runtime_status"].name for each in (abandoned, running[0]["id"])} == {
        "IN_PROGRESS"
    }


async def test_s5_disabling_a_step_cancels_its_children_and_flow_goes_on(store: Store, tenant: str) -> None:
    tree = await grown(store, tenant, CHILD, MIDDLE, TOP)
    await tree.complete("beside")
    await tree.disable("middle")
    assert tree.statuses() == ["CANCELLED", "CANCELLED"]
    assert tree.statuses(1) == ["CANCELLED", "CANCELLED"]
    assert tree.execution()["runtime_status"] is ExecutionStatus.COMPLETED


async def test_s5_disabling_a_step_leaves_children_that_it_abandons(store: Store, tenant: str) -> None:
    parent = graph(
        "leaving",
        {"children": batch("child", "[1, 2]", **ABANDON), "after": TASK},
        "start children after end",
    )
    tree = await grown(store, tenant, CHILD, parent)
    await tree.disable("children")
    assert tree.statuses() == ["IN_PROGRESS", "IN_PROGRESS"]
    await tree.complete("task", 0)
    await tree.complete("after")
    assert tree.execution()["runtime_status"] is ExecutionStatus.COMPLETED
    await tree.fail("task", 1)
    assert tree.execution()["runtime_status"] is ExecutionStatus.COMPLETED


async def test_c5_a_retry_below_reopens_all_that_failed_above(store: Store, tenant: str) -> None:
    tree = await grown(store, tenant, CHILD, MIDDLE, TOP)
    await tree.complete("beside")
    await tree.fail("task", 0, 0)
    await tree.complete("task", 0, 1)
    for index in (0, 1):
        await tree.complete("task", 1, index)
    assert tree.statuses() == ["FAILED", "COMPLETED"]
    assert tree.execution()["runtime_status"] is ExecutionStatus.FAILED
    await tree.retry("task", 0, 0)
    for execution in (tree.execution(), tree.execution(0), tree.execution(0, 0)):
        assert execution["runtime_status"] is ExecutionStatus.IN_PROGRESS
        assert (execution["failed_at"], execution["failure_code"]) == (None, None)
    middle, children = tree.step("middle"), tree.step("children", 0)
    assert (middle["attempt"], middle["open_children"]) == (2, 1)
    assert (children["attempt"], children["open_children"]) == (2, 1)
    # Every attempt lists the same children; each child's parent step is the newest.
    assert len(tree.rows.links[middle["id"]]) == 2
    assert {tree.execution(index)["parent_step_id"] for index in (0, 1)} == {middle["id"]}
    await tree.complete("task", 0, 0)
    assert tree.execution()["runtime_status"] is ExecutionStatus.COMPLETED


async def test_c5_retrying_the_step_keeps_what_completed_and_repeats_the_rest_for_the_same_items(
    store: Store, tenant: str
) -> None:
    tree = await grown(store, tenant, CHILD, PARENT)
    await tree.complete("task", 0)
    await tree.fail("task", 1)
    await tree.cancel(2)
    before = [tree.execution(index)["id"] for index in range(3)]
    await succeed(
        Api(store, tree.actor.tenant), "updateWorkflowContext", id=tree.root, patch={"items": ["new"]}
    )
    await tree.look()
    await tree.retry("children")
    after = tree.rows.children(tree.root, "children")
    assert after[0]["id"] == before[0]
    assert not {each["id"] for each in after[1:]} & set(before)
    assert [(each["child_index"], each["item"]) for each in after] == [(0, 1), (1, 2), (2, 3)]
    assert tree.step("children")["open_children"] == 2
    rows = await drive_to_the_end((store,), tenant)
    assert rows.executions[tree.root]["runtime_status"] is ExecutionStatus.COMPLETED


async def test_c5_a_retry_is_refused_where_an_ancestor_is_over_or_does_not_wait(
    store: Store, tenant: str
) -> None:
    leaving = graph(
        "leaving",
        {"children": batch("child", "[1, 2]", **ABANDON), "after": TASK},
        "start children after end",
    )
    tree = await grown(store, tenant, CHILD, leaving)
    await tree.fail("task", 0)
    await tree.disable("children")
    failed = tree.step("task", 0)["id"]
    for name, refuser in (("IN_PROGRESS", 0), ("CANCELLED", None)):
        if name == "CANCELLED":
            await tree.cancel()
        before = tree.rows
        for command in (retry_step, disable_step):
            refusal = await outcome(command(store, tree.actor, failed, None))
            assert isinstance(refusal, InvalidTransition)
            way = () if refuser is None else (refuser,)
            assert refusal.node_id == tree.execution(*way)["id"]
        assert await tree.look() == before
