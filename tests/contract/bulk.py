"""Commands over many objects, given by name and answered as plain data."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from schema.allowance import Allowance
from tests.api import Api

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


def hurried(api: Api, clock: Callable[[], float], seconds: float) -> Api:
    """The same API where an operation has so much time by this clock."""
    allowance = Allowance(clock)
    allowance.begin(seconds)
    other = Api(replace(api.store, database=api.database._database), api.context.viewer.tenant)
    other.context = replace(other.context, allowance=allowance)
    return other
