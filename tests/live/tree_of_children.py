"""A tree whose children are born when its first step is completed, driven by step ids."""

from tests.live.chaos.streams import JSON
from tests.live.chaos.writers import PUBLISH, Writer
from tests.model.story import workflow

CHILD = workflow("start > do > end", key="later-child")
ROOT = workflow(
    "start > ask > children > end",
    key="later-root",
    children={
        "type": "sys.sub_workflow",
        "mode": "BATCH",
        "childWorkflowTemplateKey": "later-child",
        "iterable": {"type": "EXPRESSION", "expr": {"src": "__context__.items"}},
    },
)
STEPS = """
  query ($id: ID!) {
    workflowExecution(id: $id) {
      treeRevision
      ...Steps
      descendantWorkflowExecutions(first: 40) { nodes { ...Steps } }
    }
  }
  fragment Steps on WorkflowExecution { id childIndex runtimeStatus steps { id stepId } }
"""


class TreeOfChildren:
    """One execution of `ROOT`."""

    def __init__(self, writer: Writer, root_id: str) -> None:
        self.root_id = root_id
        self._writer = writer

    async def complete(self, step_id: str, output: JSON | None = None, child: int | None = None) -> None:
        """Complete a step of the root, or of the child with this index."""
        root = await self._look()
        nodes = root["descendantWorkflowExecutions"]["nodes"]
        (execution,) = [each for each in (root, *nodes) if each["childIndex"] == child]
        (found,) = [step["id"] for step in execution["steps"] if step["stepId"] == step_id]
        given = {"id": found, "outputData": output or {}}
        answer = await self._writer.command("completeStep", "CompleteStepInput", given)
        assert answer["__typename"] == "TransitionSuccess", answer

    async def update(self, patch: JSON) -> None:
        """Change the root's context."""
        await self._writer.update(self.root_id, patch)

    async def revision(self) -> int:
        """Of the tree, as it is now."""
        return int((await self._look())["treeRevision"])

    async def run(self) -> None:
        """From its first step to its end, with one large output."""
        await self.complete("ask")
        await self.complete("do", {"text": "x" * 1_000_000}, child=0)
        await self.complete("do", child=1)

    async def _look(self) -> JSON:
        root: JSON = (await self._writer.ask(STEPS, {"id": self.root_id}))["workflowExecution"]
        return root


async def publish(writer: Writer) -> None:
    """The definitions."""
    for raw in (CHILD, ROOT):
        given = {"name": raw["name"], "key": raw["id"], "definition": raw, "publish": True, "activate": True}
        answer = await writer.ask(PUBLISH, {"input": given})
        assert answer["createWorkflowTemplate"]["__typename"] == "TemplateSuccess", answer


async def grown(writer: Writer) -> TreeOfChildren:
    """A new execution that waits at `ask`."""
    given = {"workflowTemplateKey": "later-root", "context": {"items": [1, 2]}, "start": True}
    answer = await writer.command("createWorkflowExecution", "CreateWorkflowExecutionInput", given)
    return TreeOfChildren(writer, answer["workflowExecution"]["id"])
