"""`WorkflowExecution.runtime`: exactly the seed's TRuntimeWorkflowExecution (`runtime.md` I6)."""

from tests.api import Api
from tests.schema.answers import answer
from tests.schema.tree_samples import (
    CHECK,
    batch,
    children_of,
    children_step,
    do,
    sequence,
    started,
    step_id_of,
)

RUNTIME = """
  query ($id: ID!) { workflowExecution(id: $id) {
    runtime startedAt completedAt lastActivityAt
    steps { id dueAt startedAt completedAt }
  } }
"""


async def test_runtime_before_the_start_has_what_is_set_and_nothing_else(api: Api) -> None:
    """I6: absent, not null; a null inside the context is the user's and stays."""
    context = {"a": None, "list": [None, {"b": None}], "text": 'quo"te'}
    task = CHECK | {"activationPolicy": {"defaultStatus": "Disabled"}}
    root = await started(api, sequence("later", task), start=False, context=context, correlationId="it's")
    data = (await answer(api, RUNTIME, 1, id=root))["workflowExecution"]
    version = (await api.data('{ workflowTemplate(key: "later") { activeVersion { id } } }'))[
        "workflowTemplate"
    ]
    statuses = ("NotStarted", "Disabled", "NotStarted")
    types = (("start", "start"), ("check", "human.form"), ("end", "end"))
    assert data["runtime"] == {
        "id": root,
        "correlationId": "it's",
        "workflowTemplateVersionId": version["activeVersion"]["id"],
        "runtimeStatus": "NotStarted",
        "lastActivityAt": data["lastActivityAt"],
        "context": context,
        "steps": {
            step_id: {"id": step["id"], "type": type_, "stepId": step_id, "status": status, "attempt": 1}
            for (step_id, type_), status, step in zip(types, statuses, data["steps"], strict=True)
        },
    }
    assert list(data["runtime"]["steps"]) == ["start", "check", "end"]


async def test_runtime_shows_times_outputs_and_children(api: Api) -> None:
    """The seed's keys in its order and spelling; only sub-workflow steps have children, be they none."""
    task = CHECK | {"dueIn": "P3D"}
    root = await started(
        api,
        sequence("child"),
        sequence("whole", task, children_step(), children_step("BATCH", id="none")),
        context={"items": []},
    )
    output = {"verified": True, "note": None}
    await do(api, "completeStep", id=await step_id_of(api, root, "check"), outputData=output)
    (child,) = await children_of(api, root)
    data = (await answer(api, RUNTIME, 1, id=root))["workflowExecution"]
    runtime = data["runtime"]
    assert list(runtime) == [
        "id",
        "correlationId",
        "workflowTemplateVersionId",
        "runtimeStatus",
        "startedAt",
        "completedAt",
        "lastActivityAt",
        "context",
        "steps",
    ]
    assert (runtime["correlationId"], runtime["runtimeStatus"]) == (root, "Completed")
    for name in ("startedAt", "completedAt", "lastActivityAt"):
        assert runtime[name] == data[name] is not None
    _, check, run, none, _ = data["steps"]
    assert list(runtime["steps"]["check"].items()) == [
        ("id", check["id"]),
        ("type", "human.form"),
        ("stepId", "check"),
        ("status", "Completed"),
        ("attempt", 1),
        ("startedAt", check["startedAt"]),
        ("completedAt", check["completedAt"]),
        ("dueAt", check["dueAt"]),
        ("outputData", output),
    ]
    assert runtime["steps"]["run"]["childWorkflowExecutions"] == [{"id": child}]
    assert runtime["steps"]["none"]["childWorkflowExecutions"] == []
    assert (run["dueAt"], none["dueAt"]) == (None, None)
    assert not {"dueAt", "failedAt"} & {key for step in ("run", "none") for key in runtime["steps"][step]}


async def test_runtime_of_a_child_names_its_parent_and_root(api: Api) -> None:
    """And that of a failed execution says when it failed."""
    root = await batch(api, [1])
    (child,) = await children_of(api, root)
    await do(api, "failStep", id=await step_id_of(api, child, "check"), message="no")
    document = "query ($id: ID!) { workflowExecution(id: $id) { runtime failedAt } }"
    data = (await answer(api, document, 1, id=child))["workflowExecution"]
    assert data["runtime"]["parentWorkflowExecutionId"] == data["runtime"]["rootWorkflowExecutionId"] == root
    assert data["runtime"]["failedAt"] == data["failedAt"] is not None
    assert "completedAt" not in data["runtime"]
    (shown,) = data["runtime"]["steps"]["check"].keys() & {"failedAt"}
    assert shown == "failedAt"
