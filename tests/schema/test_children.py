"""Documents about children and attempts in, exact JSON and the number of statements out."""

from typing import Any

from tests.api import Api
from tests.schema.answers import answer, refused
from tests.schema.tree_samples import (
    CHECK,
    ITEMS,
    Json,
    batch,
    children_of,
    children_step,
    do,
    sequence,
    started,
    step_id_of,
)


async def test_children_have_their_index_and_item_and_know_who_started_them(api: Api) -> None:
    """C1: one for each item, null among them; JSON comes out as it went in."""
    root = await batch(api, ITEMS)
    document = """
      query ($id: ID!) { workflowExecution(id: $id) {
        id childIndex item parentWorkflowExecutionId rootWorkflowExecutionId parentStep { id }
        parentWorkflowExecution { id } rootWorkflowExecution { id }
        childWorkflowExecutions { totalCount nodes {
          childIndex item name parentWorkflowExecutionId rootWorkflowExecutionId
          parentStep { stepId workflowExecution { id } } parentWorkflowExecution { id } rootWorkflowExecution { id }
        } }
      } }
    """
    data = (await answer(api, document, 1, id=root))["workflowExecution"]
    assert data.pop("childWorkflowExecutions") == {
        "totalCount": 5,
        "nodes": [
            {
                "childIndex": index,
                "item": item,
                "name": "Child",
                "parentWorkflowExecutionId": root,
                "rootWorkflowExecutionId": root,
                "parentStep": {"stepId": "run", "workflowExecution": {"id": root}},
                "parentWorkflowExecution": {"id": root},
                "rootWorkflowExecution": {"id": root},
            }
            for index, item in enumerate(ITEMS)
        ],
    }
    assert data == {
        "id": root,
        "childIndex": None,
        "item": None,
        "parentWorkflowExecutionId": None,
        "rootWorkflowExecutionId": None,
        "parentStep": None,
        "parentWorkflowExecution": None,
        "rootWorkflowExecution": {"id": root},
    }


async def test_children_are_paged_by_index_in_both_directions(api: Api) -> None:
    """The order's keys are numbers here, not times."""
    root = await batch(api, ITEMS)
    document = """
      query ($id: ID!, $first: Int, $after: String, $last: Int, $before: String) { workflowExecution(id: $id) {
        childWorkflowExecutions(first: $first, after: $after, last: $last, before: $before) {
          nodes { childIndex } pageInfo { hasPreviousPage hasNextPage startCursor endCursor }
        }
      } }
    """

    async def page(**arguments: Any) -> tuple[list[int], bool, bool, str, str]:
        data = await answer(api, document, 1, id=root, **arguments)
        shown = data["workflowExecution"]["childWorkflowExecutions"]
        return [node["childIndex"] for node in shown["nodes"]], *shown["pageInfo"].values()

    indexes, *has, _, end = await page(first=1)
    assert (indexes, has) == ([0], [False, True])
    indexes, *has, start, _ = await page(first=1, after=end)
    assert (indexes, has) == ([1], [True, True])
    indexes, *has, _, _ = await page(last=1, before=start)
    assert (indexes, has) == ([0], [False, True])
    indexes, *has, _, end = await page(first=2)
    assert (indexes, has) == ([0, 1], [False, True])
    indexes, *has, start, end = await page(first=2, after=end)
    assert (indexes, has) == ([2, 3], [True, True])
    indexes, *has, _, _ = await page(first=2, after=end)
    assert (indexes, has) == ([4], [True, False])
    indexes, *has, _, _ = await page(last=1, before=start)
    assert (indexes, has) == ([1], [True, True])
    indexes, *has, _, _ = await page(last=3)
    assert (indexes, has) == ([2, 3, 4], [True, False])


async def test_a_cursor_of_another_order_is_refused(api: Api) -> None:
    """Children go by index, descendants by time."""
    root = await batch(api, ITEMS)
    document = """
      query ($id: ID!) { workflowExecution(id: $id) {
        childWorkflowExecutions(last: 1) { edges { cursor } }
        descendantWorkflowExecutions(last: 1) { edges { cursor } }
      } }
    """
    data = (await api.data(document, id=root))["workflowExecution"]
    by_index, by_time = (connection["edges"][0]["cursor"] for connection in data.values())
    for field, cursor in (("childWorkflowExecutions", by_time), ("descendantWorkflowExecutions", by_index)):
        document = "query ($id: ID!, $after: String) { workflowExecution(id: $id) { %s(after: $after) { totalCount } } }"
        assert (
            await refused(api, document % field, id=root, after=cursor)
            == "after is not a cursor of this list."
        )


async def test_descendants_are_all_below_and_none_beside(api: Api) -> None:
    """At any depth; of an execution in the middle only its own."""
    middle = sequence("middle", children_step())
    root = await started(
        api,
        sequence("child", CHECK),
        middle,
        sequence("top", children_step("BATCH", "middle")),
        context={"items": [1, 2]},
    )
    document = """
      query ($id: ID!) { workflowExecution(id: $id) {
        descendantWorkflowExecutions { totalCount nodes { id name } }
        childWorkflowExecutions { nodes { id
          descendantWorkflowExecutions { totalCount nodes { name parentWorkflowExecutionId } }
          childWorkflowExecutions { nodes { name rootWorkflowExecutionId descendantWorkflowExecutions { totalCount } } }
        } }
      } }
    """
    data = (await answer(api, document, 1, id=root))["workflowExecution"]
    below = data["descendantWorkflowExecutions"]
    assert below["totalCount"] == 4
    assert sorted(each["name"] for each in below["nodes"]) == ["Child", "Child", "Middle", "Middle"]
    for each in data["childWorkflowExecutions"]["nodes"]:
        only = {"name": "Child", "parentWorkflowExecutionId": each["id"]}
        assert each["descendantWorkflowExecutions"] == {"totalCount": 1, "nodes": [only]}
        leaf = {
            "name": "Child",
            "rootWorkflowExecutionId": root,
            "descendantWorkflowExecutions": {"totalCount": 0},
        }
        assert each["childWorkflowExecutions"]["nodes"] == [leaf]


async def test_a_tree_nests_as_deep_as_a_document_does(api: Api) -> None:
    """Ten levels of children, each with its steps and `runtime`; SQLite's parser alone would take three."""
    above = [sequence(f"level{number}", children_step(key=f"level{number - 1}")) for number in range(1, 5)]
    root = await started(api, sequence("level0", CHECK), *above)
    document = "id runtime"
    for depth in range(10):
        children = f"childWorkflowExecutions(first: 1) {{ edges {{ node {{ {document} }} }} }}"
        if depth % 2:
            children = (
                f"steps {{ stepId childWorkflowExecutions {{ {document} }} childProgress {{ total }} }}"
            )
        document = f"id runtime progress {{ total }} {children}"
    data = await answer(
        api, f"query ($id: ID!) {{ workflowExecution(id: $id) {{ {document} }} }}", 1, id=root
    )
    shown, levels = data["workflowExecution"], 0
    while shown:
        levels += 1
        assert shown["runtime"]["id"] == shown["id"]
        below = [child for step in shown.get("steps", ()) for child in step["childWorkflowExecutions"]]
        below += [edge["node"] for edge in shown.get("childWorkflowExecutions", {}).get("edges", ())]
        shown = below[0] if below else None
    assert levels == 5


# Attempts.


async def test_a_scheduled_attempt_shows_when_it_is_tried_again_and_an_old_one_does_not(api: Api) -> None:
    """S4: `retryAt` is of the current attempt while it waits; `attempts` has all, oldest first."""
    task = CHECK | {"retry": {"maxAttempts": 3, "backoff": "PT1H"}}
    root = await started(api, sequence("tried", task))
    first = await step_id_of(api, root, "check")
    await do(api, "failStep", id=first, message="no", code="NO")
    document = """
      query ($id: ID!) { workflowExecution(id: $id) {
        step(stepId: "check") { attempt retryAt attempts { id attempt status retryAt failure { code } } }
      } }
    """
    failed = {"id": first, "attempt": 1, "status": "FAILED", "failure": {"code": "NO"}}
    shown = (await answer(api, document, 1, id=root))["workflowExecution"]["step"]
    assert shown["retryAt"] is not None
    assert shown == {
        "attempt": 1,
        "retryAt": shown["retryAt"],
        "attempts": [failed | {"retryAt": shown["retryAt"]}],
    }
    await do(api, "retryStep", id=first)
    second = await step_id_of(api, root, "check")
    assert (await answer(api, document, 1, id=root))["workflowExecution"]["step"] == {
        "attempt": 2,
        "retryAt": None,
        "attempts": [
            failed | {"retryAt": None},
            {"id": second, "attempt": 2, "status": "IN_PROGRESS", "retryAt": None, "failure": None},
        ],
    }


async def test_a_new_attempt_shares_the_children_that_completed(api: Api) -> None:
    """C5: each attempt lists its own children; whom the execution has had are all of them."""
    root = await batch(api, ["good", "bad", "late"])
    good, bad, late = await children_of(api, root)
    await do(api, "completeStep", id=await step_id_of(api, good, "check"))
    await do(api, "failStep", id=await step_id_of(api, bad, "check"), message="no")
    await do(api, "cancelWorkflowExecution", id=late)
    await do(api, "retryStep", id=await step_id_of(api, root, "run"))
    document = """
      query ($id: ID!) { workflowExecution(id: $id) {
        step(stepId: "run") { attempts {
          attempt status
          childWorkflowExecutions { id item runtimeStatus parentStep { attempt } }
          one: childWorkflowExecutions(first: 1) { id } none: childWorkflowExecutions(first: 0) { id }
          childProgress { total notStarted inProgress completed failed cancelled }
        } }
        childWorkflowExecutions { totalCount nodes { id childIndex } }
      } }
    """
    data = (await answer(api, document, 1, id=root))["workflowExecution"]
    old, new = data["step"]["attempts"]
    again = [child["id"] for child in new["childWorkflowExecutions"][1:]]
    assert (old["attempt"], old["status"], new["attempt"], new["status"]) == (1, "FAILED", 2, "IN_PROGRESS")

    def shown(id_: str, item: str, status: str, attempt: int) -> Json:
        return {"id": id_, "item": item, "runtimeStatus": status, "parentStep": {"attempt": attempt}}

    kept = shown(good, "good", "COMPLETED", 2)
    assert old["childWorkflowExecutions"] == [
        kept,
        shown(bad, "bad", "FAILED", 1),
        shown(late, "late", "CANCELLED", 1),
    ]
    assert new["childWorkflowExecutions"] == [
        kept,
        shown(again[0], "bad", "IN_PROGRESS", 2),
        shown(again[1], "late", "IN_PROGRESS", 2),
    ]
    for attempt in (old, new):
        assert (attempt["one"], attempt["none"]) == ([{"id": good}], [])
    nothing = {"notStarted": 0, "inProgress": 0, "completed": 1, "failed": 0, "cancelled": 0}
    assert old["childProgress"] == {"total": 3} | nothing | {"failed": 1, "cancelled": 1}
    assert new["childProgress"] == {"total": 3} | nothing | {"inProgress": 2}
    assert data["childWorkflowExecutions"] == {
        "totalCount": 5,
        "nodes": [
            {"id": id_, "childIndex": index}
            for index, ids in enumerate(([good], [bad, again[0]], [late, again[1]]))
            for id_ in sorted(ids)
        ],
    }
