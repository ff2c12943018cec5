"""What a person does with a server, by the operations that frontends send."""

from dataclasses import dataclass
from typing import Any

from tests.frontend_documents import document
from tests.process.clients import Answer, Ask, post
from tests.servers import ServerProcess

WATCH = document("WatchExecution")

# What is compared of an execution: its status and that of each step, the revision of its tree.
State = tuple[str, dict[str, str], int]


@dataclass(frozen=True, slots=True)
class Execution:
    """An execution and its steps' ids by their ids in the definition."""

    id: str
    steps: dict[str, str]


async def publish(server: ServerProcess, definition: dict[str, Any], key: str) -> None:
    """A template with an active version."""
    given = {"name": key, "key": key, "definition": definition, "publish": True, "activate": True}
    await send(server, "CreateTemplate", "TemplateSuccess", input=given)


async def create(server: ServerProcess, key: str = "verify", **more: Any) -> Execution:
    """An execution of a template's active version, started unless the input says otherwise."""
    given = {"workflowTemplateKey": key, **more}
    result = await send(server, "StartExecution", "TransitionSuccess", input=given)
    made = result["workflowExecution"]
    return Execution(made["id"], {step["stepId"]: step["id"] for step in made["steps"]})


async def complete(server: ServerProcess, step_execution_id: str, output: dict[str, Any]) -> dict[str, Any]:
    """Complete a step."""
    given = {"id": step_execution_id, "outputData": output}
    return await send(server, "CompleteStep", "TransitionSuccess", input=given)


async def send(
    server: ServerProcess, name: str, expected: str, ask: Ask = post, **variables: Any
) -> dict[str, Any]:
    """The result of a frontend's mutation, which must be of this type."""
    answer = await ask(server, document(name), **variables)
    assert "errors" not in answer, answer
    (result,) = answer["data"].values()
    assert result["__typename"] == expected, result
    found: dict[str, Any] = result
    return found


async def read_state(server: ServerProcess, execution_id: str) -> State:
    """The state of an execution by a query."""
    return state_of(await post(server, document("ExecutionDetail"), id=execution_id))


def state_of(answer: Answer) -> State:
    """The state that an answer shows."""
    assert "errors" not in answer, answer
    execution = answer["data"]["workflowExecution"]
    statuses = {step["stepId"]: step["status"] for step in execution["steps"]}
    return execution["runtimeStatus"], statuses, execution["treeRevision"]
