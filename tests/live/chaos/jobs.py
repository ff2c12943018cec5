"""A client that has work claimed, due and cancelled in bulk, and gives each of these commands twice under its key."""

from typing import Any

from tests.live.chaos.streams import JSON
from tests.live.chaos.writers import PUBLISH, Writer
from tests.model.story import workflow

KEY = "crash-dated"
DATED = workflow("start > do > end", key=KEY, do={"type": "sys.task", "dueIn": "PT0.2S"})
CLAIM = """
  mutation ($input: ClaimStepsInput!) {
    claimSteps(input: $input) { __typename ... on ClaimSuccess { claimed { claimToken step { id } } } }
  }
"""
CANCEL = """
  mutation ($input: CancelWorkflowExecutionsInput!) {
    cancelWorkflowExecutions(input: $input) {
      __typename
      ... on BulkSuccess {
        matched done
        results { ... on TransitionSuccess { revision changes(first: 10) { revision kind } workflowExecution { id } } }
      }
    }
  }
"""


class Jobs(Writer):
    """`found` is what was wrong with an answer, in words."""

    def __init__(self, *given: Any) -> None:
        super().__init__(*given)
        self.found: list[str] = []

    async def publish(self) -> None:
        given = {"name": KEY, "key": KEY, "definition": DATED, "publish": True, "activate": True}
        await self.ask(PUBLISH, {"input": given})

    async def work(self) -> None:
        """Until told to stop."""
        while not self.is_to_stop:
            roots = [await self._dated() for _ in range(3)]
            claim = {"worker": self.name, "workflowTemplateKeys": [KEY], "limit": 2, "leaseSeconds": 1}
            await self._twice("claimSteps", CLAIM, claim)
            cancelled = await self._twice(
                "cancelWorkflowExecutions", CANCEL, {"limit": 10, "where": {"id": {"in": roots[:2]}}}
            )
            for result in filter(None, cancelled["results"]):
                root_id = result["workflowExecution"]["id"]
                self.acknowledged.append({"key": f"{cancelled['key']} {root_id}", "root": root_id, **result})

    async def _dated(self) -> str:
        """A new tree whose step is soon overdue; the id of its root."""
        given = {"workflowTemplateKey": KEY, "start": True}
        answer = await self.command("createWorkflowExecution", "CreateWorkflowExecutionInput", given)
        root_id: str = answer["workflowExecution"]["id"]
        self.trees.append(root_id)
        return root_id

    async def _twice(self, name: str, document: str, given: JSON) -> JSON:
        """What a command is answered: the same when it is repeated, unless that is nothing, which is not kept."""
        self._number += 1
        key = f"{self.name}-{self._number}"
        variables = {"input": {**given, "idempotencyKey": key}}
        repeated = self.repeated
        answer: JSON = (await self.ask(document, variables))[name]
        # A request that was given up for lost may be at work still, and claim on under the key.
        may_grow = self.repeated > repeated
        self._log.write(writer=self.name, sends=name, key=key, input=given, answer=answer)
        if answer.get("claimed") or answer.get("done"):
            again = (await self.ask(document, variables))[name]
            if again != answer and not (may_grow and _has_grown(answer, again)):
                self.found.append(f"{name} under {key} was answered {answer} and then {again}")
        return {"key": key, **answer}


def _has_grown(answer: JSON, again: JSON) -> bool:
    """Whether more steps are claimed, behind those that were."""
    claimed = answer.get("claimed")
    return bool(claimed) and again.get("claimed", [])[: len(claimed)] == claimed
