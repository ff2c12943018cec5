"""Commands over many objects, given by name and answered as plain data."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import orjson

from db.commands.outcome import Actor
from db.commands.step import fail_step
from db.runtime.statuses import ExecutionStatus
from schema.allowance import Allowance
from server.operations.limits import OperationLimits
from server.operations.operations import Operations
from server.operations.requests import GraphQLRequest
from tests.api import SCHEMA, Api
from tests.contract.graphs import JSON, TASK, batch, graph
from tests.contract.trees import Rows, create, publish, read

ONE = graph("one", {"task": TASK}, "start task end")
PARENT = graph("parent", {"children": batch("child", "[1, 2, 3]")}, "start children end")
ROOTS: JSON = {"isRoot": True}
INPUTS = {"cancelWorkflowExecutions": "CancelWorkflowExecutionsInput", "retrySteps": "RetryStepsInput"}
ANSWER = """
  __typename
  ... on BulkSuccess {
    matched done remaining
    results {
      __typename
      ... on Error { message }
      ... on NotFound { id }
      ... on InvalidTransition { current wanted allowed node { __typename id } }
      ... on TransitionSuccess {
        revision changeCount changes { revision kind workflowExecutionId reason }
        workflowExecution { id runtimeStatus treeRevision } step { id stepId status attempt }
      }
    }
  }
  ... on ValidationFailed { message issues { code severity path } }
"""


def tenant_of(api: Api) -> str:
    return api.context.viewer.tenant


async def made(api: Api, key: str, number: int = 1, *definitions: JSON) -> list[str]:
    """New executions, the oldest first."""
    await publish(api.store, tenant_of(api), *definitions)
    return [(await create(api.store, tenant_of(api), key))[0] for _ in range(number)]


async def rows(api: Api) -> Rows:
    return await read(api.store, tenant_of(api))


async def fail(api: Api, execution_id: str, *step_ids: str) -> None:
    """Fail steps of an execution."""
    seen = await rows(api)
    for step_id in step_ids:
        id_ = seen.step(execution_id, step_id)["id"]
        await fail_step(api.store, Actor(tenant_of(api)), id_, None, "It broke.")


async def failed(api: Api, number: int, *definitions: JSON) -> list[str]:
    """New executions of `one` whose task has failed."""
    ids = await made(api, "one", number, ONE, *definitions)
    for id_ in ids:
        await fail(api, id_, "task")
    return ids


def statuses(seen: Rows) -> dict[str, ExecutionStatus]:
    return {id_: row["runtime_status"] for id_, row in seen.executions.items()}


def document(mutation: str) -> str:
    """The operation that gives a command and asks for all of its answer."""
    return f"mutation ($input: {INPUTS[mutation]}!) {{ {mutation}(input: $input) {{ {ANSWER} }} }}"


async def give(api: Api, mutation: str, where: Any = None, **given: Any) -> Any:
    """Give a command; its answer."""
    return (await api.data(document(mutation), input={"where": where or {}, **given}))[mutation]


async def cancel(api: Api, where: Any = None, **given: Any) -> Any:
    """Cancel executions."""
    return await give(api, "cancelWorkflowExecutions", where, **given)


async def retry(api: Api, where: Any = None, **given: Any) -> Any:
    """Retry steps."""
    return await give(api, "retrySteps", where, **given)


def counts(answer: Any) -> tuple[int, int, int]:
    """How many matched, were done, and remain."""
    assert answer["__typename"] == "BulkSuccess", answer
    return answer["matched"], answer["done"], answer["remaining"]


def concerned(answer: Any) -> list[str]:
    """The ids of what the results are about, in their order."""
    return [_concerned(each) for each in answer["results"]]


def _concerned(result: Any) -> str:
    if result["__typename"] == "InvalidTransition":
        return str(result["node"]["id"])
    return str((result["step"] or result["workflowExecution"])["id"])


class Trouble(Exception):
    """What happens to a server while it works."""


class InTrouble:
    """A database that goes on to its `last` transaction and breaks at the next."""

    def __init__(self, database: Any, last: int) -> None:
        self._database = database
        self._left = last

    def __getattr__(self, name: str) -> Any:
        return getattr(self._database, name)

    async def transact(self, script: Any) -> Any:
        if self._left == 0:
            script.close()
            raise Trouble
        self._left -= 1
        return await self._database.transact(script)


def broken_after(api: Api, transactions: int) -> Api:
    """The same API over a database that breaks after so many transactions."""
    broken = Api(replace(api.store, database=api.database._database), api.context.viewer.tenant)
    store = replace(broken.store, database=InTrouble(broken.store.database, transactions))  # type: ignore[arg-type]  # a stand-in
    broken.context = replace(broken.context, store=store)
    return broken


async def cancel_by_clock(api: Api, clock: Callable[[], float], **given: Any) -> Any:
    """Cancel executions as the server does it, where an operation has a minute by this clock."""
    operations = Operations(SCHEMA, limits=OperationLimits(seconds=60))
    variables = {"input": {"where": {}, **given}}
    operation = operations.prepare(GraphQLRequest(document("cancelWorkflowExecutions"), variables=variables))
    context = replace(api.context, allowance=Allowance(clock))
    outcome = await operations.execute(operation, context)
    assert not outcome.errors, outcome.errors
    return orjson.loads(orjson.dumps(outcome.data))["cancelWorkflowExecutions"]
