"""What goes on in a tree while it is followed: commands that are tried until they are carried out."""

import asyncio
from itertools import count
from typing import Any
from uuid import uuid4

import httpx

from tests.clients.followers import Line
from tests.frontend_documents import document
from tests.process.clients import http_client
from tests.servers import ServerProcess

STATE = """
query ($id: ID!) {
  workflowExecution(id: $id) {
    treeRevision ...Shown descendantWorkflowExecutions(first: 250) { nodes { ...Shown } }
  }
}
fragment Shown on WorkflowExecution {
  id name correlationId parentWorkflowExecutionId childIndex workflowTemplateVersionId runtimeStatus createdAt startedAt
  completedAt failedAt cancelledAt lastActivityAt failure { code message } reason revision context item
  steps {
    id stepId type name status attempt createdAt startedAt completedAt failedAt disabledAt passedAt disabledBy enteredBy
    dueAt isOverdue retryAt failure { code message } claim { worker claimedAt leaseExpiresAt } revision
  }
}
"""
CONTEXT = {
    "company": {"name": "Acme", "type": "llp"},
    "directors": [{"id": "director-1", "name": "Ann"}, {"id": "director-2", "name": "Ben"}],
}


async def command(server: ServerProcess, name: str, **given: Any) -> dict[str, Any]:
    """The execution after a command, which is sent again, and carried out once, where the server goes meanwhile."""
    body = {"query": document(name), "variables": {"input": {**given, "idempotencyKey": uuid4().hex}}}
    while True:
        try:
            async with http_client(server) as client:
                answer = (await client.post("/graphql", json=body)).json()
        except httpx.TransportError:
            await asyncio.sleep(0)  # the others run between two changes
            continue
        (result,) = answer["data"].values()
        assert result["__typename"] == "TransitionSuccess", result
        execution: dict[str, Any] = result["workflowExecution"]
        return execution


async def start(server: ServerProcess) -> str:
    """A company's incorporation, whose tree will have two children; its id."""
    made = await command(server, "StartExecution", workflowTemplateKey="incorporation", context=CONTEXT)
    root_id: str = made["id"]
    return root_id


async def branch(server: ServerProcess, root_id: str) -> list[str]:
    """Complete the intake: flow splits, and the children start. Their ids."""
    (intake,) = [
        each
        for each in (await read(server, root_id))[root_id]["steps"].values()
        if each["stepId"] == "intake"
    ]
    await command(server, "CompleteStep", id=intake["id"], outputData={"complete": True})
    return [each for each in await read(server, root_id) if each != root_id]


async def keep_changing(server: ServerProcess, ids: list[str], until: asyncio.Event) -> None:
    """Change the contexts of these executions in turn."""
    for number in count():
        if until.is_set():
            return
        await command(server, "UpdateContext", id=ids[number % len(ids)], patch={"number": number})


async def cancel(server: ServerProcess, root_id: str) -> None:
    """Cancel the tree, with which its streams are complete."""
    await command(server, "CancelExecution", id=root_id, reason="Enough was seen")


async def read(server: ServerProcess, root_id: str) -> dict[str, Any]:
    """The tree by a query, as the examples fold it."""
    return (await read_at(server, root_id))[1]


async def read_at(server: ServerProcess, root_id: str) -> tuple[int, dict[str, Any]]:
    """The tree and its revision."""
    async with http_client(server) as client:
        answer = await client.post("/graphql", json={"query": STATE, "variables": {"id": root_id}})
    root = answer.json()["data"]["workflowExecution"]
    revision = root.pop("treeRevision")
    shown = [root, *root.pop("descendantWorkflowExecutions")["nodes"]]
    return revision, {
        each["id"]: {**each, "steps": {step["stepId"]: step for step in each["steps"]}} for each in shown
    }


def folded(lines: list[Line]) -> dict[str, Any]:
    """The state that an example has printed last, without what Apollo and urql add to every selection."""
    return _without_typename(lines[-1]["state"])


def _without_typename(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _without_typename(each) for name, each in value.items() if name != "__typename"}
    return [_without_typename(each) for each in value] if isinstance(value, list) else value
