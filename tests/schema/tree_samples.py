"""Trees by real commands: executions that run others, one or one for each item."""

from itertools import pairwise
from typing import Any

from tests.api import Api

Json = dict[str, Any]
INPUTS = {
    "completeStep": "CompleteStepInput",
    "failStep": "FailStepInput",
    "retryStep": "StepInput",
    "cancelWorkflowExecution": "CancelWorkflowExecutionInput",
}


def sequence(key: str, *steps: Json) -> Json:
    """start → each of these → end."""
    ends = ({"id": "start", "type": "start", "name": "S"}, {"id": "end", "type": "end", "name": "E"})
    shown = [ends[0], *steps, ends[1]]
    arrows = [
        {"id": f"t{number}", "fromStepId": source["id"], "toStepId": target["id"]}
        for number, (source, target) in enumerate(pairwise(shown))
    ]
    return {"id": key, "name": key.title(), "steps": shown, "stepTransitions": arrows}


def children_step(mode: str = "SINGLE", key: str = "child", **more: Any) -> Json:
    """A step that runs children."""
    step = {"id": "run", "type": "sys.sub_workflow", "name": "Run", "mode": mode}
    items = {"iterable": {"type": "EXPRESSION", "expr": {"src": "__context__.items"}}}
    return step | {"childWorkflowTemplateKey": key} | (items if mode == "BATCH" else {}) | more


CHECK: Json = {"id": "check", "type": "human.form", "name": "Check"}
ITEMS = [None, {"a": None, "b": [1, None]}, "it's", 1.5, False]


async def started(api: Api, *definitions: Json, **options: Any) -> str:
    """An execution of the last of these templates."""
    for definition in definitions:
        await api.publish(definition, key=definition["id"])
    made = await api.start(definitions[-1]["id"], **options)
    return str(made["id"])


async def batch(api: Api, items: list[Any]) -> str:
    """An execution whose step `run` has a child for each item."""
    return await started(
        api, sequence("child", CHECK), sequence("parent", children_step("BATCH")), context={"items": items}
    )


async def do(api: Api, command: str, **given: Any) -> None:
    """Give a command that must succeed."""
    document = f"""
      mutation ($input: {INPUTS[command]}!) {{ {command}(input: $input) {{ __typename ... on Error {{ message }} }} }}
    """
    done = (await api.data(document, input=given))[command]
    assert done == {"__typename": "TransitionSuccess"}, done


async def step_id_of(api: Api, execution_id: str, step_id: str) -> str:
    """The id of the current attempt at a step."""
    document = (
        "query ($id: ID!, $step: String!) { workflowExecution(id: $id) { step(stepId: $step) { id } } }"
    )
    data = await api.data(document, id=execution_id, step=step_id)
    found: str = data["workflowExecution"]["step"]["id"]
    return found


async def children_of(api: Api, execution_id: str) -> list[str]:
    """The ids of the executions that an execution's steps started, by index."""
    document = "query ($id: ID!) { workflowExecution(id: $id) { childWorkflowExecutions { nodes { id } } } }"
    data = await api.data(document, id=execution_id)
    return [child["id"] for child in data["workflowExecution"]["childWorkflowExecutions"]["nodes"]]
