"""Trees for the streams, and what a client makes of their events."""

from typing import Any

from tests.api import Api, definition

FOLLOW = """
  subscription Follow($root: ID!, $after: Int, $epoch: String) {
    workflowExecutionTree(rootId: $root, after: $after, epoch: $epoch) {
      __typename
      ... on TreeSnapshot { revision epoch reason root { id treeRevision runtimeStatus steps { stepId status } } }
      ... on TreeChanged { revision changes { revision kind workflowExecutionId cursor } }
      ... on TreeEnded { revision root { id runtimeStatus treeRevision } }
    }
  }
"""
COMMAND = """
  mutation ($id: ID!, $output: JSONObject) {
    completeStep(input: { id: $id, outputData: $output }) {
      __typename ... on TransitionSuccess { revision }
    }
  }
"""
FAIL = """
  mutation ($id: ID!) {
    failStep(input: { id: $id, message: "no" }) { __typename ... on TransitionSuccess { revision } }
  }
"""
RETRY = """
  mutation ($id: ID!) {
    retryStep(input: { id: $id }) {
      __typename ... on TransitionSuccess { revision workflowExecution { steps { id stepId } } }
    }
  }
"""
UPDATE = """
  mutation ($id: ID!, $patch: JSONObject!) {
    updateWorkflowContext(input: { id: $id, patch: $patch }) {
      __typename ... on TransitionSuccess { revision }
    }
  }
"""


class Tree:
    """An execution and the one of its steps that waits for a person."""

    def __init__(self, api: Api, execution: dict[str, Any], step_id: str = "verify") -> None:
        self._api = api
        self.id: str = execution["id"]
        self._step_id = step_id
        self.step = self._current(execution)

    async def complete(self, **output: Any) -> int:
        return await self._do(COMMAND, id=self.step, output=output or {"verified": True})

    async def fail(self) -> int:
        return await self._do(FAIL, id=self.step)

    async def retry(self) -> int:
        result = (await self._api.data(RETRY, id=self.step))["retryStep"]
        self.step = self._current(result["workflowExecution"])
        return int(result["revision"])

    async def update(self, **patch: Any) -> int:
        """Returns the tree's revision, as all commands here do."""
        return await self._do(UPDATE, id=self.id, patch=patch)

    def _current(self, execution: dict[str, Any]) -> str:
        return next(step["id"] for step in execution["steps"] if step["stepId"] == self._step_id)

    async def _do(self, document: str, **variables: Any) -> int:
        (result,) = (await self._api.data(document, **variables)).values()
        assert result["__typename"] == "TransitionSuccess", result
        return int(result["revision"])


async def tree_of(api: Api, key: str = "verify") -> Tree:
    """A new tree, at revision 5; its template is published where it is missing."""
    listed = "query ($key: String!) { workflowTemplate(key: $key) { id } }"
    if (await api.data(listed, key=key))["workflowTemplate"] is None:
        await api.publish(definition("verify"), key)
    return Tree(api, await api.start(key))


def revisions(events: list[dict[str, Any]]) -> list[int]:
    """The revisions of all changes in these events of a tree, as they came."""
    return [change["revision"] for event in events for change in event.get("changes", ())]
